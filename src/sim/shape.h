/* SPDX-License-Identifier: MIT */
/*
 * The shape of one simulated run: its stages, who feeds whom, all settings of the flow, the source.
 *
 *     source ─┬─► 0 (solo) ──────► 2 (ordered) ─► sink        feeds[count] is what the source feeds
 *             └─► 1 (when: kind 3) ──┘
 *
 * Drawn from the seed, small and odd on purpose: queues of one, windows of one, stages past which
 * every Item goes. Where Items come in bursts, most stages are elastic and may have no worker at
 * all, so that these come and go. An Item's kind (0 .. 3) is all that `when` tests look at; it
 * stands in the payload. fay_sim_shape_targets() says where an Item must go by the rule as the user
 * reads it, and so checks the router that the run uses.
 */
#ifndef FAY_SIM_SHAPE_H
#define FAY_SIM_SHAPE_H

#include "flow/flow.h"
#include "item/route.h"
#include "sim/world.h"

enum {
    FAY_SIM_STAGES_MAX = 5,
    FAY_SIM_KINDS = 4,
    FAY_SIM_WORKERS_MAX = 64
};

/* How a stage's workers take Items and answer; the modes of the product, as the flow sees them. */
typedef enum fay_sim_mode {
    FAY_SIM_SOLO,  /* exec: one Item, verdicts */
    FAY_SIM_LINES, /* in order, answered by count, no verdicts */
    FAY_SIM_BATCH, /* one lease, answered or lost as a whole */
    FAY_SIM_TAGGED /* frames, json: any order, verdicts, recall */
} fay_sim_mode;

typedef struct fay_sim_stage {
    fay_sim_mode mode;
    int when;             /* kind that it takes; -1 = no test, -2 = else */
    unsigned instances;   /* machines */
    unsigned concurrency; /* TAGGED: Items that a worker works on at once */
    fay_ns work;          /* time of one Item, about */
    fay_ns timeout;       /* a stuck worker is killed then */
    fay_ns start;         /* time to start a worker, about */
    double children[4];   /* chance of 0, 1, 2, 3 */
    bool broken;          /* its workers fail every Item alike */
} fay_sim_stage;

typedef struct fay_sim_shape {
    size_t count;
    fay_sim_stage stages[FAY_SIM_STAGES_MAX];
    fay_flow_stage flow_stages[FAY_SIM_STAGES_MAX];
    uint64_t feeds[FAY_SIM_STAGES_MAX + 1];
    fay_router *router;
    fay_flow_config config;
    uint64_t items; /* of the source */
    fay_ns gap;     /* between two of them; 0 = all are there */
    uint64_t burst; /* so many come at once instead, */
    fay_ns pause;   /* then none for so long, about; burst 0 = not so */
    bool orders;    /* some stages may be ordered */
    bool positions; /* the source knows where it is */
    bool letters;   /* the source is a file of dead letters that are retried */
    bool greedy;    /* it feeds a little more than there is room for */
    double big;     /* chance that a try has dozens of children */
    double parts;   /* chance that a result set travels in parts */
    fay_ns latency; /* of a link */
    fay_ns sink;    /* time that a write takes */
    size_t payload; /* padding, at most */
} fay_sim_shape;

void fay_sim_shape_draw(fay_sim_shape *shape, fay_sim_world *world);
void fay_sim_shape_deinit(fay_sim_shape *shape);

/* The stage into which a retried dead letter goes straight. */
size_t fay_sim_shape_reenters(const fay_sim_shape *shape, uint64_t root);
/* Where an Item of this kind goes when it leaves `from` (count = the source), by the rule. */
uint64_t fay_sim_shape_targets(const fay_sim_shape *shape, size_t from, unsigned kind);
/* What each stage gives to the sink stands there in order: all that feed it are ordered. (With
 * a journal a root is written when it is complete, so several branches are in no order.) */
bool fay_sim_shape_ordered(const fay_sim_shape *shape);
/* "0 solo >1 | 1 batch ordered >sink" */
void fay_sim_shape_text(const fay_sim_shape *shape, char *text, size_t size);

#endif /* FAY_SIM_SHAPE_H */
