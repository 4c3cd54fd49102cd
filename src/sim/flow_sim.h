/* SPDX-License-Identifier: MIT */
/*
 * One simulated run of a pipeline, from a seed: the production flow/ and journal/ in a world of
 * their own.
 *
 *     seed ─► shape, faults ─► life 1 ──owner dies, drains, aborts, fails──► life 2 ─► judgement
 *
 *     a wake-up:  the earliest events ─► faults ─► source ─► step ─► actions ─► every invariant
 *
 * After some thousand wake-ups all faults stop (safety first, then liveness, as in TigerBeetle's
 * VOPR), and the run must end: a world in which nothing will happen any more, or too much, is a
 * failure like a lost Item.
 */
#ifndef FAY_SIM_FLOW_SIM_H
#define FAY_SIM_FLOW_SIM_H

#include "sim/trace.h"

/* Returns if the run was as it should be; else says why and exits with 1. */
void fay_sim_flow(fay_sim_trace *trace);

#endif /* FAY_SIM_FLOW_SIM_H */
