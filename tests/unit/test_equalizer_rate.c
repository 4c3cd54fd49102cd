/* SPDX-License-Identifier: MIT */
/* A stage that may begin only so many Items a second, whatever waits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "equalizer_run.h"

static run begin_rate(double rate)
{
    const fay_equalizer_stage stage = {
        .min = 1, .max = 64, .period = 100 * FAY_MS, .sourced = true, .rate = rate};
    run r = {.all = fay_equalizers_new(&stage, 1, 0)};
    r.stages[0] = (fay_equalizer_counters){.room = 1000, .live = 1, .idle_since = FAY_NEVER};
    return r;
}

static void it_has_workers_for_that_rate(void **state)
{
    (void)state;
    run r = begin_rate(20);
    work(&r, 0, 5, 20, 100 * FAY_MS); /* 2 workers' work */
    r.stages[0].queued = 900;
    assert_int_equal(look(&r, 0).spawn, 3); /* 2 + 1.2 sqrt(2) */
    assert_int_equal(r.view.wanted, 4);
    assert_int_equal(r.view.held_by, FAY_HELD_NONE);
    r.stages[0].live = 4;
    for (int i = 0; i < 50; i++) { /* the queue stands, and that is nobody's fault */
        r.now += 100 * FAY_MS;
        assert_int_equal(look(&r, 0).spawn, 0);
        assert_int_equal(r.view.held_by, FAY_HELD_NONE);
    }
    end(&r);
}

static void it_learns_with_few(void **state)
{
    (void)state;
    run r = begin_rate(0.001);
    r.stages[0].queued = 900;
    r.now += FAY_SECOND;
    assert_int_equal(look(&r, 0).spawn, 0);
    end(&r);
    r = begin_rate(3);
    r.stages[0].queued = 900;
    r.now += FAY_SECOND;
    assert_int_equal(look(&r, 0).spawn, 2);
    end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_has_workers_for_that_rate),
        cmocka_unit_test(it_learns_with_few),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
