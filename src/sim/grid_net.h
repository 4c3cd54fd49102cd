/* SPDX-License-Identifier: MIT */
/*
 * Machines and a network for simulated Nodes: each drives the production grid/.
 *
 *     DIAL --latency--> accepted, 1.5 ms of CPU there --latency--> 1.1 ms here: UP --latency--> UP
 *
 * Links are ordered streams with a latency of their own; what they lose is sent again, and what is
 * not there after params.unacknowledged ends them (grid_wires.h). A machine has one core: what
 * arrives while it is busy waits in its inbox, and what it sends leaves when it is done. What costs
 * time is what was measured: TLS handshakes, signatures and messages (grid_net.c).
 *
 * Behind the Nodes of the Grid there may be *clones*: machines that run with the id and the state
 * directory of one of these. Whoever asks for the Node with an id is told the number of the first.
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
    uint64_t boot;     /* as its state directory has it; 0 = the state is lost */
    uint64_t boot_max; /* that it ever had */
    int64_t skew;      /* seconds that its wall clock is wrong by */
    uint64_t lives;    /* how often it was started */
    uint8_t certification[FAY_KEY_HASH_SIZE];
    uint64_t crl;     /* the number of its CRL */
    bool replaced;    /* it stops by itself: another one with its id lives */
    bool forges;      /* it means ill: what it says may be refused */
    bool silent;      /* the machine answers nothing any more */
    bool apart;       /* on the other side while the network is split */
    fay_ns out_until; /* nothing gets out of it; in: into it; lossy: 80 % is lost on the way */
    fay_ns in_until, lossy_until;
    fay_ns slow_until; /* it takes long for each message */
    fay_ns free_at;    /* its core */
    fay_ns thawed_at;
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
    bool expects; /* that id there, and nobody else */
    fay_node_id expected;
    bool accepted; /* by the kernel there: the handshake may take its time */
    bool up[2], over[2];
    bool doomed[2];       /* what that side has sent is not acknowledged in time */
    fay_sim_wire wire[2]; /* from that side */
    size_t kept[2];       /* bytes that the other one has not read */
} fay_net_conn;

typedef struct fay_net_stats {
    uint64_t messages, bytes, dials, bundles, rumors;
} fay_net_stats;

/* Told of each CHANGED. */
typedef void fay_net_changed(void *context, uint32_t node, const fay_node_id *id,
                             fay_member_state state);

/* Told of each DELIVER, and of each CRL that a Node has fetched. */
typedef void fay_net_delivered(void *context, uint32_t node, fay_grid_bytes bytes);

typedef struct fay_net {
    fay_sim_world world;
    fay_sim_trace *trace;
    fay_grid_params params;
    fay_net_node *nodes;
    uint32_t nodes_count; /* with clones */
    uint32_t ids;         /* without */
    fay_net_conn *conns;  /* the number of one is its index + 1: its link at both ends */
    size_t conns_count, conns_capacity;
    fay_ns heals_at; /* the split ends */
    uint64_t crl;    /* the last one that there is: nobody can be given another */
    bool check;      /* each Node, after each step */
    fay_net_stats stats;
    fay_net_changed *changed;
    fay_net_delivered *delivered, *fetched;
    void *context;
} fay_net;

void fay_net_init(fay_net *net, fay_sim_trace *trace, uint32_t nodes, uint32_t clones);
void fay_net_deinit(fay_net *net);

/* Starts a Node, unless it runs by then, after a while; its seeds are nodes 0 and 1. */
void fay_net_start(fay_net *net, uint32_t node, fay_ns delay);
/* Makes a clone of that Node: its id and a copy of its state; it is not started yet. */
void fay_net_clone(fay_net *net, uint32_t of, uint32_t clone);
void fay_net_kill(fay_net *net, uint32_t node);    /* kill -9: its machine closes all links */
void fay_net_silence(fay_net *net, uint32_t node); /* its machine is gone: nothing answers */
/* It is killed then, if it runs. */
void fay_net_kill_later(fay_net *net, uint32_t node, fay_ns delay);
/* It does nothing for so long, and notices afterwards. */
void fay_net_freeze(fay_net *net, uint32_t node, fay_ns time);
/* Nothing arrives on one of the Node's links, in one direction, for so long. */
void fay_net_stall(fay_net *net, uint32_t node, fay_ns time);
/* The Node says something to all. */
void fay_net_broadcast(fay_net *net, uint32_t node, fay_grid_bytes bytes);
/* Something happens to the Node from its driver's side: META, STATUS, CRL, LEAVE. */
void fay_net_feed(fay_net *net, uint32_t node, const fay_grid_event *event);
/* Sends what its Grid never would. */
void fay_net_forge(fay_net *net, uint32_t node, uint64_t link, fay_grid_bytes bytes);
/* Nothing gets from Nodes that are `apart` to the others, nor back, for so long. */
void fay_net_split(fay_net *net, fay_ns time);
/* Runs and can be reached. */
bool fay_net_alive(const fay_net *net, uint32_t node);
/* One of those with that id does: it, or a clone. */
bool fay_net_lives(const fay_net *net, uint32_t node);

/* What happens next, if it happens before `until`; else time is `until`, and false. */
bool fay_net_step(fay_net *net, fay_ns until);
/* All that happens until then. */
void fay_net_pass(fay_net *net, fay_ns time);

/* The node with that id, the first of several. */
uint32_t fay_net_find(const fay_net *net, const fay_node_id *id);

#endif /* FAY_SIM_GRID_NET_H */
