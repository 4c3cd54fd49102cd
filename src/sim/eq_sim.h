/* SPDX-License-Identifier: MIT */
/*
 * The elasticity benchmark as a whole: runs every controller that takes part on every trace that is
 * asked for, with every seed, and prints what came of it. The same options, the same output, byte
 * for byte.
 */
#ifndef FAY_SIM_EQ_SIM_H
#define FAY_SIM_EQ_SIM_H

#include <stdio.h>

#include "base/base.h"

enum {
    FAY_EQ_SEEDS_MAX = 1000,
    FAY_EQ_FUZZ_MAX = 1000
};

typedef struct fay_eq_sim {
    const char *traces;    /* names with commas between them; "all" = the standard ones, "extra" */
    uint64_t fuzz;         /* so many drawn ones instead; 0 = none */
    const char *baselines; /* names with commas between them; "all"; NULL = none */
    uint64_t first_seed, last_seed;
    bool json;
    bool timeline;    /* of one trace and one seed */
    const char *plot; /* a file for an SVG, of one trace and one seed; NULL = none */
} fay_eq_sim;

/* FAY_E_INVAL: what is asked for does not exist or does not fit together. FAY_E_IO: the plot cannot
 * be written. Positive: in so many runs something was lost. */
int fay_eq_sim_run(const fay_eq_sim *sim, FILE *out, fay_error *err);

void fay_eq_sim_list(FILE *out); /* the names of traces and baselines, for the help text */

#endif /* FAY_SIM_EQ_SIM_H */
