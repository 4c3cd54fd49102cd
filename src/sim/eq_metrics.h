/* SPDX-License-Identifier: MIT */
/*
 * The figures of one run of the benchmark.
 *
 *     settle    periods from the disturbance until, for 10 periods, every queue is worth at most
 *               one period of its stage's work (and, where the load falls, there are at most 1.25
 *               times the workers of the end); 99 at most, if it never was so
 *     p50, p99  time from source to sink, the age of what is still inside included
 *     workers   worker-periods paid: from spawn to gone
 *     backlog   Item-periods spent in queues
 *     actions   workers started and retired; a reversal: the opposite within 20 periods; often =
 *               reversals in 100 periods
 *     extra     workers beyond those of the same run without its slow Items, on average and at the
 *               peak; NAN where a trace has no slow Items
 *     armed     share of periods and stages in which the controller was busy with them
 *     makespan  until all of a closed source was delivered, or the run ended without; negative =
 *               the source is not closed
 */
#ifndef FAY_SIM_EQ_METRICS_H
#define FAY_SIM_EQ_METRICS_H

#include "sim/eq_record.h"

#define FAY_EQ_NEVER_SETTLED 99.0

typedef struct fay_eq_metrics {
    double settle; /* negative = the trace has no disturbance */
    double p50, p99, workers, backlog, armed, makespan;
    double workers_mean, workers_peak; /* of all stages, while measured */
    double extra_mean, extra_peak;
    double often;
    uint64_t actions, reversals, evaluations, repeated;
    bool lost;
} fay_eq_metrics;

/* Sorts the latencies of the record. */
void fay_eq_metrics_make(const fay_eq_trace *trace, fay_eq_record *record, fay_eq_metrics *ret);
/* What the slow Items cost, by the same run without them. */
void fay_eq_metrics_compare(fay_eq_metrics *metrics, const fay_eq_metrics *without);

#endif /* FAY_SIM_EQ_METRICS_H */
