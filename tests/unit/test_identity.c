/* SPDX-License-Identifier: MIT */
/* Flags and variables to files, and files to an identity; every way in which that can fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/texts.h"
#include "pki/authority.h"
#include "pki/identity.h"
#include "pki/key.h"
#include "pki/role.h"
#include "support/foreign.h"
#include "support/scratch.h"

enum {
    DAY = 86400,
    BOTH = FAY_NEEDS_SERVER | FAY_NEEDS_CLIENT
};

/* An environment: "NAME=value" texts, NULL at the end. */
static const char *lookup(void *context, const char *name)
{
    size_t length = strlen(name);
    for (const char *const *entry = context; *entry != NULL; entry++) {
        if (strncmp(*entry, name, length) == 0 && (*entry)[length] == '=')
            return *entry + length + 1;
    }
    return NULL;
}

static int resolve(const fay_tls_flags *flags, const char **env, fay_tls_settings *ret,
                   fay_error *err)
{
    fay_tls_flags none = {0};
    return fay_tls_settings_resolve(flags != NULL ? flags : &none, lookup, env, ret, err);
}

#define ENV(...) ((const char *[]){__VA_ARGS__, NULL})

/* A minute from now: after what openssl makes in a test. */
static int64_t after_all(void)
{
    return (int64_t)time(NULL) + 60;
}

/* ---- settings -------------------------------------------------------------------------------- */

static void without_a_word_it_is_the_home_directory(void **state)
{
    (void)state;
    fay_tls_settings s;
    assert_int_equal(resolve(NULL, ENV("HOME=/h"), &s, NULL), 0);
    assert_string_equal(s.directory, "/h/.config/faymora/tls");
    assert_string_equal(s.ca.path, "/h/.config/faymora/tls/ca.pem");
    assert_string_equal(s.server.key.path, "/h/.config/faymora/tls/key.pem");
    assert_string_equal(s.client.certificate.path, "/h/.config/faymora/tls/cert.pem");
    assert_string_equal(s.crl.path, "/h/.config/faymora/tls/crl.pem");
    assert_false(s.by_variables);
    fay_tls_settings_deinit(&s);
    assert_int_equal(resolve(NULL, ENV("HOME=/h", "XDG_CONFIG_HOME=/x"), &s, NULL), 0);
    assert_string_equal(s.directory, "/x/faymora/tls");
    fay_tls_settings_deinit(&s);
    assert_int_equal(resolve(NULL, ENV("HOME="), &s, NULL), 0);
    assert_null(s.directory);
    assert_null(s.ca.path);
    fay_tls_settings_deinit(&s);
}

static void flags_go_before_variables_and_these_before_the_directory(void **state)
{
    (void)state;
    const char **env =
        ENV("HOME=/h", "FAYMORA_TLS_DIR=/d", "FAYMORA_TLS_CA=/e/ca",
            "FAYMORA_TLS_SERVER_CERTIFICATE=/e/sc", "FAYMORA_TLS_SERVER_PRIVATE_KEY=/e/sk",
            "FAYMORA_TLS_SERVER_PUBLIC_KEY=/e/sp");
    fay_tls_settings s;
    assert_int_equal(resolve(NULL, env, &s, NULL), 0);
    assert_string_equal(s.ca.path, "/e/ca");
    assert_string_equal(s.ca.origin, "FAYMORA_TLS_CA");
    assert_null(s.crl.path); /* that of the directory is of another CA */
    assert_string_equal(s.server.certificate.path, "/e/sc");
    assert_string_equal(s.server.public_key.path, "/e/sp");
    assert_string_equal(s.client.certificate.path, "/d/cert.pem");
    fay_tls_settings_deinit(&s);

    fay_tls_flags directory = {.directory = "/f"};
    assert_int_equal(resolve(&directory, env, &s, NULL), 0);
    assert_string_equal(s.ca.path, "/f/ca.pem");
    assert_string_equal(s.server.certificate.path, "/f/cert.pem");
    assert_null(s.server.public_key.path);
    fay_tls_settings_deinit(&s);

    fay_tls_flags files = {.certificate = "/f/c", .key = "/f/k"};
    assert_int_equal(resolve(&files, env, &s, NULL), 0);
    assert_string_equal(s.ca.path, "/e/ca");
    assert_string_equal(s.server.certificate.path, "/f/c");
    assert_string_equal(s.client.key.path, "/f/k");
    assert_null(s.server.public_key.path);
    fay_tls_settings_deinit(&s);
}

static void a_twin_is_read_where_ours_is_unset(void **state)
{
    (void)state;
    fay_tls_settings s;
    const char **env =
        ENV("RAKTR_TLS_CA=/r/ca", "RAKTR_TLS_SERVER_CERTIFICATE=/r/sc",
            "RAKTR_TLS_SERVER_PRIVATE_KEY=/r/sk", "RAKTR_TLS_SERVER_PUBLIC_KEY=/r/sp",
            "RAKTR_TLS_CLIENT_CERTIFICATE=/r/cc", "RAKTR_TLS_CLIENT_PRIVATE_KEY=/r/ck",
            "RAKTR_TLS_CLIENT_PUBLIC_KEY=/r/cp", "FAYMORA_TLS_CLIENT_PRIVATE_KEY=/f/ck",
            "FAYMORA_TLS_CA=", "FAYMORA_TLS_SERVER_PRIVATE_KEY=/r/sk");
    assert_int_equal(resolve(NULL, env, &s, NULL), 0);
    assert_string_equal(s.ca.path, "/r/ca");
    assert_string_equal(s.ca.origin, "RAKTR_TLS_CA");
    assert_string_equal(s.server.public_key.path, "/r/sp");
    assert_string_equal(s.client.public_key.path, "/r/cp");
    assert_string_equal(s.client.key.path, "/f/ck");
    assert_true(s.by_variables);
    /* Both set and different: one warning. Both set and the same: none. */
    assert_int_equal(fay_texts_count(s.warnings), 1);
    assert_non_null(strstr(s.warnings[0], "FAYMORA_TLS_CLIENT_PRIVATE_KEY and "
                                          "RAKTR_TLS_CLIENT_PRIVATE_KEY differ"));
    fay_tls_settings_deinit(&s);
    assert_int_equal(resolve(NULL, ENV("RAKTR_TLS_DIR=/r"), &s, NULL), 0);
    assert_string_equal(s.directory, "/r");
    assert_false(s.by_variables);
    fay_tls_settings_deinit(&s);
}

static void halves_are_refused(void **state)
{
    (void)state;
    fay_tls_settings s = {0};
    fay_error err = {0};
    assert_int_equal(resolve(NULL, ENV("FAYMORA_TLS_SERVER_CERTIFICATE=/c"), &s, &err), FAY_E_TLS);
    assert_string_equal(err.message, "FAYMORA_TLS_SERVER_CERTIFICATE is set (/c), "
                                     "FAYMORA_TLS_SERVER_PRIVATE_KEY is not");
    assert_int_equal(resolve(NULL, ENV("RAKTR_TLS_CLIENT_PRIVATE_KEY=/k"), &s, &err), FAY_E_TLS);
    assert_string_equal(err.message, "RAKTR_TLS_CLIENT_PRIVATE_KEY is set (/k), "
                                     "FAYMORA_TLS_CLIENT_CERTIFICATE is not");
    assert_int_equal(resolve(&(fay_tls_flags){.key = "/k"}, ENV("A="), &s, &err), FAY_E_INVAL);
    assert_string_equal(err.message, "'--key' needs '--cert' too");
    assert_int_equal(resolve(&(fay_tls_flags){.directory = "/d", .ca = "/c"}, ENV("A="), &s, &err),
                     FAY_E_INVAL);
}

/* ---- identity -------------------------------------------------------------------------------- */

/* How loading by this environment ends: "" = well, else the message and the hint. */
static const char *load_at(const char **env, unsigned needs, int64_t now)
{
    static char text[700];
    FAY_CLEANUP(fay_tls_settings_deinit) fay_tls_settings settings = {0};
    FAY_CLEANUP(fay_identity_deinit) fay_identity identity = {0};
    fay_error err = {0};
    int r = resolve(NULL, env, &settings, &err);
    if (r == 0)
        r = fay_identity_load(&settings, needs, now, &identity, &err);
    assert_true(r == 0 || r == FAY_E_TLS);
    (void)snprintf(text, sizeof text, "%s; %s", err.message, err.hint);
    return r == 0 ? "" : text;
}

static void assert_says(const char *text, const char *expected)
{
    if (strstr(text, expected) == NULL)
        fail_msg("'%s' is not in: %s", expected, text);
}

#define CA     "FAYMORA_TLS_CA=corp.pem"
#define SERVER "FAYMORA_TLS_SERVER_CERTIFICATE=s.pem", "FAYMORA_TLS_SERVER_PRIVATE_KEY=s.key"
#define CLIENT "FAYMORA_TLS_CLIENT_CERTIFICATE=c.pem", "FAYMORA_TLS_CLIENT_PRIVATE_KEY=c.key"

static void the_seven_variables_make_an_identity(void **state)
{
    (void)state;
    foreign_shell(FOREIGN_CA "sign s rsa:2048 extendedKeyUsage=serverAuth;"
                             "sign c p256 extendedKeyUsage=clientAuth;"
                             "for i in s c; do openssl pkey -in $i.key -pubout -out $i.pub; done");
    const char **env = ENV(CA, SERVER, CLIENT, "FAYMORA_TLS_SERVER_PUBLIC_KEY=s.pub",
                           "FAYMORA_TLS_CLIENT_PUBLIC_KEY=c.pub");
    FAY_CLEANUP(fay_tls_settings_deinit) fay_tls_settings settings = {0};
    FAY_CLEANUP(fay_identity_deinit) fay_identity identity = {0};
    fay_error err = {0};
    assert_int_equal(resolve(NULL, env, &settings, &err), 0);
    assert_true(settings.by_variables);
    if (fay_identity_load(&settings, BOTH, after_all(), &identity, &err) < 0)
        fail_msg("%s", err.message);
    assert_int_equal(sk_X509_num(identity.server.chain), 2); /* to the root */
    assert_int_equal(
        X509_check_private_key(sk_X509_value(identity.server.chain, 0), identity.server.key), 1);
    assert_int_equal(
        X509_check_private_key(sk_X509_value(identity.client.chain, 0), identity.client.key), 1);
    assert_null(identity.warnings);

    env = ENV(CA, SERVER, CLIENT, "FAYMORA_TLS_SERVER_PUBLIC_KEY=c.pub");
    const char *text = load_at(env, BOTH, after_all());
    assert_says(text, "c.pub (FAYMORA_TLS_SERVER_PUBLIC_KEY): the key is ");
    assert_says(text, ", that of the certificate is ");
    assert_says(text, "the certificate is s.pem");
    fay_digest is = fay_key_fingerprint(identity.client.key);
    fay_digest should = fay_key_fingerprint(identity.server.key);
    char hex[FAY_DIGEST_TEXT_MAX];
    assert_says(text, fay_digest_text(&is, hex)); /* both fingerprints */
    assert_says(text, fay_digest_text(&should, hex));
}

static void each_fault_has_its_words(void **state)
{
    (void)state;
    int64_t now = after_all();
    foreign_shell(FOREIGN_CA "sign s rsa:2048 extendedKeyUsage=serverAuth; ca other; key x p256;"
                             "sign c p256 ''; echo >empty");
    assert_string_equal(load_at(ENV(CA, SERVER), FAY_NEEDS_SERVER, now), "");
    assert_says(load_at(ENV(CA, SERVER), BOTH, now), "no certificate of the client is named; set "
                                                     "FAYMORA_TLS_CLIENT_CERTIFICATE");
    assert_says(load_at(ENV(SERVER), FAY_NEEDS_SERVER, now), "no CA is named; set FAYMORA_TLS_CA");
    assert_says(load_at(ENV("FAYMORA_TLS_CA=none", SERVER), FAY_NEEDS_SERVER, now),
                "none: No such file or directory (FAYMORA_TLS_CA); FAYMORA_TLS_CA names it");
    assert_says(load_at(ENV("FAYMORA_TLS_CA=empty", SERVER), FAY_NEEDS_SERVER, now),
                "empty: no certificate in it");
    assert_says(load_at(ENV("FAYMORA_TLS_CA=other.pem", SERVER), FAY_NEEDS_SERVER, now),
                "s.pem (FAYMORA_TLS_SERVER_CERTIFICATE): the certificate is signed by CN=corp, "
                "not by CN=other");
    assert_says(
        load_at(ENV(CA, "FAYMORA_TLS_SERVER_CERTIFICATE=s.pem", "FAYMORA_TLS_SERVER_PRIVATE_KEY=x"),
                FAY_NEEDS_SERVER, now),
        "x (FAYMORA_TLS_SERVER_PRIVATE_KEY): the key is ");
    assert_says(load_at(ENV(CA, SERVER), FAY_NEEDS_SERVER, now + 400 * DAY), "expired at");
    assert_says(load_at(ENV(CA, SERVER), FAY_NEEDS_SERVER, now - 400 * DAY), "not valid before");
    assert_says(load_at(ENV(CA, "FAYMORA_TLS_CLIENT_CERTIFICATE=s.pem",
                            "FAYMORA_TLS_CLIENT_PRIVATE_KEY=s.key"),
                        FAY_NEEDS_CLIENT, now),
                "not that of a TLS client");
    assert_int_equal(chmod("s.key", 0644), 0);
    assert_says(load_at(ENV(CA, SERVER), FAY_NEEDS_SERVER, now),
                "others may read or change it "
                "(mode 0644) (FAYMORA_TLS_SERVER_PRIVATE_KEY); chmod 600 s.key");
    assert_int_equal(unlink("s.key"), 0);
    assert_says(load_at(ENV(CA, SERVER), FAY_NEEDS_SERVER, now), "s.key: No such file");
    foreign_shell("mkdir shared; cp corp.pem shared/ca.pem; chmod 777 shared");
    assert_says(load_at(ENV("FAYMORA_TLS_DIR=shared"), BOTH, now),
                "shared: others may write to it");
    assert_says(load_at(ENV("FAYMORA_TLS_DIR=nowhere"), BOTH, now),
                "nowhere/ca.pem: No such file "
                "or directory; make a CA with faymora cert init");
}

static void the_end_is_announced(void **state)
{
    (void)state;
    fay_issue host = {.name = "a", .roles = FAY_ROLES_HOST, .now = 1800000000};
    FAY_CLEANUP(fay_tls_settings_deinit) fay_tls_settings settings = {0};
    fay_error err = {0};
    assert_int_equal(fay_authority_create("D", FAY_ED25519, &host, &err), 0);
    assert_int_equal(resolve(NULL, ENV("FAYMORA_TLS_DIR=D"), &settings, &err), 0);
    for (int days = 334; days <= 336; days += 2) {
        FAY_CLEANUP(fay_identity_deinit) fay_identity identity = {0};
        int64_t now = host.now + days * (int64_t)DAY;
        assert_int_equal(fay_identity_load(&settings, BOTH, now, &identity, &err), 0);
        /* Once, although server and client have the same. */
        assert_int_equal(fay_texts_count(identity.warnings), days == 336 ? 1 : 0);
        if (days == 336)
            assert_says(identity.warnings[0], "D/cert.pem expires in 29 days, at 2028-");
    }
}

static void ids_are_of_key_and_name(void **state)
{
    (void)state;
    fay_digest one = fay_digest_of("1", 1), two = fay_digest_of("2", 1);
    char text[FAY_NODE_ID_TEXT_MAX];
    fay_node_id a = fay_node_id_of(&one, "a"), again = fay_node_id_of(&one, "a");
    fay_node_id name = fay_node_id_of(&one, "b"), key = fay_node_id_of(&two, "a");
    assert_true(fay_node_id_same(&a, &again));
    assert_false(fay_node_id_same(&a, &name));
    assert_false(fay_node_id_same(&a, &key));
    assert_string_equal(fay_hex(a.bytes, sizeof a.bytes, text),
                        "459904eb6b16e71051feb37df76bdad7"); /* computed by another program */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(without_a_word_it_is_the_home_directory),
        IN_SCRATCH(flags_go_before_variables_and_these_before_the_directory),
        IN_SCRATCH(a_twin_is_read_where_ours_is_unset),
        IN_SCRATCH(halves_are_refused),
        IN_SCRATCH(the_seven_variables_make_an_identity),
        IN_SCRATCH(each_fault_has_its_words),
        IN_SCRATCH(the_end_is_announced),
        IN_SCRATCH(ids_are_of_key_and_name),
    };
    return cmocka_run_group_tests_name("identity", tests, NULL, NULL);
}
