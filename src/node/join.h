/* SPDX-License-Identifier: MIT */
/*
 * Joining: a machine that has a token and no certificate gets one.
 *
 *     a key, made here --> request and proof --> any member --> ... the CA --> certificate
 *     the chain is of the CA whose hash is in the token? --> key, certificate, CA: the directory
 *
 * The key never leaves this machine, nor does the token's secret; and nothing is written unless all
 * of it is good. The key is kept when the answer is lost, so that the same request can be repeated.
 */
#ifndef FAY_NODE_JOIN_H
#define FAY_NODE_JOIN_H

#include "pki/token.h"

typedef struct fay_joining {
    const fay_token *token;
    char *const *peers; /* HOST:PORT; each is tried until one answers */
    const char *name;
    const char *directory; /* made if need be; it has no identity yet */
} fay_joining;

/* Waits for the answer. FAY_E_TLS, FAY_E_DENIED, FAY_E_TIMEOUT, FAY_E_IO. */
int fay_join_grid(const fay_joining *join, fay_error *err);

#endif /* FAY_NODE_JOIN_H */
