/* SPDX-License-Identifier: MIT */
/*
 * Certificates made. What is in them is decided here alone: of a request (pki/csr.h) only the
 * public key and the name are taken.
 *
 *     the CA    10 years, may sign Nodes but no other CA, marked by the URI faymora:ca
 *     a Node    a year, not beyond the CA's end; valid since the day before, since clocks differ
 */
#ifndef FAY_ISSUE_H
#define FAY_ISSUE_H

#include "pki/ossl.h"

typedef struct fay_issue {
    const char *name;  /* of the Node */
    char *const *sans; /* DNS names and addresses; NULL = none */
    unsigned roles;
    int64_t now; /* seconds since 1970 */
} fay_issue;

/* FAY_E_INVAL, with what is wrong: names, addresses, roles. */
int fay_issue_check(const fay_issue *what, fay_error *err);

/* A CA of its own, signed by itself. */
X509 *fay_issue_ca(EVP_PKEY *key, int64_t now);

/* FAY_E_INVAL as above; FAY_E_TLS: the CA has expired. */
int fay_issue_certificate(X509 *ca, EVP_PKEY *ca_key, EVP_PKEY *subject, const fay_issue *what,
                          X509 **ret, fay_error *err);

/* What to sign with by this key: NULL for Ed25519, which has it built in. */
const EVP_MD *fay_issue_hash(const EVP_PKEY *key);

#endif /* FAY_ISSUE_H */
