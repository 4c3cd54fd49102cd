/* SPDX-License-Identifier: MIT */
/* When the coldest idle worker goes. T is 100 ms; a start takes 20 ms, an Item 10 ms. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "flow/board.h"
#include "flow/shrink.h"

static const double period = 0.1;

/* Two stages in a row; eight workers of the first have been idle since 100 s. */
static fay_equalizers *begin(fay_equalizer **ret)
{
    const fay_equalizer_stage stages[2] = {
        {.min = 1, .max = 64, .period = 100 * FAY_MS, .sourced = true, .feeds = 2},
        {.max = 64, .period = 100 * FAY_MS}};
    fay_equalizers *all = fay_equalizers_new(stages, 2, 0);
    *ret = &all->stages[0];
    (*ret)->item_s = 0.01;
    (*ret)->last =
        (fay_equalizer_counters){.live = 8, .idle = 8, .idle_since = 100 * FAY_SECOND, .room = 100};
    return all;
}

static void assert_near(double found, double wanted)
{
    if (fabs(found - wanted) > 1e-6)
        fail_msg("%g is not %g", found, wanted);
}

static void the_coldest_goes_after_two_periods(void **state)
{
    (void)state;
    fay_equalizer *e;
    fay_equalizers *all = begin(&e);
    assert_near(fay_shrink_due(all, 0, 100), 100 + 2 * period);
    assert_false(fay_shrink(all, 0, 100.19));
    assert_true(fay_shrink(all, 0, 100.2));
    assert_int_equal(e->view.pressure, FAY_LOW);
    fay_equalizers_free(all);
}

static void long_starts_and_long_items_keep_it(void **state)
{
    (void)state;
    fay_equalizer *e;
    fay_equalizers *all = begin(&e);
    e->spawn_s = 2;
    assert_near(fay_shrink_due(all, 0, 100), 103); /* 1.5 L */
    e->item_s = 10;
    assert_near(fay_shrink_due(all, 0, 100), 105); /* s/2 */
    fay_equalizers_free(all);
}

static void nobody_goes_below_the_minimum_or_while_items_wait(void **state)
{
    (void)state;
    fay_equalizer *e;
    fay_equalizers *all = begin(&e);
    e->config.min = 8;
    assert_true(isinf(fay_shrink_due(all, 0, 100)));
    e->config.min = 1;
    e->last.queued = 1;
    assert_true(isinf(fay_shrink_due(all, 0, 100)));
    e->last.queued = 0;
    e->last.idle_since = FAY_NEVER;
    assert_true(isinf(fay_shrink_due(all, 0, 100)));
    fay_equalizers_free(all);
}

/* T/8 to the next, and a little less each time, down to T/25. */
static void the_longer_they_go_the_sooner_the_next_may(void **state)
{
    (void)state;
    fay_equalizer *e;
    fay_equalizers *all = begin(&e);
    fay_shrink_note(e, 200);
    assert_near(e->gap, period / 8 * 0.85);
    assert_near(fay_shrink_due(all, 0, 200), 200 + period / 8 * 0.85);
    fay_shrink_note(e, 200.01);
    assert_near(e->gap, period / 8 * 0.85 * 0.85);
    for (int i = 0; i < 20; i++) {
        fay_shrink_note(e, 200.02);
    }
    assert_near(e->gap, period / 25);
    fay_shrink_note(e, 200.1); /* within 2 T */
    assert_near(e->gap, period / 25);
    fay_shrink_note(e, 200.4); /* anew */
    assert_near(e->gap, period / 8 * 0.85);
    fay_equalizers_free(all);
}

static void who_went_too_early_makes_the_others_stay(void **state)
{
    (void)state;
    fay_equalizer *e;
    fay_equalizers *all = begin(&e);
    fay_shrink_note(e, 90);
    fay_shrink_regret(e, 93.1); /* 31 T later: that is another load */
    assert_near(fay_shrink_due(all, 0, 100), 100.2);
    fay_shrink_note(e, 98);
    fay_shrink_regret(e, 100);
    assert_near(fay_shrink_due(all, 0, 100), 100.4); /* twice as long */
    fay_shrink_regret(e, 100.1);                     /* within T: the same growth */
    assert_near(fay_shrink_due(all, 0, 100), 100.4);
    assert_near(fay_shrink_due(all, 0, 104), 100.2 + 0.2 * exp(-1)); /* 40 T later it has faded */
    for (int i = 0; i < 20; i++) {
        fay_shrink_note(e, 104 + i * 0.2);
        fay_shrink_regret(e, 104 + i * 0.2);
    }
    assert_near(fay_shrink_due(all, 0, 107.8), fmax(100 + 7 * 0.2, e->shrunk + e->gap));
    assert_near(e->flaps, 6);
    fay_equalizers_free(all);
}

/* 100 Items a second of 10 ms need three; a refusal is not asked again while they come. */
static void who_is_needed_stays(void **state)
{
    (void)state;
    fay_equalizer *e;
    fay_equalizers *all = begin(&e);
    e->last.live = 3;
    for (int i = 0; i < 1000; i++) {
        fay_equalizers_arrived(all, 0, 90200 * FAY_MS + (fay_ns)(i + 1) * 10 * FAY_MS, 1);
    }
    fay_equalizers_finished(all, 0, 10 * FAY_MS, 1000);
    uint64_t evaluations = e->evaluations;
    e->last.live = 4; /* three carry them */
    assert_true(fay_shrink(all, 0, 100.2));
    assert_int_equal(e->evaluations, ++evaluations);
    e->last.live = 3;
    e->shrunk = 0;
    assert_false(fay_shrink(all, 0, 100.2));
    assert_int_equal(e->evaluations, evaluations + 1);
    assert_true(fay_shrink_due(all, 0, 100.2) >= 100.4 - 1e-9); /* the hold, from now on */
    fay_equalizers_arrived(all, 0, (fay_ns)(100.25 * 1e9), 50); /* as many as before, and more */
    assert_true(fay_shrink_due(all, 0, 100.45) >= 100.65 - 1e-9);
    assert_int_equal(e->evaluations, evaluations + 1);
    fay_equalizers_free(all);
}

/* The head room of 1.2 sqrt(R) stays too: R = 1 needs 2.2. */
static void what_upstream_is_about_to_send_counts(void **state)
{
    (void)state;
    fay_equalizer *e;
    fay_equalizers *all = begin(&e);
    fay_equalizer *d = &all->stages[1];
    d->last = (fay_equalizer_counters){.live = 3, .idle = 3, .idle_since = 100 * FAY_SECOND};
    fay_equalizers_finished(all, 1, 10 * FAY_MS, 100);
    fay_board_publish(all, 0, 100.2, 100, 0);
    assert_false(fay_shrink(all, 1, 100.2));
    fay_board_publish(all, 0, 100.5, 30, 0); /* 0.3, and half a worker to spare */
    fay_shrink_forget(d);
    assert_true(fay_shrink(all, 1, 100.5));
    fay_equalizers_free(all);
}

static void the_last_one_goes_when_nothing_will_come(void **state)
{
    (void)state;
    fay_equalizer *e;
    fay_equalizers *all = begin(&e);
    fay_equalizer *d = &all->stages[1];
    d->last = (fay_equalizer_counters){.live = 1, .idle = 1, .idle_since = 100 * FAY_SECOND};
    e->last.idle = 7; /* one has something */
    assert_true(isinf(fay_shrink_due(all, 1, 100)));
    e->last.idle = 8;
    assert_near(fay_shrink_due(all, 1, 100), 100 + 15 * period);
    e->config.min = 0; /* who may go to none is still there for a reason */
    assert_true(isinf(fay_shrink_due(all, 1, 100)));
    fay_equalizers_free(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_coldest_goes_after_two_periods),
        cmocka_unit_test(long_starts_and_long_items_keep_it),
        cmocka_unit_test(nobody_goes_below_the_minimum_or_while_items_wait),
        cmocka_unit_test(the_longer_they_go_the_sooner_the_next_may),
        cmocka_unit_test(who_went_too_early_makes_the_others_stay),
        cmocka_unit_test(who_is_needed_stays),
        cmocka_unit_test(what_upstream_is_about_to_send_counts),
        cmocka_unit_test(the_last_one_goes_when_nothing_will_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
