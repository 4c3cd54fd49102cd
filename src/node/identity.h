/* SPDX-License-Identifier: MIT */
/*
 * Who a Node is: its keys and certificates, its record key, and what certifies that one. Loaded at
 * the start, and again on SIGHUP: certificates may be renewed, but a new key would be another Node.
 *
 * Without any keys it makes itself some, for this start alone: then nobody else is of its Grid, and
 * it listens on loopback only.
 */
#ifndef FAY_NODE_IDENTITY_H
#define FAY_NODE_IDENTITY_H

#include "net/peer.h"
#include "pki/settings.h"

typedef struct fay_node_identity {
    const fay_tls_settings *settings; /* borrowed; NULL: made for this start */
    fay_identity keys;
    fay_record_key record_key;
    fay_node_id id;
    uint64_t boot;
    fay_digest public_key; /* of the server's certificate */
    fay_buffer certification;
    fay_digest certification_digest;
} fay_node_identity;

/* FAY_E_TLS. */
int fay_node_identity_load(const fay_tls_settings *settings, const char *name, uint64_t boot,
                           fay_node_identity *ret, fay_error *err);
/* A CA and a certificate of its own, in memory. */
int fay_node_identity_make(const char *name, uint64_t boot, fay_node_identity *ret, fay_error *err);
void fay_node_identity_deinit(fay_node_identity *identity);

/* Another boot, with a record key of its own. FAY_E_TLS, and all is as it was. */
int fay_node_identity_reboot(fay_node_identity *identity, const char *name, uint64_t boot,
                             fay_error *err);

/* What lies in the files now, and, if the server's certificate is another one, another
 * certification of the record key. FAY_E_TLS, and all is as it was: it does not hold, or its
 * server's key is another one. */
int fay_node_identity_reload(fay_node_identity *identity, const char *name, fay_error *err);

/* As the handshakes want it; borrowed. `member`: as the Node, else as a client of its. */
fay_peers_keys fay_node_identity_keys(const fay_node_identity *identity, bool member);

#endif /* FAY_NODE_IDENTITY_H */
