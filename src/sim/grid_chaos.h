/* SPDX-License-Identifier: MIT */
/*
 * A Grid in which everything goes wrong that may: safety first, then liveness.
 *
 * Each run draws its own rate for each fault, half of them 0 (swarm testing, faults.h): links that
 * stall in one direction, lines that lose most or let nothing through one way, Nodes that freeze,
 * take long, are killed and started again, also while they join, with a clock that has jumped, with
 * their state lost; clones of them; machines that are gone without a word and come back; a network
 * in two parts. Half of the runs forget the gone soon. Meanwhile each Node checks itself, nothing
 * that anybody knows may go back, and nobody is declared dead by one word (grid_judge.h). Then the
 * faults stop, and some time later all must agree.
 */
#ifndef FAY_SIM_GRID_CHAOS_H
#define FAY_SIM_GRID_CHAOS_H

#include "sim/grid_run.h"

enum {
    FAY_SIM_CHAOS_CLONES = 2
};

/* From an empty net, with that many clones, to a Grid that is judged. */
void fay_sim_grid_chaos(fay_sim_run *run);

#endif /* FAY_SIM_GRID_CHAOS_H */
