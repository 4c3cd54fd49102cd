/* SPDX-License-Identifier: MIT */
/* The Equalizers under pressure that more workers do not answer: how often they look, and who makes
 * room for whom. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "equalizer_run.h"

/* Twelve are enough for the work of ten, and forty may wait: that is seen at once, then rarely. */
static void a_queue_that_may_wait_is_looked_at_rarely(void **state)
{
    (void)state;
    run r = begin(1, 1, 64);
    work(&r, 0, 5, 1000, 10 * FAY_MS);
    r.stages[0].live = 12;
    r.stages[0].queued = 40;
    for (int i = 0; i < 1000; i++) {
        r.now += FAY_MS;
        fay_equalizers_arrived(r.all, 0, r.now, 1);
        fay_equalizers_finished(r.all, 0, 10 * FAY_MS, 1);
        assert_int_equal(look(&r, 0).spawn, 0);
    }
    assert_in_range(r.view.evaluations, 10, 16); /* not 80, one each T/8 */
    end(&r);
}

/* Twelve cores do 300 a second: three workers of 10 ms, and nine of 30 ms. */
static run shared(unsigned first, unsigned second)
{
    run r = begin(2, 1, 64);
    fay_equalizers_capacity(r.all, FAY_CORES, 12);
    work(&r, 0, 5, 1000, 10 * FAY_MS);
    fay_equalizers_sent(r.all, 0, 1, 5000);
    fay_equalizers_finished(r.all, 1, 30 * FAY_MS, 500);
    r.stages[0].live = first;
    r.stages[1].live = second;
    r.stages[0].queued = r.stages[1].queued = 100;
    (void)look(&r, 1);
    return r;
}

static void who_is_ahead_makes_room_for_the_bottleneck(void **state)
{
    (void)state;
    run r = shared(6, 8);
    assert_true(look(&r, 0).shed);
    assert_int_equal(r.view.rule, FAY_RULE_SHARE);
    r.stages[0].live = 5;
    r.now += 5 * FAY_MS; /* one after the other */
    fay_equalizers_scale(r.all, 0, r.now, 1, 64, false);
    assert_false(look(&r, 0).shed);
    r.now += 10 * FAY_MS;
    fay_equalizers_scale(r.all, 0, r.now, 1, 64, false);
    assert_true(look(&r, 0).shed);
    end(&r);
    r = shared(4, 8);
    assert_true(look(&r, 0).shed);
    end(&r);
    r = shared(4, 11); /* hardly ahead: it would be back soon */
    assert_false(look(&r, 0).shed);
    end(&r);
}

static void who_is_about_to_be_blocked_is_looked_at(void **state)
{
    (void)state;
    run r = begin(2, 1, 64);
    work(&r, 0, 5, 100, 10 * FAY_MS);
    (void)look(&r, 0);
    assert_int_equal(fay_equalizers_due(r.all, 0), FAY_NEVER);
    r.stages[1].kept_out = true;
    fay_equalizers_watch(r.all, 1, r.now, &r.stages[1]);
    assert_true(fay_equalizers_due(r.all, 0) <= r.now);
    end(&r);
}

/* Since it has grown the Items take longer: more workers may be what makes them slow. */
static void a_growth_on_trial_is_not_answered_with_another(void **state)
{
    (void)state;
    run r = begin(1, 1, 64);
    r.stages[0].live = 8;
    work(&r, 0, 5, 1000, 10 * FAY_MS); /* the work of ten */
    r.stages[0].queued = 400;
    r.stages[0].live += look(&r, 0).spawn;
    assert_in_range(r.stages[0].live, 18, 26);
    work(&r, 0, 1, 1000, 20 * FAY_MS);
    r.stages[0].queued = 1000;
    assert_int_equal(look(&r, 0).spawn, 0);
    assert_true(r.view.trigger > r.stages[0].live);
    assert_int_equal(r.view.held_by, FAY_HELD_LEARNING);
    end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_queue_that_may_wait_is_looked_at_rarely),
        cmocka_unit_test(who_is_ahead_makes_room_for_the_bottleneck),
        cmocka_unit_test(who_is_about_to_be_blocked_is_looked_at),
        cmocka_unit_test(a_growth_on_trial_is_not_answered_with_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
