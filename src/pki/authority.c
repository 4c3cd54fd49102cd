/* SPDX-License-Identifier: MIT */
#include "pki/authority.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/texts.h"
#include "pki/certificate.h"
#include "pki/crl.h"
#include "pki/layout.h"
#include "pki/records.h"
#include "pki/store.h"

/* ---- create ---------------------------------------------------------------------------------- */

/* ca.pem goes first where they are removed: without it they are nothing. */
static const char *const made[] = {FAY_LAYOUT_CA, FAY_LAYOUT_CA_KEY, FAY_LAYOUT_KEY,
                                   FAY_LAYOUT_CERTIFICATE};

static void remove_made(const char *directory)
{
    for (size_t i = 0; i < FAY_COUNT(made); i++)
        fay_layout_remove(directory, made[i]);
}

/* Files of an init that died may be written over: without ca.pem nobody has ever had them. */
static int refuse_to_overwrite(const char *directory, fay_error *err)
{
    if (fay_layout_has(directory, FAY_LAYOUT_UNFINISHED) &&
        !fay_layout_has(directory, FAY_LAYOUT_CA))
        return 0;
    for (size_t i = 0; i < FAY_COUNT(made); i++) {
        if (!fay_layout_has(directory, made[i]))
            continue;
        (void)fay_fail_with(err, FAY_E_EXISTS, "%.200s/%s is there already", directory, made[i]);
        fay_hint(err, "nothing is overwritten; another CA is another Grid, and needs another "
                      "directory: --tls-dir DIR");
        return FAY_E_EXISTS;
    }
    return 0;
}

static int create(fay_authority *authority, fay_algorithm algorithm, const fay_issue *host,
                  fay_error *err)
{
    const char *directory = authority->directory;
    FAY_CLEANUP(fay_freep) char *mark = fay_printed("%s/" FAY_LAYOUT_UNFINISHED, directory);
    FAY_CLEANUP(fay_pkey_freep) EVP_PKEY *key = fay_key_make(algorithm);
    FAY_CLEANUP(fay_x509_freep) X509 *x509 = NULL;
    authority->key = fay_key_make(algorithm);
    authority->x509 = fay_issue_ca(authority->key, host->now);
    int r = fay_issue_certificate(authority->x509, authority->key, key, host, &x509, err);
    if (r < 0)
        return r;
    r = fay_store_write(mark, "", 0, FAY_STORE_PRIVATE, err);
    if (r == 0)
        r = fay_layout_write_key(directory, FAY_LAYOUT_CA_KEY, authority->key, err);
    if (r == 0)
        r = fay_layout_write_key(directory, FAY_LAYOUT_KEY, key, err);
    if (r == 0)
        r = fay_layout_write_certificate(directory, FAY_LAYOUT_CERTIFICATE, x509, err);
    if (r == 0)
        r = fay_records_add(directory, x509, err);
    if (r == 0)
        r = fay_layout_write_certificate(directory, FAY_LAYOUT_CA, authority->x509, err);
    if (r < 0) {
        remove_made(directory);
        fay_records_remove(directory, x509);
    }
    (void)unlink(mark);
    return r;
}

int fay_authority_create(const char *directory, fay_algorithm algorithm, const fay_issue *host,
                         fay_error *err)
{
    FAY_CLEANUP(fay_authority_close)
    fay_authority authority = {.directory = fay_strdup(directory), .lock = -1};
    int r = fay_issue_check(host, err);
    if (r == 0)
        r = fay_store_make(directory, err);
    if (r == 0)
        r = fay_store_lock(directory, &authority.lock, err);
    if (r == 0)
        r = refuse_to_overwrite(directory, err);
    return r == 0 ? create(&authority, algorithm, host, err) : r;
}

/* ---- open, close ----------------------------------------------------------------------------- */

static int load(fay_authority *authority, fay_error *err)
{
    FAY_CLEANUP(fay_freep) char *ca = fay_printed("%s/" FAY_LAYOUT_CA, authority->directory);
    FAY_CLEANUP(fay_freep) char *key = fay_printed("%s/" FAY_LAYOUT_CA_KEY, authority->directory);
    FAY_CLEANUP(fay_x509s_freep) STACK_OF(X509) *list = NULL;
    int r = fay_certificates_load(ca, &list, err);
    if (r == 0)
        r = fay_key_load(key, &authority->key, err);
    if (r < 0)
        return r;
    authority->x509 = sk_X509_shift(list);
    if (X509_check_private_key(authority->x509, authority->key) == 1)
        return 0;
    return fay_ossl_fail(err, "%.150s is not the key of %.150s", key, ca);
}

int fay_authority_open(const char *directory, fay_authority *ret, fay_error *err)
{
    FAY_CLEANUP(fay_authority_close)
    fay_authority authority = {.directory = fay_strdup(directory), .lock = -1};
    if (!fay_layout_has(directory, FAY_LAYOUT_CA_KEY) ||
        !fay_layout_has(directory, FAY_LAYOUT_CA)) {
        (void)fay_fail_with(
            err, FAY_E_TLS,
            "%.200s: there is no CA here (" FAY_LAYOUT_CA ", " FAY_LAYOUT_CA_KEY ")", directory);
        fay_hint(err, "be where the CA is, or say where: --tls-dir DIR; a new one: faymora cert "
                      "init");
        return FAY_E_TLS;
    }
    int r = fay_store_lock(directory, &authority.lock, err);
    if (r == 0)
        r = fay_store_check(directory, err);
    if (r == 0)
        r = load(&authority, err);
    if (r < 0)
        return r;
    fay_layout_remove(directory, FAY_LAYOUT_UNFINISHED); /* it was killed just before it did this */
    *ret = authority;
    authority = (fay_authority){.lock = -1};
    return 0;
}

void fay_authority_close(fay_authority *authority)
{
    EVP_PKEY_free(authority->key);
    X509_free(authority->x509);
    if (authority->directory != NULL && authority->lock >= 0)
        (void)close(authority->lock);
    free(authority->directory);
    *authority = (fay_authority){.lock = -1};
}

/* ---- issue ----------------------------------------------------------------------------------- */

/* Whether this certificate, issued before, stands against one for that name and key. */
static int compare_with(X509 *old, X509_CRL *crl, const fay_issue *what, const fay_digest *key,
                        fay_error *err)
{
    fay_certificate has_been = {0};
    int r = fay_certificate_describe(old, &has_been, err);
    if (r < 0)
        return r;
    bool revoked = crl != NULL && fay_crl_has(crl, old);
    bool same_key = fay_digest_equal(&has_been.public_key, key);
    if (same_key && revoked) {
        r = fay_fail_with(err, FAY_E_DENIED, "the key of '%s' was revoked", what->name);
        fay_hint(err, "it needs a new one: faymora cert host %s", what->name);
    } else if (!same_key && !revoked && has_been.not_after > what->now &&
               strcmp(has_been.name, what->name) == 0) {
        r = fay_fail_with(err, FAY_E_EXISTS, "'%s' has a certificate, with another key",
                          what->name);
        fay_hint(err, "take another name; or if that one is gone: faymora cert revoke %s",
                 what->name);
    }
    fay_certificate_deinit(&has_been);
    return r;
}

static int check_issued(const fay_authority *authority, const fay_issue *what, const EVP_PKEY *key,
                        fay_error *err)
{
    FAY_CLEANUP(fay_crl_freep) X509_CRL *crl = NULL;
    FAY_CLEANUP(fay_x509s_freep) STACK_OF(X509) *issued = NULL;
    fay_digest digest = fay_key_fingerprint(key);
    int r = fay_layout_load_crl(authority->directory, &crl, err);
    if (r == 0)
        r = fay_records_load(authority->directory, what->name, &digest, &issued, err);
    for (int i = 0; r == 0 && i < sk_X509_num(issued); i++)
        r = compare_with(sk_X509_value(issued, i), crl, what, &digest, err);
    return r;
}

int fay_authority_issue(fay_authority *authority, EVP_PKEY *key, const fay_issue *what, X509 **ret,
                        fay_error *err)
{
    FAY_CLEANUP(fay_x509_freep) X509 *x509 = NULL;
    int r = fay_issue_check(what, err);
    if (r == 0)
        r = check_issued(authority, what, key, err);
    if (r == 0)
        r = fay_issue_certificate(authority->x509, authority->key, key, what, &x509, err);
    if (r == 0)
        r = fay_records_add(authority->directory, x509, err);
    if (r == 0)
        *ret = FAY_STEAL(x509);
    return r;
}

/* ---- another host ---------------------------------------------------------------------------- */

/* 0, or an errno. Files that are not ours are left, and so is the directory then. */
static int remove_host(const char *directory)
{
    remove_made(directory);
    fay_layout_remove(directory, FAY_LAYOUT_CRL);
    return rmdir(directory) != 0 && errno != ENOENT ? errno : 0;
}

static int fill_host(const fay_authority *authority, const char *directory, EVP_PKEY *key,
                     X509 *x509, fay_error *err)
{
    FAY_CLEANUP(fay_crl_freep) X509_CRL *crl = NULL;
    int r = fay_store_make(directory, err);
    if (r == 0)
        r = fay_layout_load_crl(authority->directory, &crl, err);
    if (r == 0 && crl != NULL)
        r = fay_layout_write_crl(directory, crl, err);
    if (r == 0)
        r = fay_layout_write_key(directory, FAY_LAYOUT_KEY, key, err);
    if (r == 0)
        r = fay_layout_write_certificate(directory, FAY_LAYOUT_CERTIFICATE, x509, err);
    return r == 0 ? fay_layout_write_certificate(directory, FAY_LAYOUT_CA, authority->x509, err)
                  : r;
}

int fay_authority_host(fay_authority *authority, fay_algorithm algorithm, const fay_issue *what,
                       char **ret_path, fay_error *err)
{
    int r = fay_issue_check(what, err); /* the name becomes a path */
    if (r < 0)
        return r;
    const char *top = authority->directory;
    FAY_CLEANUP(fay_freep) char *path = fay_printed("%s/" FAY_LAYOUT_HOSTS "/%s", top, what->name);
    /* No Node's name begins with a dot. */
    FAY_CLEANUP(fay_freep)
    char *new_path = fay_printed("%s/" FAY_LAYOUT_HOSTS "/.%s", top, what->name);
    FAY_CLEANUP(fay_pkey_freep) EVP_PKEY *key = fay_key_make(algorithm);
    FAY_CLEANUP(fay_x509_freep) X509 *x509 = NULL;
    r = fay_authority_issue(authority, key, what, &x509, err);
    if (r < 0)
        return r;
    (void)remove_host(new_path); /* of a process that died */
    r = fill_host(authority, new_path, key, x509, err);
    if (r == 0) {
        int failed = remove_host(path); /* of a certificate that is revoked or has expired */
        if (failed == 0 && rename(new_path, path) != 0)
            failed = errno;
        if (failed != 0)
            r = fay_fail_errno(err, FAY_E_IO, failed, "cannot replace %.200s", path);
    }
    if (r == 0) {
        *ret_path = FAY_STEAL(path);
        return 0;
    }
    (void)remove_host(new_path);
    fay_records_remove(top, x509);
    return r;
}

/* ---- revoke ---------------------------------------------------------------------------------- */

static int certificates_of(const fay_authority *authority, const char *name, X509_CRL *crl,
                           STACK_OF(X509) * *ret, fay_error *err)
{
    FAY_CLEANUP(fay_x509s_freep) STACK_OF(X509) *issued = NULL;
    FAY_CLEANUP(fay_x509s_freep) STACK_OF(X509) *found = sk_X509_new_null();
    fay_ossl_must(found != NULL);
    int r = fay_records_load(authority->directory, name, NULL, &issued, err);
    while (r == 0 && sk_X509_num(issued) > 0) {
        X509 *x509 = sk_X509_shift(issued);
        fay_certificate certificate = {0};
        r = fay_certificate_describe(x509, &certificate, err);
        if (r == 0 && strcmp(certificate.name, name) == 0 &&
            (crl == NULL || !fay_crl_has(crl, x509))) {
            fay_ossl_must(sk_X509_push(found, x509) > 0);
        } else {
            X509_free(x509);
        }
        fay_certificate_deinit(&certificate);
    }
    if (r == 0)
        *ret = FAY_STEAL(found);
    return r;
}

int fay_authority_revoke(fay_authority *authority, const char *name, int64_t now, size_t *ret_count,
                         uint64_t *ret_number, fay_error *err)
{
    FAY_CLEANUP(fay_crl_freep) X509_CRL *before = NULL;
    FAY_CLEANUP(fay_crl_freep) X509_CRL *crl = NULL;
    FAY_CLEANUP(fay_x509s_freep) STACK_OF(X509) *found = NULL;
    int r = fay_layout_load_crl(authority->directory, &before, err);
    if (r == 0)
        r = certificates_of(authority, name, before, &found, err);
    if (r < 0)
        return r;
    if (sk_X509_num(found) == 0) {
        (void)fay_fail_with(err, FAY_E_NOTFOUND,
                            "this CA has issued no certificate to '%.100s' "
                            "that is not revoked",
                            name);
        fay_hint(err, "look at " FAY_LAYOUT_ISSUED "/: faymora cert show FILE");
        return FAY_E_NOTFOUND;
    }
    crl = fay_crl_make(authority->x509, authority->key, before, found, now);
    r = fay_layout_write_crl(authority->directory, crl, err);
    if (r < 0)
        return r;
    *ret_count = (size_t)sk_X509_num(found);
    *ret_number = fay_crl_number(crl);
    return 0;
}
