/* SPDX-License-Identifier: MIT */
/* What the parts of `faymora cert` share: cert.c reads the words, cert_make.c makes and revokes,
 * cert_show.c shows. */
#ifndef FAY_CERT_H
#define FAY_CERT_H

#include "cli/cli.h"
#include "pki/certificate.h"

typedef struct fay_cert {
    fay_cli *cli;
    const char *verb, *word; /* word: FILE, NAME or NODE; NULL = none */
    fay_tls_settings settings;
    int64_t now; /* seconds since 1970 */
    /* Flags. */
    const char *name; /* NULL = the host's */
    const char *peer; /* HOST:PORT; NULL = none */
    char **sans;      /* NULL = none */
    unsigned roles;   /* 0 = not said */
    fay_algorithm algorithm;
    fay_ns ttl;
    uint64_t uses;
} fay_cert;

/* Each returns the exit code. */
int fay_cert_init(const fay_cert *cert);
int fay_cert_host(const fay_cert *cert);
int fay_cert_token(const fay_cert *cert);
int fay_cert_renew(const fay_cert *cert);
int fay_cert_revoke(const fay_cert *cert);
int fay_cert_show(const fay_cert *cert);

/* Prints an error of pki/; the exit code for it. */
int fay_cert_fail(const fay_error *err);

/* A certificate for people, and as a JSON object. `file` may be NULL. */
void fay_cert_append(const fay_certificate *certificate, const char *file, int64_t now,
                     fay_buffer *out);
void fay_cert_append_json(const fay_certificate *certificate, const char *file, int64_t now,
                          fay_buffer *out);
void fay_cert_append_roles_json(unsigned roles, fay_buffer *out);

#endif /* FAY_CERT_H */
