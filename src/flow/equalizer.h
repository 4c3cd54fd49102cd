/* SPDX-License-Identifier: MIT */
/*
 * The Equalizers of a run, one a stage: how many workers match the throughput of its input. Pure: a
 * function of (state, counters, now) -> decision; it draws nothing and allocates nothing after
 * fay_equalizers_new(). All of a run are one object, of one thread.
 *
 *     DORMANT --(backlog, no room, idle worker, hint)--> ARMED --(every T)--> spawn | retire | even
 *        ^                                                 |
 *        '--- three EVENs, or nothing to be done, in a row -'
 *
 * Where something still presses and nothing can be done (it is at its maximum, nothing is free), it
 * is looked at T, 2 T, .. 8 T after the last time; where a look has found a queue and no reason
 * to grow, after T/8, 1.5 times as much each time, and T at most.
 *
 * With l (Items that arrive in a second), s (useful seconds an Item) and L (seconds to start a
 * worker), R = l s is the offered load in workers. One step to the right number as in DS2 (Kalavri
 * et al., OSDI'18, section 3.2), head room as square-root staffing (Halfin and Whitt 1981), the
 * standing queue as in CoDel (Nichols and Jacobson, ACM Queue 2012):
 *
 *     B    = backlog beyond what may wait: Q + (l - capacity) L - l W*         (Little: l W* may)
 *     D    = workers that drain B, and what upstream drains into us, within 5 T
 *     n*   = ceil(R + 1.2 sqrt(R) + D) + stuck workers
 *     HIGH   serving + starting < R + 0.2 sqrt(R) + D/2: spawn n* - n at once; of those that are
 *            only missing while they are stuck, no more than it takes not to be HIGH
 *            or a queue longer than W* stands for a whole T, or is full for 5 T: a tenth more
 *     LOW    the coldest idle worker was not needed for max(2 T, 1.5 L, s/2), and the others carry
 *            R + 1.2 sqrt(R) without it: retire that one; the next T/8 later
 *     EVEN   otherwise
 *
 * They see each other: each tells those downstream what it will send (a hint), and the board says
 * how much the whole pipeline can do when all that the machine has is shared as it should be:
 *
 *     X = min(capacity / sum(v s cost), min(cap / (v s)))            v: visits for a source Item
 *
 * so that a stage that is capped is known at the source at once. Growth that made the stage slower
 * (a shared resource is full) is taken back to where it was still worth it, and tried again later.
 *
 * What each evaluation has come to, and from which numbers, is in the view (flow/view.h).
 */
#ifndef FAY_EQUALIZER_H
#define FAY_EQUALIZER_H

#include <faymora/worker.h>

#include "base/base.h"
#include "base/limits.h"
#include "flow/view.h"

typedef struct fay_equalizers fay_equalizers;

typedef enum fay_resource {
    FAY_CORES,  /* may be shared by more workers than there are */
    FAY_MEMORY, /* bytes: whoever has them keeps them */
    FAY_RESOURCES
} fay_resource;

typedef struct fay_equalizer_stage {
    fay_ns period, target_wait; /* T and W*, as stated; 0 = max(50 ms, L/2) and T/2 */
    uint64_t feeds;             /* bit n: stage n is downstream */
    double rate;                /* Items per second that it may begin; 0 = no bound */
    unsigned min, max;
    unsigned saturated_max; /* so many at most while its workers fill the cores; 0 = no bound */
    bool sourced;           /* the source feeds it */
    bool pinned;            /* always min == max workers: no evaluation */
} fay_equalizer_stage;

/* What the ledger knows of a stage when it is asked for. */
typedef struct fay_equalizer_counters {
    uint64_t queued;
    uint64_t room;                     /* for more in the queue */
    bool kept_out;                     /* who feeds it is blocked, or the source, for want of it */
    unsigned live, starting, retiring; /* workers; live ones do not retire */
    unsigned idle, blocked;            /* of the live: without an Item; kept from giving results */
    unsigned stuck;     /* of the live: on one Item for longer than `stuck_after`; evaluate() */
    fay_ns idle_since;  /* of the coldest idle one; FAY_NEVER = none */
    bool saturated;     /* all cores are busy, for a good part with workers of this stage */
    bool drying;        /* nothing more will come from the source */
    double source_rate; /* Items per second while not held back; 0 = not known */
} fay_equalizer_counters;

typedef struct fay_equalizer_decision {
    unsigned spawn; /* so many more */
    bool retire;    /* the coldest idle worker */
    bool shed;      /* above a cap: the youngest one, which finishes what it has */
} fay_equalizer_decision;

/* The stages' edges make no circle. Free with fay_equalizers_free(). */
fay_equalizers *fay_equalizers_new(const fay_equalizer_stage *stages, size_t count, fay_ns now);
void fay_equalizers_free(fay_equalizers *all);

/* What all workers together may use of a resource; INFINITY = no bound (as at first). And what one
 * worker of a stage uses of it (1 core and no memory at first; 0 = that bounds nothing). */
void fay_equalizers_capacity(fay_equalizers *all, fay_resource resource, double capacity);
void fay_equalizers_cost(fay_equalizers *all, size_t stage, fay_resource resource, double cost);
/* Other bounds from now on: min <= max, max > 0, and equal ones if it is to be pinned. */
void fay_equalizers_scale(fay_equalizers *all, size_t stage, fay_ns now, unsigned min, unsigned max,
                          bool pinned);

/* What happens. O(1), to be called for batches. */
void fay_equalizers_arrived(fay_equalizers *all, size_t stage, fay_ns now, uint64_t items);
/* `items` took `useful` each. */
void fay_equalizers_finished(fay_equalizers *all, size_t stage, fay_ns useful, uint64_t items);
void fay_equalizers_sent(fay_equalizers *all, size_t stage, size_t to, double items);
void fay_equalizers_started(fay_equalizers *all, size_t stage, fay_ns took);
void fay_equalizers_freed(fay_equalizers *all, size_t stage, fay_ns now); /* a worker is gone */

/* Cheap, at every step: arms the stage when it is out of balance. */
void fay_equalizers_watch(fay_equalizers *all, size_t stage, fay_ns now,
                          const fay_equalizer_counters *counters);
/* When to evaluate; FAY_NEVER = it is dormant. May become earlier by what others say. */
fay_ns fay_equalizers_due(const fay_equalizers *all, size_t stage);
fay_equalizer_decision fay_equalizers_evaluate(fay_equalizers *all, size_t stage, fay_ns now,
                                               const fay_equalizer_counters *counters);

/* A worker that is on one Item for longer than this serves nobody else. */
fay_ns fay_equalizers_stuck_after(const fay_equalizers *all, size_t stage);
void fay_equalizers_view(const fay_equalizers *all, size_t stage, fay_equalizer_view *ret);

#endif /* FAY_EQUALIZER_H */
