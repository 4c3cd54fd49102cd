/* SPDX-License-Identifier: MIT */
/* A Node's Ed25519 key for what it says in the Grid: of one boot, never on a disk. */
#ifndef FAY_RECORD_KEY_H
#define FAY_RECORD_KEY_H

#include "pki/ossl.h"

enum {
    FAY_RECORD_KEY_SIZE = 32,
    FAY_RECORD_SIGNATURE_SIZE = 64
};

typedef struct fay_record_key {
    EVP_PKEY *pair;
    uint8_t public_key[FAY_RECORD_KEY_SIZE];
} fay_record_key;

void fay_record_key_make(fay_record_key *ret);
void fay_record_key_deinit(fay_record_key *key);
void fay_record_key_sign(const fay_record_key *key, const void *bytes, size_t size,
                         uint8_t ret[FAY_RECORD_SIGNATURE_SIZE]);
bool fay_record_key_verify(const uint8_t public_key[FAY_RECORD_KEY_SIZE], const void *bytes,
                           size_t size, const uint8_t signature[FAY_RECORD_SIGNATURE_SIZE]);

#endif /* FAY_RECORD_KEY_H */
