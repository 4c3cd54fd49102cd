/* SPDX-License-Identifier: MIT */
#include "pki/key.h"

#include <openssl/core_names.h>
#include <openssl/decoder.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "pki/store.h"

bool fay_algorithm_parse(const char *text, fay_algorithm *ret)
{
    bool curve = strcmp(text, "p256") == 0;
    if (!curve && strcmp(text, "ed25519") != 0)
        return false;
    *ret = curve ? FAY_P256 : FAY_ED25519;
    return true;
}

EVP_PKEY *fay_key_make(fay_algorithm algorithm)
{
    EVP_PKEY *key =
        algorithm == FAY_P256 ? EVP_EC_gen("P-256") : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    fay_ossl_must(key != NULL);
    return key;
}

void fay_key_append(EVP_PKEY *key, fay_buffer *out)
{
    FAY_CLEANUP(fay_bio_freep) BIO *bio = BIO_new(BIO_s_secmem());
    fay_ossl_must(bio != NULL &&
                  PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1);
    char *bytes = NULL;
    long size = BIO_get_mem_data(bio, &bytes);
    fay_buffer_append(out, bytes, (size_t)size);
}

/* ---- reading --------------------------------------------------------------------------------- */

/* OpenSSL's own would ask at the terminal. */
// NOLINTNEXTLINE(readability-non-const-parameter): as OpenSSL has it
static int no_password(char *password, int size, int writing, void *asked)
{
    (void)password;
    (void)size;
    (void)writing;
    *(bool *)asked = true;
    return -1;
}

int fay_key_parse(const char *what, const void *bytes, size_t size, EVP_PKEY **ret, fay_error *err)
{
    bool asked = false;
    FAY_CLEANUP(fay_bio_freep) BIO *bio = BIO_new_mem_buf(bytes, (int)size);
    fay_ossl_must(bio != NULL);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, no_password, &asked);
    const unsigned char *der = bytes;
    if (key == NULL && !asked)
        key = d2i_AutoPrivateKey(NULL, &der, (long)size);
    ERR_clear_error(); /* of the first try; and reasons for "no key" help nobody */
    if (key != NULL) {
        *ret = key;
        return 0;
    }
    if (asked) {
        (void)fay_fail_with(err, FAY_E_TLS, "%.200s: the private key has a password", what);
        fay_hint(err, "there is nobody to ask for it; take it off: openssl pkey -in OLD -out NEW");
        return FAY_E_TLS;
    }
    (void)fay_fail_with(err, FAY_E_TLS, "%.200s: no private key in it (PEM or DER)", what);
    fay_hint(err, "it begins with -----BEGIN PRIVATE KEY-----, or EC or RSA PRIVATE KEY");
    return FAY_E_TLS;
}

static EVP_PKEY *decode_public(const void *bytes, size_t size)
{
    EVP_PKEY *key = NULL;
    const unsigned char *data = bytes;
    OSSL_DECODER_CTX *decoder =
        OSSL_DECODER_CTX_new_for_pkey(&key, NULL, NULL, NULL, EVP_PKEY_PUBLIC_KEY, NULL, NULL);
    fay_ossl_must(decoder != NULL);
    if (OSSL_DECODER_from_data(decoder, &data, &size) != 1) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    OSSL_DECODER_CTX_free(decoder);
    return key;
}

static EVP_PKEY *public_of_certificate(const void *bytes, size_t size)
{
    FAY_CLEANUP(fay_bio_freep) BIO *bio = BIO_new_mem_buf(bytes, (int)size);
    fay_ossl_must(bio != NULL);
    FAY_CLEANUP(fay_x509_freep) X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    return certificate != NULL ? X509_get_pubkey(certificate) : NULL;
}

int fay_key_parse_public(const char *what, const void *bytes, size_t size, EVP_PKEY **ret,
                         fay_error *err)
{
    EVP_PKEY *key = decode_public(bytes, size);
    if (key == NULL)
        key = public_of_certificate(bytes, size);
    if (key == NULL)
        (void)fay_key_parse(what, bytes, size, &key, NULL);
    ERR_clear_error();
    if (key == NULL) {
        (void)fay_fail_with(err, FAY_E_TLS, "%.200s: no public key in it (PEM or DER)", what);
        fay_hint(err, "make it: openssl pkey -in KEY -pubout");
        return FAY_E_TLS;
    }
    *ret = key;
    return 0;
}

int fay_key_load(const char *path, EVP_PKEY **ret, fay_error *err)
{
    FAY_CLEANUP(fay_secret_deinit) fay_buffer bytes = {0};
    int r = fay_store_read_secret(path, FAY_PEM_FILE_MAX, &bytes, err);
    if (r == 0)
        r = fay_key_parse(path, fay_buffer_data(&bytes), fay_buffer_size(&bytes), ret, err);
    return r;
}

int fay_key_load_public(const char *path, EVP_PKEY **ret, fay_error *err)
{
    FAY_CLEANUP(fay_secret_deinit) fay_buffer bytes = {0}; /* what if it is the private one */
    int r = fay_store_read(path, FAY_PEM_FILE_MAX, &bytes, err);
    if (r == 0)
        r = fay_key_parse_public(path, fay_buffer_data(&bytes), fay_buffer_size(&bytes), ret, err);
    return r;
}

/* ---- what it is ------------------------------------------------------------------------------ */

fay_digest fay_key_fingerprint(const EVP_PKEY *key)
{
    unsigned char *der = NULL;
    int size = i2d_PUBKEY(key, &der);
    fay_ossl_must(size > 0);
    fay_digest digest = fay_digest_of(der, (size_t)size);
    OPENSSL_free(der);
    return digest;
}

int fay_key_check(const char *what, const EVP_PKEY *key, fay_error *err)
{
    int kind = EVP_PKEY_get_base_id(key);
    if (kind == EVP_PKEY_RSA || kind == EVP_PKEY_RSA_PSS || kind == EVP_PKEY_EC ||
        kind == EVP_PKEY_ED25519)
        return 0;
    char text[FAY_KEY_TEXT_MAX];
    (void)fay_fail_with(err, FAY_E_TLS, "%.200s: %s keys cannot be used", what,
                        fay_key_text(key, text));
    fay_hint(err, "RSA, ECDSA and Ed25519 can");
    return FAY_E_TLS;
}

const char *fay_key_text(const EVP_PKEY *key, char text[FAY_KEY_TEXT_MAX])
{
    char group[32] = "";
    switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
    case EVP_PKEY_RSA_PSS:
        (void)snprintf(text, FAY_KEY_TEXT_MAX, "RSA %d", EVP_PKEY_get_bits(key));
        break;
    case EVP_PKEY_EC:
        (void)EVP_PKEY_get_group_name(key, group, sizeof group, NULL);
        (void)snprintf(text, FAY_KEY_TEXT_MAX, "%s",
                       strcmp(group, "prime256v1") == 0 ? "P-256" : group);
        break;
    case EVP_PKEY_ED25519: (void)snprintf(text, FAY_KEY_TEXT_MAX, "Ed25519"); break;
    default: {
        const char *name = EVP_PKEY_get0_type_name(key);
        (void)snprintf(text, FAY_KEY_TEXT_MAX, "%s", name != NULL ? name : "unknown");
    }
    }
    return text;
}
