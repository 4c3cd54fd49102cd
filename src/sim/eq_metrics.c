/* SPDX-License-Identifier: MIT */
#include "sim/eq_metrics.h"

#include <math.h>
#include <stdlib.h>

enum {
    SETTLED_FOR = 10, /* periods */
    ENDS_WITH = 20    /* the last periods, whose workers are those of the end */
};

static int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

static double quantile(const fay_eq_record *record, double part)
{
    if (record->latencies_count == 0)
        return 0;
    size_t at = (size_t)(part * (double)record->latencies_count);
    return record->latencies[FAY_MIN(at, record->latencies_count - 1)];
}

static size_t workers_at(const fay_eq_record *record, size_t period)
{
    size_t sum = 0;
    for (size_t i = 0; i < record->stages_count; i++) {
        sum += fay_eq_record_sample(record, period, i)->workers;
    }
    return sum;
}

static double peak(const fay_eq_record *record)
{
    size_t most = 0;
    for (size_t i = (size_t)record->from; i < record->periods; i++) {
        most = FAY_MAX(most, workers_at(record, i));
    }
    return (double)most;
}

static double workers_of_the_end(const fay_eq_record *record, size_t from)
{
    size_t first = record->periods > ENDS_WITH ? record->periods - ENDS_WITH : 0;
    first = FAY_MAX(first, from);
    double sum = 0, count = 0;
    for (size_t i = first; i < record->periods; i++) {
        sum += (double)workers_at(record, i);
        count++;
    }
    return sum / FAY_MAX(count, 1.0);
}

/* Periods begin at whole times, so that the number of one is its time. */
static bool is_settled(const fay_eq_trace *trace, const fay_eq_record *record, size_t period,
                       double end_workers)
{
    for (size_t i = 0; i < record->stages_count; i++) {
        const fay_eq_sample *sample = fay_eq_record_sample(record, period, i);
        double a_period = (double)sample->live / fay_eq_trace_mean(trace, i, (double)period);
        if ((double)sample->queued > a_period)
            return false;
    }
    double most = FAY_MAX(1.25 * end_workers, end_workers + 2);
    return !trace->falls || (double)workers_at(record, period) <= most;
}

static double time_to_settle(const fay_eq_trace *trace, const fay_eq_record *record)
{
    if (trace->disturbed_at < 0)
        return -1;
    size_t from = (size_t)trace->disturbed_at, good = 0;
    double end_workers = workers_of_the_end(record, from);
    for (size_t i = from; i < record->periods; i++) {
        good = is_settled(trace, record, i, end_workers) ? good + 1 : 0;
        if (good == SETTLED_FOR)
            return FAY_MIN((double)(i + 1 - SETTLED_FOR - from), FAY_EQ_NEVER_SETTLED);
    }
    return FAY_EQ_NEVER_SETTLED;
}

void fay_eq_metrics_make(const fay_eq_trace *trace, fay_eq_record *record, fay_eq_metrics *ret)
{
    if (record->latencies_count > 0)
        qsort(record->latencies, record->latencies_count, sizeof *record->latencies, by_value);
    double measured = FAY_MAX(record->end - record->from, 1.0);
    *ret = (fay_eq_metrics){
        .settle = time_to_settle(trace, record),
        .p50 = quantile(record, 0.50),
        .p99 = quantile(record, 0.99),
        .workers = record->worker_area,
        .workers_mean = record->worker_area / measured,
        .workers_peak = peak(record),
        .extra_mean = (double)NAN,
        .extra_peak = (double)NAN,
        .often = 100 * (double)record->reversals / measured,
        .backlog = record->queue_area,
        .armed = (double)record->armed / (double)FAY_MAX(record->armed_of, (uint64_t)1),
        .makespan = trace->closed == 0        ? -1
                    : record->finished_at < 0 ? record->end
                                              : record->finished_at,
        .actions = record->actions,
        .reversals = record->reversals,
        .evaluations = record->evaluations,
        .repeated = record->repeated,
        .lost = record->lost,
    };
}

void fay_eq_metrics_compare(fay_eq_metrics *metrics, const fay_eq_metrics *without)
{
    metrics->extra_mean = metrics->workers_mean - without->workers_mean;
    metrics->extra_peak = metrics->workers_peak - without->workers_peak;
}
