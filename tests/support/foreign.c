/* SPDX-License-Identifier: MIT */
#include "support/foreign.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "pki/certificate.h"

void foreign_shell(const char *script)
{
    FAY_CLEANUP(fay_freep)
    char *whole = fay_printed("exec 3>&2 >log 2>&1; trap '[ $? = 0 ] || cat log >&3' EXIT; set -e; "
                              "unset ASAN_OPTIONS; %s",
                              script);
    if (system(whole) != 0)
        fail_msg("%s", script);
}

static STACK_OF(X509) * load(const char *file)
{
    STACK_OF(X509) *list = NULL;
    fay_error err = {0};
    if (fay_certificates_load(file, &list, &err) < 0)
        fail_msg("%s", err.message);
    return list;
}

X509 *foreign_certificate(const char *file)
{
    FAY_CLEANUP(fay_x509s_freep) STACK_OF(X509) *list = load(file);
    return sk_X509_shift(list);
}

fay_trust foreign_trust(const char *file)
{
    return (fay_trust){.anchors = load(file)};
}

static fay_tls_file file_of(const char *name, const char *suffix)
{
    return (fay_tls_file){.path = name != NULL ? fay_printed("%s.%s", name, suffix) : NULL,
                          .origin = "test"};
}

static fay_tls_pair pair_of(const char *name)
{
    return (fay_tls_pair){.certificate = file_of(name, "pem"),
                          .key = file_of(name, "key"),
                          .public_key = {.origin = "test"}};
}

fay_identity foreign_identity(const char *ca, const char *server, const char *client, int64_t now)
{
    fay_tls_settings settings = {.ca = file_of(ca, "pem"),
                                 .crl = {.origin = "test"},
                                 .server = pair_of(server),
                                 .client = pair_of(client)};
    unsigned needs = (server != NULL ? (unsigned)FAY_NEEDS_SERVER : 0) |
                     (client != NULL ? (unsigned)FAY_NEEDS_CLIENT : 0);
    fay_identity identity;
    fay_error err = {0};
    int r = fay_identity_load(&settings, needs, now, &identity, &err);
    fay_tls_settings_deinit(&settings);
    if (r < 0)
        fail_msg("%s", err.message);
    return identity;
}
