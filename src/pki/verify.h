/* SPDX-License-Identifier: MIT */
/*
 * Whether a certificate is to be believed: signed by one of our CAs, for this purpose, at this
 * time, with keys and hashes that are strong enough, and not revoked.
 *
 *     its own -> intermediates -> the CA of ours that ends the chain ("anchor")
 *
 * An anchor need not sign itself: who trusts an intermediate alone means just that.
 */
#ifndef FAY_VERIFY_H
#define FAY_VERIFY_H

#include "pki/ossl.h"

typedef enum fay_purpose {
    FAY_FOR_SERVER,
    FAY_FOR_CLIENT
} fay_purpose;

typedef struct fay_trust {
    STACK_OF(X509) * anchors;
    X509_CRL *crl; /* NULL = none; signed by one of the anchors, see fay_crl_check() */
    char *file;    /* that the anchors are of, for messages; NULL = of none */
} fay_trust;

void fay_trust_deinit(fay_trust *trust);

/* What is wrong with a certificate, for those who act on it. */
typedef enum fay_fault {
    FAY_FAULT_NONE,
    FAY_FAULT_TIME,     /* expired, or not valid yet */
    FAY_FAULT_STRANGER, /* none of our CAs has signed it */
    FAY_FAULT_PURPOSE,
    FAY_FAULT_REVOKED,
    FAY_FAULT_OTHER
} fay_fault;

/* What is asked of a certificate. */
typedef struct fay_check {
    const char *what; /* names it in messages: its file, or its peer */
    const fay_trust *trust;
    fay_purpose purpose;
    int64_t now;      /* seconds since 1970 */
    fay_fault *fault; /* where to say what is wrong; NULL = not asked for */
} fay_check;

/*
 * 0 and the chain, from the certificate to the anchor; or FAY_E_TLS, with what is wrong and what to
 * do. `more`: intermediates; NULL = none.
 */
int fay_verify(const fay_check *check, X509 *x509, STACK_OF(X509) * more,
               STACK_OF(X509) * *ret_chain, fay_error *err);

/* Whether `cert init` has made the CA at the end of a verified chain. */
bool fay_verified_ours(STACK_OF(X509) * chain);
/* The roles of the certificate that a verified chain begins with: none unless it is ours. */
unsigned fay_verified_roles(STACK_OF(X509) * chain);

#endif /* FAY_VERIFY_H */
