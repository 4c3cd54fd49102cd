/* SPDX-License-Identifier: MIT */
/*
 * Certificates read, and what they say.
 *
 *     the name   of faymora:node:NAME; else the first DNS name; else the subject's common name
 *     roles      of each faymora:role:ROLE. They count only under a CA that `cert init` has made
 *                (see pki/verify.h): a foreign CA may copy what it is asked for
 *
 * A certificate comes from outside. What cannot be read in it is as if it was not there, but for
 * the dates and the public key, without which it is of no use.
 */
#ifndef FAY_CERTIFICATE_H
#define FAY_CERTIFICATE_H

#include "pki/digest.h"
#include "pki/key.h"
#include "pki/ossl.h"
#include "pki/role.h"

typedef struct fay_certificate {
    char *name; /* "" = none */
    unsigned roles;
    char **sans; /* "DNS:a", "IP:10.0.0.7", "URI:.." */
    char *subject, *issuer;
    char *serial;                  /* hex */
    int64_t not_before, not_after; /* seconds since 1970 */
    fay_digest fingerprint;        /* of all of it */
    fay_digest public_key;
    char key[FAY_KEY_TEXT_MAX];
    bool is_ca;      /* may sign others */
    bool is_our_ca;  /* made by `cert init` */
    bool for_server; /* by its key usage */
    bool for_client;
} fay_certificate;

/* FAY_E_TLS: dates or public key cannot be read; nothing to free then. */
int fay_certificate_describe(X509 *x509, fay_certificate *ret, fay_error *err);
void fay_certificate_deinit(fay_certificate *certificate);

/* All certificates of a PEM text, or the one of a DER text. FAY_E_TLS: none, a broken one, or too
 * many; `what` is its file. */
int fay_certificates_parse(const char *what, const void *bytes, size_t size, STACK_OF(X509) * *ret,
                           fay_error *err);
int fay_certificates_load(const char *path, STACK_OF(X509) * *ret, fay_error *err);

void fay_certificate_append(X509 *x509, fay_buffer *out); /* PEM */

fay_digest fay_certificate_fingerprint(const X509 *x509);
/* As fay_key_fingerprint() of its public key, which can be read. */
fay_digest fay_certificate_key_fingerprint(X509 *x509);

/* Some of what describe() says, without the work for all of it. */
bool fay_certificate_is_our_ca(X509 *x509);
unsigned fay_certificate_roles(X509 *x509);

/* Whole days from now to its end; negative: that many since. */
int64_t fay_certificate_days_left(const fay_certificate *certificate, int64_t now);
/* Whether to renew it now: less than a third of its time is left. */
bool fay_certificate_is_due(const fay_certificate *certificate, int64_t now);

enum {
    FAY_DATE_TEXT_MAX = 32
};
/* "2026-11-24 21:13:00 UTC"; for JSON "2026-11-24T21:13:00Z". Returns `text`. */
const char *fay_date_text(int64_t seconds, char text[FAY_DATE_TEXT_MAX]);
const char *fay_date_json(int64_t seconds, char text[FAY_DATE_TEXT_MAX]);

#endif /* FAY_CERTIFICATE_H */
