/* SPDX-License-Identifier: MIT */
/* The Equalizer: HIGH spawns, LOW retires one, EVEN does nothing and sleeps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flow/equalizer.h"

static fay_equalizer fresh(unsigned min, unsigned max)
{
    fay_equalizer e;
    fay_equalizer_init(&e, min, max, false, 0);
    return e;
}

static void balanced_it_is_dormant(void **state)
{
    (void)state;
    fay_equalizer e = fresh(1, 8);
    fay_equalizer_input in = {.live = 1, .idle = 1, .idle_since = FAY_NEVER};
    fay_equalizer_watch(&e, FAY_SECOND, &in);
    assert_true(e.due == FAY_NEVER);
}

static void a_backlog_spawns_as_many_as_the_load_needs(void **state)
{
    (void)state;
    fay_equalizer e = fresh(1, 64);
    /* 100 Items/s of 100 ms each are 10 workers' work; one worker has done 10 of them. */
    fay_equalizer_input in = {.arrivals = 100,
                              .finished = 10,
                              .useful_ns = FAY_SECOND,
                              .queued = 90,
                              .live = 1,
                              .idle_since = FAY_NEVER};
    fay_equalizer_watch(&e, FAY_SECOND, &in);
    assert_true(e.due <= FAY_SECOND);
    fay_equalizer_decision d = fay_equalizer_evaluate(&e, FAY_SECOND, &in);
    assert_int_equal(e.pressure, FAY_HIGH);
    assert_in_range(d.spawn, 9, 60);
    assert_false(d.retire);
}

static void the_maximum_holds_it(void **state)
{
    (void)state;
    fay_equalizer e = fresh(1, 2);
    fay_equalizer_input in = {.arrivals = 1000,
                              .finished = 10,
                              .useful_ns = FAY_SECOND,
                              .queued = 990,
                              .live = 2,
                              .idle_since = FAY_NEVER};
    fay_equalizer_watch(&e, FAY_SECOND, &in);
    fay_equalizer_decision d = fay_equalizer_evaluate(&e, FAY_SECOND, &in);
    assert_int_equal(d.spawn, 0);
    assert_string_equal(e.held_by, "AT_MAX");
    assert_true(e.due == FAY_NEVER); /* nothing can be decided: no timer */
    fay_equalizer_watch(&e, 2 * FAY_SECOND, &in);
    assert_true(e.due == FAY_NEVER);
    assert_int_equal(e.pressure, FAY_HIGH);
}

static void near_the_end_nobody_is_started_for_nothing(void **state)
{
    (void)state;
    fay_equalizer e = fresh(1, 8);
    fay_equalizer_input in = {.arrivals = 100,
                              .finished = 90,
                              .useful_ns = 90 * FAY_MS,
                              .queued = 10, /* 10 ms of work; a start takes 20 ms */
                              .drying = true,
                              .live = 1,
                              .idle_since = FAY_NEVER};
    assert_int_equal(fay_equalizer_evaluate(&e, FAY_SECOND, &in).spawn, 0);
    in.queued = 1000;
    assert_true(fay_equalizer_evaluate(&e, 2 * FAY_SECOND, &in).spawn > 0);
}

static void saturated_cores_hold_it(void **state)
{
    (void)state;
    fay_equalizer e = fresh(1, 64);
    e.saturated_max = 2;
    fay_equalizer_input in = {.arrivals = 1000,
                              .finished = 10,
                              .useful_ns = FAY_SECOND,
                              .queued = 990,
                              .saturated = true,
                              .live = 1,
                              .idle_since = FAY_NEVER};
    fay_equalizer_watch(&e, FAY_SECOND, &in);
    fay_equalizer_decision d = fay_equalizer_evaluate(&e, FAY_SECOND, &in);
    assert_int_equal(d.spawn, 1);
    assert_string_equal(e.held_by, "NO_CPU");
    in.live = 2;
    in.saturated = false; /* they wait for something else: more may help */
    d = fay_equalizer_evaluate(&e, e.due, &in);
    assert_true(d.spawn > 2);
}

static void an_idle_surplus_goes_one_at_a_time(void **state)
{
    (void)state;
    fay_equalizer e = fresh(1, 8);
    fay_equalizer_input in = {.live = 4, .idle = 3, .idle_since = FAY_SECOND};
    fay_equalizer_watch(&e, FAY_SECOND, &in);
    assert_true(e.due > FAY_SECOND && e.due != FAY_NEVER);
    fay_ns due = e.due;
    fay_equalizer_decision d = fay_equalizer_evaluate(&e, due, &in);
    assert_true(d.retire);
    assert_int_equal(d.spawn, 0);
    assert_int_equal(e.pressure, FAY_LOW);
    in.live = 3;
    d = fay_equalizer_evaluate(&e, due + 1, &in);
    assert_false(d.retire); /* not two at once */
}

static void the_last_worker_stays(void **state)
{
    (void)state;
    fay_equalizer e = fresh(1, 8);
    fay_equalizer_input in = {.live = 1, .idle = 1, .idle_since = 0};
    fay_equalizer_watch(&e, 3600 * FAY_SECOND, &in);
    assert_true(e.due == FAY_NEVER);
}

static void blocked_is_not_high(void **state)
{
    (void)state;
    fay_equalizer e = fresh(1, 8);
    fay_equalizer_input in = {.arrivals = 100,
                              .finished = 10,
                              .useful_ns = FAY_SECOND,
                              .queued = 90,
                              .blocked = true,
                              .live = 1,
                              .idle_since = FAY_NEVER};
    fay_equalizer_decision d = fay_equalizer_evaluate(&e, FAY_SECOND, &in);
    assert_int_equal(d.spawn, 0);
    assert_int_equal(e.pressure, FAY_BLOCKED);
    assert_string_equal(e.held_by, "BLOCKED");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(balanced_it_is_dormant),
        cmocka_unit_test(a_backlog_spawns_as_many_as_the_load_needs),
        cmocka_unit_test(the_maximum_holds_it),
        cmocka_unit_test(near_the_end_nobody_is_started_for_nothing),
        cmocka_unit_test(saturated_cores_hold_it),
        cmocka_unit_test(an_idle_surplus_goes_one_at_a_time),
        cmocka_unit_test(the_last_worker_stays),
        cmocka_unit_test(blocked_is_not_high),
    };
    return cmocka_run_group_tests_name("equalizer", tests, NULL, NULL);
}
