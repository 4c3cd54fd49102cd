/* SPDX-License-Identifier: MIT */
/*
 * What is offered to a stage, and how many workers that needs: the sums that stand at the head of
 * flow/equalizer.h. Of one evaluation, and decided nowhere else.
 */
#ifndef FAY_PLAN_H
#define FAY_PLAN_H

#include "flow/board.h"
#include "flow/equalizer_state.h"

typedef struct fay_plan {
    double item;        /* s to reckon with */
    double serving;     /* workers that do: those that are not stuck */
    double rate, drain; /* to be worked off, Items/s: what arrives, and what upstream drains */
    double offered;     /* what would be, if the pipeline as a whole did not bound it */
    bool from_source;   /* by the source, which would give as much */
    fay_ceiling ceiling;
    double backlog, drainers; /* B, D */
    double by;                /* when B is to be gone, seconds */
    bool rare;                /* the Items are so long that each that waits gets a worker */
    double target, trigger;   /* n*; HIGH below */
    bool standing;            /* the queue does */
    /* what has been decided */
    bool returning; /* those that are stuck come back: no head room in their place */
    bool nudged;    /* HIGH as the queue stands, whatever the sum says */
    bool high;      /* more workers are wanted, */
    bool dry;       /* but what is left is not worth their start */
    fay_held held;  /* or that keeps it from them, or from some */
} fay_plan;

/* ceil(R + 1.2 sqrt(R) + drainers). */
double fay_plan_target(double load, double drainers);
/* R + 0.2 sqrt(R) + drainers, of which there are .. */
double fay_plan_trigger(double load, double drainers);
/* .. as many as it is urgent to have. */
double fay_plan_urgent(const fay_plan *plan);
/* The pipeline is bound by what one stage can do, not by what the machine has. */
bool fay_plan_by_a_stage(const fay_plan *plan);

/* `seen`: Items per second that have arrived. */
void fay_plan_make(fay_equalizers *all, size_t stage, double now, double seen, fay_plan *ret);

/* The head of the line waits for longer than W*, with so many that serve. */
bool fay_plan_is_late(const fay_equalizer *e, double serving, double item_s);
/* CoDel: whether a queue that is too long (`bad`) has been so for so many periods. */
bool fay_plan_stands(fay_equalizer *e, double now, bool bad, double periods);

#endif /* FAY_PLAN_H */
