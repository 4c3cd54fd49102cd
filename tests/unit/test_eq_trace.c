/* SPDX-License-Identifier: MIT */
/* The traces of the elasticity benchmark. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/eq_trace.h"

static void assert_near(double a, double b)
{
    assert_true(a > b - 1e-9 && a < b + 1e-9);
}

static fay_eq_trace named(const char *name)
{
    fay_eq_trace trace;
    for (int extra = 0; extra < 2; extra++) {
        for (size_t i = 0; i < fay_eq_traces_count(extra == 1); i++) {
            fay_eq_trace_make(extra == 1, i, &trace);
            if (strcmp(trace.name, name) == 0)
                return trace;
        }
    }
    fail_msg("there is no trace %s", name);
    return trace;
}

static void assert_sound(const fay_eq_trace *trace)
{
    assert_in_range(trace->stages_count, 1, FAY_EQ_STAGES_MAX);
    assert_true(trace->duration > 0 && trace->spawn_latency > 0 && trace->workers_max > 0);
    double most = fay_eq_trace_rate_max(trace), last = 0;
    assert_true(trace->closed > 0 ? trace->read_rate > 0 : most > 0);
    for (double time = 0; time < trace->duration; time += 0.25) {
        double rate = fay_eq_trace_rate(trace, time);
        assert_true(rate >= 0 && rate <= most + 1e-9);
    }
    for (size_t i = 0; i < trace->changes_count; i++) {
        assert_true(trace->changes[i].time >= last);
        last = trace->changes[i].time;
    }
    double selectivity[FAY_EQ_STAGES_MAX], visits[FAY_EQ_STAGES_MAX];
    for (size_t i = 0; i < trace->stages_count; i++) {
        selectivity[i] = fay_eq_trace_selectivity(trace, i, 0);
    }
    fay_eq_trace_visits(trace, selectivity, visits);
    for (size_t i = 0; i < trace->stages_count; i++) {
        const fay_eq_stage_plan *plan = &trace->stages[i];
        assert_true(visits[i] > 0 && plan->mean > 0);
        for (size_t edge = 0; edge < plan->edges_count; edge++) {
            assert_true(plan->edges[edge].to > i);
            assert_true(plan->edges[edge].from < plan->edges[edge].upto);
        }
    }
}

static void all_are_sound(void **state)
{
    (void)state;
    fay_eq_trace trace;
    assert_int_equal(fay_eq_traces_count(false), 16);
    for (int extra = 0; extra < 2; extra++) {
        for (size_t i = 0; i < fay_eq_traces_count(extra == 1); i++) {
            fay_eq_trace_make(extra == 1, i, &trace);
            assert_sound(&trace);
        }
    }
}

static void loads_are_as_stated(void **state)
{
    (void)state;
    fay_eq_trace trace = named("step_up");
    assert_near(fay_eq_trace_rate(&trace, 59.9), 20);
    assert_near(fay_eq_trace_rate(&trace, 60), 200);
    trace = named("ramp");
    assert_near(fay_eq_trace_rate(&trace, 100), 110);
    assert_near(fay_eq_trace_rate(&trace, 180), 200);
    trace = named("sine");
    assert_near(fay_eq_trace_rate(&trace, 0), 20);
    assert_near(fay_eq_trace_rate(&trace, 40), 200);
    trace = named("onoff");
    assert_near(fay_eq_trace_rate(&trace, 199), 60);
    assert_near(fay_eq_trace_rate(&trace, 205), 0);
    trace = named("stdin");
    assert_near(fay_eq_trace_rate(&trace, 1), 0);
}

static void changes_are_foreseen(void **state)
{
    (void)state;
    fay_eq_trace trace = named("shift");
    assert_near(fay_eq_trace_mean(&trace, 1, 59), 0.10);
    assert_near(fay_eq_trace_mean(&trace, 1, 60), 0.40);
    assert_near(fay_eq_trace_mean(&trace, 2, 60), 0.10);
    trace = named("slownode");
    assert_near(fay_eq_trace_speed(&trace, 1, 61), 0.25);
    assert_near(fay_eq_trace_speed(&trace, 2, 61), 1);
    trace = named("poison"); /* slow Items are part of the mean */
    assert_near(fay_eq_trace_mean(&trace, 1, 0), 0.25 * 1.198);
}

static void slow_items_can_be_left_out(void **state)
{
    (void)state;
    fay_eq_trace trace = named("poison"), without;
    assert_true(fay_eq_trace_without_slow(&trace, &without));
    assert_near(fay_eq_trace_mean(&without, 1, 0), trace.stages[1].mean);
    assert_near(fay_eq_trace_rate(&without, 0), fay_eq_trace_rate(&trace, 0));
    trace = named("noisy");
    assert_false(fay_eq_trace_without_slow(&trace, &without));
}

static void visits_follow_the_edges(void **state)
{
    (void)state;
    double visits[FAY_EQ_STAGES_MAX];
    fay_eq_trace trace = named("fanout");
    fay_eq_trace_visits(&trace, (const double[]){1, 4, 1}, visits);
    assert_near(visits[2], 4);
    trace = named("copies");
    fay_eq_trace_visits(&trace, (const double[]){1, 1, 1, 1}, visits);
    assert_near(visits[1], 1);
    assert_near(visits[3], 2);
    trace = named("routes");
    fay_eq_trace_visits(&trace, (const double[]){2, 1, 1, 1}, visits);
    assert_near(visits[1], 1.4);
    assert_near(visits[2], 0.6);
    assert_near(visits[3], 2);
}

static void a_number_decides_a_drawn_one(void **state)
{
    (void)state;
    for (uint64_t number = 0; number < 200; number++) {
        fay_eq_trace trace, again;
        fay_eq_trace_fuzz(number, &trace);
        fay_eq_trace_fuzz(number, &again);
        assert_memory_equal(trace.points, again.points, sizeof trace.points);
        assert_sound(&trace);
        assert_in_range(trace.stages_count, 2, 5);
        double visits = 1; /* the dearest stage needs 60 workers at most */
        for (size_t i = 0; i < trace.stages_count; i++) {
            double workers = fay_eq_trace_rate_max(&trace) * visits * trace.stages[i].mean;
            assert_true(workers <= 60 + 1e-6);
            visits *= trace.stages[i].selectivity;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_are_sound),           cmocka_unit_test(loads_are_as_stated),
        cmocka_unit_test(changes_are_foreseen),    cmocka_unit_test(slow_items_can_be_left_out),
        cmocka_unit_test(visits_follow_the_edges), cmocka_unit_test(a_number_decides_a_drawn_one),
    };
    return cmocka_run_group_tests_name("eq_trace", tests, NULL, NULL);
}
