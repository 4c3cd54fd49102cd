/* SPDX-License-Identifier: MIT */
/*
 * The plant of the elasticity benchmark: a deterministic discrete-event model of a pipeline whose
 * workers a controller starts and retires.
 *
 *     source ─► queue ─► workers ─► queue ─► workers ─► .. ─► sink
 *                 ^         │ hold what they have made while the next queue is full (BLOCKED), in
 *                 │         │ the order in which they came to wait; a place that becomes free goes
 *                 '─crash───' to the first of them
 *
 *     spawn ─► STARTING ─(latency +-20 %)─► IDLE <─► BUSY ─► BLOCKED      slots of a node are held
 *                 '── retire ──► gone ◄───────'  drains, then gone           from spawn to gone
 *
 * Idle workers are a stack: the one that became idle last is given work first, so that surplus
 * sinks to the bottom. The Item of a worker that dies goes back to the head of its queue: nothing
 * is lost, only repeated. Events cost O(log n), and allocate only while arrays still grow.
 *
 * The k-th Item that a stage starts takes the same time under every controller (eq_chance.h).
 */
#ifndef FAY_SIM_EQ_LINE_H
#define FAY_SIM_EQ_LINE_H

#include <bsd/sys/queue.h>

#include "base/prng.h"
#include "sim/eq_agenda.h"
#include "sim/eq_controller.h"
#include "sim/eq_record.h"
#include "sim/eq_trace.h"

TAILQ_HEAD(fay_eq_hands, fay_eq_hand);

/* A worker, as the plant has it. */
typedef struct fay_eq_hand {
    fay_eq_worker worker; /* first: what controllers see */
    uint32_t serial;
    bool timed;                     /* a timer for `idled` runs */
    double item_born;               /* of the Item it has */
    uint32_t due[FAY_EQ_EDGES_MAX]; /* outputs that it still holds, by edge */
    size_t edge;                    /* the first of these with any */
    TAILQ_ENTRY(fay_eq_hand) crew;  /* of its stage, oldest first; or the pool's free ones */
    TAILQ_ENTRY(fay_eq_hand) queue; /* idle (warmest first), or waiting for room in a stage */
} fay_eq_hand;

/* Times at which the Items that wait entered the line: a ring. */
typedef struct fay_eq_queue {
    double *born;
    size_t head, count, capacity; /* a power of two */
} fay_eq_queue;

typedef struct fay_eq_stage {
    const fay_eq_stage_plan *plan;
    double mean, selectivity, visits; /* now */
    fay_eq_queue queue;
    struct fay_eq_hands crew, idle;
    struct fay_eq_hands waiting; /* workers of stages before it that wait for room here */
    bool source_waits;
    size_t kept_out; /* of both */
    fay_eq_edge edges[FAY_EQ_EDGES_MAX];
    size_t workers, starting, draining, idlers, busy, blocked;
    uint64_t arrivals, finished, outputs, crashes;
    double useful, busy_since; /* sums over workers: finished Items; begin of those under way */
    double waited, blocked_since;
    double refused_at;
    fay_prng demands, routes, deaths;
    /* what the controller asked for */
    size_t watch;
    double idle_after, wake_at; /* FAY_EQ_NEVER = not */
} fay_eq_stage;

struct fay_eq_line {
    const fay_eq_trace *trace;
    const fay_eq_controller *controller;
    void *self;
    double now, end;
    fay_eq_agenda agenda;
    fay_eq_stage stages[FAY_EQ_STAGES_MAX];
    size_t stages_count;
    fay_eq_node nodes[FAY_EQ_NODES_MAX];
    double speeds[FAY_EQ_NODES_MAX];
    size_t nodes_count;
    fay_eq_hand *pool; /* as many as there can be */
    struct fay_eq_hands spare;
    uint32_t serial;
    size_t queued, workers, inside; /* of all stages; inside = also in work or held */
    uint64_t injected;
    size_t changes_done;
    fay_prng arrivals, latencies;
    fay_eq_record record;
};

/* A run from its first event to its last: line.record says what happened. Both are borrowed. */
void fay_eq_line_run(fay_eq_line *line, const fay_eq_trace *trace,
                     const fay_eq_controller *controller, uint64_t seed);
void fay_eq_line_deinit(fay_eq_line *line);

/* ---- between the files of the plant (eq_line.c: Items; eq_crew.c: workers) ------------------- */

enum fay_eq_event_kind {
    FAY_EQ_ARRIVAL,
    FAY_EQ_DONE,
    FAY_EQ_CRASH,
    FAY_EQ_READY,
    FAY_EQ_TICK,
    FAY_EQ_IDLED,
    FAY_EQ_CHANGED,
    FAY_EQ_WAKE,
};

/* Adds an event about a worker or, with hand == NULL, about `subject`. */
void fay_eq_line_at(fay_eq_line *line, double time, enum fay_eq_event_kind kind,
                    const fay_eq_hand *hand, size_t subject);
/* Before the number of waiting Items or of workers changes. */
void fay_eq_line_account(fay_eq_line *line);

void fay_eq_crew_init(fay_eq_line *line);
/* Takes a slot where the controller wants it; NULL = there is none, or the stage has its most. */
fay_eq_hand *fay_eq_crew_hire(fay_eq_line *line, size_t stage);
/* It has nothing to do any more and is not idle yet. */
void fay_eq_crew_idle(fay_eq_line *line, fay_eq_hand *hand);
fay_eq_hand *fay_eq_crew_wake(fay_eq_line *line, size_t stage); /* the warmest; NULL = none */
void fay_eq_crew_leave(fay_eq_line *line, fay_eq_hand *hand);
void fay_eq_crew_idled(fay_eq_line *line, fay_eq_hand *hand); /* its timer is over */

#endif /* FAY_SIM_EQ_LINE_H */
