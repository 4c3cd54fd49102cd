/* SPDX-License-Identifier: MIT */
#include "pki/ossl.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int fay_ossl_fail(fay_error *err, const char *format, ...)
{
    unsigned long code = ERR_peek_last_error();
    const char *reason = ERR_reason_error_string(code);
    ERR_clear_error();
    if (err == NULL)
        return FAY_E_TLS;
    *err = (fay_error){.status = FAY_E_TLS};
    va_list args;
    va_start(args, format);
    (void)vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    size_t used = strlen(err->message);
    if (reason != NULL)
        (void)snprintf(err->message + used, sizeof err->message - used, ": %s", reason);
    return FAY_E_TLS;
}

void fay_ossl_must(bool worked)
{
    if (worked)
        return;
    (void)fputs("faymora: OpenSSL failed where it cannot\n", stderr);
    ERR_print_errors_fp(stderr);
    abort();
}

void fay_secret_deinit(fay_buffer *buffer)
{
    if (buffer->bytes != NULL)
        OPENSSL_cleanse(buffer->bytes, buffer->capacity);
    fay_buffer_deinit(buffer);
}

bool fay_ossl_time(const ASN1_TIME *time, int64_t *ret)
{
    struct tm parts = {0};
    if (time == NULL || ASN1_TIME_to_tm(time, &parts) != 1)
        return false;
    *ret = (int64_t)timegm(&parts);
    return true;
}
