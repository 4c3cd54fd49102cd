/* SPDX-License-Identifier: MIT */
/*
 * Names: of Nodes, and the alternative names (SANs) of certificates.
 *
 *     a Node            a, host-1.example.org     letters, digits, - . _; the first no sign
 *     a name            host.example.org, *.example.org
 *     an address        10.0.0.7, fd00::7
 *     who it is         faymora:node:a            a URI, as are its roles and the mark of our CA
 */
#ifndef FAY_NAMES_H
#define FAY_NAMES_H

#include "pki/ossl.h"

#define FAY_URI_NODE "faymora:node:"
#define FAY_URI_ROLE "faymora:role:"
#define FAY_URI_CA   "faymora:ca" /* a CA made by `cert init`: its certificates' roles count */

bool fay_node_name_valid(const char *name, size_t length);

/* Whether it is a DNS name or an address, and so may be a SAN. */
bool fay_san_valid(const char *text);

/* Adds a DNS name or an address, that is valid; or a URI. */
void fay_san_push(GENERAL_NAMES *names, const char *text);
void fay_san_push_uri(GENERAL_NAMES *names, const char *uri);

/* "DNS:a", "IP:10.0.0.7", "URI:faymora:node:a", as a new text. NULL: of another kind, or with bytes
 * in it that no such name has. */
char *fay_san_text(const GENERAL_NAME *name);

#endif /* FAY_NAMES_H */
