/* SPDX-License-Identifier: MIT */
#include "pki/certification.h"

#include <openssl/err.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "pki/certificate.h"
#include "pki/key.h"
#include "pki/names.h"
#include "wire/codec.h"

#define LABEL "faymora record key 1"

enum {
    VERSION = 1,
    SIGNED_SIZE = sizeof LABEL - 1 + FAY_NODE_ID_SIZE + 8 + FAY_RECORD_KEY_SIZE,
    WHAT_MAX = 128
};

/* ---- the signature by the server's key ------------------------------------------------------- */

static void signed_bytes(const fay_certification *c, uint8_t ret[SIGNED_SIZE])
{
    uint8_t *at = ret;
    memcpy(at, LABEL, sizeof LABEL - 1);
    at += sizeof LABEL - 1;
    memcpy(at, c->id.bytes, sizeof c->id.bytes);
    at += sizeof c->id.bytes;
    fay_store64(at, c->boot);
    memcpy(at + 8, c->record_key, sizeof c->record_key);
}

static const EVP_MD *hash_for(const EVP_PKEY *key)
{
    return EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519 ? NULL : EVP_sha256();
}

/* RSA signs by PSS with a salt as long as the hash, and in no other way. */
static bool set_padding(EVP_PKEY_CTX *how, const EVP_PKEY *key)
{
    int kind = EVP_PKEY_get_base_id(key);
    if (kind != EVP_PKEY_RSA && kind != EVP_PKEY_RSA_PSS)
        return true;
    return EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(how, RSA_PSS_SALTLEN_DIGEST) == 1;
}

static bool sign(EVP_PKEY *key, const uint8_t message[SIGNED_SIZE],
                 uint8_t ret[FAY_KEY_SIGNATURE_MAX], size_t *ret_size)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *how = NULL;
    fay_ossl_must(context != NULL);
    *ret_size = FAY_KEY_SIGNATURE_MAX;
    bool good = EVP_DigestSignInit(context, &how, hash_for(key), NULL, key) == 1 &&
                set_padding(how, key) &&
                EVP_DigestSign(context, ret, ret_size, message, SIGNED_SIZE) == 1;
    EVP_MD_CTX_free(context);
    return good;
}

static bool is_signed(EVP_PKEY *key, const fay_certification *c, const uint8_t *signature,
                      size_t size)
{
    uint8_t message[SIGNED_SIZE];
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *how = NULL;
    fay_ossl_must(context != NULL);
    signed_bytes(c, message);
    bool good = EVP_DigestVerifyInit(context, &how, hash_for(key), NULL, key) == 1 &&
                set_padding(how, key) &&
                EVP_DigestVerify(context, signature, size, message, sizeof message) == 1;
    EVP_MD_CTX_free(context);
    ERR_clear_error();
    return good;
}

/* ---- made ------------------------------------------------------------------------------------ */

static void write_certificate(fay_buffer *out, const X509 *x509)
{
    unsigned char *der = NULL;
    int size = i2d_X509(x509, &der);
    fay_ossl_must(size > 0);
    fay_write_bytes(out, der, (size_t)size);
    OPENSSL_free(der);
}

static int check_size(size_t size, fay_error *err)
{
    if (size <= FAY_CERTIFICATION_MAX)
        return 0;
    (void)fay_fail_with(err, FAY_E_TLS,
                        "the certificates from the server's to its CA have %zu bytes, more than "
                        "the %zu that others take",
                        size, FAY_CERTIFICATION_MAX);
    fay_hint(err, "issue a certificate with fewer names, or with fewer CAs between");
    return FAY_E_TLS;
}

int fay_certification_make(const fay_credential *server, const char *name, uint64_t boot,
                           const uint8_t record_key[FAY_RECORD_KEY_SIZE], fay_buffer *out,
                           fay_error *err)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer made = {0};
    fay_digest public_key = fay_key_fingerprint(server->key);
    fay_certification c = {.id = fay_node_id_of(&public_key, name), .boot = boot};
    uint8_t message[SIGNED_SIZE];
    uint8_t signature[FAY_KEY_SIGNATURE_MAX];
    size_t size;
    memcpy(c.record_key, record_key, sizeof c.record_key);
    signed_bytes(&c, message);
    if (!sign(server->key, message, signature, &size))
        return fay_ossl_fail(err, "the private key of the server cannot sign by SHA-256");
    fay_write8(&made, VERSION);
    fay_write64(&made, boot);
    fay_write_text(&made, name);
    fay_buffer_append(&made, record_key, FAY_RECORD_KEY_SIZE);
    fay_write8(&made, (uint8_t)sk_X509_num(server->chain));
    for (int i = 0; i < sk_X509_num(server->chain); i++)
        write_certificate(&made, sk_X509_value(server->chain, i));
    fay_write_bytes(&made, signature, size);
    int r = check_size(fay_buffer_size(&made), err);
    if (r == 0)
        fay_buffer_append(out, fay_buffer_data(&made), fay_buffer_size(&made));
    return r;
}

/* ---- read ------------------------------------------------------------------------------------ */

/* A certificate and nothing behind it; NULL and bad otherwise. */
static X509 *read_certificate(fay_reader *r)
{
    size_t size;
    const unsigned char *der = fay_read_bytes(r, FAY_CERTIFICATION_MAX, &size);
    const unsigned char *at = der;
    X509 *x509 = r->bad ? NULL : d2i_X509(NULL, &at, (long)size);
    if (x509 != NULL && at != der + size) {
        X509_free(x509);
        x509 = NULL;
    }
    r->bad = r->bad || x509 == NULL;
    ERR_clear_error();
    return x509;
}

static STACK_OF(X509) * read_chain(fay_reader *r)
{
    STACK_OF(X509) *list = sk_X509_new_null();
    fay_ossl_must(list != NULL);
    size_t count = fay_read8(r);
    r->bad = r->bad || count == 0 || count > FAY_CERTIFICATION_CHAIN_MAX;
    for (size_t i = 0; i < count && !r->bad; i++) {
        X509 *x509 = read_certificate(r);
        if (x509 != NULL)
            fay_ossl_must(sk_X509_push(list, x509) > 0);
    }
    return list;
}

static char *read_name(fay_reader *r)
{
    char *name = fay_read_text(r, FAY_NODE_NAME_MAX);
    r->bad = r->bad || name == NULL || !fay_node_name_valid(name, strlen(name));
    return name;
}

typedef struct signature {
    const uint8_t *bytes;
    size_t size;
} signature;

/* What stands in it. Its chain is as it was sent, not believed yet. */
static int parse(const void *bytes, size_t size, fay_certification *c, signature *ret)
{
    fay_reader r = fay_reader_of(bytes, size);
    r.bad = size > FAY_CERTIFICATION_MAX;
    uint8_t version = fay_read8(&r);
    c->boot = fay_read64(&r);
    c->name = read_name(&r);
    const uint8_t *record_key = fay_read_raw(&r, sizeof c->record_key);
    c->chain = read_chain(&r);
    ret->bytes = fay_read_bytes(&r, FAY_KEY_SIGNATURE_MAX, &ret->size);
    if (fay_reader_done(&r) != 0 || version != VERSION || c->boot == 0 ||
        c->boot > FAY_GRID_BOOT_MAX)
        return FAY_E_PEER;
    memcpy(c->record_key, record_key, sizeof c->record_key);
    return 0;
}

/* From here on the chain is the one that ends in a CA of ours. */
static int believe_chain(fay_certification *c, const fay_trust *trust, int64_t now, fay_error *err)
{
    char what[WHAT_MAX];
    STACK_OF(X509) *chain = NULL;
    (void)snprintf(what, sizeof what, "the certification of Node %s", c->name);
    fay_check check = {.what = what, .trust = trust, .purpose = FAY_FOR_SERVER, .now = now};
    int r = fay_verify(&check, sk_X509_value(c->chain, 0), c->chain, &chain, err);
    if (r < 0)
        return r;
    sk_X509_pop_free(c->chain, X509_free);
    c->chain = chain;
    return 0;
}

static int believe(fay_certification *c, const signature *sig, const fay_trust *trust, int64_t now,
                   fay_error *err)
{
    int r = believe_chain(c, trust, now, err);
    if (r < 0)
        return r;
    EVP_PKEY *key = X509_get0_pubkey(sk_X509_value(c->chain, 0));
    c->public_key = fay_certificate_key_fingerprint(sk_X509_value(c->chain, 0));
    c->id = fay_node_id_of(&c->public_key, c->name);
    c->roles = fay_verified_roles(c->chain);
    c->ours = fay_verified_ours(c->chain);
    if (!is_signed(key, c, sig->bytes, sig->size)) {
        return fay_fail_with(err, FAY_E_TLS,
                             "the certification of Node %s is not signed by its certificate's key",
                             c->name);
    }
    return 0;
}

int fay_certification_check(const void *bytes, size_t size, const fay_trust *trust, int64_t now,
                            fay_certification *ret, fay_error *err)
{
    FAY_CLEANUP(fay_certification_deinit) fay_certification c = {0};
    signature sig;
    int r = parse(bytes, size, &c, &sig);
    if (r < 0)
        return fay_fail_with(err, r, "%zu bytes that are no certification", size);
    r = believe(&c, &sig, trust, now, err);
    if (r < 0)
        return r;
    c.digest = fay_digest_of(bytes, size);
    *ret = c;
    c = (fay_certification){0};
    return 0;
}

void fay_certification_deinit(fay_certification *certification)
{
    free(certification->name);
    sk_X509_pop_free(certification->chain, X509_free);
    *certification = (fay_certification){0};
}
