/* SPDX-License-Identifier: MIT */
#include "pki/record_key.h"

#include <openssl/err.h>

void fay_record_key_make(fay_record_key *ret)
{
    size_t size = sizeof ret->public_key;
    ret->pair = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    fay_ossl_must(ret->pair != NULL &&
                  EVP_PKEY_get_raw_public_key(ret->pair, ret->public_key, &size) == 1);
}

void fay_record_key_deinit(fay_record_key *key)
{
    EVP_PKEY_free(key->pair);
    *key = (fay_record_key){0};
}

void fay_record_key_sign(const fay_record_key *key, const void *bytes, size_t size,
                         uint8_t ret[FAY_RECORD_SIGNATURE_SIZE])
{
    size_t written = FAY_RECORD_SIGNATURE_SIZE;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    fay_ossl_must(context != NULL &&
                  EVP_DigestSignInit(context, NULL, NULL, NULL, key->pair) == 1 &&
                  EVP_DigestSign(context, ret, &written, bytes, size) == 1);
    EVP_MD_CTX_free(context);
}

bool fay_record_key_verify(const uint8_t public_key[FAY_RECORD_KEY_SIZE], const void *bytes,
                           size_t size, const uint8_t signature[FAY_RECORD_SIGNATURE_SIZE])
{
    FAY_CLEANUP(fay_pkey_freep)
    EVP_PKEY *key =
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key, FAY_RECORD_KEY_SIZE);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    fay_ossl_must(key != NULL && context != NULL);
    bool good = EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1 &&
                EVP_DigestVerify(context, signature, FAY_RECORD_SIGNATURE_SIZE, bytes, size) == 1;
    EVP_MD_CTX_free(context);
    ERR_clear_error();
    return good;
}
