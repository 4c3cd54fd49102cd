/* SPDX-License-Identifier: MIT */
/* The part of a CA that issues again what runs out. */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/texts.h"
#include "pki/authority.h"
#include "pki/certificate.h"
#include "pki/crl.h"
#include "pki/layout.h"
#include "pki/records.h"
#include "pki/store.h"

/* Of those that the CA has issued to the name, and not revoked, the one that ends last. */
static int newest_of(const fay_authority *authority, const char *name, X509 **ret, fay_error *err)
{
    FAY_CLEANUP(fay_crl_freep) X509_CRL *crl = NULL;
    FAY_CLEANUP(fay_x509s_freep) STACK_OF(X509) *issued = NULL;
    X509 *newest = NULL;
    int64_t end = INT64_MIN;
    int r = fay_layout_load_crl(authority->directory, &crl, err);
    if (r == 0)
        r = fay_records_load(authority->directory, name, NULL, &issued, err);
    for (int i = 0; r == 0 && i < sk_X509_num(issued); i++) {
        X509 *x509 = sk_X509_value(issued, i);
        fay_certificate certificate = {0};
        r = fay_certificate_describe(x509, &certificate, err);
        if (r == 0 && strcmp(certificate.name, name) == 0 && certificate.not_after > end &&
            (crl == NULL || !fay_crl_has(crl, x509))) {
            newest = x509;
            end = certificate.not_after;
        }
        fay_certificate_deinit(&certificate);
    }
    if (r < 0)
        return r;
    if (newest == NULL) {
        (void)fay_fail_with(err, FAY_E_NOTFOUND,
                            "this CA has issued no certificate to '%.100s', or has revoked it",
                            name);
        fay_hint(err, "a new one, with a new key: faymora cert host NAME");
        return FAY_E_NOTFOUND;
    }
    fay_ossl_must(X509_up_ref(newest) == 1);
    *ret = newest;
    return 0;
}

/* The names and addresses of a certificate, without their kinds, and more of them. */
static char **collect_sans(const fay_certificate *old, char *const *more)
{
    char **sans = fay_texts_new();
    for (char **san = old->sans; *san != NULL; san++) {
        if (strncmp(*san, "URI:", 4) != 0)
            fay_texts_push(&sans, fay_strdup(strchr(*san, ':') + 1));
    }
    for (; more != NULL && *more != NULL && fay_texts_count(sans) < FAY_SANS_MAX; more++)
        fay_texts_push(&sans, fay_strdup(*more));
    return sans;
}

static int issue_again(fay_authority *authority, X509 *x509, char *const *more, int64_t now,
                       X509 **ret, fay_error *err)
{
    fay_certificate old = {0};
    int r = fay_certificate_describe(x509, &old, err);
    if (r < 0)
        return r;
    char **sans = collect_sans(&old, more);
    fay_issue what = {.name = old.name, .sans = sans, .roles = old.roles, .now = now};
    r = fay_authority_issue(authority, X509_get0_pubkey(x509), &what, ret, err);
    fay_texts_free(sans);
    fay_certificate_deinit(&old);
    return r;
}

/* Another host's: with the CA's certificate beside it, as `cert host` does. */
static int hand_out(const fay_authority *authority, const char *name, X509 *x509, char **ret_path,
                    fay_error *err)
{
    FAY_CLEANUP(fay_freep)
    char *directory = fay_printed("%s/" FAY_LAYOUT_HOSTS "/%s", authority->directory, name);
    int r = fay_store_make(directory, err);
    if (r == 0)
        r = fay_layout_write_certificate(directory, FAY_LAYOUT_CA, authority->x509, err);
    if (r == 0)
        r = fay_layout_write_certificate(directory, FAY_LAYOUT_CERTIFICATE, x509, err);
    if (r == 0)
        *ret_path = fay_printed("%s/" FAY_LAYOUT_CERTIFICATE, directory);
    return r;
}

static int deliver(const fay_authority *authority, const char *name, X509 *own, X509 *x509,
                   char **ret_path, fay_error *err)
{
    const char *directory = authority->directory;
    bool ours = own != NULL && EVP_PKEY_eq(X509_get0_pubkey(own), X509_get0_pubkey(x509)) == 1;
    if (!ours)
        return hand_out(authority, name, x509, ret_path, err);
    int r = fay_layout_write_certificate(directory, FAY_LAYOUT_CERTIFICATE, x509, err);
    if (r == 0)
        *ret_path = fay_printed("%s/" FAY_LAYOUT_CERTIFICATE, directory);
    return r;
}

int fay_authority_renew(fay_authority *authority, const char *name, char *const *more, int64_t now,
                        char **ret_path, fay_error *err)
{
    FAY_CLEANUP(fay_x509_freep) X509 *own = NULL;
    FAY_CLEANUP(fay_x509_freep) X509 *old = NULL;
    FAY_CLEANUP(fay_x509_freep) X509 *x509 = NULL;
    fay_certificate mine = {0};
    int r = 0;
    if (name == NULL || fay_layout_has(authority->directory, FAY_LAYOUT_CERTIFICATE))
        r = fay_layout_load_certificate(authority->directory, FAY_LAYOUT_CERTIFICATE, &own, err);
    if (r == FAY_E_NOTFOUND) /* that is for names */
        r = FAY_E_TLS;
    if (r == 0 && name == NULL)
        r = fay_certificate_describe(own, &mine, err);
    if (r == 0 && name == NULL)
        name = mine.name;
    if (r == 0)
        r = newest_of(authority, name, &old, err);
    if (r == 0)
        r = issue_again(authority, old, more, now, &x509, err);
    if (r == 0) {
        r = deliver(authority, name, own, x509, ret_path, err);
        if (r < 0)
            fay_records_remove(authority->directory, x509);
    }
    fay_certificate_deinit(&mine);
    return r;
}
