/* SPDX-License-Identifier: MIT */
#include "sim/eq_trace.h"

#include <math.h>

double fay_eq_trace_rate(const fay_eq_trace *trace, double time)
{
    if (trace->closed > 0)
        return 0;
    if (trace->sine_period > 0)
        return trace->sine_mean - trace->sine_swing * cos(2 * M_PI * time / trace->sine_period);
    size_t at = 0;
    while (at + 1 < trace->points_count && trace->points[at + 1].time <= time) {
        at++;
    }
    const fay_eq_point *point = &trace->points[at];
    if (!point->slope || at + 1 == trace->points_count)
        return point->rate;
    double part = (time - point->time) / (point[1].time - point->time);
    return point->rate + (point[1].rate - point->rate) * part;
}

double fay_eq_trace_rate_max(const fay_eq_trace *trace)
{
    if (trace->sine_period > 0)
        return trace->sine_mean + trace->sine_swing;
    double most = 0;
    for (size_t i = 0; i < trace->points_count; i++) {
        most = FAY_MAX(most, trace->points[i].rate);
    }
    return most;
}

/* What the last change up to then has made of it. */
static double changed(const fay_eq_trace *trace, fay_eq_aspect what, size_t index, double time,
                      double value)
{
    for (size_t i = 0; i < trace->changes_count && trace->changes[i].time <= time; i++) {
        if (trace->changes[i].what == what && trace->changes[i].index == index)
            value = trace->changes[i].value;
    }
    return value;
}

double fay_eq_trace_mean(const fay_eq_trace *trace, size_t stage, double time)
{
    const fay_eq_stage_plan *plan = &trace->stages[stage];
    double mean = changed(trace, FAY_EQ_MEAN, stage, time, plan->mean);
    return mean * (1 + (FAY_EQ_SLOW_FACTOR - 1) * plan->slow);
}

double fay_eq_trace_selectivity(const fay_eq_trace *trace, size_t stage, double time)
{
    return changed(trace, FAY_EQ_SELECTIVITY, stage, time, trace->stages[stage].selectivity);
}

double fay_eq_trace_speed(const fay_eq_trace *trace, size_t node, double time)
{
    return changed(trace, FAY_EQ_SPEED, node, time, 1);
}

bool fay_eq_trace_without_slow(const fay_eq_trace *trace, fay_eq_trace *ret)
{
    bool any = false;
    *ret = *trace;
    for (size_t i = 0; i < trace->stages_count; i++) {
        any = any || trace->stages[i].slow > 0;
        ret->stages[i].slow = 0;
    }
    return any;
}

void fay_eq_trace_visits(const fay_eq_trace *trace, const double *selectivity, double *ret)
{
    for (size_t i = 0; i < trace->stages_count; i++) {
        ret[i] = i == 0 ? 1 : 0;
    }
    for (size_t i = 0; i < trace->stages_count; i++) {
        const fay_eq_stage_plan *plan = &trace->stages[i];
        for (size_t edge = 0; edge < plan->edges_count; edge++) {
            double share = plan->edges[edge].upto - plan->edges[edge].from;
            ret[plan->edges[edge].to] += ret[i] * selectivity[i] * share;
        }
    }
}
