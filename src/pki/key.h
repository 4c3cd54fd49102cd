/* SPDX-License-Identifier: MIT */
/* Private and public keys: made, read, written, told apart. */
#ifndef FAY_KEY_H
#define FAY_KEY_H

#include "pki/digest.h"
#include "pki/ossl.h"

/* What we make. Others' keys may also be RSA, or on another curve. */
typedef enum fay_algorithm {
    FAY_P256,
    FAY_ED25519
} fay_algorithm;

bool fay_algorithm_parse(const char *text, fay_algorithm *ret); /* "p256", "ed25519" */

EVP_PKEY *fay_key_make(fay_algorithm algorithm);

/* PKCS #8 as PEM; the buffer is a secret's. */
void fay_key_append(EVP_PKEY *key, fay_buffer *out);

/* A private key as PEM or DER, not encrypted. FAY_E_TLS with `err`, where `what` is its file. */
int fay_key_parse(const char *what, const void *bytes, size_t size, EVP_PKEY **ret, fay_error *err);
/* Likewise a public key; a certificate or a private key will do for one. */
int fay_key_parse_public(const char *what, const void *bytes, size_t size, EVP_PKEY **ret,
                         fay_error *err);

/* Reads a file that nobody else may read: FAY_E_TLS, with what to do. */
int fay_key_load(const char *path, EVP_PKEY **ret, fay_error *err);
int fay_key_load_public(const char *path, EVP_PKEY **ret, fay_error *err);

/* SHA-256 of the public key as certificates have it (SubjectPublicKeyInfo, DER). */
fay_digest fay_key_fingerprint(const EVP_PKEY *key);

/* FAY_E_TLS unless it is RSA, on an elliptic curve, or Ed25519: what Nodes can sign with. */
int fay_key_check(const char *what, const EVP_PKEY *key, fay_error *err);

enum {
    FAY_KEY_TEXT_MAX = 48
};
/* "P-256", "Ed25519", "RSA 2048". Returns `text`. */
const char *fay_key_text(const EVP_PKEY *key, char text[FAY_KEY_TEXT_MAX]);

#endif /* FAY_KEY_H */
