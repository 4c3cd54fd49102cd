/* SPDX-License-Identifier: MIT */
/* Who a Node is, when its files are read again: only a new certificate is certified anew. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <time.h>

#include "node/identity.h"
#include "pki/authority.h"
#include "pki/layout.h"
#include "pki/role.h"
#include "support/scratch.h"

enum {
    BOOT = 7
};

static const char *no_variable(void *context, const char *name)
{
    (void)context;
    (void)name;
    return NULL;
}

static void create(const char *directory, fay_tls_settings *settings)
{
    const fay_issue host = {.name = "a", .roles = FAY_ROLES_HOST, .now = time(NULL)};
    const fay_tls_flags flags = {.directory = directory};
    assert_int_equal(fay_authority_create(directory, FAY_P256, &host, NULL), 0);
    assert_int_equal(fay_tls_settings_resolve(&flags, no_variable, NULL, settings, NULL), 0);
}

static void renew(const char *directory)
{
    FAY_CLEANUP(fay_authority_close) fay_authority authority = {.lock = -1};
    FAY_CLEANUP(fay_freep) char *path = NULL;
    assert_int_equal(fay_authority_open(directory, &authority, NULL), 0);
    assert_int_equal(fay_authority_renew(&authority, NULL, NULL, time(NULL), &path, NULL), 0);
}

static void only_another_certificate_is_certified_anew(void **state)
{
    (void)state;
    fay_tls_settings settings = {0};
    fay_node_identity identity = {0};
    fay_error err = {0};
    create("D", &settings);
    assert_int_equal(fay_node_identity_load(&settings, "a", BOOT, &identity, NULL), 0);
    fay_digest first = identity.certification_digest;
    assert_int_equal(fay_node_identity_reload(&identity, "a", &err), 0);
    assert_true(fay_digest_equal(&identity.certification_digest, &first));
    renew("D");
    assert_int_equal(fay_node_identity_reload(&identity, "a", &err), 0);
    assert_false(fay_digest_equal(&identity.certification_digest, &first));
    fay_node_identity_deinit(&identity);
    fay_tls_settings_deinit(&settings);
}

static void another_key_would_be_another_node(void **state)
{
    (void)state;
    fay_tls_settings settings = {0}, other = {0};
    fay_node_identity identity = {0};
    fay_error err = {0};
    create("D", &settings);
    create("E", &other);
    assert_int_equal(fay_node_identity_load(&settings, "a", BOOT, &identity, NULL), 0);
    fay_digest first = identity.certification_digest;
    identity.settings = &other;
    assert_int_equal(fay_node_identity_reload(&identity, "a", &err), FAY_E_TLS);
    assert_string_equal(err.hint, "restart it");
    assert_true(fay_digest_equal(&identity.certification_digest, &first));
    fay_node_identity_deinit(&identity);
    fay_tls_settings_deinit(&settings);
    fay_tls_settings_deinit(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(only_another_certificate_is_certified_anew),
        IN_SCRATCH(another_key_would_be_another_node),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
