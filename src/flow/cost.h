/* SPDX-License-Identifier: MIT */
/*
 * What one worker of a stage needs of the machine while it has Items in hand, from what was
 * measured. Pure; no allocation.
 *
 * With c the time on a core, w the time in which it was ready to run and no core was free, and b
 * the whole, the cores that it would use if nobody else wanted them are
 *
 *     c / (b - w)     of a worker that is on one core at most: what it waited for is no need of its
 *     (c + w) / b     of one that is on several at once (c + w > b)
 *
 * so that eight burners on two cores need one core each, although each has had a quarter of one.
 * What the children of a worker have waited for is only guessed, so that the need is not taken to
 * become less while the cores are full of such workers.
 */
#ifndef FAY_COST_H
#define FAY_COST_H

#include "wire/used.h"

#define FAY_COST_CORES_LEAST 0.02 /* a worker that sleeps is not for nothing */

typedef struct fay_cost {
    double busy, cpu, waited; /* seconds; what is old counts less */
    double cores;             /* 0 = nothing is known */
    double bytes;             /* the most that one was seen to hold */
} fay_cost;

/* `full`: the cores were, of the stage's own workers. */
void fay_cost_add(fay_cost *cost, const fay_used *used, bool full);
/* Cores that one has had while it was busy; 0 = nothing is known. */
double fay_cost_had(const fay_cost *cost);

#endif /* FAY_COST_H */
