/* SPDX-License-Identifier: MIT */
/*
 * The inside of a Node, shared by the files that compose it and by nobody else:
 *
 *     node.c       its life: start, signals, end
 *     callers.c    who calls it over TLS
 *     verbs.c      what may be called
 *     census.c     the verb nodes: everybody, with what each says of itself at this moment
 *     health.c     what the verb doctor says
 *     renewal.c      certificates that are due: renewed here, or where the CA is
 *     revocations.c  the list of revoked certificates
 *     watch.c      what it does now and then: keep peers, renew certificates, feed the watchdog
 */
#ifndef FAY_NODE_INTERNAL_H
#define FAY_NODE_INTERNAL_H

#include <bsd/sys/queue.h>

#include "control/calls.h"
#include "control/server.h"
#include "loop/timer.h"
#include "node/admit.h"
#include "node/asking.h"
#include "node/chronicle.h"
#include "node/driver.h"
#include "node/identity.h"
#include "node/machine.h"
#include "node/node.h"
#include "node/state.h"

typedef struct fay_caller fay_caller;

typedef struct fay_node {
    const fay_node_config *config;
    uv_loop_t loop;
    fay_node_state state;
    fay_node_identity identity;
    fay_trusted trusted;
    fay_keyring keyring;
    fay_node_meta meta;
    fay_machine machine;
    fay_peers *peers;   /* as a member */
    fay_peers *clients; /* as a client of other Nodes */
    fay_driver *driver;
    fay_chronicle *chronicle;
    fay_asking *asking;
    fay_admission *admission;
    fay_server *server;                          /* NULL: commands reach it by its port only */
    TAILQ_HEAD(fay_callers, fay_caller) callers; /* over TLS */
    size_t callers_count;
    uv_signal_t signals[4];
    fay_timer *peers_timer;    /* nobody may have answered by then */
    fay_timer *leave_timer;    /* BYE takes too long */
    uv_fs_event_t *files;      /* the directory of keys; NULL = is not watched */
    fay_timer *keep_timer;     /* peers are to be kept */
    fay_timer *watchdog_timer; /* NULL = nobody wants to hear */
    fay_timer *renew_timer;
    bool renewing;     /* the CA's Node is being asked */
    uv_work_t keeping; /* peers are being written */
    bool is_keeping;
    bool state_failed; /* as the pool has left it: it writes there meanwhile */
    int64_t since;     /* seconds since 1970 */
    bool leaving;
    int exit;
} fay_node;

/* ---- verbs.c --------------------------------------------------------------------------------- */

extern const fay_verb fay_node_verbs[];

/* "a" of a member's record. free() it. */
char *fay_node_name_of(const fay_grid_member *member);
/* Load, memory and disk, as this machine has them now; takes part in an answer. */
json_t *fay_node_status(fay_node *node);
void fay_node_tell_member(fay_node *node, const fay_node_id *id, fay_member_state state);
/* What another Node has broadcast. */
void fay_node_heard(fay_node *node, const fay_node_id *origin, fay_grid_bytes bytes);

/* ---- census.c, health.c ---------------------------------------------------------------------- */

void fay_node_census(void *context, fay_call *call, const json_t *args);
void fay_node_health(void *context, fay_call *call, const json_t *args);

/* ---- callers.c ------------------------------------------------------------------------------- */

/* A client has come through. False: too many have, or it may do nothing here. */
bool fay_callers_accept(fay_node *node, fay_peer *peer, const fay_peer_who *who,
                        const fay_peer_events **ret_events, void **ret_context);
void fay_callers_end(fay_node *node);

/* ---- node.c ---------------------------------------------------------------------------------- */

enum {
    FAY_NODE_EXIT_USAGE = 2,
    FAY_NODE_EXIT_GRID = 4,
    FAY_NODE_EXIT_STATE = 7
};

/* Says what is wrong; returns `exit`. */
int fay_node_fail(const fay_error *err, int exit);
/* The loop ends, and the Node with it. */
void fay_node_end(fay_node *node, int exit);
/* Its own certification is kept in the keyring, for others to be given. */
void fay_node_certify(fay_node *node);
/* All handshakes use the identity as it is now. */
void fay_node_rekey(fay_node *node);

/* ---- revocations.c --------------------------------------------------------------------------- */

/* The list that was kept, if it is later than the one that came with the identity. */
void fay_revocations_look(fay_node *node);
/* The file of the list has changed: goes by it, if it is later. */
void fay_revocations_read(fay_node *node);
/* The trust has changed: who is revoked has left, and neighbours hear of the number. */
void fay_revocations_apply(fay_node *node);
void fay_revocations_heard(fay_node *node, const void *bytes, size_t size);
void fay_revocations_give(fay_node *node, uint64_t link);

/* ---- renewal.c ------------------------------------------------------------------------------- */

/* Looks at the dates of this Node's certificate, and has it renewed if it is due: true. */
bool fay_renewal_look(fay_node *node);
/* The verb renew: a new certificate for the caller's key, where the CA is. */
void fay_renewal_begin(void *context, fay_call *call, const json_t *args);

/* ---- watch.c --------------------------------------------------------------------------------- */

void fay_watch_begin(fay_node *node);
void fay_watch_end(fay_node *node);
/* Members have changed: their addresses are to be kept. */
void fay_watch_members(fay_node *node);
/* SIGHUP, or a certificate that is new. */
void fay_watch_reload(fay_node *node);

#endif /* FAY_NODE_INTERNAL_H */
