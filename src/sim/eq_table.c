/* SPDX-License-Identifier: MIT */
/* The figures as people read them (eq_results.h). */
#include <inttypes.h>
#include <math.h>

#include "sim/eq_results.h"

/* A number in a column, or a dash where there is none. */
static void cell(FILE *out, int width, int digits, double value)
{
    if (value < 0) {
        (void)fprintf(out, " %*s", width, "-");
    } else {
        (void)fprintf(out, " %*.*f", width, digits, value);
    }
}

/* One that may be negative; a dash where there is none. */
static void difference(FILE *out, int width, double value)
{
    if (isnan(value)) {
        (void)fprintf(out, " %*s", width, "-");
    } else {
        (void)fprintf(out, " %*.*f", width, 1, value);
    }
}

/* Means over the seeds, but the ratios, which are geometric means. */
static void print_row(const fay_eq_results *results, size_t trace, size_t controller, FILE *out)
{
    fay_eq_metrics mean = {0};
    double actions = 0, reversals = 0, evaluations = 0, seeds = (double)results->seeds_count;
    bool lost = false;
    for (size_t seed = 0; seed < results->seeds_count; seed++) {
        const fay_eq_metrics *one = fay_eq_result(results, trace, controller, seed);
        mean.p50 += one->p50 / seeds;
        mean.p99 += one->p99 / seeds;
        mean.backlog += one->backlog / seeds;
        mean.armed += one->armed / seeds;
        mean.often += one->often / seeds;
        mean.extra_mean += one->extra_mean / seeds;
        mean.extra_peak += one->extra_peak / seeds;
        actions += (double)one->actions / seeds;
        reversals += (double)one->reversals / seeds;
        evaluations += (double)one->evaluations / seeds;
        lost = lost || one->lost;
    }
    (void)fprintf(out, "  %-10s", results->controllers[controller]->name);
    cell(out, 7, 1, fay_eq_results_settle(results, trace, controller));
    cell(out, 8, 2, mean.p50);
    cell(out, 8, 2, mean.p99);
    cell(out, 8, 2, fay_eq_results_ratio(results, trace, controller, FAY_EQ_P99));
    cell(out, 9, 2, fay_eq_results_ratio(results, trace, controller, FAY_EQ_WORKERS));
    cell(out, 9, 0, mean.backlog);
    cell(out, 8, 0, actions);
    cell(out, 9, 1, reversals);
    cell(out, 5, 1, mean.often);
    cell(out, 11, 0, evaluations);
    cell(out, 5, 0, 100 * mean.armed);
    difference(out, 6, mean.extra_mean);
    difference(out, 5, mean.extra_peak);
    cell(out, 10, 2, fay_eq_results_ratio(results, trace, controller, FAY_EQ_MAKESPAN));
    (void)fprintf(out, "%s\n", lost ? "  LOST" : "");
}

static void print_trace(const fay_eq_results *results, size_t trace, FILE *out)
{
    (void)fprintf(out, "%-12s %7s %8s %8s %8s %9s %9s %8s %9s %5s %11s %5s %6s %5s %10s\n",
                  results->traces[trace].name, "settle", "p50", "p99", "p99/o", "workers/o",
                  "backlog", "actions", "reversals", "/100", "evaluations", "armed", "extra",
                  "peak", "makespan/o");
    for (size_t i = 0; i < results->controllers_count; i++) {
        print_row(results, trace, i, out);
    }
    (void)fputs("\n", out);
}

static void print_verdict(const fay_eq_results *results, size_t controller, FILE *out)
{
    fay_eq_verdict verdict;
    fay_eq_results_judge(results, controller, &verdict);
    (void)fprintf(out, "  %-10s", results->controllers[controller]->name);
    cell(out, 7, 1, verdict.settle);
    cell(out, 5, 0, verdict.settle_worst);
    for (fay_eq_figure i = FAY_EQ_P99; i <= FAY_EQ_WORKERS; i++) {
        cell(out, i == FAY_EQ_P99 ? 7 : 9, 2, verdict.ratios[i].mean);
        cell(out, 6, 2, verdict.ratios[i].p90);
        cell(out, 6, 2, verdict.ratios[i].worst);
    }
    cell(out, 9, 1, verdict.ratios[FAY_EQ_BACKLOG].mean);
    cell(out, 7, 0, verdict.actions);
    cell(out, 9, 0, verdict.reversals);
    cell(out, 11, 0, verdict.evaluations);
    cell(out, 5, 0, 100 * verdict.armed);
    cell(out, 10, 2, verdict.ratios[FAY_EQ_MAKESPAN].mean);
    cell(out, 4, 0, (double)verdict.lost);
    cell(out, 8, 0, verdict.repeated);
    (void)fputs("\n", out);
}

void fay_eq_table_print(const fay_eq_results *results, FILE *out)
{
    for (size_t i = 0; i < results->traces_count; i++) {
        print_trace(results, i, out);
    }
    (void)fprintf(out, "summary: %zu traces, seeds %" PRIu64 "-%" PRIu64 "\n",
                  results->traces_count, results->first_seed,
                  results->first_seed + results->seeds_count - 1);
    (void)fprintf(out, "%-12s %7s %5s %7s %6s %6s %9s %6s %6s %9s %7s %9s %11s %5s %10s %4s %8s\n",
                  "", "settle", "worst", "p99/o", "p90", "worst", "workers/o", "p90", "worst",
                  "backlog/o", "actions", "reversals", "evaluations", "armed", "makespan/o", "lost",
                  "repeated");
    for (size_t i = 0; i < results->controllers_count; i++) {
        print_verdict(results, i, out);
    }
    (void)fputs(
        "Times are in control periods; /o: against the oracle (geometric means); worst and\n"
        "p90 are of the traces' means; /100: reversals in 100 periods; armed in %; extra and\n"
        "peak: workers beyond those of the same run without its slow Items, on average and at\n"
        "most; repeated: Items of workers that died.\n",
        out);
}

void fay_eq_timeline_print(const fay_eq_results *results, FILE *out)
{
    for (size_t i = 0; i < results->controllers_count; i++) {
        const fay_eq_record *record = &results->records[i];
        (void)fprintf(out, "%s: %s, seed %" PRIu64 "; workers (live) queued of each stage\n",
                      results->controllers[i]->name, results->traces[0].name, results->first_seed);
        for (size_t period = 0; period < record->periods; period++) {
            (void)fprintf(out, "  %4zu", period);
            for (size_t stage = 0; stage < record->stages_count; stage++) {
                const fay_eq_sample *sample = fay_eq_record_sample(record, period, stage);
                (void)fprintf(out, "  %4u (%4u) %5u", sample->workers, sample->live,
                              sample->queued);
            }
            (void)fputs("\n", out);
        }
        (void)fputs("\n", out);
    }
}
