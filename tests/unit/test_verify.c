/* SPDX-License-Identifier: MIT */
/* Certificates of any PKI: what they say, and whether they are believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pki/certificate.h"
#include "pki/issue.h"
#include "pki/names.h"
#include "pki/verify.h"
#include "support/foreign.h"
#include "support/scratch.h"

#include <time.h>

enum {
    DAY = 86400
};

static scratch here;
static int64_t now;

static int enter(void **state)
{
    (void)state;
    scratch_enter(&here);
    now = (int64_t)time(NULL) + 60; /* after all that openssl makes in a test */
    return 0;
}

static int leave(void **state)
{
    (void)state;
    scratch_leave(&here);
    return 0;
}

/* How it ends: "" = believed, else the message and the hint. */
static const char *verify(const char *file, const char *ca, fay_purpose purpose, int64_t when)
{
    static char text[700];
    FAY_CLEANUP(fay_trust_deinit) fay_trust trust = foreign_trust(ca);
    FAY_CLEANUP(fay_x509s_freep) STACK_OF(X509) *list = NULL;
    FAY_CLEANUP(fay_x509s_freep) STACK_OF(X509) *chain = NULL;
    fay_error err = {0};
    assert_int_equal(fay_certificates_load(file, &list, &err), 0);
    fay_check check = {.what = file, .trust = &trust, .purpose = purpose, .now = when};
    int r = fay_verify(&check, sk_X509_value(list, 0), list, &chain, &err);
    (void)snprintf(text, sizeof text, "%s; %s", err.message, err.hint);
    assert_int_equal(r == 0, err.message[0] == '\0');
    return r == 0 ? "" : text;
}

static void assert_says(const char *text, const char *expected)
{
    if (strstr(text, expected) == NULL)
        fail_msg("'%s' is not in: %s", expected, text);
}

static void certificates_of_any_kind_are_believed(void **state)
{
    (void)state;
    static const char *const kinds[] = {"rsa:2048", "p256", "ed25519"};
    for (size_t i = 0; i < FAY_COUNT(kinds); i++) {
        FAY_CLEANUP(fay_freep)
        char *script = fay_printed(FOREIGN_CA "sign a %s ''", kinds[i]);
        foreign_shell(script);
        assert_string_equal(verify("a.pem", "corp.pem", FAY_FOR_SERVER, now), "");
        assert_string_equal(verify("a.pem", "corp.pem", FAY_FOR_CLIENT, now), "");
        foreign_shell("rm *");
    }
}

static void intermediates_are_followed(void **state)
{
    (void)state;
    foreign_shell(FOREIGN_CA "sign mid p256 keyUsage=critical,keyCertSign corp TRUE;"
                             "sign a rsa:2048 '' mid; cat a.pem mid.pem >chain");
    assert_string_equal(verify("chain", "corp.pem", FAY_FOR_SERVER, now), "");
    assert_says(verify("a.pem", "corp.pem", FAY_FOR_SERVER, now), "signed by CN=mid, not by");
    assert_says(verify("a.pem", "corp.pem", FAY_FOR_SERVER, now), "intermediates are missing");
    /* Who trusts the intermediate alone does. */
    assert_string_equal(verify("a.pem", "mid.pem", FAY_FOR_SERVER, now), "");
}

static void key_usage_is_obeyed(void **state)
{
    (void)state;
    foreign_shell(FOREIGN_CA "sign s p256 extendedKeyUsage=serverAuth;"
                             "sign c p256 extendedKeyUsage=clientAuth;"
                             "sign m p256 extendedKeyUsage=emailProtection;"
                             "sign k rsa:2048 keyUsage=critical,cRLSign");
    assert_string_equal(verify("s.pem", "corp.pem", FAY_FOR_SERVER, now), "");
    assert_says(verify("s.pem", "corp.pem", FAY_FOR_CLIENT, now), "not that of a TLS client");
    assert_says(verify("s.pem", "corp.pem", FAY_FOR_CLIENT, now), "extendedKeyUsage clientAuth");
    assert_string_equal(verify("c.pem", "corp.pem", FAY_FOR_CLIENT, now), "");
    assert_says(verify("c.pem", "corp.pem", FAY_FOR_SERVER, now), "not that of a TLS server");
    assert_says(verify("m.pem", "corp.pem", FAY_FOR_SERVER, now), "not that of a TLS server");
    assert_says(verify("k.pem", "corp.pem", FAY_FOR_CLIENT, now), "not that of a TLS client");
}

static void time_is_obeyed(void **state)
{
    (void)state;
    foreign_shell(FOREIGN_CA "sign a p256 ''");
    assert_says(verify("a.pem", "corp.pem", FAY_FOR_SERVER, now + 368 * DAY), "expired at");
    assert_says(verify("a.pem", "corp.pem", FAY_FOR_SERVER, now + 368 * DAY), "3 days ago");
    assert_says(verify("a.pem", "corp.pem", FAY_FOR_SERVER, now + 368 * DAY), "cert renew");
    assert_says(verify("a.pem", "corp.pem", FAY_FOR_SERVER, now - DAY), "is not valid before");
    assert_says(verify("a.pem", "corp.pem", FAY_FOR_SERVER, now - DAY), "are the clocks right?");
}

static void strangers_are_refused(void **state)
{
    (void)state;
    foreign_shell(FOREIGN_CA
                  "sign a p256 ''; ca other; mkdir x; (cd x; ca corp);"
                  "key self.key p256; openssl req -x509 -key self.key -subj /CN=self -out self.pem "
                  "-days 9; sign leaf p256 '' self");
    assert_says(verify("a.pem", "other.pem", FAY_FOR_SERVER, now), "signed by CN=corp, not by "
                                                                   "CN=other");
    /* Another CA of the same name. */
    assert_says(verify("a.pem", "x/corp.pem", FAY_FOR_SERVER, now), "signed by CN=corp, not by "
                                                                    "CN=corp (");
    assert_says(verify("self.pem", "corp.pem", FAY_FOR_SERVER, now), "signed by itself");
    /* A certificate of ours does not make a CA of whoever has it. */
    foreign_shell(FOREIGN_CA "sign b p256 '' a; cat b.pem a.pem >chain");
    assert_true(verify("chain", "corp.pem", FAY_FOR_SERVER, now)[0] != '\0');
}

static void weak_keys_are_refused(void **state)
{
    (void)state;
    foreign_shell(FOREIGN_CA "sign a rsa:1024 ''");
    assert_says(verify("a.pem", "corp.pem", FAY_FOR_SERVER, now), "key too weak");
}

static fay_certificate describe(const char *file)
{
    fay_certificate certificate = {0};
    fay_error err = {0};
    FAY_CLEANUP(fay_x509_freep) X509 *x509 = foreign_certificate(file);
    assert_int_equal(fay_certificate_describe(x509, &certificate, &err), 0);
    return certificate;
}

static void assert_name(const char *file, const char *name, unsigned roles)
{
    FAY_CLEANUP(fay_certificate_deinit) fay_certificate c = describe(file);
    assert_string_equal(c.name, name);
    assert_int_equal(c.roles, roles);
}

static void names_are_found_in_their_order(void **state)
{
    (void)state;
    foreign_shell(FOREIGN_CA
                  "sign cn p256 '';"
                  "sign dns p256 subjectAltName=IP:10.0.0.7,DNS:d.example.org,DNS:e;"
                  "sign uri p256 subjectAltName=DNS:d,URI:faymora:node:u,URI:faymora:role:agent;"
                  "sign bad p256 subjectAltName=DNS:d,URI:faymora:node:../x,URI:faymora:role:king;"
                  "openssl req -new -key cn.key -subj '/CN=a b' -out r; openssl x509 -req -in r "
                  "-CA corp.pem -CAkey corp.key -out odd.pem; openssl x509 -in cn.pem -outform DER "
                  "-out cn.der");
    assert_name("cn.pem", "cn", 0);
    assert_name("cn.der", "cn", 0);
    assert_name("dns.pem", "d.example.org", 0);
    assert_name("uri.pem", "u", FAY_ROLE_AGENT);
    assert_name("bad.pem", "d", 0);
    assert_name("odd.pem", "", 0);
}

/* A CA may copy what it was asked for: the roles in it are worth nothing. */
static void roles_count_under_our_ca_alone(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_pkey_freep) EVP_PKEY *ca_key = fay_key_make(FAY_ED25519);
    FAY_CLEANUP(fay_pkey_freep) EVP_PKEY *key = fay_key_make(FAY_P256);
    FAY_CLEANUP(fay_x509_freep) X509 *ca = fay_issue_ca(ca_key, now);
    FAY_CLEANUP(fay_x509_freep) X509 *ours = NULL;
    FAY_CLEANUP(fay_x509s_freep) STACK_OF(X509) *chain = NULL;
    FAY_CLEANUP(fay_trust_deinit) fay_trust trust = {.anchors = sk_X509_new_null()};
    fay_issue what = {.name = "n", .roles = FAY_ROLES_TOKEN, .now = now};
    fay_error err = {0};
    assert_int_equal(fay_issue_certificate(ca, ca_key, key, &what, &ours, &err), 0);
    (void)X509_up_ref(ca);
    (void)sk_X509_push(trust.anchors, ca);
    fay_check check = {.what = "n", .trust = &trust, .purpose = FAY_FOR_CLIENT, .now = now};
    assert_int_equal(fay_verify(&check, ours, NULL, &chain, &err), 0);
    assert_int_equal(fay_verified_roles(chain), FAY_ROLES_TOKEN);
    fay_x509s_freep(&chain);

    foreign_shell(FOREIGN_CA
                  "sign a p256 subjectAltName=URI:faymora:node:a,URI:faymora:role:agent");
    FAY_CLEANUP(fay_trust_deinit) fay_trust corp = foreign_trust("corp.pem");
    FAY_CLEANUP(fay_x509_freep) X509 *a = foreign_certificate("a.pem");
    check.trust = &corp;
    assert_int_equal(fay_verify(&check, a, NULL, &chain, &err), 0);
    assert_int_equal(fay_verified_roles(chain), 0);
}

static void what_is_issued_says_so(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_pkey_freep) EVP_PKEY *ca_key = fay_key_make(FAY_P256);
    FAY_CLEANUP(fay_pkey_freep) EVP_PKEY *key = fay_key_make(FAY_ED25519);
    FAY_CLEANUP(fay_x509_freep) X509 *ca = fay_issue_ca(ca_key, now);
    FAY_CLEANUP(fay_x509_freep) X509 *x509 = NULL;
    FAY_CLEANUP(fay_certificate_deinit) fay_certificate c = {0};
    char *sans[] = {(char[]){"n"}, (char[]){"N.example.org"}, (char[]){"n.example.org"},
                    (char[]){"10.0.0.7"}, NULL};
    fay_issue what = {.name = "n", .sans = sans, .roles = FAY_ROLE_CLIENT, .now = now};
    fay_error err = {0};
    assert_int_equal(fay_issue_certificate(ca, ca_key, key, &what, &x509, &err), 0);
    assert_int_equal(fay_certificate_describe(x509, &c, &err), 0);
    static const char *const expected[] = {"URI:" FAY_URI_NODE "n", "URI:" FAY_URI_ROLE "client",
                                           "DNS:n", "DNS:N.example.org", "IP:10.0.0.7"};
    for (size_t i = 0; i < FAY_COUNT(expected); i++)
        assert_string_equal(c.sans[i], expected[i]);
    assert_null(c.sans[FAY_COUNT(expected)]);
    assert_true(c.for_client && !c.for_server && !c.is_ca); /* whose role is client serves nobody */
    assert_int_equal(c.not_before, now - DAY);
    assert_int_equal(fay_certificate_days_left(&c, now), 365);
    assert_false(fay_certificate_is_due(&c, now));
    assert_true(fay_certificate_is_due(&c, now + 250 * DAY));

    what.now = now + 3600 * (int64_t)DAY; /* not beyond the CA's end */
    fay_x509_freep(&x509);
    fay_certificate_deinit(&c);
    assert_int_equal(fay_issue_certificate(ca, ca_key, key, &what, &x509, &err), 0);
    assert_int_equal(fay_certificate_describe(x509, &c, &err), 0);
    assert_int_equal(fay_certificate_days_left(&c, what.now), 52);
    what.now = now + 3660 * (int64_t)DAY;
    fay_x509_freep(&x509);
    assert_int_equal(fay_issue_certificate(ca, ca_key, key, &what, &x509, &err), FAY_E_TLS);
    assert_says(err.message, "the CA expired");
}

static void what_cannot_be_issued_is_refused(void **state)
{
    (void)state;
    char *sans[] = {(char[]){"10.0.0.300"}, NULL};
    fay_error err = {0};
    fay_issue what = {.name = "../a", .roles = FAY_ROLES_HOST};
    assert_int_equal(fay_issue_check(&what, &err), FAY_E_INVAL);
    what = (fay_issue){.name = "a", .roles = 0};
    assert_int_equal(fay_issue_check(&what, &err), FAY_E_INVAL);
    what = (fay_issue){.name = "a", .sans = sans, .roles = FAY_ROLES_HOST};
    assert_int_equal(fay_issue_check(&what, &err), FAY_E_INVAL);
    assert_says(err.message, "'10.0.0.300' is no DNS name and no address");
}

static void files_without_certificates_are_refused(void **state)
{
    (void)state;
    STACK_OF(X509) *list = NULL;
    fay_error err = {0};
    foreign_shell(FOREIGN_CA "echo x >none; (cat corp.pem; sed 's/^M/#/' corp.pem) >broken");
    assert_int_equal(fay_certificates_load("none", &list, &err), FAY_E_TLS);
    assert_says(err.message, "none: no certificate in it");
    assert_int_equal(fay_certificates_load("broken", &list, &err), FAY_E_TLS);
    assert_says(err.message, "certificate 2 cannot be read");
    assert_int_equal(fay_certificates_load("nowhere", &list, &err), FAY_E_NOTFOUND);
    assert_null(list);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)
    const struct CMUnitTest tests[] = {
        TEST(certificates_of_any_kind_are_believed),
        TEST(intermediates_are_followed),
        TEST(key_usage_is_obeyed),
        TEST(time_is_obeyed),
        TEST(strangers_are_refused),
        TEST(weak_keys_are_refused),
        TEST(names_are_found_in_their_order),
        TEST(roles_count_under_our_ca_alone),
        TEST(what_is_issued_says_so),
        TEST(what_cannot_be_issued_is_refused),
        TEST(files_without_certificates_are_refused),
    };
    return cmocka_run_group_tests_name("verify", tests, NULL, NULL);
}
