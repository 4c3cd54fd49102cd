/* SPDX-License-Identifier: MIT */
/*
 * The members' side of joining: who has a token and no certificate yet asks any Node for one.
 *
 *     JOIN --the CA is here--> a certificate, or why not --> JOINED
 *       '-- it is elsewhere --> relayed to the Node that says it holds the CA --> its JOINED
 *             '-- that one is away: JOINED, 'CA holder a is away'
 */
#ifndef FAY_NODE_ADMIT_H
#define FAY_NODE_ADMIT_H

#include "grid/members.h"
#include "net/peer.h"

typedef struct fay_admission fay_admission;

typedef struct fay_admission_config {
    const char *directory; /* of the CA; NULL = it is not here */
    fay_peers *peers;      /* to relay by, as a client */
    const fay_members *(*members)(void *context);
    const fay_node_id *self;
    void *context;
} fay_admission_config;

/* Whether the CA of that directory is whole: its key is there. */
bool fay_admission_holds(const char *directory);

/* Who says that it holds the CA: one that lives, if any does; NULL = nobody says so. */
const fay_grid_member *fay_admission_holder(const fay_members *members, const fay_node_id *but);

fay_admission *fay_admission_new(const fay_admission_config *config);
void fay_admission_free(fay_admission *admission);

/* Who joins has come through: what fay_peers_events.accepted asks. False: too many do. */
bool fay_admission_accept(fay_admission *admission, fay_peer *peer,
                          const fay_peer_events **ret_events, void **ret_context);
/* A JOIN that a member relays; answered on that peer. FAY_E_PEER: it is none. */
int fay_admission_relayed(fay_admission *admission, fay_peer *peer, const fay_frame *frame);

#endif /* FAY_NODE_ADMIT_H */
