/* SPDX-License-Identifier: MIT */
/*
 * Many seeds, one after the other, in a child process: a failure ends the child (an assertion of
 * the code under test, a crash, a loop without end, or fay_sim_fail), the parent names the seed and
 * goes on with the next one in a new child.
 */
#ifndef FAY_SIM_SEEDS_H
#define FAY_SIM_SEEDS_H

#include "sim/trace.h"

/* Simulates one seed; exits with 1 if it fails. */
typedef void fay_sim_one(fay_sim_trace *trace);

typedef struct fay_sim_seeds {
    uint64_t from, to; /* both included */
    bool trace, quiet;
} fay_sim_seeds;

/* The number of seeds that failed. A single seed runs in this process, for the debugger's sake. */
uint64_t fay_sim_seeds_run(const fay_sim_seeds *seeds, const char *name, fay_sim_one *one);

#endif /* FAY_SIM_SEEDS_H */
