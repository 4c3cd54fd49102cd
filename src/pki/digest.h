/* SPDX-License-Identifier: MIT */
/* SHA-256, of what is long to compare: certificates, public keys, requests. */
#ifndef FAY_DIGEST_H
#define FAY_DIGEST_H

#include "base/base.h"

enum {
    FAY_DIGEST_SIZE = 32,
    FAY_DIGEST_TEXT_MAX = 2 * FAY_DIGEST_SIZE + 1
};

typedef struct fay_digest {
    uint8_t bytes[FAY_DIGEST_SIZE];
} fay_digest;

fay_digest fay_digest_of(const void *bytes, size_t size);
bool fay_digest_equal(const fay_digest *a, const fay_digest *b); /* in constant time */

/* Bytes as lower-case hex digits and back. `text` has room for 2 * size + 1. */
const char *fay_hex(const void *bytes, size_t size, char *text);
/* Exactly 2 * size digits, of either case; more may follow. */
bool fay_hex_parse(const char *text, void *bytes, size_t size);

const char *fay_digest_text(const fay_digest *digest, char text[FAY_DIGEST_TEXT_MAX]);

#endif /* FAY_DIGEST_H */
