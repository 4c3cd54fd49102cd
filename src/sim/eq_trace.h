/* SPDX-License-Identifier: MIT */
/*
 * A trace: the pipeline, the machine and the load of one benchmark, all that a run of it needs but
 * the seed.
 *
 *     source ──rate(t)──► 0 ─► 1 ─┬─► 2 ─► sink    an edge carries a share of a stage's outputs:
 *                                 └─► 3 ─► sink    [0, 1) = a copy of each, [0, 0.7) = 7 in 10
 *
 *     standard   16 named ones, linear: a step, a ramp, a spike, a slow node, a shared resource, ..
 *     extra      fan-out and merge, memory, crashes, drifting selectivity, the end of an input, ..
 *     fuzz       a random pipeline with a random load, from its number
 *
 * Stages stand in the order of the flow: edges lead forward only. Time is in control periods.
 */
#ifndef FAY_SIM_EQ_TRACE_H
#define FAY_SIM_EQ_TRACE_H

#include "sim/eq_controller.h"

enum {
    FAY_EQ_POINTS_MAX = 24,
    FAY_EQ_CHANGES_MAX = 64,
    FAY_EQ_SLOW_FACTOR = 100
};

typedef struct fay_eq_stage_plan {
    double mean;        /* time of one Item */
    double cv;          /* of it: 0 = constant, 1 = exponential, else log-normal */
    double selectivity; /* outputs of one Item, on average */
    size_t queue_max;   /* 0 = without bound */
    size_t plateau;     /* so many at once share a resource without slowing each other; 0 = all */
    double slow;        /* chance of an Item that takes FAY_EQ_SLOW_FACTOR times as long */
    bool slow_expected; /* the oracle staffs for the spread that these bring */
    double crashes;     /* of a worker, per period that it is busy */
    double needs[FAY_EQ_RESOURCES];
    struct {
        size_t to;
        double from, upto; /* the share of outputs */
    } edges[FAY_EQ_EDGES_MAX];
    size_t edges_count;
} fay_eq_stage_plan;

typedef struct fay_eq_point {
    double time, rate;
    bool slope; /* straight on to the next point, else constant until then */
} fay_eq_point;

typedef enum fay_eq_aspect {
    FAY_EQ_MEAN,        /* of a stage */
    FAY_EQ_SELECTIVITY, /* of a stage */
    FAY_EQ_SPEED        /* of a node */
} fay_eq_aspect;

typedef struct fay_eq_change {
    double time;
    fay_eq_aspect what;
    size_t index;
    double value;
} fay_eq_change;

typedef struct fay_eq_trace {
    char name[16];
    double duration; /* a closed source may take 6 times as long */
    fay_eq_stage_plan stages[FAY_EQ_STAGES_MAX];
    size_t stages_count;
    double nodes[FAY_EQ_NODES_MAX][FAY_EQ_RESOURCES]; /* their capacities */
    size_t nodes_count;
    fay_eq_change changes[FAY_EQ_CHANGES_MAX]; /* by time */
    size_t changes_count;
    /* the load: a Poisson stream whose rate follows points or a sine, .. */
    fay_eq_point points[FAY_EQ_POINTS_MAX];
    size_t points_count;
    double sine_mean, sine_swing, sine_period; /* period 0 = no sine */
    /* .. or a closed source */
    uint64_t closed;  /* so many Items; 0 = it is none */
    double read_rate; /* of a closed one */
    /* the workers */
    double spawn_latency; /* +-20 % */
    size_t workers_max;   /* of a stage */
    bool zero;            /* a stage without work may have none */
    bool stated_start;    /* begins with `start` workers, else with what the oracle would have */
    size_t start[FAY_EQ_STAGES_MAX];
    /* the measures */
    double measured_from;
    double disturbed_at; /* the time to settle counts from there; negative = no such time */
    bool falls;          /* settled means also: not much more workers than in the end */
} fay_eq_trace;

size_t fay_eq_traces_count(bool extra);
void fay_eq_trace_make(bool extra, size_t index, fay_eq_trace *ret);
void fay_eq_trace_fuzz(uint64_t number, fay_eq_trace *ret);

/* As they are at a time, for those who know the future. The mean includes the slow Items. */
double fay_eq_trace_rate(const fay_eq_trace *trace, double time);
double fay_eq_trace_rate_max(const fay_eq_trace *trace);
double fay_eq_trace_mean(const fay_eq_trace *trace, size_t stage, double time);
double fay_eq_trace_selectivity(const fay_eq_trace *trace, size_t stage, double time);
double fay_eq_trace_speed(const fay_eq_trace *trace, size_t node, double time);

/* The same without slow Items; false = it has none. */
bool fay_eq_trace_without_slow(const fay_eq_trace *trace, fay_eq_trace *ret);

/* Items that come to each stage for one of the source, if stages multiply by `selectivity`. */
void fay_eq_trace_visits(const fay_eq_trace *trace, const double *selectivity, double *ret);

#endif /* FAY_SIM_EQ_TRACE_H */
