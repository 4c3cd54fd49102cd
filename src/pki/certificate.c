/* SPDX-License-Identifier: MIT */
#include "pki/certificate.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/limits.h"
#include "base/texts.h"
#include "pki/names.h"
#include "pki/store.h"

enum {
    DAY = 86400,
    ED25519_SIZE = 32,
    UNCOMPRESSED = 4 /* the first byte of a point of which both coordinates follow */
};

/* ---- files ----------------------------------------------------------------------------------- */

static int parse_pem(const char *what, BIO *bio, STACK_OF(X509) * list, fay_error *err)
{
    for (;;) {
        X509 *x509 = PEM_read_bio_X509(bio, NULL, NULL, NULL);
        if (x509 == NULL)
            break;
        fay_ossl_must(sk_X509_push(list, x509) > 0);
        if ((size_t)sk_X509_num(list) > FAY_CERTIFICATES_MAX) {
            return fay_fail_with(err, FAY_E_TLS, "%.200s: more than %zu certificates", what,
                                 FAY_CERTIFICATES_MAX);
        }
    }
    bool end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    if (!end) {
        return fay_ossl_fail(err, "%.200s: certificate %d cannot be read", what,
                             sk_X509_num(list) + 1);
    }
    ERR_clear_error();
    return 0;
}

int fay_certificates_parse(const char *what, const void *bytes, size_t size, STACK_OF(X509) * *ret,
                           fay_error *err)
{
    FAY_CLEANUP(fay_x509s_freep) STACK_OF(X509) *list = sk_X509_new_null();
    FAY_CLEANUP(fay_bio_freep) BIO *bio = BIO_new_mem_buf(bytes, (int)size);
    fay_ossl_must(list != NULL && bio != NULL);
    ERR_clear_error();
    int r = parse_pem(what, bio, list, err);
    if (r < 0)
        return r;
    const unsigned char *der = bytes;
    if (sk_X509_num(list) == 0 && size > 0) {
        X509 *x509 = d2i_X509(NULL, &der, (long)size);
        ERR_clear_error();
        if (x509 != NULL)
            fay_ossl_must(sk_X509_push(list, x509) > 0);
    }
    if (sk_X509_num(list) == 0) {
        (void)fay_fail_with(err, FAY_E_TLS, "%.200s: no certificate in it (PEM or DER)", what);
        fay_hint(err, "it begins with -----BEGIN CERTIFICATE-----");
        return FAY_E_TLS;
    }
    *ret = FAY_STEAL(list);
    return 0;
}

int fay_certificates_load(const char *path, STACK_OF(X509) * *ret, fay_error *err)
{
    FAY_CLEANUP(fay_secret_deinit) fay_buffer bytes = {0}; /* some keep the key in the same file */
    int r = fay_store_read(path, FAY_PEM_FILE_MAX, &bytes, err);
    if (r < 0)
        return r;
    return fay_certificates_parse(path, fay_buffer_data(&bytes), fay_buffer_size(&bytes), ret, err);
}

void fay_certificate_append(X509 *x509, fay_buffer *out)
{
    FAY_CLEANUP(fay_bio_freep) BIO *bio = BIO_new(BIO_s_mem());
    fay_ossl_must(bio != NULL && PEM_write_bio_X509(bio, x509) == 1);
    char *bytes = NULL;
    long size = BIO_get_mem_data(bio, &bytes);
    fay_buffer_append(out, bytes, (size_t)size);
}

fay_digest fay_certificate_fingerprint(const X509 *x509)
{
    unsigned char *der = NULL;
    int size = i2d_X509(x509, &der);
    fay_ossl_must(size > 0);
    fay_digest digest = fay_digest_of(der, (size_t)size);
    OPENSSL_free(der);
    return digest;
}

/* Whether the key stands in it in the one way that it is written. Of RSA keys that is not asked. */
static bool is_plain(const X509_PUBKEY *key)
{
    ASN1_OBJECT *kind = NULL;
    X509_ALGOR *algorithm = NULL;
    const unsigned char *bytes = NULL;
    int size = 0;
    int type = V_ASN1_UNDEF;
    (void)X509_PUBKEY_get0_param(&kind, &bytes, &size, &algorithm, key);
    X509_ALGOR_get0(NULL, &type, NULL, algorithm);
    switch (OBJ_obj2nid(kind)) {
    case NID_ED25519: return type == V_ASN1_UNDEF && size == ED25519_SIZE;
    case NID_X9_62_id_ecPublicKey:
        return type == V_ASN1_OBJECT && size > 0 && bytes[0] == UNCOMPRESSED;
    default: return false;
    }
}

/* To take the bytes as they stand there costs a hundredth of what OpenSSL's encoder does, which was
 * a third of a handshake. */
fay_digest fay_certificate_key_fingerprint(X509 *x509)
{
    const X509_PUBKEY *key = X509_get_X509_PUBKEY(x509);
    if (!is_plain(key))
        return fay_key_fingerprint(X509_get0_pubkey(x509));
    unsigned char *der = NULL;
    int size = i2d_X509_PUBKEY(key, &der);
    fay_ossl_must(size > 0);
    fay_digest digest = fay_digest_of(der, (size_t)size);
    OPENSSL_free(der);
    return digest;
}

/* ---- what it says ---------------------------------------------------------------------------- */

static char *name_text(const X509_NAME *name)
{
    FAY_CLEANUP(fay_bio_freep) BIO *bio = BIO_new(BIO_s_mem());
    fay_ossl_must(bio != NULL);
    /* RFC 2253 escapes control characters and what is not ASCII: it may go to a terminal. */
    (void)X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253);
    char *bytes = NULL;
    long size = BIO_get_mem_data(bio, &bytes);
    return fay_strndup(size > 0 ? bytes : "", (size_t)size);
}

/* The subject's common name, unless there are bytes in it that no name has. */
static char *common_name(const X509 *x509)
{
    const X509_NAME *subject = X509_get_subject_name(x509);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (at < 0)
        return fay_strdup("");
    unsigned char *utf8 = NULL;
    int size =
        ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
    bool good = size > 0 && (size_t)size <= FAY_DNS_NAME_MAX;
    for (int i = 0; good && i < size; i++) {
        good = utf8[i] > ' ' && utf8[i] < 0x7f;
    }
    char *name = fay_strndup(good ? (const char *)utf8 : "", good ? (size_t)size : 0);
    OPENSSL_free(utf8);
    ERR_clear_error();
    return name;
}

static char **read_sans(X509 *x509)
{
    FAY_CLEANUP(fay_names_freep)
    GENERAL_NAMES *names = X509_get_ext_d2i(x509, NID_subject_alt_name, NULL, NULL);
    ERR_clear_error();
    int count = names != NULL ? sk_GENERAL_NAME_num(names) : 0;
    char **sans = fay_alloc(((size_t)count + 1) * sizeof *sans);
    size_t used = 0;
    for (int i = 0; i < count; i++) {
        char *text = fay_san_text(sk_GENERAL_NAME_value(names, i));
        if (text != NULL)
            sans[used++] = text;
    }
    return sans;
}

/* What stands behind a prefix, or NULL. */
static const char *behind(const char *text, const char *prefix)
{
    size_t length = strlen(prefix);
    return strncmp(text, prefix, length) == 0 ? text + length : NULL;
}

static void read_names(X509 *x509, fay_certificate *c)
{
    c->sans = read_sans(x509);
    const char *node = NULL;
    const char *dns = NULL;
    for (char **san = c->sans; *san != NULL; san++) {
        const char *word = behind(*san, "URI:" FAY_URI_NODE);
        if (word != NULL && node == NULL && fay_node_name_valid(word, strlen(word)))
            node = word;
        if (dns == NULL)
            dns = behind(*san, "DNS:");
        word = behind(*san, "URI:" FAY_URI_ROLE);
        if (word != NULL)
            c->roles |= fay_role_find(word, strlen(word));
        c->is_our_ca = c->is_our_ca || strcmp(*san, "URI:" FAY_URI_CA) == 0;
    }
    if (node != NULL || dns != NULL) {
        c->name = fay_strdup(node != NULL ? node : dns);
    } else {
        c->name = common_name(x509);
    }
}

unsigned fay_certificate_roles(X509 *x509)
{
    FAY_CLEANUP(fay_certificate_deinit) fay_certificate c = {0};
    read_names(x509, &c);
    return c.roles;
}

bool fay_certificate_is_our_ca(X509 *x509)
{
    FAY_CLEANUP(fay_certificate_deinit) fay_certificate c = {0};
    if (X509_check_ca(x509) != 1)
        return false;
    read_names(x509, &c);
    return c.is_our_ca;
}

static char *serial_text(X509 *x509)
{
    FAY_CLEANUP(fay_bignum_freep)
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x509), NULL);
    char *hex = number != NULL ? BN_bn2hex(number) : NULL;
    char *text = fay_strdup(hex != NULL ? hex : "?");
    OPENSSL_free(hex);
    ERR_clear_error();
    return text;
}

int fay_certificate_describe(X509 *x509, fay_certificate *ret, fay_error *err)
{
    EVP_PKEY *key = X509_get0_pubkey(x509);
    if (key == NULL)
        return fay_ossl_fail(err, "the certificate's public key cannot be read");
    fay_certificate c = {0};
    if (!fay_ossl_time(X509_get0_notBefore(x509), &c.not_before) ||
        !fay_ossl_time(X509_get0_notAfter(x509), &c.not_after))
        return fay_ossl_fail(err, "the certificate's dates cannot be read");
    read_names(x509, &c);
    c.subject = name_text(X509_get_subject_name(x509));
    c.issuer = name_text(X509_get_issuer_name(x509));
    c.serial = serial_text(x509);
    c.fingerprint = fay_certificate_fingerprint(x509);
    c.public_key = fay_certificate_key_fingerprint(x509);
    (void)fay_key_text(key, c.key);
    c.is_ca = X509_check_ca(x509) == 1;
    c.is_our_ca = c.is_our_ca && c.is_ca;
    c.for_server = !c.is_ca && X509_check_purpose(x509, X509_PURPOSE_SSL_SERVER, 0) == 1;
    c.for_client = !c.is_ca && X509_check_purpose(x509, X509_PURPOSE_SSL_CLIENT, 0) == 1;
    ERR_clear_error();
    *ret = c;
    return 0;
}

void fay_certificate_deinit(fay_certificate *certificate)
{
    free(certificate->name);
    fay_texts_free(certificate->sans);
    free(certificate->subject);
    free(certificate->issuer);
    free(certificate->serial);
    *certificate = (fay_certificate){0};
}

/* ---- time ------------------------------------------------------------------------------------ */

int64_t fay_certificate_days_left(const fay_certificate *certificate, int64_t now)
{
    return (certificate->not_after - now) / DAY;
}

bool fay_certificate_is_due(const fay_certificate *certificate, int64_t now)
{
    int64_t whole = certificate->not_after - certificate->not_before;
    return certificate->not_after - now < whole / 3;
}

static struct tm parts_of(int64_t seconds)
{
    struct tm parts = {.tm_mday = 1};
    time_t time = (time_t)seconds;
    (void)gmtime_r(&time, &parts);
    return parts;
}

const char *fay_date_text(int64_t seconds, char text[FAY_DATE_TEXT_MAX])
{
    struct tm parts = parts_of(seconds);
    if (strftime(text, FAY_DATE_TEXT_MAX, "%Y-%m-%d %H:%M:%S UTC", &parts) == 0)
        (void)snprintf(text, FAY_DATE_TEXT_MAX, "?");
    return text;
}

const char *fay_date_json(int64_t seconds, char text[FAY_DATE_TEXT_MAX])
{
    struct tm parts = parts_of(seconds);
    if (strftime(text, FAY_DATE_TEXT_MAX, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
        (void)snprintf(text, FAY_DATE_TEXT_MAX, "?");
    return text;
}
