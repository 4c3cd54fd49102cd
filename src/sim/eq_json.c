/* SPDX-License-Identifier: MIT */
/*
 * The figures as programs read them (eq_results.h). Names are ours, so nothing needs escapes.
 *
 *     {"schema": 1, "traces": [..], "seeds": [first, last],
 *      "controllers": {NAME: {"settle_t": .., "p99_ratio": .., ..}, ..},
 *      "runs": [{"trace": .., "controller": .., "seed": .., ..}, ..],
 *      "timeline": {NAME: {"workers": [[of each stage], ..], "live": .., "queued": ..}, ..}}
 *
 * What a trace does not have (a disturbance, an end) is null; `timeline` is there for one trace and
 * one seed, with one entry for each period.
 */
#include <inttypes.h>
#include <math.h>

#include "sim/eq_results.h"

static void number(FILE *out, const char *name, double value)
{
    if (value < 0) {
        (void)fprintf(out, ",\"%s\":null", name);
    } else {
        (void)fprintf(out, ",\"%s\":%.6g", name, value);
    }
}

static void difference(FILE *out, const char *name, double value)
{
    if (isnan(value)) {
        (void)fprintf(out, ",\"%s\":null", name);
    } else {
        (void)fprintf(out, ",\"%s\":%.6g", name, value);
    }
}

static void print_verdict(const fay_eq_results *results, size_t controller, FILE *out)
{
    fay_eq_verdict verdict;
    fay_eq_results_judge(results, controller, &verdict);
    const fay_eq_ratio *p99 = &verdict.ratios[FAY_EQ_P99];
    const fay_eq_ratio *workers = &verdict.ratios[FAY_EQ_WORKERS];
    (void)fprintf(out, "%s\n    \"%s\":{\"lost\":%zu", controller > 0 ? "," : "",
                  results->controllers[controller]->name, verdict.lost);
    number(out, "settle_t", verdict.settle);
    number(out, "settle_t_worst", verdict.settle_worst);
    number(out, "p99_ratio", p99->mean);
    number(out, "p99_ratio_p90", p99->p90);
    number(out, "p99_ratio_worst", p99->worst);
    (void)fprintf(out, ",\"p99_worst_trace\":\"%s\"", results->traces[p99->worst_trace].name);
    number(out, "workers_ratio", workers->mean);
    number(out, "workers_ratio_p90", workers->p90);
    number(out, "workers_ratio_worst", workers->worst);
    (void)fprintf(out, ",\"workers_worst_trace\":\"%s\"",
                  results->traces[workers->worst_trace].name);
    number(out, "backlog_ratio", verdict.ratios[FAY_EQ_BACKLOG].mean);
    number(out, "makespan_ratio", verdict.ratios[FAY_EQ_MAKESPAN].mean);
    number(out, "actions", verdict.actions);
    number(out, "reversals", verdict.reversals);
    number(out, "evaluations", verdict.evaluations);
    number(out, "armed", verdict.armed);
    number(out, "repeated", verdict.repeated);
    (void)fputs("}", out);
}

static void print_run(const fay_eq_results *results, size_t trace, size_t controller, size_t seed,
                      FILE *out)
{
    const fay_eq_metrics *one = fay_eq_result(results, trace, controller, seed);
    bool first = trace == 0 && controller == 0 && seed == 0;
    (void)fprintf(out, "%s\n    {\"trace\":\"%s\",\"controller\":\"%s\",\"seed\":%" PRIu64,
                  first ? "" : ",", results->traces[trace].name,
                  results->controllers[controller]->name, results->first_seed + seed);
    number(out, "settle_t", one->settle);
    number(out, "p50", one->p50);
    number(out, "p99", one->p99);
    number(out, "workers", one->workers);
    number(out, "backlog", one->backlog);
    number(out, "makespan", one->makespan);
    number(out, "armed", one->armed);
    number(out, "workers_mean", one->workers_mean);
    number(out, "workers_peak", one->workers_peak);
    difference(out, "extra_workers", one->extra_mean);
    difference(out, "extra_workers_peak", one->extra_peak);
    number(out, "reversals_per_100", one->often);
    (void)fprintf(out,
                  ",\"actions\":%" PRIu64 ",\"reversals\":%" PRIu64 ",\"evaluations\":%" PRIu64
                  ",\"repeated\":%" PRIu64 ",\"lost\":%s}",
                  one->actions, one->reversals, one->evaluations, one->repeated,
                  one->lost ? "true" : "false");
}

static void print_runs(const fay_eq_results *results, FILE *out)
{
    (void)fputs("  \"runs\":[", out);
    for (size_t trace = 0; trace < results->traces_count; trace++) {
        for (size_t controller = 0; controller < results->controllers_count; controller++) {
            for (size_t seed = 0; seed < results->seeds_count; seed++) {
                print_run(results, trace, controller, seed, out);
            }
        }
    }
    (void)fputs("]", out);
}

static void print_series(const fay_eq_record *record, const char *name,
                         uint32_t (*pick)(const fay_eq_sample *), FILE *out)
{
    (void)fprintf(out, "\"%s\":[", name);
    for (size_t period = 0; period < record->periods; period++) {
        (void)fputs(period > 0 ? ",[" : "[", out);
        for (size_t stage = 0; stage < record->stages_count; stage++) {
            (void)fprintf(out, "%s%u", stage > 0 ? "," : "",
                          pick(fay_eq_record_sample(record, period, stage)));
        }
        (void)fputs("]", out);
    }
    (void)fputs("]", out);
}

static uint32_t workers(const fay_eq_sample *sample)
{
    return sample->workers;
}

static uint32_t live(const fay_eq_sample *sample)
{
    return sample->live;
}

static uint32_t queued(const fay_eq_sample *sample)
{
    return sample->queued;
}

static void print_timeline(const fay_eq_results *results, FILE *out)
{
    (void)fputs(",\n  \"timeline\":{", out);
    for (size_t i = 0; i < results->controllers_count; i++) {
        (void)fprintf(out, "%s\n    \"%s\":{", i > 0 ? "," : "", results->controllers[i]->name);
        print_series(&results->records[i], "workers", workers, out);
        (void)fputs(",\n      ", out);
        print_series(&results->records[i], "live", live, out);
        (void)fputs(",\n      ", out);
        print_series(&results->records[i], "queued", queued, out);
        (void)fputs("}", out);
    }
    (void)fputs("}", out);
}

void fay_eq_json_print(const fay_eq_results *results, FILE *out)
{
    (void)fputs("{\"schema\":1,\n  \"traces\":[", out);
    for (size_t i = 0; i < results->traces_count; i++) {
        (void)fprintf(out, "%s\"%s\"", i > 0 ? "," : "", results->traces[i].name);
    }
    (void)fprintf(out, "],\n  \"seeds\":[%" PRIu64 ",%" PRIu64 "],\n  \"controllers\":{",
                  results->first_seed, results->first_seed + results->seeds_count - 1);
    for (size_t i = 0; i < results->controllers_count; i++) {
        print_verdict(results, i, out);
    }
    (void)fputs("},\n", out);
    print_runs(results, out);
    if (results->records != NULL)
        print_timeline(results, out);
    (void)fputs("}\n", out);
}
