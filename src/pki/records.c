/* SPDX-License-Identifier: MIT */
#include "pki/records.h"

#include <string.h>

#include "base/limits.h"
#include "base/texts.h"
#include "pki/certificate.h"
#include "pki/layout.h"
#include "pki/store.h"

#define SUFFIX ".pem"

enum {
    KEY_DIGITS = 16
};

static void free_texts(char ***texts)
{
    fay_texts_free(*texts);
}

static char *issued_in(const char *directory)
{
    return fay_printed("%s/" FAY_LAYOUT_ISSUED, directory);
}

/* Whether a file's name, "NAME@KEY@..", is of this name, or of this key if it is not NULL. */
static bool is_wanted(const char *file, const char *name, const char *key)
{
    const char *at = strchr(file, '@');
    if (at == NULL)
        return false;
    size_t length = strlen(name);
    bool named = (size_t)(at - file) == length && memcmp(file, name, length) == 0;
    return named || (key != NULL && strncmp(at + 1, key, KEY_DIGITS) == 0);
}

int fay_records_load(const char *directory, const char *name, const fay_digest *key,
                     STACK_OF(X509) * *ret, fay_error *err)
{
    FAY_CLEANUP(fay_freep) char *issued = issued_in(directory);
    FAY_CLEANUP(fay_x509s_freep) STACK_OF(X509) *all = sk_X509_new_null();
    FAY_CLEANUP(free_texts) char **files = NULL;
    char hex[FAY_DIGEST_TEXT_MAX];
    fay_ossl_must(all != NULL);
    const char *digits = key != NULL ? fay_digest_text(key, hex) : NULL;
    int r = fay_store_list(issued, SUFFIX, FAY_ISSUED_MAX, &files, err);
    for (char **file = files; r == 0 && *file != NULL; file++) {
        X509 *x509 = NULL;
        if (!is_wanted(*file, name, digits))
            continue;
        r = fay_layout_load_certificate(issued, *file, &x509, err);
        if (r == 0)
            fay_ossl_must(sk_X509_push(all, x509) > 0);
    }
    if (r == 0)
        *ret = FAY_STEAL(all);
    return r;
}

int fay_records_find(const char *directory, const char *serial, X509 **ret, fay_error *err)
{
    FAY_CLEANUP(fay_freep) char *issued = issued_in(directory);
    FAY_CLEANUP(fay_freep) char *suffix = fay_printed("@%s" SUFFIX, serial);
    FAY_CLEANUP(free_texts) char **files = NULL;
    int r = fay_store_list(issued, suffix, FAY_ISSUED_MAX, &files, err);
    if (r < 0)
        return r;
    if (files[0] == NULL)
        return fay_fail_with(err, FAY_E_NOTFOUND, "%.200s: no certificate %s", issued, serial);
    return fay_layout_load_certificate(issued, files[0], ret, err);
}

/* The name of its file. */
static char *file_of(X509 *x509)
{
    fay_certificate c = {0};
    char hex[FAY_DIGEST_TEXT_MAX];
    fay_ossl_must(fay_certificate_describe(x509, &c, NULL) == 0); /* we have made it */
    char *file = fay_printed("%s@%.*s@%s" SUFFIX, c.name, KEY_DIGITS,
                             fay_digest_text(&c.public_key, hex), c.serial);
    fay_certificate_deinit(&c);
    return file;
}

int fay_records_add(const char *directory, X509 *x509, fay_error *err)
{
    FAY_CLEANUP(fay_freep) char *issued = issued_in(directory);
    FAY_CLEANUP(fay_freep) char *file = file_of(x509);
    int r = fay_store_make(issued, err);
    return r == 0 ? fay_layout_write_certificate(issued, file, x509, err) : r;
}

void fay_records_remove(const char *directory, X509 *x509)
{
    FAY_CLEANUP(fay_freep) char *issued = issued_in(directory);
    FAY_CLEANUP(fay_freep) char *file = file_of(x509);
    fay_layout_remove(issued, file);
}
