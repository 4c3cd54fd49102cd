/* SPDX-License-Identifier: MIT */
#include "pki/layout.h"

#include <unistd.h>

#include "pki/certificate.h"
#include "pki/crl.h"
#include "pki/key.h"
#include "pki/store.h"

static char *path_of(const char *directory, const char *name)
{
    return fay_printed("%s/%s", directory, name);
}

bool fay_layout_has(const char *directory, const char *name)
{
    FAY_CLEANUP(fay_freep) char *path = path_of(directory, name);
    return fay_store_has(path);
}

void fay_layout_remove(const char *directory, const char *name)
{
    FAY_CLEANUP(fay_freep) char *path = path_of(directory, name);
    (void)unlink(path);
}

int fay_layout_write_certificate(const char *directory, const char *name, X509 *x509,
                                 fay_error *err)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer pem = {0};
    FAY_CLEANUP(fay_freep) char *path = path_of(directory, name);
    fay_certificate_append(x509, &pem);
    return fay_store_write(path, fay_buffer_data(&pem), fay_buffer_size(&pem), FAY_STORE_PUBLIC,
                           err);
}

int fay_layout_write_key(const char *directory, const char *name, EVP_PKEY *key, fay_error *err)
{
    FAY_CLEANUP(fay_secret_deinit) fay_buffer pem = {0};
    FAY_CLEANUP(fay_freep) char *path = path_of(directory, name);
    fay_key_append(key, &pem);
    return fay_store_write(path, fay_buffer_data(&pem), fay_buffer_size(&pem), FAY_STORE_PRIVATE,
                           err);
}

int fay_layout_write_crl(const char *directory, X509_CRL *crl, fay_error *err)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer pem = {0};
    FAY_CLEANUP(fay_freep) char *path = path_of(directory, FAY_LAYOUT_CRL);
    fay_crl_append(crl, &pem);
    return fay_store_write(path, fay_buffer_data(&pem), fay_buffer_size(&pem), FAY_STORE_PUBLIC,
                           err);
}

int fay_layout_load_certificate(const char *directory, const char *name, X509 **ret, fay_error *err)
{
    FAY_CLEANUP(fay_freep) char *path = path_of(directory, name);
    FAY_CLEANUP(fay_x509s_freep) STACK_OF(X509) *list = NULL;
    int r = fay_certificates_load(path, &list, err);
    if (r == 0)
        *ret = sk_X509_shift(list);
    return r;
}

int fay_layout_load_crl(const char *directory, X509_CRL **ret, fay_error *err)
{
    FAY_CLEANUP(fay_freep) char *path = path_of(directory, FAY_LAYOUT_CRL);
    *ret = NULL;
    return fay_store_has(path) ? fay_crl_load(path, ret, err) : 0;
}
