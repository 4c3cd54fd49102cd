/* SPDX-License-Identifier: MIT */
/* The oracle's staffing, against values that another implementation of the formula has given. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/eq_line.h"
#include "sim/eq_oracle.h"

static void staffing_follows_erlang(void **state)
{
    (void)state;
    static const struct {
        double rate, mean, cv;
        size_t workers;
    } known[] = {
        {20, 0.02, 1, 1}, {20, 0.25, 1, 7},  {200, 0.25, 1, 53}, {80, 0.25, 2, 25},
        {1, 20, 0.5, 31}, {100, 0.05, 0, 6}, {300, 0.25, 1, 78}, {0.2, 20, 0.5, 10},
        {5, 0.1, 1, 2},   {80, 0.05, 2, 6},  {0, 0.25, 1, 0},
    };
    for (size_t i = 0; i < FAY_COUNT(known); i++) {
        assert_int_equal(fay_eq_staff(known[i].rate, known[i].mean, known[i].cv), known[i].workers);
    }
}

/* Workers of each stage in the last period. */
static void run(const fay_eq_trace *trace, size_t *ret)
{
    fay_eq_line line;
    fay_eq_line_run(&line, trace, &fay_eq_oracle, 1);
    for (size_t i = 0; i < trace->stages_count; i++) {
        ret[i] = fay_eq_record_sample(&line.record, line.record.periods - 1, i)->workers;
    }
    assert_false(line.record.lost);
    fay_eq_line_deinit(&line);
}

static fay_eq_trace steady(double rate)
{
    fay_eq_trace trace = {.name = "test",
                          .duration = 30,
                          .stages_count = 2,
                          .nodes = {{32, 64}},
                          .nodes_count = 1,
                          .points = {{.rate = rate}},
                          .points_count = 1,
                          .spawn_latency = 2,
                          .workers_max = 128,
                          .disturbed_at = -1};
    for (size_t i = 0; i < 2; i++) {
        trace.stages[i] = (fay_eq_stage_plan){
            .mean = i == 0 ? 0.1 : 0.3, .cv = 1, .selectivity = 1, .needs = {1, 1}};
    }
    trace.stages[0].edges[0].to = 1;
    trace.stages[0].edges[0].upto = 1;
    trace.stages[0].edges_count = 1;
    return trace;
}

static void it_has_what_the_load_needs(void **state)
{
    (void)state;
    size_t workers[FAY_EQ_STAGES_MAX];
    fay_eq_trace trace = steady(20);
    run(&trace, workers);
    assert_int_equal(workers[0], fay_eq_staff(20, 0.1, 1));
    assert_int_equal(workers[1], fay_eq_staff(20, 0.3, 1));
}

static void it_orders_ahead_of_the_load(void **state)
{
    (void)state;
    fay_eq_line line;
    fay_eq_trace trace = steady(5);
    trace.points[1] = (fay_eq_point){.time = 20, .rate = 20};
    trace.points_count = 2;
    fay_eq_line_run(&line, &trace, &fay_eq_oracle, 1);
    size_t needed = fay_eq_staff(20, 0.3, 1);
    assert_true(fay_eq_record_sample(&line.record, 15, 1)->workers < needed);
    assert_int_equal(fay_eq_record_sample(&line.record, 20, 1)->live, needed);
    fay_eq_line_deinit(&line);
}

/* The second stage needs three times the time of the first, so that it has 24 of 32 slots. Where
 * its workers need four times the memory, this is what runs out. */
static void it_shares_a_full_machine_by_need(void **state)
{
    (void)state;
    size_t workers[FAY_EQ_STAGES_MAX];
    fay_eq_trace trace = steady(200);
    run(&trace, workers);
    assert_int_equal(workers[0], 8);
    assert_int_equal(workers[1], 24);
    trace.stages[1].needs[1] = 4;
    run(&trace, workers);
    assert_int_equal(workers[0], 5); /* 5 + 14 * 4 of 64 */
    assert_int_equal(workers[1], 14);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(staffing_follows_erlang),
        cmocka_unit_test(it_has_what_the_load_needs),
        cmocka_unit_test(it_orders_ahead_of_the_load),
        cmocka_unit_test(it_shares_a_full_machine_by_need),
    };
    return cmocka_run_group_tests_name("eq_oracle", tests, NULL, NULL);
}
