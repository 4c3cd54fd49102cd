/* SPDX-License-Identifier: MIT */
/*
 * The figures of many runs of the benchmark, traces x controllers x seeds, and what they come to.
 *
 *     fay_eq_results ──► fay_eq_verdict of a controller: means of ratios against the oracle
 *           │                 │
 *           └─► eq_table ◄────┴────► eq_json          eq_plot: the time line of one trace and seed
 *
 * Ratios are geometric means, of a trace over its seeds, of all over traces and seeds; `worst` and
 * `p90` are of the traces' means. Times to settle are arithmetic means over traces and seeds.
 * Actions, reversals and evaluations are summed over traces and averaged over seeds.
 */
#ifndef FAY_SIM_EQ_RESULTS_H
#define FAY_SIM_EQ_RESULTS_H

#include <stdio.h>

#include "sim/eq_controllers.h"
#include "sim/eq_metrics.h"

typedef struct fay_eq_results {
    fay_eq_trace *traces;
    size_t traces_count;
    const fay_eq_controller *controllers[FAY_EQ_CONTROLLERS_MAX]; /* the first is the oracle */
    size_t controllers_count;
    uint64_t first_seed;
    size_t seeds_count;
    fay_eq_metrics *metrics; /* trace by trace, controller by controller, seed by seed */
    fay_eq_record *records;  /* one for each controller; NULL = more than one trace or seed */
} fay_eq_results;

typedef enum fay_eq_figure {
    FAY_EQ_P99,
    FAY_EQ_WORKERS,
    FAY_EQ_BACKLOG,
    FAY_EQ_MAKESPAN,
    FAY_EQ_FIGURES
} fay_eq_figure;

typedef struct fay_eq_ratio {
    double mean, p90, worst; /* negative = there is none */
    size_t worst_trace;
} fay_eq_ratio;

typedef struct fay_eq_verdict {
    double settle, settle_worst; /* negative = no trace has a disturbance */
    fay_eq_ratio ratios[FAY_EQ_FIGURES];
    double actions, reversals, evaluations, armed, repeated;
    size_t lost; /* runs that lost something */
} fay_eq_verdict;

void fay_eq_results_deinit(fay_eq_results *results);
fay_eq_metrics *fay_eq_result(const fay_eq_results *results, size_t trace, size_t controller,
                              size_t seed);
/* Of one trace; negative = it has none of that. */
double fay_eq_results_settle(const fay_eq_results *results, size_t trace, size_t controller);
double fay_eq_results_ratio(const fay_eq_results *results, size_t trace, size_t controller,
                            fay_eq_figure figure);
void fay_eq_results_judge(const fay_eq_results *results, size_t controller, fay_eq_verdict *ret);

void fay_eq_table_print(const fay_eq_results *results, FILE *out);
void fay_eq_timeline_print(const fay_eq_results *results, FILE *out);
void fay_eq_json_print(const fay_eq_results *results, FILE *out);
/* An SVG of the workers of each stage over time, a line for each controller. */
void fay_eq_plot_print(const fay_eq_results *results, FILE *out);

#endif /* FAY_SIM_EQ_RESULTS_H */
