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
