/* SPDX-License-Identifier: MIT */
/*
 * The list of revoked certificates (CRL): signed by the CA, by serial number. Its own number only
 * rises, so that of two lists the newer is known; a Node never takes an older one. The dates of a
 * list are not looked at.
 */
#ifndef FAY_CRL_H
#define FAY_CRL_H

#include "pki/ossl.h"

/*
 * The next list: what is on `before` (NULL = none), and these certificates. It is in force until
 * the CA ends: an old list is better than none, and a newer one spreads by itself.
 */
X509_CRL *fay_crl_make(X509 *ca, EVP_PKEY *ca_key, X509_CRL *before, STACK_OF(X509) * revoked,
                       int64_t now);

void fay_crl_append(X509_CRL *crl, fay_buffer *out); /* PEM */

/* PEM or DER. FAY_E_TLS with `err`, where `what` is its file. */
int fay_crl_parse(const char *what, const void *bytes, size_t size, X509_CRL **ret, fay_error *err);
/* FAY_E_NOTFOUND; FAY_E_IO; FAY_E_TLS. */
int fay_crl_load(const char *path, X509_CRL **ret, fay_error *err);

/* FAY_E_TLS unless one of these CAs has signed it. */
int fay_crl_check(const char *what, X509_CRL *crl, STACK_OF(X509) * cas, fay_error *err);

uint64_t fay_crl_number(X509_CRL *crl); /* 0 = it has none */
size_t fay_crl_count(X509_CRL *crl);
/* Whether this certificate, of the CA that has signed the list, is on it. */
bool fay_crl_has(X509_CRL *crl, X509 *x509);

#endif /* FAY_CRL_H */
