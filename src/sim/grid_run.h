/* SPDX-License-Identifier: MIT */
/*
 * One simulated Grid and what is measured of it: for the scenarios (grid_scenes.c, grid_trials.c).
 *
 *     settle --> expect something of all Nodes --> make it happen --> wait --> rest, and judge
 *
 * A sample is the time from `expect` until one Node knows it.
 */
#ifndef FAY_SIM_GRID_RUN_H
#define FAY_SIM_GRID_RUN_H

#include "sim/grid_net.h"

typedef struct fay_sim_samples {
    double *items; /* seconds, usually */
    size_t count, capacity;
} fay_sim_samples;

typedef struct fay_sim_run {
    fay_net net;
    fay_sim_samples *samples;
    fay_ns begun;        /* of what is measured */
    uint32_t running;    /* Nodes that shall know it */
    bool *knows;         /* by node */
    uint32_t left;       /* that do not yet */
    uint32_t subject;    /* of a change */
    fay_member_state is; /* what it is to be */
} fay_sim_run;

void fay_sim_sample(fay_sim_run *run, double value);

/* Each Node, `of` of them, shall see the subject in the state `is`; shall know `running` alive;
 * shall hear what is said, once; shall have the CRL. */
void fay_sim_expect_subject(fay_sim_run *run, uint32_t of);
void fay_sim_expect_count(fay_sim_run *run, uint32_t of);
void fay_sim_expect_said(fay_sim_run *run, uint32_t of);
void fay_sim_expect_crl(fay_sim_run *run, uint32_t of);
/* None shall take another one for dead, until the next expectation; `forger`: but for what this
 * one thinks, or is thought of it. UINT32_MAX: there is none. */
void fay_sim_expect_no_death(fay_sim_run *run, uint32_t forger);
/* What was expected is over. */
void fay_sim_expect_nothing(fay_sim_run *run);

/* Until all know it; when they do not, the program ends with the seed. */
void fay_sim_wait(fay_sim_run *run, const char *what);

/* Ten seconds without anything; then what must hold does. */
void fay_sim_rest(fay_sim_run *run);

/* Nodes 0 to count - 1 start within a second; it is measured until all know all. */
void fay_sim_storm(fay_sim_run *run, uint32_t count);
/* A Grid at rest; what its making took is not measured. */
void fay_sim_settle(fay_sim_run *run, uint32_t count);

/* Node 0 to nodes - 1 in an order of chance; free() it. */
uint32_t *fay_sim_shuffled(fay_sim_run *run);

#endif /* FAY_SIM_GRID_RUN_H */
