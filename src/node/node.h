/* SPDX-License-Identifier: MIT */
/*
 * A Node, from its start to its end: a member of the Grid on this machine, and its daemon.
 *
 *     state, keys --> ports --> the Grid: driver.h <--> peers
 *                                 |
 *         commands --control--> verbs.c       events --> chronicle.h
 *
 *     TERM, INT    says BYE to the Grid, and ends
 *     HUP          reads its certificates again; links stay
 *     USR1         its state to the log
 *
 * Everything runs on one thread and one loop.
 */
#ifndef FAY_NODE_NODE_H
#define FAY_NODE_NODE_H

#include "node/meta.h"
#include "pki/settings.h"
#include "pki/token.h"

typedef struct fay_node_config {
    const char *name;
    const char *listen;          /* "A:P"; NULL = all addresses, port FAY_NODE_PORT */
    const char *advertise;       /* where others reach it; NULL = follows from what it listens on */
    char *const *peers;          /* HOST:PORT; NULL = none */
    const char *state;           /* --state-dir; NULL = not given */
    const fay_tls_settings *tls; /* NULL: without keys, on loopback only */
    bool trust_all;
    char *const *trust; /* patterns; NULL = none */
    /* What it says of itself. Of what is 0, all that the machine has. */
    bool agent;
    fay_strategy strategy;
    double weight, cores;
    uint64_t memory, disk;
    char *const *tags; /* NULL = none */
    bool wan;          /* timings for long distances */
    bool quiet;
    const char *join_token; /* for the line that says how to add a machine; NULL = none */
} fay_node_config;

#define FAY_NODE_PORT "7331"

/*
 * Runs until a signal ends it. The exit code: 0 after BYE; 2 what was asked for cannot be; 4 keys,
 * certificates, the port, or another Node that is this one (it is named); 7 its state. What is
 * wrong has been said.
 */
int fay_node_run(const fay_node_config *config);

#endif /* FAY_NODE_NODE_H */
