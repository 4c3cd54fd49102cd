/* SPDX-License-Identifier: MIT */
/*
 * What may go wrong, and how often in this run.
 *
 * Swarm testing (Groce and others, "Swarm testing", 2012): each run draws its own rate for each
 * fault, and half of the rates are 0. Faults that are always on hide each other: where workers die
 * all the time, no queue ever fills. When the run has gone on long enough, fay_sim_faults_stop()
 * ends all of them, and from then on the run must end.
 */
#ifndef FAY_SIM_FAULTS_H
#define FAY_SIM_FAULTS_H

#include "sim/world.h"

/* name, the highest rate; per try of an Item, per spawn, or per wake-up of the owner */
#define FAY_SIM_FAULTS(X)                                                                          \
    X(WORKER_DIES, 0.15)      /* try: with all that it has in hand */                              \
    X(WORKER_BREAKS, 0.05)    /* try: prints what is no answer */                                  \
    X(WORKER_STUCK, 0.05)     /* try: until its timeout */                                         \
    X(WORKER_SLOW, 0.1)       /* spawn: a hundred times as slow as its fellows */                  \
    X(WORKER_RECYCLED, 0.1)   /* try: ends by itself, in good order */                             \
    X(WORKER_WONT_START, 0.2) /* spawn */                                                          \
    X(VERDICT_FAIL, 0.2)      /* try: exit, signal or timeout that names its Item */               \
    X(VERDICT_RETRY, 0.15)    /* try */                                                            \
    X(VERDICT_POISON, 0.05)   /* try */                                                            \
    X(ITEM_POISONED, 0.05)    /* Item: every worker fails at it, always */                         \
    X(LINK_DIES, 0.004)       /* wake-up: with its Instance and all frames on it */                \
    X(LINK_STALLS, 0.004)     /* wake-up: shorter than a lease, or longer */                       \
    X(LINK_GARBAGE, 0.002)    /* wake-up: an Instance speaks of a lease that never was */          \
    X(OWNER_DIES, 0.004)      /* wake-up */                                                        \
    X(RECORD_CUT, 0.2)        /* wake-up while a record is written: the owner dies */              \
    X(WRITE_FAILS, 0.001)     /* write to sink or dead letters: part of it is there */             \
    X(SYNC_FAILS, 0.02)       /* sync of sink and dead letters */                                  \
    X(RECORD_FAILS, 0.02)     /* sync of the journal */                                            \
    X(RECORD_LIES, 0.5)       /* sync of the journal: says ok, but the last record may be lost */  \
    X(SINK_SLOW, 0.3)         /* write: takes long */                                              \
    X(SCALED, 0.01)           /* wake-up: a user changes min and max */                            \
    X(MEASURED, 0.02)         /* wake-up: what the machine has and workers need is measured */     \
    X(DRAINED, 0.001)         /* wake-up: Ctrl-C */                                                \
    X(ABORTED, 0.0005)        /* wake-up: Ctrl-C twice */                                          \
    X(SOURCE_FAILS, 0.005)    /* feed: ends before its end */

typedef enum fay_sim_fault {
#define X(name, rate_max) FAY_SIM_##name,
    FAY_SIM_FAULTS(X)
#undef X
    FAY_SIM_FAULTS_COUNT
} fay_sim_fault;

typedef struct fay_sim_faults {
    fay_sim_world *world; /* borrowed */
    double rates[FAY_SIM_FAULTS_COUNT];
    uint64_t hits[FAY_SIM_FAULTS_COUNT];
} fay_sim_faults;

void fay_sim_faults_draw(fay_sim_faults *faults, fay_sim_world *world);
bool fay_sim_hit(fay_sim_faults *faults, fay_sim_fault fault);
void fay_sim_faults_stop(fay_sim_faults *faults);
const char *fay_sim_fault_name(fay_sim_fault fault);

#endif /* FAY_SIM_FAULTS_H */
