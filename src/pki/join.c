/* SPDX-License-Identifier: MIT */
/* The part of a CA that lets Nodes in which have a token. */
#include <openssl/crypto.h>
#include <string.h>

#include "base/limits.h"
#include "pki/authority.h"
#include "pki/certificate.h"
#include "pki/csr.h"
#include "pki/grants.h"
#include "pki/layout.h"
#include "pki/records.h"
#include "pki/store.h"

static int load_grants(const fay_authority *authority, fay_grants *ret, fay_error *err)
{
    FAY_CLEANUP(fay_freep) char *path = fay_printed("%s/" FAY_LAYOUT_TOKENS, authority->directory);
    FAY_CLEANUP(fay_secret_deinit) fay_buffer text = {0};
    if (!fay_store_has(path))
        return 0;
    int r = fay_store_read_secret(path, FAY_TOKENS_FILE_MAX, &text, err);
    if (r < 0)
        return r;
    r = fay_grants_parse((const char *)fay_buffer_data(&text), fay_buffer_size(&text), ret, err);
    if (r < 0)
        fay_hint(err, "it was changed by hand? Without %.150s all tokens are void", path);
    return r;
}

static int store_grants(const fay_authority *authority, const fay_grants *grants, fay_error *err)
{
    FAY_CLEANUP(fay_freep) char *path = fay_printed("%s/" FAY_LAYOUT_TOKENS, authority->directory);
    FAY_CLEANUP(fay_secret_deinit) fay_buffer text = {0};
    size_t lines = 1;
    for (size_t i = 0; i < grants->count; i++)
        lines += 1 + grants->list[i].uses_count;
    /* Room for all of it: a buffer that grows leaves copies behind. */
    (void)fay_buffer_reserve(&text, lines * 160);
    fay_grants_append(grants, &text);
    return fay_store_write(path, fay_buffer_data(&text), fay_buffer_size(&text), FAY_STORE_PRIVATE,
                           err);
}

int fay_authority_token(fay_authority *authority, const fay_token_terms *terms, fay_token *ret,
                        fay_error *err)
{
    FAY_CLEANUP(fay_grants_deinit) fay_grants grants = {0};
    FAY_CLEANUP(fay_token_wipe) fay_token token;
    fay_digest ca = fay_certificate_fingerprint(authority->x509);
    fay_grant *grant;
    fay_token_make(&ca, &token);
    int r = load_grants(authority, &grants, err);
    if (r < 0)
        return r;
    fay_grants_expire(&grants, terms->now);
    r = fay_grants_add(&grants, &grant, err);
    if (r < 0)
        return r;
    grant->expires = terms->expires;
    grant->uses_max = terms->uses;
    grant->roles = terms->roles;
    memcpy(grant->secret, token.secret, sizeof grant->secret);
    r = store_grants(authority, &grants, err);
    if (r == 0)
        *ret = token;
    return r;
}

static int refuse(fay_error *err)
{
    (void)fay_fail_with(err, FAY_E_DENIED, "no open token fits: it is not of this CA, or expired");
    fay_hint(err, "make another where the CA is: faymora cert token");
    return FAY_E_DENIED;
}

/* Issues, and puts the use on the disk; on failure nobody has heard of the certificate. */
static int serve(fay_authority *authority, const fay_csr *csr, fay_grant *grant,
                 const fay_issue *what, X509 **ret, fay_error *err)
{
    fay_certificate made = {0};
    int r = fay_authority_issue(authority, csr->key, what, ret, err);
    if (r == 0)
        r = fay_certificate_describe(*ret, &made, err);
    if (r == 0)
        r = fay_grant_use_up(grant, &csr->digest, made.serial, err);
    fay_certificate_deinit(&made);
    return r;
}

static int answer(fay_authority *authority, const fay_csr *csr, const fay_join_request *join,
                  X509 **ret, fay_error *err)
{
    FAY_CLEANUP(fay_grants_deinit) fay_grants grants = {0};
    FAY_CLEANUP(fay_x509_freep) X509 *x509 = NULL;
    int r = load_grants(authority, &grants, err);
    if (r < 0)
        return r;
    fay_grants_expire(&grants, join->now);
    fay_grant *grant = fay_grants_find(&grants, &csr->digest, &join->proof);
    if (grant == NULL)
        return refuse(err);
    const char *serial = fay_grant_served(grant, &csr->digest);
    if (serial != NULL)
        return fay_records_find(authority->directory, serial, ret, err);
    fay_issue what = {.name = csr->name, .roles = grant->roles, .now = join->now};
    r = serve(authority, csr, grant, &what, &x509, err);
    if (r == 0)
        r = store_grants(authority, &grants, err);
    if (r == 0) {
        *ret = FAY_STEAL(x509);
    } else if (x509 != NULL) {
        fay_records_remove(authority->directory, x509);
    }
    return r;
}

int fay_authority_join(fay_authority *authority, const fay_join_request *join, X509 **ret,
                       fay_error *err)
{
    fay_csr csr = {0};
    int r = fay_csr_parse(join->request, join->size, &csr, err);
    if (r < 0)
        return r;
    r = answer(authority, &csr, join, ret, err);
    fay_csr_deinit(&csr);
    return r;
}
