/* SPDX-License-Identifier: MIT */
/* Identities of a Grid of our own, in the working directory: the CA in `tls`, hosts beside it. */
#ifndef FAY_TEST_NODES_H
#define FAY_TEST_NODES_H

#include "net/peer.h"
#include "pki/authority.h"

/* The CA, on the host `seed`. */
void nodes_make_ca(void);
/* Another host's directory; free() it. */
char *nodes_make_host(const char *name);
/* What is in such a directory. */
fay_identity nodes_identity(const char *directory);
/* Puts the certificates of this host on the CA's list of revoked ones. */
void nodes_revoke(const char *name);

/* A member: all that its handshakes show. */
typedef struct node_keys {
    fay_identity identity;
    fay_record_key record_key;
    fay_buffer certification;
    fay_peers_keys keys;
} node_keys;

void node_keys_init(node_keys *node, const char *directory, const char *name, uint64_t boot);
void node_keys_deinit(node_keys *node);

#endif /* FAY_TEST_NODES_H */
