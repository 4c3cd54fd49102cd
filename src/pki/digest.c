/* SPDX-License-Identifier: MIT */
#include "pki/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "pki/ossl.h"

fay_digest fay_digest_of(const void *bytes, size_t size)
{
    fay_digest digest;
    fay_ossl_must(EVP_Digest(bytes, size, digest.bytes, NULL, EVP_sha256(), NULL) == 1);
    return digest;
}

bool fay_digest_equal(const fay_digest *a, const fay_digest *b)
{
    return CRYPTO_memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

const char *fay_hex(const void *bytes, size_t size, char *text)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *from = bytes;
    for (size_t i = 0; i < size; i++) {
        text[2 * i] = digits[from[i] >> 4];
        text[2 * i + 1] = digits[from[i] & 15];
    }
    text[2 * size] = '\0';
    return text;
}

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool fay_hex_parse(const char *text, void *bytes, size_t size)
{
    uint8_t *to = bytes;
    for (size_t i = 0; i < size; i++) {
        int high = digit(text[2 * i]);
        int low = high < 0 ? -1 : digit(text[2 * i + 1]);
        if (low < 0)
            return false;
        to[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

const char *fay_digest_text(const fay_digest *digest, char text[FAY_DIGEST_TEXT_MAX])
{
    return fay_hex(digest->bytes, sizeof digest->bytes, text);
}
