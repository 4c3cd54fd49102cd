/* SPDX-License-Identifier: MIT */
/*
 * A Grid in which everything goes wrong that may: safety first, then liveness.
 *
 * Each run draws its own rate for each fault, half of them 0 (swarm testing, faults.h): links that
 * stall in one direction, Nodes that freeze, are killed and started again, machines that are gone
 * without a word and come back, a network in two parts. Meanwhile each Node checks itself after
 * each step, and nothing that anybody knows may go back (fay_sim_judge_progress). Then the faults
 * stop, and some time later all must agree.
 */
#ifndef FAY_SIM_GRID_CHAOS_H
#define FAY_SIM_GRID_CHAOS_H

#include "sim/grid_net.h"

/* From a Grid that runs to one without faults; the caller waits for its rest and judges it. */
void fay_sim_grid_chaos(fay_net *net);

#endif /* FAY_SIM_GRID_CHAOS_H */
