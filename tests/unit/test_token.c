/* SPDX-License-Identifier: MIT */
/* Join tokens, the file of those that are open, and requests for certificates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "pki/csr.h"
#include "pki/grants.h"
#include "pki/issue.h"
#include "pki/key.h"
#include "pki/role.h"

static void a_token_is_one_line(void **state)
{
    (void)state;
    fay_digest ca = fay_digest_of("ca", 2);
    fay_token token, again, other;
    char text[FAY_TOKEN_TEXT_MAX], ca_text[FAY_DIGEST_TEXT_MAX];
    fay_error err = {0};
    fay_token_make(&ca, &token);
    fay_token_make(&ca, &other);
    assert_memory_not_equal(token.secret, other.secret, sizeof token.secret);
    (void)fay_token_text(&token, text);
    assert_int_equal(strlen(text), FAY_TOKEN_TEXT_MAX - 1);
    assert_int_equal(strncmp(text, "fay1.", 5), 0);
    assert_int_equal(strncmp(text + 5, fay_digest_text(&ca, ca_text), 64), 0);
    assert_int_equal(fay_token_parse(text, &again, &err), 0);
    assert_memory_equal(&again, &token, sizeof token);
    fay_token_wipe(&again);
    assert_int_equal(again.secret[0] | again.secret[31] | again.ca.bytes[0], 0);
}

static void what_is_no_token_is_refused(void **state)
{
    (void)state;
    fay_digest ca = fay_digest_of("ca", 2);
    fay_token token, parsed = {0};
    char text[FAY_TOKEN_TEXT_MAX + 1];
    static const size_t places[] = {0, 3, 4, 5, 68, 69, 70, 133};
    fay_error err = {0};
    fay_token_make(&ca, &token);
    for (size_t i = 0; i < FAY_COUNT(places); i++) {
        (void)fay_token_text(&token, text);
        text[places[i]] = 'x';
        assert_int_equal(fay_token_parse(text, &parsed, &err), FAY_E_INVAL);
        assert_null(strstr(err.message, text + 70)); /* the secret is not repeated */
    }
    (void)fay_token_text(&token, text);
    text[FAY_TOKEN_TEXT_MAX - 1] = '0'; /* too long */
    text[FAY_TOKEN_TEXT_MAX] = '\0';
    assert_int_equal(fay_token_parse(text, &parsed, &err), FAY_E_INVAL);
    text[100] = '\0'; /* cut off when it was pasted */
    assert_int_equal(fay_token_parse(text, &parsed, &err), FAY_E_INVAL);
    assert_non_null(strstr(err.hint, "is it whole?"));
    assert_int_equal(fay_token_parse("", &parsed, &err), FAY_E_INVAL);
    assert_int_equal(parsed.secret[0] | parsed.ca.bytes[0], 0);
}

static void a_token_pins_the_root(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_pkey_freep) EVP_PKEY *key = fay_key_make(FAY_P256);
    FAY_CLEANUP(fay_x509s_freep) STACK_OF(X509) *chain = sk_X509_new_null();
    fay_token token;
    X509 *root = fay_issue_ca(key, 1000000000);
    fay_digest digest = fay_digest_of("other", 5);
    fay_token_make(&digest, &token);
    assert_false(fay_token_pins(&token, chain));
    (void)sk_X509_push(chain, root);
    assert_false(fay_token_pins(&token, chain));
    unsigned char *der = NULL;
    int size = i2d_X509(root, &der);
    digest = fay_digest_of(der, (size_t)size);
    OPENSSL_free(der);
    fay_token_make(&digest, &token);
    assert_true(fay_token_pins(&token, chain));
}

/* Computed by another program: HMAC-SHA256 of "faymora join 1" and 32 times 0x02. */
static void the_proof_is_that_of_the_protocol(void **state)
{
    (void)state;
    uint8_t secret[FAY_SECRET_SIZE];
    fay_digest request;
    char text[FAY_DIGEST_TEXT_MAX];
    memset(secret, 1, sizeof secret);
    memset(request.bytes, 2, sizeof request.bytes);
    fay_digest proof = fay_token_proof(secret, &request);
    assert_string_equal(fay_digest_text(&proof, text),
                        "b76f069186d98fd6dd4c77c6e1a5567830b00e54e98b7f3fc9463465d79633a2");
}

static fay_grants two_grants(void)
{
    fay_grants grants = {0};
    for (uint8_t i = 0; i < 2; i++) {
        fay_grant *grant;
        assert_int_equal(fay_grants_add(&grants, &grant, NULL), 0);
        memset(grant->secret, i + 1, sizeof grant->secret);
        grant->expires = 100 * (i + 1);
        grant->uses_max = 1;
        grant->roles = FAY_ROLES_TOKEN;
    }
    return grants;
}

static void grants_are_found_by_their_proof_and_used_up(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_grants_deinit) fay_grants grants = two_grants();
    fay_digest first = fay_digest_of("1", 1), second = fay_digest_of("2", 1);
    fay_digest proof = fay_token_proof(grants.list[1].secret, &first);
    fay_error err = {0};
    assert_ptr_equal(fay_grants_find(&grants, &first, &proof), &grants.list[1]);
    assert_null(fay_grants_find(&grants, &second, &proof)); /* it is for that request alone */
    fay_grant *grant = &grants.list[1];
    assert_null(fay_grant_served(grant, &first));
    assert_int_equal(fay_grant_use_up(grant, &first, "AB", &err), 0);
    assert_string_equal(fay_grant_served(grant, &first), "AB");
    assert_int_equal(fay_grant_use_up(grant, &second, "CD", &err), FAY_E_NORES);
    assert_null(fay_grant_served(grant, &second));
    fay_grants_expire(&grants, 100);
    assert_int_equal(grants.count, 1);
    assert_int_equal(grants.list[0].expires, 200);
    assert_string_equal(fay_grant_served(&grants.list[0], &first), "AB");
}

static void the_file_of_grants_comes_back(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_grants_deinit) fay_grants grants = two_grants(), again = {0};
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer first = {0}, second = {0};
    fay_digest request = fay_digest_of("1", 1);
    fay_error err = {0};
    assert_int_equal(fay_grant_use_up(&grants.list[0], &request, "AB", &err), 0);
    fay_grants_append(&grants, &first);
    assert_int_equal(fay_grants_parse((const char *)fay_buffer_data(&first),
                                      fay_buffer_size(&first), &again, &err),
                     0);
    fay_grants_append(&again, &second);
    assert_string_equal(fay_buffer_text(&first), fay_buffer_text(&second));
    assert_non_null(strstr(fay_buffer_text(&first), " 200 1 agent,node\n"));
}

#define HEX64 "0000000000000000000000000000000000000000000000000000000000000000"
#define LINE1 "faymora tokens 1\n"
#define TOKEN "token " HEX64 " 9 1 agent\n"

static void a_file_that_was_changed_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "faymora tokens 2\n",
        LINE1 "token " HEX64 " 9 1 agent", /* no end of line: it was cut off */
        LINE1 "token " HEX64 " -9 1 agent\n",
        LINE1 "token " HEX64 " 9 1001 agent\n",
        LINE1 "token " HEX64 " 9 1 king\n",
        LINE1 "token " HEX64 " 9 1 \n",
        LINE1 "token " HEX64 "0 9 1 agent\n",
        LINE1 "token " HEX64 " 9 1 agent more\n",
        LINE1 "use " HEX64 " AB\n",
        LINE1 TOKEN "use " HEX64 " ab\n",
        LINE1 TOKEN "use " HEX64 " ../x\n",
        LINE1 TOKEN "use " HEX64 " AB\nuse " HEX64 " AB\n",
    };
    for (size_t i = 0; i < FAY_COUNT(bad); i++) {
        fay_grants grants = {0};
        fay_error err = {0};
        if (fay_grants_parse(bad[i], strlen(bad[i]), &grants, &err) != FAY_E_TLS)
            fail_msg("%s", bad[i]);
        assert_null(grants.list);
    }
    FAY_CLEANUP(fay_grants_deinit) fay_grants grants = {0};
    const char *good = LINE1 TOKEN "use " HEX64 " AB\n";
    assert_int_equal(fay_grants_parse(good, strlen(good), &grants, NULL), 0);
}

static void there_are_not_too_many(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_grants_deinit) fay_grants grants = {0};
    fay_grant *grant;
    fay_error err = {0};
    for (size_t i = 0; i < FAY_TOKENS_MAX; i++)
        assert_int_equal(fay_grants_add(&grants, &grant, &err), 0);
    assert_int_equal(fay_grants_add(&grants, &grant, &err), FAY_E_NORES);
}

static void a_request_says_key_and_name(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        FAY_CLEANUP(fay_pkey_freep) EVP_PKEY *key = fay_key_make(i == 0 ? FAY_P256 : FAY_ED25519);
        FAY_CLEANUP(fay_buffer_deinit) fay_buffer der = {0};
        fay_csr csr = {0};
        fay_error err = {0};
        fay_csr_make(key, "b.example", &der);
        assert_int_equal(fay_csr_parse(fay_buffer_data(&der), fay_buffer_size(&der), &csr, &err),
                         0);
        assert_string_equal(csr.name, "b.example");
        assert_int_equal(EVP_PKEY_eq(csr.key, key), 1);
        fay_csr_deinit(&csr);

        uint8_t *bytes = fay_buffer_reserve(&der, 1) - fay_buffer_size(&der);
        size_t size = fay_buffer_size(&der);
        bytes[size] = 0;
        assert_int_equal(fay_csr_parse(bytes, size + 1, &csr, &err), FAY_E_TLS); /* one too many */
        assert_int_equal(fay_csr_parse(bytes, size - 1, &csr, &err), FAY_E_TLS);
        bytes[size - 1] ^= 1; /* of the signature */
        assert_int_equal(fay_csr_parse(bytes, size, &csr, &err), FAY_E_TLS);
        assert_non_null(strstr(err.message, "not signed by its key"));
        assert_int_equal(fay_csr_parse(bytes, 0, &csr, &err), FAY_E_TLS);
        assert_null(csr.key);
    }
}

static void a_request_without_a_nodes_name_is_refused(void **state)
{
    (void)state;
    static const char *const names[] = {"../a", "a b", "-"};
    for (size_t i = 0; i < FAY_COUNT(names); i++) {
        FAY_CLEANUP(fay_pkey_freep) EVP_PKEY *key = fay_key_make(FAY_P256);
        FAY_CLEANUP(fay_buffer_deinit) fay_buffer der = {0};
        fay_csr csr = {0};
        fay_error err = {0};
        fay_csr_make(key, names[i], &der);
        assert_int_equal(fay_csr_parse(fay_buffer_data(&der), fay_buffer_size(&der), &csr, &err),
                         FAY_E_TLS);
        assert_non_null(strstr(err.message, "names no Node"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_is_one_line),
        cmocka_unit_test(what_is_no_token_is_refused),
        cmocka_unit_test(a_token_pins_the_root),
        cmocka_unit_test(the_proof_is_that_of_the_protocol),
        cmocka_unit_test(grants_are_found_by_their_proof_and_used_up),
        cmocka_unit_test(the_file_of_grants_comes_back),
        cmocka_unit_test(a_file_that_was_changed_is_refused),
        cmocka_unit_test(there_are_not_too_many),
        cmocka_unit_test(a_request_says_key_and_name),
        cmocka_unit_test(a_request_without_a_nodes_name_is_refused),
    };
    return cmocka_run_group_tests_name("token", tests, NULL, NULL);
}
