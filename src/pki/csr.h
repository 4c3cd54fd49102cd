/* SPDX-License-Identifier: MIT */
/*
 * A request for a certificate (PKCS #10, DER): a public key, the name that its Node asks for, and
 * the proof that the sender has the private key. Extensions that are asked for are not looked at.
 */
#ifndef FAY_CSR_H
#define FAY_CSR_H

#include "pki/digest.h"
#include "pki/ossl.h"

typedef struct fay_csr {
    EVP_PKEY *key;
    char *name;        /* valid for a Node */
    fay_digest digest; /* of all its bytes */
} fay_csr;

/* Appends a request, signed by the key. */
void fay_csr_make(EVP_PKEY *key, const char *name, fay_buffer *out);

/* FAY_E_TLS: no request, not signed by its key, or of no use to us; nothing to free then. */
int fay_csr_parse(const void *bytes, size_t size, fay_csr *ret, fay_error *err);
void fay_csr_deinit(fay_csr *csr);

#endif /* FAY_CSR_H */
