/* SPDX-License-Identifier: MIT */
/*
 * Accusations that were refuted not long ago: by whom, of whom.
 *
 *     accused --the accused one's next inc--> refuted --params.mute--> forgotten
 *
 * Two things follow. Who was alone with an accusation is not believed again about that member for
 * params.mute: either its link to it is broken, or it means ill. (If enough others had agreed, the
 * member was away indeed, and may be again.) And who was accused by many and refuted them all is
 * *degraded*: it lives, but hardly; others should give it no work. That takes three who share no
 * TLS key (but if the accused has it too), so nobody can degrade another one alone.
 *
 * A member that has been taken for dead and comes back has refuted a verdict, not accusations.
 */
#ifndef FAY_GRID_REFUTATIONS_H
#define FAY_GRID_REFUTATIONS_H

#include "grid/members.h"

enum {
    FAY_DEGRADED_BY = 3 /* refuted accusers */
};

typedef struct fay_accusing {
    fay_node_id observer, target;
} fay_accusing;

typedef struct fay_refutation {
    fay_accusing pair;
    fay_ns at;
    bool alone;
    UT_hash_handle hh;
} fay_refutation;

typedef struct fay_refutations {
    const fay_grid_params *params; /* borrowed */
    fay_refutation *table;         /* uthash; the oldest first */
} fay_refutations;

void fay_refutations_init(fay_refutations *refutations, const fay_grid_params *params);
void fay_refutations_deinit(fay_refutations *refutations);

/* A suspect refutes its charges; `alone`: they were too few. */
void fay_refutations_note(fay_refutations *refutations, fay_ns now, const fay_grid_member *suspect,
                          bool alone);

bool fay_refutations_mutes(const fay_refutations *refutations, fay_ns now,
                           const fay_grid_accusation *accusation);
bool fay_refutations_degraded(const fay_refutations *refutations, fay_ns now,
                              const fay_members *members, const fay_grid_member *target);

/* Forgets what is old; whether there was something. */
bool fay_refutations_age(fay_refutations *refutations, fay_ns now);
fay_ns fay_refutations_due(const fay_refutations *refutations);

#endif /* FAY_GRID_REFUTATIONS_H */
