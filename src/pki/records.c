/* SPDX-License-Identifier: MIT */
#include "pki/records.h"

#include <unistd.h>

#include "base/limits.h"
#include "base/texts.h"
#include "pki/certificate.h"
#include "pki/layout.h"
#include "pki/store.h"

#define SUFFIX ".pem"

static char *path_of(const char *directory, const char *serial)
{
    return fay_printed("%s/" FAY_LAYOUT_ISSUED "/%s" SUFFIX, directory, serial);
}

static void free_texts(char ***texts)
{
    fay_texts_free(*texts);
}

int fay_records_load(const char *directory, STACK_OF(X509) * *ret, fay_error *err)
{
    FAY_CLEANUP(fay_freep) char *issued = fay_printed("%s/" FAY_LAYOUT_ISSUED, directory);
    FAY_CLEANUP(fay_x509s_freep) STACK_OF(X509) *all = sk_X509_new_null();
    FAY_CLEANUP(free_texts) char **names = NULL;
    fay_ossl_must(all != NULL);
    int r = fay_store_list(issued, SUFFIX, FAY_ISSUED_MAX, &names, err);
    for (char **name = names; r == 0 && *name != NULL; name++) {
        FAY_CLEANUP(fay_freep) char *path = fay_printed("%s/%s", issued, *name);
        FAY_CLEANUP(fay_x509s_freep) STACK_OF(X509) *list = NULL;
        r = fay_certificates_load(path, &list, err);
        if (r == 0)
            fay_ossl_must(sk_X509_push(all, sk_X509_shift(list)) > 0);
    }
    if (r == 0)
        *ret = FAY_STEAL(all);
    return r;
}

int fay_records_find(const char *directory, const char *serial, X509 **ret, fay_error *err)
{
    FAY_CLEANUP(fay_freep) char *path = path_of(directory, serial);
    FAY_CLEANUP(fay_x509s_freep) STACK_OF(X509) *list = NULL;
    int r = fay_certificates_load(path, &list, err);
    if (r == 0)
        *ret = sk_X509_shift(list);
    return r;
}

static char *path_of_certificate(const char *directory, X509 *x509)
{
    fay_certificate certificate = {0};
    char *path = NULL;
    if (fay_certificate_describe(x509, &certificate, NULL) == 0)
        path = path_of(directory, certificate.serial);
    fay_ossl_must(path != NULL); /* we have made it a moment ago */
    fay_certificate_deinit(&certificate);
    return path;
}

int fay_records_add(const char *directory, X509 *x509, fay_error *err)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer pem = {0};
    FAY_CLEANUP(fay_freep) char *issued = fay_printed("%s/" FAY_LAYOUT_ISSUED, directory);
    FAY_CLEANUP(fay_freep) char *path = path_of_certificate(directory, x509);
    int r = fay_store_make(issued, err);
    if (r < 0)
        return r;
    fay_certificate_append(x509, &pem);
    return fay_store_write(path, fay_buffer_data(&pem), fay_buffer_size(&pem), FAY_STORE_PUBLIC,
                           err);
}

void fay_records_remove(const char *directory, X509 *x509)
{
    FAY_CLEANUP(fay_freep) char *path = path_of_certificate(directory, x509);
    (void)unlink(path);
}
