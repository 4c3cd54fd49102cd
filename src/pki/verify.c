/* SPDX-License-Identifier: MIT */
#include "pki/verify.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <stdlib.h>

#include "base/limits.h"
#include "pki/certificate.h"
#include "pki/crl.h"
#include "pki/role.h"

enum {
    STRENGTH = 2, /* OpenSSL's level: RSA 2048, curves of 224 bits, no SHA-1. TLS asks for it too */
    DAY = 86400
};

void fay_trust_deinit(fay_trust *trust)
{
    sk_X509_pop_free(trust->anchors, X509_free);
    X509_CRL_free(trust->crl);
    free(trust->file);
    *trust = (fay_trust){0};
}

/* ---- what is wrong, in words ----------------------------------------------------------------- */

static int at_fault(const fay_check *check, fay_fault fault)
{
    if (check->fault != NULL)
        *check->fault = fault;
    return FAY_E_TLS;
}

static fay_fault fault_of(int code)
{
    switch (code) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID: return FAY_FAULT_TIME;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
    case X509_V_ERR_CERT_UNTRUSTED: return FAY_FAULT_STRANGER;
    case X509_V_ERR_INVALID_PURPOSE: return FAY_FAULT_PURPOSE;
    default: return FAY_FAULT_OTHER;
    }
}

static int say_time(const fay_check *check, const X509 *x509, bool leaf, fay_error *err)
{
    const char *what = check->what;
    int64_t now = check->now;
    char date[FAY_DATE_TEXT_MAX];
    int64_t from = 0;
    int64_t to = 0;
    (void)fay_ossl_time(X509_get0_notBefore(x509), &from);
    (void)fay_ossl_time(X509_get0_notAfter(x509), &to);
    const char *which = leaf ? "the certificate" : "a CA of the certificate";
    if (now < from) {
        (void)fay_fail_with(err, FAY_E_TLS, "%.160s: %s is not valid before %s", what, which,
                            fay_date_text(from, date));
        fay_hint(err, "here it is %s; are the clocks right?", fay_date_text(now, date));
        return FAY_E_TLS;
    }
    (void)fay_fail_with(err, FAY_E_TLS, "%.160s: %s expired at %s, %lld days ago", what, which,
                        fay_date_text(to, date), (long long)((now - to) / DAY));
    if (leaf) {
        fay_hint(err, "where the CA is: faymora cert renew; else whoever has issued it renews it");
    } else {
        fay_hint(err, "a new CA is a new Grid: faymora cert init in an empty directory");
    }
    return FAY_E_TLS;
}

/* The one of our CAs to name: that of the issuer's name, if there is one, else the first. */
static X509 *expected_ca(const X509 *x509, STACK_OF(X509) * anchors)
{
    for (int i = 0; i < sk_X509_num(anchors); i++) {
        X509 *anchor = sk_X509_value(anchors, i);
        if (X509_NAME_cmp(X509_get_subject_name(anchor), X509_get_issuer_name(x509)) == 0)
            return anchor;
    }
    return sk_X509_value(anchors, 0);
}

static int say_stranger(const fay_check *check, X509 *x509, fay_error *err)
{
    const char *what = check->what;
    X509 *ca = expected_ca(x509, check->trust->anchors);
    fay_certificate has = {0};
    fay_certificate expected = {0};
    if (ca == NULL || fay_certificate_describe(x509, &has, NULL) < 0 ||
        fay_certificate_describe(ca, &expected, NULL) < 0) {
        fay_certificate_deinit(&has);
        return fay_fail_with(err, FAY_E_TLS, "%.160s: the certificate is not signed by the CA",
                             what);
    }
    char hex[FAY_DIGEST_TEXT_MAX];
    bool self = X509_NAME_cmp(X509_get_subject_name(x509), X509_get_issuer_name(x509)) == 0;
    (void)fay_fail_with(err, FAY_E_TLS,
                        "%.160s: the certificate is signed by %s%.60s, not by %.60s "
                        "(%.16s..)",
                        what, self ? "itself, " : "", has.issuer, expected.subject,
                        fay_digest_text(&expected.fingerprint, hex));
    fay_hint(err, "it belongs to another Grid or PKI, or intermediates are missing in its file; "
                  "look: faymora cert show FILE");
    fay_certificate_deinit(&has);
    fay_certificate_deinit(&expected);
    return FAY_E_TLS;
}

static int say_purpose(const fay_check *check, fay_error *err)
{
    bool server = check->purpose == FAY_FOR_SERVER;
    (void)fay_fail_with(err, FAY_E_TLS,
                        "%.160s: the key usage of the certificate is not that of a "
                        "TLS %s",
                        check->what, server ? "server" : "client");
    fay_hint(err,
             "issue it with keyUsage digitalSignature and extendedKeyUsage %s, or without both",
             server ? "serverAuth" : "clientAuth");
    return FAY_E_TLS;
}

static int say(const fay_check *check, X509_STORE_CTX *context, fay_error *err)
{
    int code = X509_STORE_CTX_get_error(context);
    X509 *at = X509_STORE_CTX_get_current_cert(context);
    X509 *leaf = X509_STORE_CTX_get0_cert(context);
    fay_fault fault = fault_of(code);
    ERR_clear_error();
    (void)at_fault(check, fault);
    if (fault == FAY_FAULT_TIME)
        return say_time(check, at, X509_STORE_CTX_get_error_depth(context) == 0, err);
    if (fault == FAY_FAULT_STRANGER)
        return say_stranger(check, leaf, err);
    if (fault == FAY_FAULT_PURPOSE)
        return say_purpose(check, err);
    (void)fay_fail_with(err, FAY_E_TLS, "%.160s: %s", check->what,
                        X509_verify_cert_error_string(code));
    fay_hint(err, "look at the certificate: faymora cert show FILE");
    return FAY_E_TLS;
}

/* ---- the check ------------------------------------------------------------------------------- */

static int check_revoked(const fay_check *check, STACK_OF(X509) * chain, fay_error *err)
{
    X509_CRL *crl = check->trust->crl;
    for (int i = 0; crl != NULL && i < sk_X509_num(chain); i++) {
        if (!fay_crl_has(crl, sk_X509_value(chain, i)))
            continue;
        (void)fay_fail_with(err, FAY_E_TLS, "%.160s: %s is revoked (list number %llu)", check->what,
                            i == 0 ? "the certificate" : "a CA of the certificate",
                            (unsigned long long)fay_crl_number(crl));
        fay_hint(err, "a Node that may come back needs a new key: faymora cert host NAME");
        return at_fault(check, FAY_FAULT_REVOKED);
    }
    return 0;
}

static void set_up(X509_STORE_CTX *context, const fay_check *check)
{
    X509_STORE_CTX_set0_trusted_stack(context, check->trust->anchors);
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(context);
    (void)X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
    (void)X509_VERIFY_PARAM_set_purpose(param, check->purpose == FAY_FOR_SERVER
                                                   ? X509_PURPOSE_SSL_SERVER
                                                   : X509_PURPOSE_SSL_CLIENT);
    X509_VERIFY_PARAM_set_depth(param, FAY_CHAIN_MAX);
    X509_VERIFY_PARAM_set_auth_level(param, STRENGTH);
    X509_VERIFY_PARAM_set_time(param, (time_t)check->now);
}

int fay_verify(const fay_check *check, X509 *x509, STACK_OF(X509) * more,
               STACK_OF(X509) * *ret_chain, fay_error *err)
{
    const EVP_PKEY *key = X509_get0_pubkey(x509);
    (void)at_fault(check, FAY_FAULT_OTHER);
    if (key == NULL)
        return fay_ossl_fail(err, "%.200s: its public key cannot be read", check->what);
    int r = fay_key_check(check->what, key, err);
    if (r < 0)
        return r;
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    fay_ossl_must(context != NULL && X509_STORE_CTX_init(context, NULL, x509, more) == 1);
    set_up(context, check);
    FAY_CLEANUP(fay_x509s_freep) STACK_OF(X509) *chain = NULL;
    if (X509_verify_cert(context) == 1) {
        chain = X509_STORE_CTX_get1_chain(context);
        fay_ossl_must(chain != NULL);
        r = check_revoked(check, chain, err);
    } else {
        r = say(check, context, err);
    }
    X509_STORE_CTX_free(context);
    if (r < 0)
        return r;
    (void)at_fault(check, FAY_FAULT_NONE);
    *ret_chain = FAY_STEAL(chain);
    return 0;
}

bool fay_verified_ours(STACK_OF(X509) * chain)
{
    int count = sk_X509_num(chain);
    return count > 1 && fay_certificate_is_our_ca(sk_X509_value(chain, count - 1));
}

unsigned fay_verified_roles(STACK_OF(X509) * chain)
{
    return fay_verified_ours(chain) ? fay_certificate_roles(sk_X509_value(chain, 0)) : 0;
}
