/* SPDX-License-Identifier: MIT */
/*
 * The socket of the elasticity benchmark: what a controller of a pipeline's stages is told, what it
 * may read, and what it may do.
 *
 *                    hooks: tick, arrived, finished, pressure, idled, ready, ..
 *     line (eq_line.h) ───────────────────────────────────────────────────────► controller
 *                      ◄───────────────────────────────────────────────────────
 *             fay_eq_read(), _worker_first(), ..    fay_eq_spawn(), _retire(), _wake(), ..
 *
 * Time is a double in control periods: T = 1, the run begins at 0. All hooks but `new` and `free`
 * may be NULL. A hook may act at once, for whatever stage; it is never called within one that acts,
 * but for slot_freed. What a controller does not read here it must measure: mean service times,
 * speeds of nodes and the future are the oracle's alone.
 */
#ifndef FAY_SIM_EQ_CONTROLLER_H
#define FAY_SIM_EQ_CONTROLLER_H

#include <math.h>

#include "base/base.h"

#define FAY_EQ_NEVER HUGE_VAL /* later than any time */

enum {
    FAY_EQ_STAGES_MAX = 8,
    FAY_EQ_EDGES_MAX = 4,
    FAY_EQ_NODES_MAX = 8,
    FAY_EQ_RESOURCES = 2, /* cpu, memory */
};

typedef struct fay_eq_line fay_eq_line;

typedef enum fay_eq_state {
    FAY_EQ_STARTING,
    FAY_EQ_IDLE,
    FAY_EQ_BUSY,
    FAY_EQ_BLOCKED /* its Item is done, but some queue has no room for what came of it */
} fay_eq_state;

/* What anybody may know of a worker. */
typedef struct fay_eq_worker {
    uint32_t id; /* names it while it lives */
    uint32_t stage, node;
    fay_eq_state state;
    bool draining; /* retired: finishes what it has, then goes */
    double born;   /* it was spawned then */
    double since;  /* it is in this state since then: BUSY = it began its Item */
    uint64_t items;
    double useful; /* time it worked on them */
} fay_eq_worker;

typedef struct fay_eq_node {
    double capacity[FAY_EQ_RESOURCES], used[FAY_EQ_RESOURCES];
} fay_eq_node;

/* One stage, now. Counters are since the start. Within a hook the worker that it is about may be
 * between two states: live, but none of idle, busy and waiting. */
typedef struct fay_eq_reading {
    uint64_t arrivals, finished, outputs, crashes;
    double useful;  /* time that workers worked, up to now for those that do */
    double blocked; /* time that they waited for room, likewise */
    size_t queued;
    size_t workers; /* = live + starting; the draining ones are among the live */
    size_t live, starting, draining;
    size_t idle, busy, waiting; /* of the live: state IDLE, BUSY, BLOCKED */
    double coldest_since;       /* the worker that is idle longest, since; FAY_EQ_NEVER = none is */
    size_t kept_out;   /* workers before it, and the source, that wait for room in its queue */
    double refused_at; /* last time that its queue had no room; negative = never */
} fay_eq_reading;

typedef struct fay_eq_edge {
    size_t to;
    uint64_t sent; /* outputs that went that way */
} fay_eq_edge;

/* What the plan of a pipeline says about a stage, and the routes' shares as they are now. */
typedef struct fay_eq_facts {
    size_t queue_max;   /* 0 = without bound */
    size_t workers_min; /* 0 only while there is nothing to do, where stages may rest at all */
    size_t workers_max;
    double needs[FAY_EQ_RESOURCES]; /* of one worker */
    double selectivity;             /* outputs of an Item, now, on each edge's average */
    double visits;                  /* Items that come here for each one of the source, now */
    const fay_eq_edge *edges;       /* whom it feeds; none = the sink */
    size_t edges_count;
} fay_eq_facts;

typedef struct fay_eq_source {
    bool closed;    /* a finite input, read as fast as there is room */
    bool exhausted; /* nothing more will come */
    double rate;    /* closed: Items per period that it would give if never held back */
} fay_eq_source;

typedef struct fay_eq_controller {
    const char *name;
    const char *what; /* one line for the help text */
    void *(*new)(fay_eq_line *line);
    void (*free)(void *self);
    /* Once per period. */
    void (*tick)(void *self, fay_eq_line *line);
    void (*arrived)(void *self, fay_eq_line *line, size_t stage);
    void (*finished)(void *self, fay_eq_line *line, size_t stage, double useful);
    /* The queue has reached the threshold of fay_eq_watch() and nobody is idle; or a worker before
     * it (or the source) has found no room. */
    void (*pressure)(void *self, fay_eq_line *line, size_t stage, bool no_room);
    /* A worker is idle for as long as fay_eq_idle_after() said; returns after how long to ask
     * again, should it still be. */
    double (*idled)(void *self, fay_eq_line *line, size_t stage, const fay_eq_worker *worker);
    /* A worker has started; it took so long. */
    void (*ready)(void *self, fay_eq_line *line, size_t stage, double took);
    /* The time that fay_eq_wake() asked for. */
    void (*evaluate)(void *self, fay_eq_line *line, size_t stage);
    /* A worker of this stage has gone, so its slot is free; also within fay_eq_retire(). */
    void (*slot_freed)(void *self, fay_eq_line *line, size_t stage);
    /* A worker of this stage has died; its Item is back in the queue. */
    void (*crashed)(void *self, fay_eq_line *line, size_t stage);
    /* How bad it is to place a worker of this stage there: least wins, then the first node. Only
     * nodes with room are asked about. NULL = how full its fullest resource is. */
    double (*score)(void *self, const fay_eq_line *line, size_t stage, size_t node);
    /* Is it busy with this stage? NULL = always. For the measure `armed`. */
    bool (*armed)(void *self, size_t stage);
} fay_eq_controller;

/* ---- reading --------------------------------------------------------------------------------- */

double fay_eq_now(const fay_eq_line *line);
size_t fay_eq_stages_count(const fay_eq_line *line); /* in the order of the flow; 0 is the first */
void fay_eq_read(const fay_eq_line *line, size_t stage, fay_eq_reading *ret);
void fay_eq_facts_of(const fay_eq_line *line, size_t stage, fay_eq_facts *ret);
fay_eq_source fay_eq_source_of(const fay_eq_line *line);

/* The workers of a stage, oldest first; NULL = no more. */
const fay_eq_worker *fay_eq_worker_first(const fay_eq_line *line, size_t stage);
const fay_eq_worker *fay_eq_worker_next(const fay_eq_line *line, const fay_eq_worker *worker);
/* The idle ones, the coldest first: work is given to the one that became idle last. */
const fay_eq_worker *fay_eq_coldest(const fay_eq_line *line, size_t stage);
const fay_eq_worker *fay_eq_warmer(const fay_eq_line *line, const fay_eq_worker *worker);

size_t fay_eq_nodes_count(const fay_eq_line *line);
const fay_eq_node *fay_eq_node_of(const fay_eq_line *line, size_t node);

/* ---- acting ---------------------------------------------------------------------------------- */

/* Starts up to so many workers; returns how many there was room for. */
size_t fay_eq_spawn(fay_eq_line *line, size_t stage, size_t count);
/* Retires a worker by its id, FAY_EQ_COLDEST, or FAY_EQ_CHEAPEST: the youngest that is starting,
 * else that is idle, else of all. A busy one drains. False = there is none that may go. */
#define FAY_EQ_COLDEST  (UINT32_MAX - 1)
#define FAY_EQ_CHEAPEST UINT32_MAX
bool fay_eq_retire(fay_eq_line *line, size_t stage, uint32_t worker);

/* Calls `evaluate` then, or at the earlier time that is asked for already. */
void fay_eq_wake(fay_eq_line *line, size_t stage, double at);
/* Calls `pressure` whenever so many wait; 0 = never, as at the start. */
void fay_eq_watch(fay_eq_line *line, size_t stage, size_t queued);
/* Calls `idled` for workers that are idle so long; FAY_EQ_NEVER = never, as at the start. */
void fay_eq_idle_after(fay_eq_line *line, size_t stage, double after);
/* For the measure `evaluations`: the controller has looked at a stage and decided. */
void fay_eq_evaluated(fay_eq_line *line);

#endif /* FAY_SIM_EQ_CONTROLLER_H */
