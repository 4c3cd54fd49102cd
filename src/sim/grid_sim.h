/* SPDX-License-Identifier: MIT */
/*
 * A Grid of up to a thousand Nodes in virtual time: how fast news are known everywhere, and whether
 * what must hold does.
 *
 *     join     one more Node joins
 *     storm    all start within a second and know one address
 *     kill     kill -9 of one: its machine closes its links
 *     silent   one machine is gone without a word
 *     half     kill -9 of half of them at once
 *     say      one Node says something to all; sayhuge: too large to be flooded
 *     split    the network is in two halves for a minute; from its end on
 *     freeze   for ten minutes Nodes pause for 2 s each; nobody may be taken for dead
 *     chaos    faults of all kinds for a minute (grid_chaos.h)
 *
 * Each but `storm` begins with a Grid that has come to rest. When a scenario is over and the Grid
 * has been left alone for ten seconds, the invariants that can be seen from outside are checked
 * (grid_judge.h); each Node checks its own all the time. A breach ends the program with the seed.
 */
#ifndef FAY_SIM_GRID_SIM_H
#define FAY_SIM_GRID_SIM_H

#include <stdio.h>

#include "base/base.h"

typedef struct fay_grid_sim {
    const char *scenarios; /* names with commas between them, or "all" */
    uint32_t nodes;
    uint64_t first_seed, last_seed;
    bool trace;
} fay_grid_sim;

enum {
    FAY_GRID_SIM_NODES_MIN = 3,
    FAY_GRID_SIM_NODES_MAX = 2000 /* each holds a table of all */
};

/* The names, one a line with what each is. */
void fay_grid_sim_list(FILE *out);

/* Prints the table. 0, 1 if a target was missed, FAY_E_INVAL for what it does not understand. */
int fay_grid_sim_run(const fay_grid_sim *sim, FILE *out, fay_error *err);

#endif /* FAY_SIM_GRID_SIM_H */
