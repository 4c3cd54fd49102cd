/* SPDX-License-Identifier: MIT */
/* The controllers of other systems keep to their own rules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/eq_baselines.h"
#include "sim/eq_line.h"

enum {
    PERIODS = 120,
    STEP = 60
};

/* One stage of constant work, a load that changes once; the workers of each period. */
static void run(const fay_eq_controller *controller, double before, double after, uint32_t *ret)
{
    fay_eq_trace trace = {.name = "test",
                          .duration = PERIODS,
                          .stages = {{.mean = 0.5, .selectivity = 1, .needs = {1}}},
                          .stages_count = 1,
                          .nodes = {{200}},
                          .nodes_count = 1,
                          .points = {{.rate = before}, {.time = STEP, .rate = after}},
                          .points_count = 2,
                          .spawn_latency = 2,
                          .workers_max = 128,
                          .disturbed_at = -1};
    fay_eq_line line;
    fay_eq_line_run(&line, &trace, controller, 3);
    assert_false(line.record.lost);
    assert_in_range(line.record.periods, PERIODS, PERIODS + 1);
    for (size_t i = 0; i < PERIODS; i++) {
        ret[i] = fay_eq_record_sample(&line.record, i, 0)->workers;
    }
    fay_eq_line_deinit(&line);
}

static void a_window_forgets(void **state)
{
    (void)state;
    fay_eq_window window = {0};
    for (int i = 0; i < 100; i++) {
        fay_eq_glance glance = {
            .time = i, .value = 100 - i, .arrivals = (uint64_t)i * 2, .useful = i * 0.5};
        fay_eq_window_add(&window, 5, glance);
    }
    assert_int_equal(window.count, 6);
    assert_true(fay_eq_window_max(&window) > 5.9 && fay_eq_window_max(&window) < 6.1);
    fay_eq_glance gain = fay_eq_window_gain(&window);
    assert_true(gain.time > 4.9 && gain.time < 5.1);
    assert_int_equal(gain.arrivals, 10);
    assert_true(gain.useful > 2.4 && gain.useful < 2.6);
}

static void naive_goes_one_by_one(void **state)
{
    (void)state;
    uint32_t workers[PERIODS];
    run(&fay_eq_naive, 10, 100, workers);
    for (size_t i = 1; i < PERIODS; i++) {
        assert_true(workers[i] <= workers[i - 1] + 1);
    }
    assert_true(workers[STEP + 30] > workers[STEP] + 20);
}

static void hpa_goes_down_late(void **state)
{
    (void)state;
    uint32_t workers[PERIODS];
    run(&fay_eq_hpa, 100, 10, workers);
    for (size_t i = STEP; i < STEP + 20; i++) {
        assert_true(workers[i] >= workers[STEP]);
    }
    assert_true(workers[PERIODS - 1] < workers[STEP] / 4);
}

static void hpa_at_most_doubles(void **state)
{
    (void)state;
    uint32_t workers[PERIODS];
    run(&fay_eq_hpa, 20, 200, workers);
    for (size_t i = 1; i < PERIODS; i++) {
        uint32_t most = FAY_MAX(2 * workers[i - 1], workers[i - 1] + 4);
        assert_true(workers[i] <= most);
    }
    assert_true(workers[PERIODS - 1] >= 100);
}

/* In a panic it jumps to what six times the load of before needs, and does not go down. */
static void knative_panics(void **state)
{
    (void)state;
    uint32_t workers[PERIODS];
    run(&fay_eq_knative, 20, 100, workers);
    assert_true(workers[STEP + 3] > 2 * workers[STEP]);
    for (size_t i = STEP + 4; i < STEP + 25; i++) {
        assert_true(workers[i] >= workers[i - 1]);
    }
}

/* Nothing between decisions, which are 5 periods apart and 10 after an action; then 20 % head room
 * over 50 workers' load. */
static void ds2_acts_once_per_interval(void **state)
{
    (void)state;
    uint32_t workers[PERIODS];
    size_t acted = 0;
    run(&fay_eq_ds2, 10, 100, workers);
    for (size_t i = 1; i < PERIODS; i++) {
        if (workers[i] <= workers[i - 1]) /* those that drain go whenever they are done */
            continue;
        assert_int_equal(i % 5, 0); /* it acted at i - 1, the last tick of an interval */
        assert_true(acted == 0 || i - acted >= 10);
        acted = i;
    }
    assert_true(acted > STEP);
    assert_in_range(workers[PERIODS - 1], 54, 66);
}

/* In one step to about 30 workers' load / 0.7; a sixth less is within its band. */
static void flink_keeps_still_within_its_band(void **state)
{
    (void)state;
    uint32_t workers[PERIODS];
    run(&fay_eq_flink, 10, 60, workers);
    assert_in_range(workers[STEP + 5], 36, 60);
    assert_int_equal(workers[PERIODS - 1], workers[STEP + 5]);
    run(&fay_eq_flink, 60, 50, workers);
    assert_int_equal(workers[PERIODS - 1], workers[STEP]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_window_forgets),
        cmocka_unit_test(naive_goes_one_by_one),
        cmocka_unit_test(hpa_goes_down_late),
        cmocka_unit_test(hpa_at_most_doubles),
        cmocka_unit_test(knative_panics),
        cmocka_unit_test(ds2_acts_once_per_interval),
        cmocka_unit_test(flink_keeps_still_within_its_band),
    };
    return cmocka_run_group_tests_name("eq_baselines", tests, NULL, NULL);
}
