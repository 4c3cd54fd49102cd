/* SPDX-License-Identifier: MIT */
#include "pki/token.h"

#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

#include "pki/certificate.h"

#define PREFIX "fay1."
#define LABEL  "faymora join 1"

void fay_token_make(const fay_digest *ca, fay_token *ret)
{
    ret->ca = *ca;
    fay_ossl_must(RAND_priv_bytes(ret->secret, sizeof ret->secret) == 1);
}

void fay_token_wipe(fay_token *token)
{
    OPENSSL_cleanse(token, sizeof *token);
}

const char *fay_token_text(const fay_token *token, char text[FAY_TOKEN_TEXT_MAX])
{
    char ca[FAY_DIGEST_TEXT_MAX];
    char secret[2 * FAY_SECRET_SIZE + 1];
    (void)snprintf(text, FAY_TOKEN_TEXT_MAX, PREFIX "%s.%s", fay_digest_text(&token->ca, ca),
                   fay_hex(token->secret, sizeof token->secret, secret));
    OPENSSL_cleanse(secret, sizeof secret);
    return text;
}

int fay_token_parse(const char *text, fay_token *ret, fay_error *err)
{
    const char *ca = text + strlen(PREFIX);
    const char *secret = ca + (size_t)2 * FAY_DIGEST_SIZE + 1;
    fay_token token = {0};
    bool good = strlen(text) == FAY_TOKEN_TEXT_MAX - 1 &&
                strncmp(text, PREFIX, strlen(PREFIX)) == 0 && secret[-1] == '.' &&
                fay_hex_parse(ca, token.ca.bytes, sizeof token.ca.bytes) &&
                fay_hex_parse(secret, token.secret, sizeof token.secret);
    if (good)
        *ret = token;
    fay_token_wipe(&token);
    if (good)
        return 0;
    (void)fay_fail_with(err, FAY_E_INVAL, "this is no join token: %zu characters, it has %d",
                        strlen(text), FAY_TOKEN_TEXT_MAX - 1);
    fay_hint(err, "fay1.<64 digits>.<64 digits>, as faymora cert token prints it; is it whole?");
    return FAY_E_INVAL;
}

bool fay_token_pins(const fay_token *token, STACK_OF(X509) * chain)
{
    int count = sk_X509_num(chain);
    if (count <= 0)
        return false;
    fay_digest root = fay_certificate_fingerprint(sk_X509_value(chain, count - 1));
    return fay_digest_equal(&token->ca, &root);
}

fay_digest fay_token_proof(const uint8_t secret[FAY_SECRET_SIZE], const fay_digest *request)
{
    uint8_t message[sizeof LABEL - 1 + FAY_DIGEST_SIZE];
    fay_digest proof;
    memcpy(message, LABEL, sizeof LABEL - 1);
    memcpy(message + sizeof LABEL - 1, request->bytes, sizeof request->bytes);
    fay_ossl_must(HMAC(EVP_sha256(), secret, FAY_SECRET_SIZE, message, sizeof message, proof.bytes,
                       NULL) != NULL);
    return proof;
}
