/* SPDX-License-Identifier: MIT */
/*
 * Every number that the Grid's behaviour depends on, in one place: the defaults for a LAN, a
 * profile for WANs, and the bounds within which they may be set.
 *
 * In a WAN everything that waits for an answer waits three times as long. How much is kept and for
 * how long does not depend on the distance.
 *
 * All Nodes of a Grid should have the same: rings, mesh and tombstones decide what a table says.
 */
#ifndef FAY_GRID_PARAMS_H
#define FAY_GRID_PARAMS_H

#include "base/base.h"

/* COUNT(name, LAN, least, most)   TIME(name, LAN, times in a WAN, least, most) */
#define FAY_GRID_PARAMS(COUNT, TIME)                                                               \
    /* overlay */                                                                                  \
    COUNT(mesh_max, 8, 1, 32)   /* alive: up to so many, everybody links to everybody */           \
    COUNT(mesh_again, 6, 1, 32) /* alive: from rings back to that */                               \
    COUNT(rings, 3, 2, 4)       /* K: two neighbours on each */                                    \
    COUNT(rings_large, 4, 2, 4) /* likewise above: */                                              \
    COUNT(large_min, 2000, 9, 1000000)                                                             \
    COUNT(inbound_per_ring, 4, 2, 16) /* links that others may open here: so many times K */       \
    TIME(rewish_quiet, 300 * FAY_MS, 3, 1 * FAY_MS, 60 * FAY_SECOND)                               \
    TIME(rewish_max, 1 * FAY_SECOND, 3, 1 * FAY_MS, 60 * FAY_SECOND)                               \
    TIME(unwanted_max, 1 * FAY_SECOND, 3, 1 * FAY_MS, 60 * FAY_SECOND) /* then it is closed */     \
    /* links */                                                                                    \
    TIME(heartbeat, 1 * FAY_SECOND, 3, 10 * FAY_MS, 60 * FAY_SECOND) /* if nothing else is sent */ \
    TIME(silent, 3200 * FAY_MS, 3, 20 * FAY_MS, 600 * FAY_SECOND)                                  \
    TIME(unacknowledged, 3 * FAY_SECOND, 3, 20 * FAY_MS, 600 * FAY_SECOND) /* TCP_USER_TIMEOUT */  \
    TIME(connect, 800 * FAY_MS, 3, 10 * FAY_MS, 60 * FAY_SECOND)                                   \
    TIME(handshake, 5 * FAY_SECOND, 3, 10 * FAY_MS, 60 * FAY_SECOND)                               \
    TIME(stalled, 1500 * FAY_MS, 3, 10 * FAY_MS, 60 * FAY_SECOND) /* who was linked is accused */  \
    COUNT(dials, 3, 1, 64)                                        /* at once */                    \
    TIME(batch, 50 * FAY_MS, 1, 0, 1 * FAY_SECOND) /* between two messages with records */         \
    TIME(record_gap, 1 * FAY_SECOND, 3, 0, 60 * FAY_SECOND) /* of an owner, but to refute */       \
    /* suspicion */                                                                                \
    TIME(suspicion_max, 6 * FAY_SECOND, 3, 10 * FAY_MS, 600 * FAY_SECOND)                          \
    TIME(suspicion_min, 1 * FAY_SECOND, 3, 10 * FAY_MS, 600 * FAY_SECOND)                          \
    TIME(suspicion_refused, 200 * FAY_MS, 3, 1 * FAY_MS, 600 * FAY_SECOND) /* its port is shut */  \
    COUNT(confirmations, 3, 1, 8) /* k: accusers beside the first one for the shortest wait */     \
    COUNT(health_max, 8, 1, 64)   /* times as patient, when the fault may be here */               \
    TIME(late_dial, 100 * FAY_MS, 1, 1 * FAY_MS, 60 * FAY_SECOND)   /* own loop: a failed */       \
    TIME(late_self, 1 * FAY_SECOND, 1, 1 * FAY_MS, 60 * FAY_SECOND) /* handshake proves nothing */ \
    TIME(observer_for, 5 * FAY_SECOND, 3, 0, 600 * FAY_SECOND)      /* after it was a neighbour */ \
    TIME(mute, 60 * FAY_SECOND, 1, 0, 3600 * FAY_SECOND) /* an accuser that was wrong */           \
    TIME(audit, 10 * FAY_SECOND, 3, 100 * FAY_MS, 3600 * FAY_SECOND)                               \
    /* rumors and tables */                                                                        \
    COUNT(flood_max, 1024, 256, 65536) /* bytes; larger ones are offered first */                  \
    TIME(graft, 200 * FAY_MS, 3, 1 * FAY_MS, 60 * FAY_SECOND)                                      \
    TIME(seen, 60 * FAY_SECOND, 1, 1 * FAY_SECOND, 3600 * FAY_SECOND)                              \
    COUNT(seen_max, 10000, 16, 1000000)                                                            \
    COUNT(differs, 2, 1, 16) /* heartbeats with another hash, then tables are compared */          \
    TIME(recontact, 5 * FAY_SECOND, 3, 100 * FAY_MS, 3600 * FAY_SECOND)                            \
    TIME(recontact_seed, 30 * FAY_SECOND, 3, 100 * FAY_MS, 3600 * FAY_SECOND)                      \
    /* the gone: told of, then kept, then a stub, then forgotten */                                \
    TIME(gone_told, 450 * FAY_SECOND, 1, 1 * FAY_SECOND, 86400 * FAY_SECOND)                       \
    TIME(gone_kept, 900 * FAY_SECOND, 1, 1 * FAY_SECOND, 86400 * FAY_SECOND)                       \
    TIME(stub, 86400 * FAY_SECOND, 1, 1 * FAY_SECOND, 864000 * FAY_SECOND)

typedef struct fay_grid_params {
#define FAY_GRID_PARAM_COUNT(name, lan, least, most)     unsigned name;
#define FAY_GRID_PARAM_TIME(name, lan, wan, least, most) fay_ns name;
    FAY_GRID_PARAMS(FAY_GRID_PARAM_COUNT, FAY_GRID_PARAM_TIME)
#undef FAY_GRID_PARAM_COUNT
#undef FAY_GRID_PARAM_TIME
} fay_grid_params;

void fay_grid_params_lan(fay_grid_params *ret);
void fay_grid_params_wan(fay_grid_params *ret);

/* 0, or FAY_E_CONFIG with the first one that is out of its bounds or does not fit to another. */
int fay_grid_params_check(const fay_grid_params *params, fay_error *err);

#endif /* FAY_GRID_PARAMS_H */
