/* SPDX-License-Identifier: MIT */
/*
 * Drives the Grid's core (grid/grid.h): what it decides is carried out on real connections, and
 * what happens there is fed to it.
 *
 *     peers --UP, frames, end--> feed --> [ grid ] --step--> dial, send, close, sign, verify
 *     timer, lateness ----------> feed -->    '------------> changed, delivered, replaced, left
 *
 * All that happens within one turn of the loop is followed by one step. Whatever is late is noticed
 * first: a process that was stopped must not accuse others of its own silence.
 */
#ifndef FAY_NODE_DRIVER_H
#define FAY_NODE_DRIVER_H

#include <uv.h>

#include "grid/grid.h"
#include "net/peer.h"
#include "node/keyring.h"

typedef struct fay_driver fay_driver;

typedef struct fay_driver_events {
    void (*changed)(void *context, const fay_node_id *id, fay_member_state state);
    void (*delivered)(void *context, const fay_node_id *origin, fay_grid_bytes bytes);
    /* The list of revoked certificates of somebody who has a later one; and a link that asks for
     * ours. */
    void (*crl)(void *context, const void *bytes, size_t size);
    void (*crl_wanted)(void *context, uint64_t link);
    /* Take that boot: with a record key and a certification of it; then fay_driver_rebooted(). */
    void (*reboot)(void *context, uint64_t boot);
    /* Another one of this very Node is at work, at that address ("" = not known): stop. */
    void (*replaced)(void *context, uint64_t boot, const char *address);
    void (*left)(void *context); /* BYE is said */
} fay_driver_events;

typedef struct fay_driver_config {
    uv_loop_t *loop;
    fay_peers *peers; /* borrowed, as all that follows */
    fay_keyring *keyring;
    const fay_record_key *record_key; /* of this boot */
    const fay_grid_config *grid;      /* copied */
    const fay_driver_events *events;
    void *context;
} fay_driver_config;

fay_driver *fay_driver_new(const fay_driver_config *config);
void fay_driver_free(fay_driver *driver); /* closes its links; NULL is fine */

/* A member has dialled: what fay_peers_events.accepted asks. */
bool fay_driver_accept(fay_driver *driver, fay_peer *peer, const fay_peer_who *who,
                       const fay_peer_events **ret_events, void **ret_context);

void fay_driver_meta(fay_driver *driver, const fay_buffer *meta);
void fay_driver_broadcast(fay_driver *driver, const void *bytes, size_t size);
void fay_driver_leave(fay_driver *driver);
/* The record key is that of another boot now. */
void fay_driver_rebooted(fay_driver *driver, uint64_t boot, const fay_digest *certification);

/* Another certification of the same record key and boot: the certificate was renewed. */
void fay_driver_certified(fay_driver *driver, const fay_digest *certification);

void fay_driver_send_crl(fay_driver *driver, uint64_t link, const void *bytes, size_t size);
/* The number of the list that we go by; only rising. */
void fay_driver_crl(fay_driver *driver, uint64_t number);
/* That Node's certificate is revoked. */
void fay_driver_expel(fay_driver *driver, const fay_node_id *id);

const fay_members *fay_driver_members(const fay_driver *driver);
size_t fay_driver_links(const fay_driver *driver);

#endif /* FAY_NODE_DRIVER_H */
