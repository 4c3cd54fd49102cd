/* SPDX-License-Identifier: MIT */
/*
 * Which roles the bearer of a certificate has here.
 *
 *     made by a CA of `cert init`      those that are written in it
 *     of another PKI                   observer; but agent, node and client where it is trusted:
 *                                      --trust PATTERN fits one of its names, or --trust all
 */
#ifndef FAY_NODE_TRUST_H
#define FAY_NODE_TRUST_H

#include "pki/role.h"
#include "pki/verify.h"

typedef struct fay_trusted {
    bool all;
    char *const *patterns; /* globs, borrowed; NULL = none */
} fay_trusted;

unsigned fay_trusted_roles(const fay_trusted *trusted, bool ours, unsigned roles, X509 *x509);

#endif /* FAY_NODE_TRUST_H */
