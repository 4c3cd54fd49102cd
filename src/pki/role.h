/* SPDX-License-Identifier: MIT */
/*
 * What the bearer of a certificate may do. Roles are written by our CA alone, as URIs among the
 * names of the certificate: faymora:role:agent. A certificate of another PKI has none.
 */
#ifndef FAY_ROLE_H
#define FAY_ROLE_H

#include "base/base.h"
#include "base/buffer.h"

/* One list: the enum and the words. */
#define FAY_ROLES(X)                                                                               \
    X(FAY_ROLE_AGENT, 1, "agent")                                                                  \
    X(FAY_ROLE_NODE, 2, "node")                                                                    \
    X(FAY_ROLE_CLIENT, 4, "client")                                                                \
    X(FAY_ROLE_OBSERVER, 8, "observer")

typedef enum fay_role {
#define X(name, bit, word) name = (bit),
    FAY_ROLES(X)
#undef X
} fay_role;

/* What `cert init` and `cert host` give, and what a token gives, unless told otherwise. */
#define FAY_ROLES_HOST  ((unsigned)(FAY_ROLE_AGENT | FAY_ROLE_NODE | FAY_ROLE_CLIENT))
#define FAY_ROLES_TOKEN ((unsigned)(FAY_ROLE_AGENT | FAY_ROLE_NODE))

/* 0 = no role has this word. */
unsigned fay_role_find(const char *word, size_t length);
const char *fay_role_word(unsigned role); /* of a single bit */
/* "agent,node"; nothing for none. */
void fay_roles_append(unsigned roles, const char *separator, fay_buffer *out);

#endif /* FAY_ROLE_H */
