/* SPDX-License-Identifier: MIT */
/* The CA in its directory: made once, never half; what it issues, renews, revokes and lets join. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pki/authority.h"
#include "pki/certificate.h"
#include "pki/crl.h"
#include "pki/csr.h"
#include "pki/identity.h"
#include "pki/layout.h"
#include "pki/role.h"
#include "pki/store.h"
#include "support/foreign.h"
#include "support/scratch.h"

enum {
    NOW = 1800000000,
    DAY = 86400
};

static const fay_issue host_a = {.name = "a", .roles = FAY_ROLES_HOST, .now = NOW};

static void create(void)
{
    fay_error err = {0};
    if (fay_authority_create("D", FAY_P256, &host_a, &err) < 0)
        fail_msg("%s", err.message);
}

static fay_authority open_authority(void)
{
    fay_authority authority = {.lock = -1};
    fay_error err = {0};
    if (fay_authority_open("D", &authority, &err) < 0)
        fail_msg("%s", err.message);
    return authority;
}

static int load(const char *directory, int64_t now, fay_error *err)
{
    FAY_CLEANUP(fay_tls_settings_deinit) fay_tls_settings settings = {0};
    FAY_CLEANUP(fay_identity_deinit) fay_identity identity = {0};
    fay_tls_flags flags = {.directory = directory};
    assert_int_equal(fay_tls_settings_resolve(&flags, NULL, NULL, &settings, err), 0);
    return fay_identity_load(&settings, FAY_NEEDS_SERVER | FAY_NEEDS_CLIENT, now, &identity, err);
}

static void assert_loads(const char *directory, int64_t now)
{
    fay_error err = {0};
    if (load(directory, now, &err) < 0)
        fail_msg("%s; %s", err.message, err.hint);
}

static void set_file_limit(rlim_t limit)
{
    struct rlimit all;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &all), 0);
    all.rlim_cur = limit;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &all), 0);
}

static size_t issued(void)
{
    char **names = NULL;
    size_t count = 0;
    assert_int_equal(fay_store_list("D/issued", "", 100, &names, NULL), 0);
    for (char **name = names; *name != NULL; name++) {
        count += (*name)[0] != '.';
        free(*name);
    }
    free(names);
    return count;
}

static void a_ca_serves_at_once(void **state)
{
    (void)state;
    struct stat status;
    create();
    assert_loads("D", NOW);
    assert_int_equal(stat("D/ca-key.pem", &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_int_equal(stat("D/key.pem", &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_false(fay_layout_has("D", FAY_LAYOUT_UNFINISHED));
}

static void a_ca_is_never_overwritten(void **state)
{
    (void)state;
    static const char *const files[] = {FAY_LAYOUT_CA, FAY_LAYOUT_CA_KEY, FAY_LAYOUT_CERTIFICATE,
                                        FAY_LAYOUT_KEY};
    fay_error err = {0};
    create();
    assert_int_equal(fay_authority_create("D", FAY_P256, &host_a, &err), FAY_E_EXISTS);
    assert_non_null(strstr(err.message, "D/ca.pem is there already"));
    for (size_t i = 0; i < FAY_COUNT(files); i++) { /* nor is any part of one */
        FAY_CLEANUP(fay_freep) char *path = fay_printed("P/%s", files[i]);
        assert_int_equal(fay_store_make("P", &err), 0);
        assert_int_equal(fay_store_write(path, "x", 1, FAY_STORE_PUBLIC, &err), 0);
        assert_int_equal(fay_authority_create("P", FAY_P256, &host_a, &err), FAY_E_EXISTS);
        assert_int_equal(unlink(path), 0);
    }
}

/* What an init has left that was killed: without ca.pem nobody has had it. */
static void an_unfinished_ca_is_made_anew(void **state)
{
    (void)state;
    create();
    assert_int_equal(unlink("D/ca.pem"), 0);
    foreign_shell(": >D/.unfinished");
    create();
    assert_loads("D", NOW);
}

static void on_a_full_disk_there_is_no_half_ca(void **state)
{
    (void)state;
    static const char *const files[] = {FAY_LAYOUT_CA, FAY_LAYOUT_CA_KEY, FAY_LAYOUT_CERTIFICATE,
                                        FAY_LAYOUT_KEY, FAY_LAYOUT_UNFINISHED};
    fay_error err = {0};
    (void)signal(SIGXFSZ, SIG_IGN);
    set_file_limit(400); /* keys fit, certificates do not */
    int r = fay_authority_create("D", FAY_P256, &host_a, &err);
    set_file_limit(RLIM_INFINITY);
    assert_int_equal(r, FAY_E_IO);
    for (size_t i = 0; i < FAY_COUNT(files); i++)
        assert_false(fay_layout_has("D", files[i]));
    create();
    assert_loads("D", NOW);
}

static void another_host_gets_a_directory(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_freep) char *path = NULL;
    fay_issue what = {.name = "b", .roles = FAY_ROLES_HOST, .now = NOW};
    fay_error err = {0};
    create();
    FAY_CLEANUP(fay_authority_close) fay_authority authority = open_authority();
    assert_int_equal(fay_authority_host(&authority, FAY_ED25519, &what, &path, &err), 0);
    assert_string_equal(path, "D/hosts/b");
    assert_loads(path, NOW);
    assert_false(fay_layout_has(path, FAY_LAYOUT_CA_KEY));
    /* The name is taken, also that of this host. */
    assert_int_equal(fay_authority_host(&authority, FAY_P256, &what, &path, &err), FAY_E_EXISTS);
    assert_non_null(strstr(err.hint, "cert revoke b"));
    what.name = "a";
    assert_int_equal(fay_authority_host(&authority, FAY_P256, &what, &path, &err), FAY_E_EXISTS);
    what.name = "../x";
    assert_int_equal(fay_authority_host(&authority, FAY_P256, &what, &path, &err), FAY_E_INVAL);
}

static void a_host_that_cannot_be_written_takes_no_name(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_freep) char *path = NULL;
    fay_issue what = {.name = "b", .roles = FAY_ROLES_HOST, .now = NOW};
    fay_error err = {0};
    create();
    foreign_shell("echo x >D/hosts");
    FAY_CLEANUP(fay_authority_close) fay_authority authority = open_authority();
    assert_int_equal(fay_authority_host(&authority, FAY_P256, &what, &path, &err), FAY_E_IO);
    assert_int_equal(issued(), 1);
    assert_int_equal(unlink("D/hosts"), 0);
    assert_int_equal(fay_authority_host(&authority, FAY_P256, &what, &path, &err), 0);
}

static void the_revoked_are_refused_and_the_number_rises(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_freep) char *path = NULL;
    fay_issue what = {.name = "b", .roles = FAY_ROLES_HOST, .now = NOW};
    size_t count = 0;
    uint64_t number = 0;
    fay_error err = {0};
    create();
    FAY_CLEANUP(fay_authority_close) fay_authority authority = open_authority();
    assert_int_equal(fay_authority_host(&authority, FAY_P256, &what, &path, &err), 0);
    foreign_shell("cp -r D/hosts/b old");
    assert_int_equal(fay_authority_revoke(&authority, "b", NOW, &count, &number, &err), 0);
    assert_int_equal(count, 1);
    assert_int_equal(number, 1);
    assert_int_equal(fay_authority_revoke(&authority, "b", NOW, &count, &number, &err),
                     FAY_E_NOTFOUND);
    /* Who has the new list refuses it; openssl reads the list, too. */
    foreign_shell("cp D/crl.pem old; openssl crl -in D/crl.pem -CAfile D/ca.pem -noout");
    assert_int_equal(load("old", NOW, &err), FAY_E_TLS);
    assert_non_null(strstr(err.message, "is revoked (list number 1)"));
    /* The name is free for another key, and the list goes with it. */
    free(FAY_STEAL(path));
    assert_int_equal(fay_authority_host(&authority, FAY_P256, &what, &path, &err), 0);
    assert_true(fay_layout_has(path, FAY_LAYOUT_CRL));
    assert_loads(path, NOW);
    assert_int_equal(fay_authority_revoke(&authority, "b", NOW, &count, &number, &err), 0);
    assert_int_equal(number, 2);
    FAY_CLEANUP(fay_crl_freep) X509_CRL *crl = NULL;
    assert_int_equal(fay_crl_load("D/crl.pem", &crl, &err), 0);
    assert_int_equal(fay_crl_count(crl), 2);
    /* The old key does not come back under the name. */
    FAY_CLEANUP(fay_pkey_freep) EVP_PKEY *key = NULL;
    FAY_CLEANUP(fay_x509_freep) X509 *x509 = NULL;
    assert_int_equal(fay_key_load("old/key.pem", &key, &err), 0);
    assert_int_equal(fay_authority_issue(&authority, key, &what, &x509, &err), FAY_E_DENIED);
    what.name = "z"; /* nor under another */
    assert_int_equal(fay_authority_issue(&authority, key, &what, &x509, &err), FAY_E_DENIED);
    assert_loads("D", NOW);
}

static void a_list_of_another_ca_is_refused(void **state)
{
    (void)state;
    size_t count = 0;
    uint64_t number = 0;
    fay_error err = {0};
    create();
    assert_int_equal(fay_authority_create("E", FAY_P256, &host_a, &err), 0);
    fay_authority authority = open_authority();
    assert_int_equal(fay_authority_revoke(&authority, "a", NOW, &count, &number, &err), 0);
    fay_authority_close(&authority);
    foreign_shell("cp D/crl.pem E");
    assert_int_equal(load("E", NOW, &err), FAY_E_TLS);
    assert_non_null(strstr(err.message, "not signed by the CA"));
}

static fay_certificate describe(const char *file)
{
    fay_certificate certificate = {0};
    FAY_CLEANUP(fay_x509_freep) X509 *x509 = foreign_certificate(file);
    assert_int_equal(fay_certificate_describe(x509, &certificate, NULL), 0);
    return certificate;
}

static void renewing_keeps_key_name_and_roles(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_freep) char *path = NULL;
    char *sans[] = {(char[]){"10.0.0.8"}, NULL};
    char *more[] = {(char[]){"b.example"}, NULL};
    fay_issue what = {.name = "b", .sans = sans, .roles = FAY_ROLES_TOKEN, .now = NOW};
    fay_error err = {0};
    create();
    FAY_CLEANUP(fay_authority_close) fay_authority authority = open_authority();
    assert_int_equal(fay_authority_host(&authority, FAY_P256, &what, &path, &err), 0);
    FAY_CLEANUP(fay_certificate_deinit) fay_certificate before = describe("D/hosts/b/cert.pem");
    free(FAY_STEAL(path));
    int64_t later = NOW + 360 * (int64_t)DAY;
    assert_int_equal(fay_authority_renew(&authority, "b", more, later, &path, &err), 0);
    assert_string_equal(path, "D/hosts/b/cert.pem");
    FAY_CLEANUP(fay_certificate_deinit) fay_certificate after = describe(path);
    assert_true(fay_digest_equal(&before.public_key, &after.public_key));
    assert_string_equal(after.name, "b");
    assert_int_equal(after.roles, FAY_ROLES_TOKEN);
    assert_int_equal(fay_certificate_days_left(&after, later), 365);
    assert_string_equal(after.sans[5], "DNS:b.example");
    assert_null(after.sans[6]);
    assert_loads("D/hosts/b", later);

    free(FAY_STEAL(path)); /* this host's, by its own file */
    FAY_CLEANUP(fay_certificate_deinit) fay_certificate own = describe("D/cert.pem");
    assert_int_equal(fay_authority_renew(&authority, NULL, NULL, later, &path, &err), 0);
    assert_string_equal(path, "D/cert.pem");
    FAY_CLEANUP(fay_certificate_deinit) fay_certificate renewed = describe("D/cert.pem");
    assert_true(fay_digest_equal(&own.public_key, &renewed.public_key));
    assert_string_not_equal(own.serial, renewed.serial);
    free(FAY_STEAL(path));
    assert_int_equal(fay_authority_renew(&authority, "c", NULL, NOW, &path, &err), FAY_E_NOTFOUND);
}

/* ---- joining --------------------------------------------------------------------------------- */

typedef struct joiner {
    EVP_PKEY *key;
    fay_buffer request;
    fay_digest proof;
} joiner;

static joiner joiner_new(const char *name, const fay_token *token)
{
    joiner j = {.key = fay_key_make(FAY_P256)};
    fay_csr_make(j.key, name, &j.request);
    fay_digest digest = fay_digest_of(fay_buffer_data(&j.request), fay_buffer_size(&j.request));
    j.proof = fay_token_proof(token->secret, &digest);
    return j;
}

static void joiner_free(joiner *j)
{
    EVP_PKEY_free(j->key);
    fay_buffer_deinit(&j->request);
}

static int join(fay_authority *authority, const joiner *j, int64_t now, X509 **ret, fay_error *err)
{
    fay_join_request asked = {.request = fay_buffer_data(&j->request),
                              .size = fay_buffer_size(&j->request),
                              .proof = j->proof,
                              .now = now};
    fay_x509_freep(ret);
    return fay_authority_join(authority, &asked, ret, err);
}

static fay_token new_token(fay_authority *authority, size_t uses)
{
    fay_token_terms terms = {
        .now = NOW, .expires = NOW + 3600, .uses = uses, .roles = FAY_ROLES_TOKEN};
    fay_token token;
    fay_error err = {0};
    if (fay_authority_token(authority, &terms, &token, &err) < 0)
        fail_msg("%s", err.message);
    return token;
}

static void a_token_lets_one_in(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_x509_freep) X509 *x509 = NULL;
    FAY_CLEANUP(fay_x509_freep) X509 *again = NULL;
    FAY_CLEANUP(fay_certificate_deinit) fay_certificate c = {0};
    fay_error err = {0};
    create();
    FAY_CLEANUP(fay_authority_close) fay_authority authority = open_authority();
    fay_token token = new_token(&authority, 1);
    FAY_CLEANUP(joiner_free) joiner b = joiner_new("b", &token);
    FAY_CLEANUP(joiner_free) joiner c_node = joiner_new("c", &token);
    assert_int_equal(join(&authority, &b, NOW, &x509, &err), 0);
    assert_int_equal(fay_certificate_describe(x509, &c, &err), 0);
    assert_string_equal(c.name, "b");
    assert_int_equal(c.roles, FAY_ROLES_TOKEN);
    assert_true(c.for_server && c.for_client);
    /* The answer was lost: who asks the same again gets the same, from another process too. */
    fay_authority_close(&authority);
    authority = open_authority();
    assert_int_equal(join(&authority, &b, NOW + 60, &again, &err), 0);
    assert_int_equal(X509_cmp(x509, again), 0);
    assert_int_equal(issued(), 2);
    assert_int_equal(join(&authority, &c_node, NOW, &again, &err), FAY_E_NORES);
    assert_int_equal(issued(), 2);
}

static void who_has_no_token_stays_out(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_x509_freep) X509 *x509 = NULL;
    fay_error err = {0};
    create();
    FAY_CLEANUP(fay_authority_close) fay_authority authority = open_authority();
    fay_token guessed = {0};
    FAY_CLEANUP(joiner_free) joiner stranger = joiner_new("b", &guessed);
    assert_int_equal(join(&authority, &stranger, NOW, &x509, &err), FAY_E_DENIED);
    fay_token token = new_token(&authority, 5);
    FAY_CLEANUP(joiner_free) joiner late = joiner_new("b", &token);
    assert_int_equal(join(&authority, &late, NOW + 3600, &x509, &err), FAY_E_DENIED);
    FAY_CLEANUP(joiner_free) joiner thief = joiner_new("a", &token); /* lives under another key */
    assert_int_equal(join(&authority, &thief, NOW, &x509, &err), FAY_E_EXISTS);
    FAY_CLEANUP(joiner_free) joiner other = joiner_new("c", &token);
    other.proof = late.proof; /* that of another request */
    assert_int_equal(join(&authority, &other, NOW, &x509, &err), FAY_E_DENIED);
    assert_int_equal(issued(), 1);
    assert_null(x509);
}

static void a_use_that_is_not_on_the_disk_gives_nothing(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_x509_freep) X509 *x509 = NULL;
    fay_error err = {0};
    create();
    FAY_CLEANUP(fay_authority_close) fay_authority authority = open_authority();
    fay_token token = new_token(&authority, 1);
    FAY_CLEANUP(joiner_free) joiner b = joiner_new("b", &token);
    foreign_shell("mkdir D/tokens.new; : >D/tokens.new/x"); /* the file cannot be made */
    assert_int_equal(join(&authority, &b, NOW, &x509, &err), FAY_E_IO);
    assert_null(x509);
    assert_int_equal(issued(), 1);
    foreign_shell("rm -r D/tokens.new");
    assert_int_equal(join(&authority, &b, NOW, &x509, &err), 0);
}

static void where_there_is_no_ca(void **state)
{
    (void)state;
    fay_authority authority = {.lock = -1};
    fay_error err = {0};
    assert_int_equal(fay_authority_open("nowhere", &authority, &err), FAY_E_TLS);
    assert_non_null(strstr(err.message, "there is no CA here"));
    create();
    assert_int_equal(fay_authority_create("E", FAY_P256, &host_a, &err), 0);
    foreign_shell("cp -p E/ca-key.pem D");
    assert_int_equal(fay_authority_open("D", &authority, &err), FAY_E_TLS);
    assert_non_null(strstr(err.message, "is not the key of"));
    assert_int_equal(authority.lock, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(a_ca_serves_at_once),
        IN_SCRATCH(a_ca_is_never_overwritten),
        IN_SCRATCH(an_unfinished_ca_is_made_anew),
        IN_SCRATCH(on_a_full_disk_there_is_no_half_ca),
        IN_SCRATCH(another_host_gets_a_directory),
        IN_SCRATCH(a_host_that_cannot_be_written_takes_no_name),
        IN_SCRATCH(the_revoked_are_refused_and_the_number_rises),
        IN_SCRATCH(a_list_of_another_ca_is_refused),
        IN_SCRATCH(renewing_keeps_key_name_and_roles),
        IN_SCRATCH(a_token_lets_one_in),
        IN_SCRATCH(who_has_no_token_stays_out),
        IN_SCRATCH(a_use_that_is_not_on_the_disk_gives_nothing),
        IN_SCRATCH(where_there_is_no_ca),
    };
    return cmocka_run_group_tests_name("authority", tests, NULL, NULL);
}
