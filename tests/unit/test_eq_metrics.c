/* SPDX-License-Identifier: MIT */
/* The figures of one run, from records made by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <math.h>

#include <cmocka.h>

#include "sim/eq_metrics.h"

static const fay_eq_trace one_stage = {
    .stages = {{.mean = 0.5}}, .stages_count = 1, .measured_from = 10, .disturbed_at = 20};

static void assert_near(double a, double b)
{
    assert_true(a > b - 1e-9 && a < b + 1e-9);
}

static void quantiles_are_of_what_was_measured(void **state)
{
    (void)state;
    fay_eq_record record;
    fay_eq_metrics metrics;
    fay_eq_record_init(&record, &one_stage);
    fay_eq_record_latency(&record, 9, 1000); /* it came before the measurement */
    for (int i = 100; i > 0; i--) {
        fay_eq_record_latency(&record, 10, 10 + i);
    }
    fay_eq_metrics_make(&one_stage, &record, &metrics);
    assert_int_equal(record.latencies_count, 100);
    assert_near(metrics.p50, 51);
    assert_near(metrics.p99, 100);
    fay_eq_record_deinit(&record);

    fay_eq_record_init(&record, &one_stage);
    fay_eq_metrics_make(&one_stage, &record, &metrics);
    assert_near(metrics.p99, 0);
    fay_eq_record_deinit(&record);
}

static void areas_begin_with_the_measurement(void **state)
{
    (void)state;
    fay_eq_record record;
    fay_eq_record_init(&record, &one_stage);
    fay_eq_record_areas(&record, 4, 100, 100);
    fay_eq_record_areas(&record, 12, 3, 5); /* since 4, of which 2 count */
    fay_eq_record_areas(&record, 16, 1, 2);
    assert_near(record.queue_area, 3 * 2 + 1 * 4);
    assert_near(record.worker_area, 5 * 2 + 2 * 4);
    fay_eq_record_deinit(&record);
}

static void a_reversal_is_an_opposite_action_soon_after(void **state)
{
    (void)state;
    fay_eq_record record;
    fay_eq_record_init(&record, &one_stage);
    fay_eq_record_action(&record, 0, 5, 7); /* before the measurement */
    fay_eq_record_action(&record, 0, 11, -1);
    fay_eq_record_action(&record, 0, 12, 3); /* a reversal */
    fay_eq_record_action(&record, 0, 13, 2);
    fay_eq_record_action(&record, 0, 33, -1); /* after 20 periods it is none */
    fay_eq_record_action(&record, 1, 34, 1);  /* nor at another stage */
    assert_int_equal(record.actions, 8);
    assert_int_equal(record.reversals, 1);
    fay_eq_record_deinit(&record);
}

/* Queues of one stage with two workers, which do four Items a period. */
static double settle(const fay_eq_trace *trace, const uint32_t *queued, const uint32_t *workers,
                     size_t periods)
{
    fay_eq_record record;
    fay_eq_metrics metrics;
    fay_eq_record_init(&record, trace);
    for (size_t i = 0; i < periods; i++) {
        *fay_eq_record_period(&record) = (fay_eq_sample){
            .queued = queued[i], .live = 2, .workers = workers != NULL ? workers[i] : 2};
    }
    fay_eq_metrics_make(trace, &record, &metrics);
    fay_eq_record_deinit(&record);
    return metrics.settle;
}

static void it_is_settled_when_queues_stay_short(void **state)
{
    (void)state;
    uint32_t queued[60] = {[5] = 90, [21] = 5, [22] = 9, [23] = 4, [26] = 5};
    assert_near(settle(&one_stage, queued, NULL, 60), 7); /* 27 is the first of ten good ones */
    assert_near(settle(&one_stage, queued, NULL, 35), FAY_EQ_NEVER_SETTLED);
    fay_eq_trace undisturbed = one_stage;
    undisturbed.disturbed_at = -1;
    assert_true(settle(&undisturbed, queued, NULL, 60) < 0);
}

static void a_falling_load_is_settled_when_workers_have_gone(void **state)
{
    (void)state;
    uint32_t queued[60] = {0}, workers[60];
    for (uint32_t i = 0; i < 60; i++) {
        workers[i] = i < 32 ? 40 : 12;
    }
    fay_eq_trace falling = one_stage;
    falling.falls = true;
    assert_near(settle(&one_stage, queued, workers, 60), 0);
    assert_near(settle(&falling, queued, workers, 60), 12);
}

static void a_source_that_is_not_done_takes_at_least_the_run(void **state)
{
    (void)state;
    fay_eq_record record;
    fay_eq_metrics metrics;
    fay_eq_trace closed = one_stage;
    closed.closed = 10;
    fay_eq_record_init(&record, &closed);
    record.end = 600;
    fay_eq_metrics_make(&one_stage, &record, &metrics);
    assert_true(metrics.makespan < 0);
    fay_eq_metrics_make(&closed, &record, &metrics);
    assert_near(metrics.makespan, 600);
    record.finished_at = 80;
    fay_eq_metrics_make(&closed, &record, &metrics);
    assert_near(metrics.makespan, 80);
    fay_eq_record_deinit(&record);
}

static void rates_are_of_the_measured_time(void **state)
{
    (void)state;
    fay_eq_record record;
    fay_eq_metrics metrics, without;
    fay_eq_record_init(&record, &one_stage);
    record.end = 60;
    fay_eq_record_areas(&record, 10, 0, 2);
    fay_eq_record_areas(&record, 60, 0, 3);
    fay_eq_record_action(&record, 0, 20, 1);
    fay_eq_record_action(&record, 0, 25, -1);
    for (uint32_t i = 0; i < 60; i++) {
        *fay_eq_record_period(&record) =
            (fay_eq_sample){.workers = i == 5    ? 90
                                       : i == 40 ? 7
                                                 : 3}; /* 5 is too early */
    }
    fay_eq_metrics_make(&one_stage, &record, &metrics);
    assert_near(metrics.often, 2); /* one in 50 periods */
    assert_near(metrics.workers_mean, 3);
    assert_near(metrics.workers_peak, 7);
    assert_true(isnan(metrics.extra_mean) && isnan(metrics.extra_peak));
    without = metrics;
    without.workers_mean = 3.5;
    without.workers_peak = 4;
    fay_eq_metrics_compare(&metrics, &without);
    assert_near(metrics.extra_mean, -0.5);
    assert_near(metrics.extra_peak, 3);
    fay_eq_record_deinit(&record);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_are_of_what_was_measured),
        cmocka_unit_test(areas_begin_with_the_measurement),
        cmocka_unit_test(a_reversal_is_an_opposite_action_soon_after),
        cmocka_unit_test(it_is_settled_when_queues_stay_short),
        cmocka_unit_test(a_falling_load_is_settled_when_workers_have_gone),
        cmocka_unit_test(a_source_that_is_not_done_takes_at_least_the_run),
        cmocka_unit_test(rates_are_of_the_measured_time),
    };
    return cmocka_run_group_tests_name("eq_metrics", tests, NULL, NULL);
}
