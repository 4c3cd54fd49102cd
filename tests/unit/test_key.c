/* SPDX-License-Identifier: MIT */
/* Keys of our own and of openssl's: read, told apart, refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sys/stat.h>

#include "pki/key.h"
#include "pki/store.h"
#include "support/foreign.h"
#include "support/scratch.h"

static void our_keys_come_back(void **state)
{
    (void)state;
    static const char *const texts[] = {"P-256", "Ed25519"};
    for (int i = 0; i < 2; i++) {
        FAY_CLEANUP(fay_secret_deinit) fay_buffer pem = {0};
        FAY_CLEANUP(fay_pkey_freep) EVP_PKEY *key = fay_key_make(i == 0 ? FAY_P256 : FAY_ED25519);
        FAY_CLEANUP(fay_pkey_freep) EVP_PKEY *again = NULL;
        char text[FAY_KEY_TEXT_MAX];
        fay_key_append(key, &pem);
        assert_int_equal(
            fay_key_parse("x", fay_buffer_data(&pem), fay_buffer_size(&pem), &again, NULL), 0);
        assert_int_equal(EVP_PKEY_eq(key, again), 1);
        assert_string_equal(fay_key_text(key, text), texts[i]);
        fay_digest a = fay_key_fingerprint(key);
        fay_digest b = fay_key_fingerprint(again);
        assert_true(fay_digest_equal(&a, &b));
    }
    fay_algorithm algorithm;
    assert_true(fay_algorithm_parse("ed25519", &algorithm) && algorithm == FAY_ED25519);
    assert_false(fay_algorithm_parse("rsa", &algorithm));
}

static void assert_key(const char *file, const char *expected)
{
    FAY_CLEANUP(fay_pkey_freep) EVP_PKEY *key = NULL;
    char text[FAY_KEY_TEXT_MAX];
    fay_error err = {0};
    if (fay_key_load(file, &key, &err) != 0)
        fail_msg("%s", err.message);
    assert_string_equal(fay_key_text(key, text), expected);
    assert_int_equal(fay_key_check(file, key, &err), 0);
}

static void keys_of_openssl_are_read(void **state)
{
    (void)state;
    foreign_shell(
        FOREIGN_CA
        "key rsa rsa:2048; key ec p256; key ed ed25519;"
        "openssl rsa -in rsa -traditional -out old; openssl pkey -in rsa -outform DER "
        "-out der; openssl pkcs8 -topk8 -nocrypt -in ec -outform DER -out p8; chmod 600 *");
    assert_key("rsa", "RSA 2048");
    assert_key("old", "RSA 2048");
    assert_key("der", "RSA 2048");
    assert_key("ec", "P-256");
    assert_key("p8", "P-256");
    assert_key("ed", "Ed25519");
}

static void public_keys_of_every_form_are_read(void **state)
{
    (void)state;
    static const char *const files[] = {"pub", "pub.der", "pkcs1", "corp.pem", "corp.key"};
    foreign_shell(FOREIGN_CA "key rsa rsa:2048; openssl pkey -in corp.key -pubout -out pub;"
                             "openssl pkey -in corp.key -pubout -outform DER -out pub.der;"
                             "openssl rsa -in rsa -RSAPublicKey_out -out pkcs1");
    for (size_t i = 0; i < FAY_COUNT(files); i++) {
        FAY_CLEANUP(fay_pkey_freep) EVP_PKEY *key = NULL;
        fay_error err = {0};
        char text[FAY_KEY_TEXT_MAX];
        if (fay_key_load_public(files[i], &key, &err) != 0)
            fail_msg("%s", err.message);
        assert_string_equal(fay_key_text(key, text), i == 2 ? "RSA 2048" : "P-256");
    }
}

static void assert_refused(const char *file, const char *message, const char *hint)
{
    EVP_PKEY *key = NULL;
    fay_error err = {0};
    assert_true(fay_key_load(file, &key, &err) < 0);
    assert_null(key);
    if (strstr(err.message, message) == NULL || strstr(err.hint, hint) == NULL)
        fail_msg("%s; %s", err.message, err.hint);
}

static void what_is_no_key_is_refused(void **state)
{
    (void)state;
    foreign_shell(FOREIGN_CA "openssl pkey -in corp.key -aes256 -passout pass:x -out locked;"
                             "echo nonsense >none; : >empty; openssl pkey -in corp.key -pubout "
                             "-out pub; head -c 100 corp.key >half; chmod 600 *;"
                             "cp corp.key open; chmod 644 open; key x448 x448");
    assert_refused("locked", "has a password", "openssl pkey -in");
    assert_refused("none", "no private key in it", "BEGIN PRIVATE KEY");
    assert_refused("empty", "no private key in it", "");
    assert_refused("half", "no private key in it", "");
    assert_refused("pub", "no private key in it", "");
    assert_refused("open", "others may read", "chmod 600");
    assert_refused("nowhere", "No such file", "");

    FAY_CLEANUP(fay_pkey_freep) EVP_PKEY *key = NULL;
    fay_error err = {0};
    assert_int_equal(fay_key_load("x448", &key, &err), 0);
    assert_int_equal(fay_key_check("x448", key, &err), FAY_E_TLS);
    assert_non_null(strstr(err.message, "X448 keys cannot be used"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(our_keys_come_back),
        IN_SCRATCH(keys_of_openssl_are_read),
        IN_SCRATCH(public_keys_of_every_form_are_read),
        IN_SCRATCH(what_is_no_key_is_refused),
    };
    return cmocka_run_group_tests_name("key", tests, NULL, NULL);
}
