/* SPDX-License-Identifier: MIT */
/*
 * A Grid of many Nodes in virtual time: how fast news are known everywhere, and whether what must
 * hold does. What is simulated is in grid_scenes.h, and the faults of `chaos` in grid_chaos.h.
 *
 * Each scenario but `storm` begins with a Grid that has come to rest. When it is over and the Grid
 * has been left alone for ten seconds, the invariants that can be seen from outside are checked
 * (grid_judge.h). A breach ends the program with the seed.
 */
#ifndef FAY_SIM_GRID_SIM_H
#define FAY_SIM_GRID_SIM_H

#include <stdio.h>

#include "base/base.h"

typedef struct fay_grid_sim {
    const char *scenarios; /* names with commas between them, "all" or "long" */
    uint32_t nodes;
    uint64_t first_seed, last_seed;
    bool trace;
} fay_grid_sim;

enum {
    FAY_GRID_SIM_NODES_MIN = 2,
    FAY_GRID_SIM_NODES_MAX = 4000 /* each holds a table of all */
};

/* The names, one a line with what each is. */
void fay_grid_sim_list(FILE *out);

/* Prints the table. 0, 1 if a target was missed, FAY_E_INVAL for what it does not understand. */
int fay_grid_sim_run(const fay_grid_sim *sim, FILE *out, fay_error *err);

#endif /* FAY_SIM_GRID_SIM_H */
