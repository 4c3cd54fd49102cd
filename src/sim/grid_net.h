/* SPDX-License-Identifier: MIT */
/*
 * Machines and a network for simulated Nodes: each drives the production grid/.
 *
 *     DIAL --latency--> accepted, 1.5 ms of CPU there --latency--> 1.1 ms here: UP --latency--> UP
 *
 * Links are ordered streams with a latency of their own. A machine has one core: what arrives while
 * it is busy waits in its inbox, and what it sends leaves when it is done. What costs time is what
 * was measured: TLS handshakes, signatures and messages (grid_net.c).
 */
#ifndef FAY_SIM_GRID_NET_H
#define FAY_SIM_GRID_NET_H

#include "grid/grid.h"
#include "sim/trace.h"
#include "sim/world.h"

typedef struct fay_net_node {
    fay_grid *grid; /* NULL: it does not run */
    fay_node_id id;
    char address[16];
    uint64_t boot;
    bool silent;    /* the machine answers nothing any more */
    bool apart;     /* on the other side while the network is split */
    fay_ns free_at; /* its core */
    fay_ns wake_at; /* the next wake-up that is under way; FAY_NEVER */
    bool running;   /* a RUN is under way */
    fay_sim_event *inbox;
    size_t inbox_at, inbox_count, inbox_capacity;
    uint64_t *conns; /* those that may not be over */
    size_t conns_count, conns_capacity;
} fay_net_node;

typedef struct fay_net_conn { /* side 0 has dialled */
    uint32_t node[2];
    uint64_t dial;
    bool accepted; /* by the kernel there: the handshake may take its time */
    bool up[2], over[2];
    fay_sim_wire wire[2]; /* from that side */
} fay_net_conn;

typedef struct fay_net_stats {
    uint64_t messages, bytes, dials;
} fay_net_stats;

/* Told of each CHANGED. */
typedef void fay_net_changed(void *context, uint32_t node, const fay_node_id *id,
                             fay_member_state state);

/* Told of each DELIVER. */
typedef void fay_net_delivered(void *context, uint32_t node, fay_grid_bytes bytes);

typedef struct fay_net {
    fay_sim_world world;
    fay_sim_trace *trace;
    fay_grid_params params;
    fay_net_node *nodes;
    uint32_t nodes_count;
    fay_net_conn *conns; /* the number of one is its index + 1: its link at both ends */
    size_t conns_count, conns_capacity;
    fay_ns heals_at; /* the split ends */
    bool check;      /* each Node, after each step */
    fay_net_stats stats;
    fay_net_changed *changed;
    fay_net_delivered *delivered;
    void *context;
} fay_net;

void fay_net_init(fay_net *net, fay_sim_trace *trace, uint32_t nodes);
void fay_net_deinit(fay_net *net);

/* Starts a Node that does not run by then, after a while; its seeds are nodes 0 and 1. */
void fay_net_start(fay_net *net, uint32_t node, fay_ns delay);
void fay_net_kill(fay_net *net, uint32_t node);    /* kill -9: its machine closes all links */
void fay_net_silence(fay_net *net, uint32_t node); /* its machine is gone: nothing answers */
/* It does nothing for so long, and notices afterwards. */
void fay_net_freeze(fay_net *net, uint32_t node, fay_ns time);
/* Nothing arrives on one of the Node's links, in one direction, for so long. */
void fay_net_stall(fay_net *net, uint32_t node, fay_ns time);
/* The Node says something to all. */
void fay_net_broadcast(fay_net *net, uint32_t node, fay_grid_bytes bytes);
/* Nothing gets from Nodes that are `apart` to the others, nor back, for so long. */
void fay_net_split(fay_net *net, fay_ns time);
/* Runs and can be reached. */
bool fay_net_alive(const fay_net *net, uint32_t node);

/* What happens next, if it happens before `until`; else time is `until`, and false. */
bool fay_net_step(fay_net *net, fay_ns until);

/* The node with that id. */
uint32_t fay_net_find(const fay_net *net, const fay_node_id *id);

#endif /* FAY_SIM_GRID_NET_H */
