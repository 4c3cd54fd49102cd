/* SPDX-License-Identifier: MIT */
/*
 * The Equalizer of one stage: how many workers match the throughput of its input. A pure function
 * of (state, counters, now) -> decision; it keeps estimates, draws nothing, allocates nothing.
 *
 *     DORMANT --(backlog, no room, idle worker)--> ARMED --(every T)--> spawn | retire | even
 *        ^                                           |
 *        '------------- three EVENs in a row --------'
 *
 * With the estimates lambda (arrivals per second), s (useful seconds an Item) and L (seconds to
 * start a worker), R = lambda s is the offered load in workers (one step to the right number as in
 * DS2, Kalavri et al., OSDI'18, section 3.2; head room as square-root staffing, Halfin and Whitt
 * 1981):
 *
 *     B  = backlog beyond what may wait (Little: lambda W*)
 *     D  = workers that drain B within 5 T, never more than Items
 *     n* = ceil(R + 1.2 sqrt(R) + D)
 *     HIGH   serving + starting < R + 0.2 sqrt(R) + D/2, or Items are kept out for want of room
 *     LOW    the longest idle worker is idle for max(2 T, 1.5 L, s/2), nothing waits: retire it
 *     EVEN   otherwise
 *
 * Growth stops while the cores are saturated, since eight burners on two cores each look like a
 * quarter of one: HELD by NO_CPU. As many as there are cores may always be tried.
 */
#ifndef FAY_EQUALIZER_H
#define FAY_EQUALIZER_H

#include <faymora/worker.h>

#include "base/base.h"

typedef struct fay_equalizer {
    unsigned min, max;
    unsigned saturated_max; /* so many at most while the cores are saturated; 0 = no bound */
    bool pinned;
    fay_ns period, target_wait; /* as stated; 0 = from the spawn latency */
    /* estimates */
    double rate;     /* lambda */
    double item_ns;  /* s; 0 = not known yet */
    double spawn_ns; /* L */
    unsigned flaps;  /* growths soon after a retirement lengthen the next hold */
    /* what the estimates are made of */
    uint64_t last_arrivals, last_finished, last_useful_ns;
    fay_ns last_at, retired_at, released_at, refused_at;
    /* state */
    bool armed;
    unsigned evens;
    fay_ns due; /* next evaluation; FAY_NEVER = dormant */
    fay_pressure pressure;
    const char *held_by;
} fay_equalizer;

typedef struct fay_equalizer_input {
    uint64_t arrivals, finished, useful_ns; /* since the start */
    uint64_t queued;
    bool kept_out;  /* Items wait upstream because this queue has no room */
    bool blocked;   /* this stage has Items but no room for their results */
    bool saturated; /* all cores are busy, or it is not known yet */
    bool drying;    /* nothing more will come from the source */
    double
        source_rate; /* true rate of what feeds it (Items/s while not held back); 0 = not known */
    unsigned live, starting, idle;
    fay_ns idle_since; /* of the worker that is idle longest; FAY_NEVER = none */
} fay_equalizer_input;

typedef struct fay_equalizer_decision {
    unsigned spawn; /* so many more */
    bool retire;    /* the longest idle one */
} fay_equalizer_decision;

/* Of a stage of `min` to `max` workers, without estimates. The caller sets saturated_max, period
 * and target_wait afterwards. `pinned`: never evaluated, the caller keeps to the bounds. */
void fay_equalizer_init(fay_equalizer *e, unsigned min, unsigned max, bool pinned, fay_ns now);
/* New bounds; the estimates stay, and it is armed to look at them. */
void fay_equalizer_scale(fay_equalizer *e, unsigned min, unsigned max, bool pinned, fay_ns now);
/* A worker took so long to start: L follows. */
void fay_equalizer_spawned(fay_equalizer *e, fay_ns took);
/* Cheap, at every step: arms it when the stage is out of balance, and says when to evaluate. */
void fay_equalizer_watch(fay_equalizer *e, fay_ns now, const fay_equalizer_input *input);
/* At `due` or later; not if it is pinned. Sets pressure, held_by and when it is due again. What the
 * decision asks for is carried out or not: the next input tells. */
fay_equalizer_decision fay_equalizer_evaluate(fay_equalizer *e, fay_ns now,
                                              const fay_equalizer_input *input);

#endif /* FAY_EQUALIZER_H */
