/* SPDX-License-Identifier: MIT */
/* The Equalizers at the start of a run, when little is known. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "equalizer_run.h"

static void what_is_not_known_is_tried_by_the_root_of_the_queue(void **state)
{
    (void)state;
    run r = begin(1, 1, 64);
    fay_equalizers_arrived(r.all, 0, r.now, 100);
    r.stages[0].queued = 100;
    assert_int_equal(look(&r, 0).spawn, 9);
    r.stages[0].starting = 9;
    r.now = fay_equalizers_due(r.all, 0);
    assert_int_equal(r.view.rule, FAY_RULE_LEARNING);
    assert_int_equal(look(&r, 0).spawn, 0);
    assert_int_equal(r.view.held_by, FAY_HELD_LEARNING);
    r.stages[0].queued = 0;
    r.now = fay_equalizers_due(r.all, 0);
    (void)look(&r, 0);
    assert_int_equal(r.view.held_by, FAY_HELD_NONE);
    end(&r);
}

static void a_guess_has_a_bound(void **state)
{
    (void)state;
    run r = begin(1, 1, 64);
    fay_equalizers_arrived(r.all, 0, r.now, 10000);
    r.stages[0].queued = 10000;
    assert_int_equal(look(&r, 0).spawn, 15);
    end(&r);
}

/* Both are cold: the second starts while the first does. */
static void what_waits_upstream_is_on_its_way(void **state)
{
    (void)state;
    run r = begin(2, 0, 64);
    r.stages[0].live = r.stages[1].live = 0;
    (void)look(&r, 1);
    fay_equalizers_arrived(r.all, 0, r.now, 100);
    r.stages[0].queued = 100;
    assert_int_equal(look(&r, 0).spawn, 10);
    assert_true(fay_equalizers_due(r.all, 1) <= r.now);
    assert_int_equal(look(&r, 1).spawn, 10);
    r.stages[1].live = 2;
    r.stages[1].idle = 2; /* so many have nothing to do: more would be as idle */
    r.stages[1].idle_since = r.now;
    r.now = fay_equalizers_due(r.all, 1);
    assert_int_equal(look(&r, 1).spawn, 0);
    end(&r);
}

/* Nobody has started yet, so nobody knows how long that takes: but longer than it has. */
static void a_start_takes_at_least_as_long_as_it_has(void **state)
{
    (void)state;
    run r = begin(2, 1, 64);
    work(&r, 0, 5, 1000, 10 * FAY_MS);
    r.stages[0].queued = 90;
    r.stages[0].starting = look(&r, 0).spawn;
    assert_true(r.stages[0].starting > 0 && r.view.spawn_s < 0.1);
    r.now += 300 * FAY_MS;
    (void)look(&r, 0);
    assert_true(r.view.spawn_s > 0.299);
    fay_equalizers_started(r.all, 0, 400 * FAY_MS);
    r.now += 100 * FAY_MS;
    (void)look(&r, 0);
    assert_true(r.view.spawn_s > 0.399 && r.view.spawn_s < 0.401); /* not a mean with a guess */
    r.stages[1].queued = 90;
    fay_equalizers_finished(r.all, 1, 10 * FAY_MS, 100);
    (void)look(&r, 1);
    assert_true(r.view.spawn_s > 0.399 && r.view.spawn_s < 0.401); /* as the other stage's */
    end(&r);
}

static void what_is_not_known_yet_keeps_its_share(void **state)
{
    (void)state;
    run r = begin(2, 1, 64);
    fay_equalizers_capacity(r.all, FAY_CORES, 8);
    work(&r, 0, 5, 100, 100 * FAY_MS); /* the work of ten */
    fay_equalizers_sent(r.all, 0, 1, 500);
    r.stages[0].queued = 900;
    assert_int_equal(look(&r, 0).spawn, 3);
    assert_int_equal(r.view.held_by, FAY_HELD_LEARNING);
    fay_equalizers_finished(r.all, 1, FAY_MS, 100);
    r.stages[1].queued = 100;
    (void)look(&r, 1);
    r.stages[0].live = 4;
    r.now += 100 * FAY_MS;
    assert_true(look(&r, 0).spawn > 1);
    end(&r);
}

/* A stage that no Item ever comes to is nobody's concern. */
static void what_is_never_used_keeps_nothing(void **state)
{
    (void)state;
    run r = begin(2, 1, 64);
    fay_equalizers_capacity(r.all, FAY_CORES, 8);
    work(&r, 0, 5, 100, 100 * FAY_MS);
    r.stages[0].queued = 900;
    assert_true(look(&r, 0).spawn > 3);
    end(&r);
}

static void who_found_no_place_is_asked_when_one_is_free(void **state)
{
    (void)state;
    run r = begin(2, 1, 64);
    fay_equalizers_capacity(r.all, FAY_MEMORY, 5e9);
    fay_equalizers_cost(r.all, 0, FAY_MEMORY, 1e9);
    fay_equalizers_cost(r.all, 1, FAY_MEMORY, 1e9);
    work(&r, 0, 5, 20, 100 * FAY_MS); /* the work of two: the pipeline could do it */
    fay_equalizers_sent(r.all, 0, 1, 100);
    fay_equalizers_finished(r.all, 1, FAY_MS, 100);
    r.stages[1].live = 4;
    r.stages[1].queued = 100;
    (void)look(&r, 1);
    r.stages[0].queued = 10;
    assert_int_equal(look(&r, 0).spawn, 0);
    assert_int_equal(r.view.held_by, FAY_HELD_NO_MEM);
    r.stages[0].queued = 0;
    (void)look(&r, 0);
    r.stages[1].live = 3;
    fay_equalizers_watch(r.all, 1, r.now, &r.stages[1]);
    r.now += 20 * FAY_MS;
    fay_equalizers_freed(r.all, 1, r.now);
    assert_true(fay_equalizers_due(r.all, 0) <= r.now);
    assert_int_equal(look(&r, 0).spawn, 1);
    end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_known_is_tried_by_the_root_of_the_queue),
        cmocka_unit_test(a_guess_has_a_bound),
        cmocka_unit_test(what_waits_upstream_is_on_its_way),
        cmocka_unit_test(a_start_takes_at_least_as_long_as_it_has),
        cmocka_unit_test(what_is_not_known_yet_keeps_its_share),
        cmocka_unit_test(what_is_never_used_keeps_nothing),
        cmocka_unit_test(who_found_no_place_is_asked_when_one_is_free),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
