/* SPDX-License-Identifier: MIT */
/*
 * A join token: one line that a person pastes on a new machine.
 *
 *     fay1.<SHA-256 of the CA's certificate>.<256 bits that nobody guesses>, both as hex digits
 *
 * The first part tells the new machine that it talks to the right Grid, before it believes any
 * certificate. The secret never leaves the machine: what is sent is the request for a certificate
 * and proof = HMAC(secret, "faymora join 1" | SHA-256(request)), which fits this request alone.
 */
#ifndef FAY_TOKEN_H
#define FAY_TOKEN_H

#include "pki/digest.h"
#include "pki/ossl.h"

enum {
    FAY_SECRET_SIZE = 32,
    FAY_TOKEN_TEXT_MAX = 4 + 1 + 2 * FAY_DIGEST_SIZE + 1 + 2 * FAY_SECRET_SIZE + 1
};

typedef struct fay_token {
    fay_digest ca; /* of the CA's certificate */
    uint8_t secret[FAY_SECRET_SIZE];
} fay_token;

void fay_token_make(const fay_digest *ca, fay_token *ret);
void fay_token_wipe(fay_token *token); /* for FAY_CLEANUP */

/* Whoever has the text wipes it. Returns `text`. */
const char *fay_token_text(const fay_token *token, char text[FAY_TOKEN_TEXT_MAX]);
/* FAY_E_INVAL with a hint; the message does not repeat the text. */
int fay_token_parse(const char *text, fay_token *ret, fay_error *err);

/* Whether the chain that a peer shows ends in the token's CA. */
bool fay_token_pins(const fay_token *token, STACK_OF(X509) * chain);

fay_digest fay_token_proof(const uint8_t secret[FAY_SECRET_SIZE], const fay_digest *request);

#endif /* FAY_TOKEN_H */
