/* SPDX-License-Identifier: MIT */
/*
 * How long a member is suspected before it is taken for dead: a pure function of who accuses it.
 *
 *     c accusers beside the first one, of k that are asked for:
 *
 *     wait = max - (max - min) * log(c + 1) / log(k + 1)     k = min(confirmations, observers - 1)
 *     wait = min                                             where k is 0
 *     wait = refused      where min(3, observers) neighbours all found its port closed
 *
 * from the first accusation on. (Lifeguard's decay, arXiv 1707.00788: the more agree, the less
 * there is to wait for.) When it is over, two accusers are enough, or one where at most 3 members
 * are believed alive. So nobody can have another declared dead alone: neither somebody malicious,
 * nor the one whose link to it is broken. Accusers that share one TLS key are one, since whoever
 * has the key has all of them, unless the accused shares it too.
 */
#ifndef FAY_GRID_SUSPICION_H
#define FAY_GRID_SUSPICION_H

#include "grid/members.h"

enum {
    FAY_LONE_ACCUSER = 3 /* members believed alive among which one accuser is enough */
};

typedef struct fay_suspicion {
    size_t accusers; /* that count, each key once */
    bool refused;    /* enough of them found its port closed */
    fay_ns since;    /* the first accusation that counts */
    fay_ns due;      /* the wait is over; FAY_NEVER without accusers */
    bool enough;     /* accusers */
} fay_suspicion;

/* `observers`: how many the suspect has. `patience`: times as long, when the fault may be here. */
fay_suspicion fay_suspicion_of(const fay_members *members, const fay_grid_member *suspect,
                               size_t observers, unsigned patience);

#endif /* FAY_GRID_SUSPICION_H */
