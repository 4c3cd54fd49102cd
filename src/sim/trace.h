/* SPDX-License-Identifier: MIT */
/*
 * What a simulated run says: one aligned line for each thing that happened, and the one line of a
 * failure, after which the process ends.
 *
 *     [    0.012345678] link 3    RESULTS  worker 1 tag 17 +2
 *       virtual seconds  who       what
 *
 * The lines are hashed, so that two runs of one seed can be compared by one number. Lines are made
 * only where somebody wants them (`on`), because making them costs more than the rest of a run.
 * A failure does not unwind: whoever runs many seeds runs them in a child process (seeds.h).
 */
#ifndef FAY_SIM_TRACE_H
#define FAY_SIM_TRACE_H

#include "base/base.h"

/* What must have happened often, for runs to prove anything of it. */
typedef struct fay_sim_counts {
    uint64_t retired; /* workers */
    uint64_t emptied; /* those of them that were the last of their stage */
    uint64_t woken;   /* stages that then were given another one */
} fay_sim_counts;

typedef struct fay_sim_trace {
    uint64_t seed;
    bool on;           /* lines are made and hashed */
    bool print;        /* and printed */
    const fay_ns *now; /* the virtual clock; NULL = not started */
    uint64_t hash;
    fay_sim_counts counts;
} fay_sim_trace;

void fay_sim_trace_init(fay_sim_trace *trace, uint64_t seed, bool on, bool print);

void fay_sim_say(fay_sim_trace *trace, const char *who, const char *format, ...) FAY_PRINTF(3, 4);

/* Prints "seed N: WHAT" and exits with 1. */
void fay_sim_fail(const fay_sim_trace *trace, const char *format, ...) FAY_PRINTF(2, 3)
    __attribute__((noreturn));

#endif /* FAY_SIM_TRACE_H */
