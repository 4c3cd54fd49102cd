/* SPDX-License-Identifier: MIT */
#include "pki/crl.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/limits.h"
#include "pki/issue.h"
#include "pki/store.h"

static void add(X509_CRL *crl, const ASN1_INTEGER *serial, const ASN1_TIME *date)
{
    X509_REVOKED *entry = X509_REVOKED_new();
    FAY_CLEANUP(fay_bignum_freep) BIGNUM *number = ASN1_INTEGER_to_BN(serial, NULL);
    fay_ossl_must(entry != NULL && number != NULL);
    ASN1_INTEGER *copy = BN_to_ASN1_INTEGER(number, NULL);
    ASN1_TIME *when = ASN1_STRING_dup(date);
    fay_ossl_must(copy != NULL && when != NULL && X509_REVOKED_set_serialNumber(entry, copy) == 1 &&
                  X509_REVOKED_set_revocationDate(entry, when) == 1 &&
                  X509_CRL_add0_revoked(crl, entry) == 1);
    ASN1_INTEGER_free(copy);
    ASN1_STRING_free(when);
}

static void copy_entries(X509_CRL *crl, X509_CRL *before)
{
    STACK_OF(X509_REVOKED) *entries = X509_CRL_get_REVOKED(before);
    for (int i = 0; i < sk_X509_REVOKED_num(entries); i++) {
        const X509_REVOKED *entry = sk_X509_REVOKED_value(entries, i);
        add(crl, X509_REVOKED_get0_serialNumber(entry), X509_REVOKED_get0_revocationDate(entry));
    }
}

static void add_number(X509_CRL *crl, uint64_t value)
{
    ASN1_INTEGER *number = ASN1_INTEGER_new();
    fay_ossl_must(number != NULL && ASN1_INTEGER_set_uint64(number, value) == 1 &&
                  X509_CRL_add1_ext_i2d(crl, NID_crl_number, number, 0, X509V3_ADD_DEFAULT) == 1);
    ASN1_INTEGER_free(number);
}

static void add_key_id(X509_CRL *crl, X509 *ca)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, ca, NULL, NULL, crl, 0);
    X509_EXTENSION *extension =
        X509V3_EXT_conf_nid(NULL, &context, NID_authority_key_identifier, "keyid:always");
    fay_ossl_must(extension != NULL && X509_CRL_add_ext(crl, extension, -1) == 1);
    X509_EXTENSION_free(extension);
}

X509_CRL *fay_crl_make(X509 *ca, EVP_PKEY *ca_key, X509_CRL *before, STACK_OF(X509) * revoked,
                       int64_t now)
{
    X509_CRL *crl = X509_CRL_new();
    ASN1_TIME *date = ASN1_TIME_set(NULL, (time_t)now);
    fay_ossl_must(crl != NULL && date != NULL &&
                  X509_CRL_set_version(crl, X509_CRL_VERSION_2) == 1 &&
                  X509_CRL_set_issuer_name(crl, X509_get_subject_name(ca)) == 1 &&
                  X509_CRL_set1_lastUpdate(crl, date) == 1 &&
                  X509_CRL_set1_nextUpdate(crl, X509_get0_notAfter(ca)) == 1);
    if (before != NULL)
        copy_entries(crl, before);
    for (int i = 0; i < sk_X509_num(revoked); i++) {
        X509 *x509 = sk_X509_value(revoked, i);
        if (before == NULL || !fay_crl_has(before, x509))
            add(crl, X509_get0_serialNumber(x509), date);
    }
    ASN1_TIME_free(date);
    add_number(crl, (before != NULL ? fay_crl_number(before) : 0) + 1);
    add_key_id(crl, ca);
    fay_ossl_must(X509_CRL_sort(crl) == 1 &&
                  X509_CRL_sign(crl, ca_key, fay_issue_hash(ca_key)) > 0);
    return crl;
}

void fay_crl_append(X509_CRL *crl, fay_buffer *out)
{
    FAY_CLEANUP(fay_bio_freep) BIO *bio = BIO_new(BIO_s_mem());
    fay_ossl_must(bio != NULL && PEM_write_bio_X509_CRL(bio, crl) == 1);
    char *bytes = NULL;
    long size = BIO_get_mem_data(bio, &bytes);
    fay_buffer_append(out, bytes, (size_t)size);
}

int fay_crl_parse(const char *what, const void *bytes, size_t size, X509_CRL **ret, fay_error *err)
{
    FAY_CLEANUP(fay_bio_freep) BIO *bio = BIO_new_mem_buf(bytes, (int)size);
    fay_ossl_must(bio != NULL);
    const unsigned char *der = bytes;
    X509_CRL *crl = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL);
    if (crl == NULL)
        crl = d2i_X509_CRL(NULL, &der, (long)size);
    ERR_clear_error();
    if (crl == NULL)
        return fay_fail_with(err, FAY_E_TLS, "%.200s: no list of revoked certificates in it", what);
    *ret = crl;
    return 0;
}

int fay_crl_load(const char *path, X509_CRL **ret, fay_error *err)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer bytes = {0};
    int r = fay_store_read(path, FAY_CRL_MAX, &bytes, err);
    if (r == 0)
        r = fay_crl_parse(path, fay_buffer_data(&bytes), fay_buffer_size(&bytes), ret, err);
    return r;
}

int fay_crl_check(const char *what, X509_CRL *crl, STACK_OF(X509) * cas, fay_error *err)
{
    for (int i = 0; i < sk_X509_num(cas); i++) {
        X509 *ca = sk_X509_value(cas, i);
        EVP_PKEY *key = X509_get0_pubkey(ca);
        bool named = X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(ca)) == 0;
        if (named && key != NULL && X509_CRL_verify(crl, key) == 1)
            return 0;
    }
    ERR_clear_error();
    (void)fay_fail_with(err, FAY_E_TLS,
                        "%.200s: the list of revoked certificates is not signed "
                        "by the CA",
                        what);
    fay_hint(err, "copy crl.pem from the directory of the CA anew");
    return FAY_E_TLS;
}

uint64_t fay_crl_number(X509_CRL *crl)
{
    uint64_t value = 0;
    ASN1_INTEGER *number = X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);
    if (number == NULL || ASN1_INTEGER_get_uint64(&value, number) != 1)
        value = 0;
    ASN1_INTEGER_free(number);
    ERR_clear_error();
    return value;
}

size_t fay_crl_count(X509_CRL *crl)
{
    STACK_OF(X509_REVOKED) *entries = X509_CRL_get_REVOKED(crl);
    return entries != NULL ? (size_t)sk_X509_REVOKED_num(entries) : 0;
}

bool fay_crl_has(X509_CRL *crl, X509 *x509)
{
    X509_REVOKED *entry = NULL;
    if (X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_issuer_name(x509)) != 0)
        return false;
    /* 2: it was "removed from the CRL", which takes back a hold. */
    return X509_CRL_get0_by_cert(crl, &entry, x509) == 1;
}
