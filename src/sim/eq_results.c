/* SPDX-License-Identifier: MIT */
#include "sim/eq_results.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#define LEAST 1e-9 /* a figure of 0 has a ratio too */

enum {
    ORACLE = 0
};

void fay_eq_results_deinit(fay_eq_results *results)
{
    for (size_t i = 0; results->records != NULL && i < results->controllers_count; i++) {
        fay_eq_record_deinit(&results->records[i]);
    }
    free(results->records);
    free(results->metrics);
    free(results->traces);
    *results = (fay_eq_results){0};
}

fay_eq_metrics *fay_eq_result(const fay_eq_results *results, size_t trace, size_t controller,
                              size_t seed)
{
    assert(trace < results->traces_count && controller < results->controllers_count);
    assert(seed < results->seeds_count);
    size_t run = trace * results->controllers_count + controller;
    return &results->metrics[run * results->seeds_count + seed];
}

double fay_eq_results_settle(const fay_eq_results *results, size_t trace, size_t controller)
{
    double sum = 0;
    if (results->traces[trace].disturbed_at < 0)
        return -1;
    for (size_t seed = 0; seed < results->seeds_count; seed++) {
        sum += fay_eq_result(results, trace, controller, seed)->settle;
    }
    return sum / (double)results->seeds_count;
}

static double figure_of(const fay_eq_metrics *metrics, fay_eq_figure figure)
{
    switch (figure) {
    case FAY_EQ_P99: return metrics->p99;
    case FAY_EQ_WORKERS: return metrics->workers;
    case FAY_EQ_BACKLOG: return metrics->backlog;
    case FAY_EQ_MAKESPAN: return metrics->makespan;
    case FAY_EQ_FIGURES: break;
    }
    return 0;
}

double fay_eq_results_ratio(const fay_eq_results *results, size_t trace, size_t controller,
                            fay_eq_figure figure)
{
    double sum = 0;
    for (size_t seed = 0; seed < results->seeds_count; seed++) {
        double mine = figure_of(fay_eq_result(results, trace, controller, seed), figure);
        double best = figure_of(fay_eq_result(results, trace, ORACLE, seed), figure);
        if (mine < 0 || best < 0)
            return -1;
        sum += log(FAY_MAX(mine, LEAST) / FAY_MAX(best, LEAST));
    }
    return exp(sum / (double)results->seeds_count);
}

static int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

static fay_eq_ratio judge_ratio(const fay_eq_results *results, size_t controller,
                                fay_eq_figure figure)
{
    FAY_CLEANUP(fay_freep) double *ratios = fay_alloc(results->traces_count * sizeof *ratios);
    fay_eq_ratio ratio = {.mean = -1, .p90 = -1, .worst = -1};
    size_t count = 0;
    double sum = 0;
    for (size_t i = 0; i < results->traces_count; i++) {
        double one = fay_eq_results_ratio(results, i, controller, figure);
        if (one < 0)
            continue;
        ratios[count++] = one;
        sum += log(one);
        if (one > ratio.worst) {
            ratio.worst = one;
            ratio.worst_trace = i;
        }
    }
    if (count == 0)
        return ratio;
    qsort(ratios, count, sizeof *ratios, by_value);
    ratio.mean = exp(sum / (double)count);
    ratio.p90 = ratios[FAY_MIN((size_t)(0.9 * (double)count), count - 1)];
    return ratio;
}

static void judge_settling(const fay_eq_results *results, size_t controller, fay_eq_verdict *ret)
{
    double sum = 0, count = 0;
    ret->settle = ret->settle_worst = -1;
    for (size_t i = 0; i < results->traces_count; i++) {
        double one = fay_eq_results_settle(results, i, controller);
        if (one < 0)
            continue;
        sum += one;
        count++;
        ret->settle_worst = FAY_MAX(ret->settle_worst, one);
    }
    if (count > 0)
        ret->settle = sum / count;
}

void fay_eq_results_judge(const fay_eq_results *results, size_t controller, fay_eq_verdict *ret)
{
    double seeds = (double)results->seeds_count;
    *ret = (fay_eq_verdict){0};
    judge_settling(results, controller, ret);
    for (size_t i = 0; i < FAY_EQ_FIGURES; i++) {
        ret->ratios[i] = judge_ratio(results, controller, (fay_eq_figure)i);
    }
    for (size_t trace = 0; trace < results->traces_count; trace++) {
        for (size_t seed = 0; seed < results->seeds_count; seed++) {
            const fay_eq_metrics *one = fay_eq_result(results, trace, controller, seed);
            ret->actions += (double)one->actions / seeds;
            ret->reversals += (double)one->reversals / seeds;
            ret->evaluations += (double)one->evaluations / seeds;
            ret->repeated += (double)one->repeated / seeds;
            ret->armed += one->armed / seeds / (double)results->traces_count;
            ret->lost += one->lost;
        }
    }
}
