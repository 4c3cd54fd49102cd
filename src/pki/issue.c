/* SPDX-License-Identifier: MIT */
#include "pki/issue.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/texts.h"
#include "pki/certificate.h"
#include "pki/names.h"
#include "pki/role.h"

enum {
    DAY = 86400,
    CA_DAYS = 3652,
    NODE_DAYS = 365,
    BACKDATED = DAY,
    SERIAL_SIZE = 16
};

int fay_issue_check(const fay_issue *what, fay_error *err)
{
    if (!fay_node_name_valid(what->name, strlen(what->name))) {
        (void)fay_fail_with(err, FAY_E_INVAL, "'%.100s' is no name for a Node", what->name);
        fay_hint(err, "up to %zu letters, digits, '-', '.', '_'; it begins with a letter or digit",
                 FAY_NODE_NAME_MAX);
        return FAY_E_INVAL;
    }
    if (what->roles == 0)
        return fay_fail_with(err, FAY_E_INVAL, "a certificate without a role is of no use");
    if (fay_texts_count(what->sans) > FAY_SANS_MAX)
        return fay_fail_with(err, FAY_E_INVAL, "more than %zu names and addresses", FAY_SANS_MAX);
    for (char *const *san = what->sans; san != NULL && *san != NULL; san++) {
        if (fay_san_valid(*san))
            continue;
        (void)fay_fail_with(err, FAY_E_INVAL, "'%.100s' is no DNS name and no address", *san);
        fay_hint(err, "such as host.example.org, *.example.org, 10.0.0.7 or fd00::7");
        return FAY_E_INVAL;
    }
    return 0;
}

/* ---- parts of a certificate ------------------------------------------------------------------ */

static void set_serial(X509 *x509)
{
    uint8_t bytes[SERIAL_SIZE];
    fay_ossl_must(RAND_bytes(bytes, sizeof bytes) == 1);
    bytes[0] = (uint8_t)((bytes[0] & 0x7f) | 0x40); /* positive, and always as long */
    FAY_CLEANUP(fay_bignum_freep) BIGNUM *number = BN_bin2bn(bytes, sizeof bytes, NULL);
    fay_ossl_must(number != NULL &&
                  BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x509)) != NULL);
}

static void set_subject(X509 *x509, const char *common_name)
{
    X509_NAME *name = X509_get_subject_name(x509);
    fay_ossl_must(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                             (const unsigned char *)common_name, -1, -1, 0) == 1);
}

static void set_dates(X509 *x509, int64_t from, int64_t to)
{
    fay_ossl_must(ASN1_TIME_set(X509_getm_notBefore(x509), (time_t)from) != NULL &&
                  ASN1_TIME_set(X509_getm_notAfter(x509), (time_t)to) != NULL);
}

static void add_extension(X509 *x509, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, x509, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    fay_ossl_must(extension != NULL && X509_add_ext(x509, extension, -1) == 1);
    X509_EXTENSION_free(extension);
}

static void add_names(X509 *x509, GENERAL_NAMES *names)
{
    fay_ossl_must(X509_add1_ext_i2d(x509, NID_subject_alt_name, names, 0, X509V3_ADD_DEFAULT) == 1);
}

static GENERAL_NAMES *new_names(void)
{
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    fay_ossl_must(names != NULL);
    return names;
}

static bool has_text(char *const *texts, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++) {
        if (strcasecmp(texts[i], text) == 0)
            return true;
    }
    return false;
}

static void add_node_names(X509 *x509, const fay_issue *what)
{
    FAY_CLEANUP(fay_names_freep) GENERAL_NAMES *names = new_names();
    char uri[sizeof FAY_URI_NODE + FAY_NODE_NAME_MAX];
    (void)snprintf(uri, sizeof uri, FAY_URI_NODE "%s", what->name);
    fay_san_push_uri(names, uri);
    FAY_EACH_BIT(bit, what->roles)
    {
        (void)snprintf(uri, sizeof uri, FAY_URI_ROLE "%s", fay_role_word(1u << bit));
        fay_san_push_uri(names, uri);
    }
    size_t count = fay_texts_count(what->sans);
    if (fay_san_valid(what->name) && !has_text(what->sans, count, what->name))
        fay_san_push(names, what->name); /* TLS clients that are not ours look for it here */
    for (size_t i = 0; i < count; i++) {
        if (!has_text(what->sans, i, what->sans[i]))
            fay_san_push(names, what->sans[i]);
    }
    add_names(x509, names);
}

static X509 *new_certificate(EVP_PKEY *key)
{
    X509 *x509 = X509_new();
    fay_ossl_must(x509 != NULL && X509_set_version(x509, X509_VERSION_3) == 1 &&
                  X509_set_pubkey(x509, key) == 1);
    set_serial(x509);
    return x509;
}

const EVP_MD *fay_issue_hash(const EVP_PKEY *key)
{
    return EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519 ? NULL : EVP_sha256();
}

/* ---- certificates ---------------------------------------------------------------------------- */

X509 *fay_issue_ca(EVP_PKEY *key, int64_t now)
{
    X509 *x509 = new_certificate(key);
    fay_digest digest = fay_key_fingerprint(key);
    char hex[FAY_DIGEST_TEXT_MAX];
    char name[32]; /* Grids are told apart by it in messages, and by OpenSSL when it looks for it */
    (void)snprintf(name, sizeof name, "Faymora CA %.16s", fay_digest_text(&digest, hex));
    set_subject(x509, name);
    fay_ossl_must(X509_set_issuer_name(x509, X509_get_subject_name(x509)) == 1);
    set_dates(x509, now - BACKDATED, now + (int64_t)CA_DAYS * DAY);
    add_extension(x509, x509, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
    add_extension(x509, x509, NID_key_usage, "critical,keyCertSign,cRLSign");
    add_extension(x509, x509, NID_subject_key_identifier, "hash");
    FAY_CLEANUP(fay_names_freep) GENERAL_NAMES *names = new_names();
    fay_san_push_uri(names, FAY_URI_CA);
    add_names(x509, names);
    fay_ossl_must(X509_sign(x509, key, fay_issue_hash(key)) > 0);
    return x509;
}

int fay_issue_certificate(X509 *ca, EVP_PKEY *ca_key, EVP_PKEY *subject, const fay_issue *what,
                          X509 **ret, fay_error *err)
{
    int64_t end = 0;
    int r = fay_issue_check(what, err);
    if (r < 0)
        return r;
    if (!fay_ossl_time(X509_get0_notAfter(ca), &end) || end <= what->now) {
        char date[FAY_DATE_TEXT_MAX];
        (void)fay_fail_with(err, FAY_E_TLS, "the CA expired at %s", fay_date_text(end, date));
        fay_hint(err, "a new CA is a new Grid: faymora cert init in an empty directory");
        return FAY_E_TLS;
    }
    X509 *x509 = new_certificate(subject);
    set_subject(x509, what->name);
    fay_ossl_must(X509_set_issuer_name(x509, X509_get_subject_name(ca)) == 1);
    set_dates(x509, what->now - BACKDATED, FAY_MIN(end, what->now + (int64_t)NODE_DAYS * DAY));
    bool serves = (what->roles & (FAY_ROLE_AGENT | FAY_ROLE_NODE)) != 0;
    bool rsa = EVP_PKEY_get_base_id(subject) == EVP_PKEY_RSA;
    add_extension(x509, ca, NID_basic_constraints, "critical,CA:FALSE");
    add_extension(x509, ca, NID_key_usage,
                  rsa ? "critical,digitalSignature,keyEncipherment" : "critical,digitalSignature");
    add_extension(x509, ca, NID_ext_key_usage, serves ? "serverAuth,clientAuth" : "clientAuth");
    add_extension(x509, ca, NID_subject_key_identifier, "hash");
    add_extension(x509, ca, NID_authority_key_identifier, "keyid:always");
    add_node_names(x509, what);
    fay_ossl_must(X509_sign(x509, ca_key, fay_issue_hash(ca_key)) > 0);
    *ret = x509;
    return 0;
}
