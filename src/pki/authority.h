/* SPDX-License-Identifier: MIT */
/*
 * The CA of a Grid, in a directory (pki/layout.h).
 *
 *     create --> open --> issue, host, renew, revoke, token, join --> close
 *
 * While it is open it is locked: of two processes one waits. What is done is done whole, or not at
 * all, whatever fails: a name is never taken by a certificate that nobody has, and a use of a token
 * is on the disk before its certificate is known to anybody.
 *
 * Errors: FAY_E_IO, the disk; FAY_E_TLS, keys and certificates; FAY_E_INVAL, what was asked for;
 * FAY_E_EXISTS, FAY_E_DENIED, FAY_E_NORES and FAY_E_NOTFOUND as said.
 */
#ifndef FAY_AUTHORITY_H
#define FAY_AUTHORITY_H

#include "pki/digest.h"
#include "pki/issue.h"
#include "pki/key.h"
#include "pki/token.h"

typedef struct fay_authority {
    char *directory;
    int lock;
    EVP_PKEY *key;
    X509 *x509;
} fay_authority;

/* A CA and this host's identity. FAY_E_EXISTS: there is one, or something of one. */
int fay_authority_create(const char *directory, fay_algorithm algorithm, const fay_issue *host,
                         fay_error *err);

int fay_authority_open(const char *directory, fay_authority *ret, fay_error *err);
void fay_authority_close(fay_authority *authority);

/* A certificate for this key. FAY_E_EXISTS: the name lives under another key; FAY_E_DENIED: the key
 * was revoked. */
int fay_authority_issue(fay_authority *authority, EVP_PKEY *key, const fay_issue *what, X509 **ret,
                        fay_error *err);

/* A key and a certificate for another host, in a directory to be taken there: its path. */
int fay_authority_host(fay_authority *authority, fay_algorithm algorithm, const fay_issue *what,
                       char **ret_path, fay_error *err);

/*
 * A new certificate for a Node's key, with the name, the roles, the names and addresses of its
 * newest, and `more` of them (NULL = none); and the file that it is in. `name` NULL: this host.
 * FAY_E_NOTFOUND: the CA has issued it none, or revoked them all.
 *
 *     this host's    cert.pem is replaced
 *     another's      in hosts/NAME/cert.pem, to be taken there; the key stays where it is
 */
int fay_authority_renew(fay_authority *authority, const char *name, char *const *more, int64_t now,
                        char **ret_path, fay_error *err); /* renew.c */

/* Puts all certificates of a Node on the list of revoked ones. FAY_E_NOTFOUND: it has none, or all
 * are on it. */
int fay_authority_revoke(fay_authority *authority, const char *name, int64_t now, size_t *ret_count,
                         uint64_t *ret_number, fay_error *err);

/* ---- joining (join.c) ------------------------------------------------------------------------ */

typedef struct fay_token_terms {
    int64_t now, expires;
    size_t uses;
    unsigned roles;
} fay_token_terms;

/* FAY_E_NORES: too many are open. */
int fay_authority_token(fay_authority *authority, const fay_token_terms *terms, fay_token *ret,
                        fay_error *err);

typedef struct fay_join_request {
    const void *request; /* for a certificate, DER (pki/csr.h) */
    size_t size;
    fay_digest proof; /* that the sender has a token (pki/token.h) */
    int64_t now;
} fay_join_request;

/*
 * Answers a request for a certificate. The same request gets the same certificate again.
 * FAY_E_DENIED: no open token fits the proof; FAY_E_NORES: it is used up; FAY_E_EXISTS: as issue().
 */
int fay_authority_join(fay_authority *authority, const fay_join_request *join, X509 **ret,
                       fay_error *err);

#endif /* FAY_AUTHORITY_H */
