/* SPDX-License-Identifier: MIT */
/* Certifications: by every kind of key, of ours and of foreign PKIs; and all that is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <time.h>

#include "base/limits.h"
#include "pki/authority.h"
#include "pki/certificate.h"
#include "pki/certification.h"
#include "pki/key.h"
#include "pki/role.h"
#include "support/foreign.h"
#include "support/scratch.h"

enum {
    DAY = 86400,
    BOOT = 77
};

static int64_t now; /* after all that openssl makes in a test */

typedef struct node {
    fay_identity identity;
    fay_record_key key;
    fay_buffer bytes;
} node;

/* A Node whose server is a.pem of the CA `corp`, of this kind of key. */
static void set_up(node *n, const char *kind)
{
    FAY_CLEANUP(fay_freep) char *script = fay_printed(FOREIGN_CA "sign a %s ''", kind);
    *n = (node){0};
    now = (int64_t)time(NULL) + 60;
    foreign_shell(script);
    n->identity = foreign_identity("corp", "a", NULL, now);
    fay_record_key_make(&n->key);
    assert_int_equal(
        fay_certification_make(&n->identity.server, "a", BOOT, n->key.public_key, &n->bytes, NULL),
        0);
}

static void tear_down(node *n)
{
    fay_identity_deinit(&n->identity);
    fay_record_key_deinit(&n->key);
    fay_buffer_deinit(&n->bytes);
}

static int check(const node *n, int64_t when, fay_certification *ret, fay_error *err)
{
    return fay_certification_check(fay_buffer_data(&n->bytes), fay_buffer_size(&n->bytes),
                                   &n->identity.trust, when, ret, err);
}

static void assert_refused(const node *n, int64_t when, int status, const char *text)
{
    fay_certification c = {.boot = 1};
    fay_error err = {0};
    assert_int_equal(check(n, when, &c, &err), status);
    if (strstr(err.message, text) == NULL)
        fail_msg("'%s' is not in: %s", text, err.message);
    assert_int_equal(c.boot, 1);
}

static void any_kind_of_key_certifies(void **state)
{
    (void)state;
    static const char *const kinds[] = {"rsa:2048", "p256", "ed25519"};
    for (size_t i = 0; i < FAY_COUNT(kinds); i++) {
        node n;
        fay_certification c;
        fay_error err = {0};
        set_up(&n, kinds[i]);
        if (check(&n, now, &c, &err) < 0)
            fail_msg("%s: %s", kinds[i], err.message);
        fay_digest digest = fay_digest_of(fay_buffer_data(&n.bytes), fay_buffer_size(&n.bytes));
        fay_node_id id = fay_node_id_of(&c.public_key, "a");
        fay_digest key = fay_key_fingerprint(n.identity.server.key);
        assert_true(fay_digest_equal(&c.digest, &digest));
        assert_true(fay_digest_equal(&c.public_key, &key));
        assert_true(fay_node_id_same(&c.id, &id));
        assert_string_equal(c.name, "a");
        assert_int_equal(c.boot, BOOT);
        assert_memory_equal(c.record_key, n.key.public_key, FAY_RECORD_KEY_SIZE);
        assert_int_equal(sk_X509_num(c.chain), 2);
        assert_int_equal(c.roles, 0);
        assert_false(c.ours);
        fay_certification_deinit(&c);
        tear_down(&n);
        foreign_shell("rm *");
    }
}

static void ours_has_roles(void **state)
{
    (void)state;
    fay_issue host = {.name = "seed", .roles = FAY_ROLES_HOST, .now = (int64_t)time(NULL)};
    fay_tls_flags flags = {.directory = "tls"};
    fay_tls_settings settings;
    node n = {0};
    fay_certification c;
    fay_error err = {0};
    assert_int_equal(fay_authority_create("tls", FAY_P256, &host, &err), 0);
    assert_int_equal(fay_tls_settings_resolve(&flags, NULL, NULL, &settings, &err), 0);
    assert_int_equal(fay_identity_load(&settings, FAY_NEEDS_SERVER, host.now, &n.identity, &err),
                     0);
    fay_tls_settings_deinit(&settings);
    fay_record_key_make(&n.key);
    /* Another name than the certificate's: one certificate may serve many Nodes. */
    assert_int_equal(fay_certification_make(&n.identity.server, "seed-2", BOOT, n.key.public_key,
                                            &n.bytes, &err),
                     0);
    if (check(&n, host.now, &c, &err) < 0)
        fail_msg("%s", err.message);
    assert_true(c.ours);
    assert_int_equal(c.roles, FAY_ROLES_HOST);
    assert_string_equal(c.name, "seed-2");
    fay_certification_deinit(&c);
    tear_down(&n);
}

static void a_certificate_that_does_not_hold_is_refused(void **state)
{
    (void)state;
    node n;
    set_up(&n, "p256");
    assert_refused(&n, now + 400 * (int64_t)DAY, FAY_E_TLS, "of Node a: the certificate expired");
    foreign_shell(FOREIGN_CA "ca other");
    fay_trust_deinit(&n.identity.trust);
    n.identity.trust = foreign_trust("other.pem");
    assert_refused(&n, now, FAY_E_TLS, "is signed by CN=corp, not by CN=other");
    tear_down(&n);
}

/* Certifies by the same key, with this certificate of the CA that is there now. */
static void show(node *n, const char *file)
{
    fay_trust_deinit(&n->identity.trust);
    n->identity.trust = foreign_trust("corp.pem");
    X509_free(sk_X509_shift(n->identity.server.chain));
    fay_ossl_must(sk_X509_unshift(n->identity.server.chain, foreign_certificate(file)) > 0);
    fay_buffer_clear(&n->bytes);
    assert_int_equal(
        fay_certification_make(&n->identity.server, "a", BOOT, n->key.public_key, &n->bytes, NULL),
        0);
}

static void a_clients_certificate_certifies_nothing(void **state)
{
    (void)state;
    node n;
    set_up(&n, "p256");
    foreign_shell(FOREIGN_CA "sign a p256 extendedKeyUsage=clientAuth");
    show(&n, "a.pem");
    assert_refused(&n, now, FAY_E_TLS, "not that of a TLS server");
    tear_down(&n);
}

/* Whose certificate it is, and who has signed, must be one. */
static void another_key_cannot_certify(void **state)
{
    (void)state;
    node n;
    set_up(&n, "p256");
    foreign_shell(FOREIGN_CA "sign b p256 ''");
    show(&n, "b.pem");
    assert_refused(&n, now, FAY_E_TLS, "is not signed by its certificate's key");
    tear_down(&n);
}

/* Each byte of what is signed: boot, name (hence id), record key. */
static void what_is_signed_cannot_be_changed(void **state)
{
    (void)state;
    enum {
        BOOT_AT = 1,
        NAME_AT = BOOT_AT + 8 + 4,
        KEY_AT = NAME_AT + 1
    };
    static const size_t places[] = {BOOT_AT, BOOT_AT + 4, NAME_AT, KEY_AT, KEY_AT + 31};
    node n;
    set_up(&n, "ed25519");
    for (size_t i = 0; i < FAY_COUNT(places); i++) {
        n.bytes.bytes[places[i]] ^= 2;
        assert_refused(&n, now, FAY_E_TLS, "is not signed by");
        n.bytes.bytes[places[i]] ^= 2;
    }
    n.bytes.bytes[n.bytes.end - 1] ^= 1;
    assert_refused(&n, now, FAY_E_TLS, "is not signed by");
    tear_down(&n);
}

static void what_is_cut_or_longer_is_none(void **state)
{
    (void)state;
    node n;
    set_up(&n, "ed25519");
    size_t end = n.bytes.end;
    for (size_t cut = 0; cut < end; cut += cut < 80 ? 1 : 37) {
        n.bytes.end = cut;
        assert_refused(&n, now, FAY_E_PEER, "bytes that are no certification");
    }
    n.bytes.end = end;
    fay_buffer_append(&n.bytes, "", 1);
    assert_refused(&n, now, FAY_E_PEER, "bytes that are no certification");
    tear_down(&n);
}

static void what_no_node_says_is_none(void **state)
{
    (void)state;
    node n;
    set_up(&n, "ed25519");
    static const struct {
        const char *name;
        uint64_t boot;
    } wrong[] = {{"", 1}, {"a b", 1}, {"-", 1}, {"a", 0}, {"a", FAY_GRID_BOOT_MAX + 1}};
    for (size_t i = 0; i < FAY_COUNT(wrong); i++) {
        fay_buffer_clear(&n.bytes);
        assert_int_equal(fay_certification_make(&n.identity.server, wrong[i].name, wrong[i].boot,
                                                n.key.public_key, &n.bytes, NULL),
                         0);
        assert_refused(&n, now, FAY_E_PEER, "no certification");
    }
    fay_buffer_clear(&n.bytes);
    assert_int_equal(fay_certification_make(&n.identity.server, "a", FAY_GRID_BOOT_MAX,
                                            n.key.public_key, &n.bytes, NULL),
                     0);
    fay_certification c;
    assert_int_equal(check(&n, now, &c, NULL), 0);
    fay_certification_deinit(&c);
    n.bytes.bytes[0] = 2; /* a version that we do not know */
    assert_refused(&n, now, FAY_E_PEER, "no certification");
    tear_down(&n);
}

static void chains_have_a_limit(void **state)
{
    (void)state;
    node n;
    set_up(&n, "ed25519");
    fay_error err = {0};
    X509 *ca = sk_X509_value(n.identity.server.chain, 1);
    while ((size_t)sk_X509_num(n.identity.server.chain) <= FAY_CERTIFICATION_CHAIN_MAX) {
        fay_ossl_must(X509_up_ref(ca) == 1 && sk_X509_push(n.identity.server.chain, ca) > 0);
    }
    fay_buffer_clear(&n.bytes);
    assert_int_equal(
        fay_certification_make(&n.identity.server, "a", BOOT, n.key.public_key, &n.bytes, &err), 0);
    assert_refused(&n, now, FAY_E_PEER, "no certification");
    while (sk_X509_num(n.identity.server.chain) < 250) {
        fay_ossl_must(X509_up_ref(ca) == 1 && sk_X509_push(n.identity.server.chain, ca) > 0);
    }
    fay_buffer_clear(&n.bytes);
    assert_int_equal(
        fay_certification_make(&n.identity.server, "a", BOOT, n.key.public_key, &n.bytes, &err),
        FAY_E_TLS);
    assert_non_null(strstr(err.message, "more than the 61440 that others take"));
    assert_int_equal(fay_buffer_size(&n.bytes), 0);
    tear_down(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(any_kind_of_key_certifies),
        IN_SCRATCH(ours_has_roles),
        IN_SCRATCH(a_certificate_that_does_not_hold_is_refused),
        IN_SCRATCH(a_clients_certificate_certifies_nothing),
        IN_SCRATCH(another_key_cannot_certify),
        IN_SCRATCH(what_is_signed_cannot_be_changed),
        IN_SCRATCH(what_is_cut_or_longer_is_none),
        IN_SCRATCH(what_no_node_says_is_none),
        IN_SCRATCH(chains_have_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
