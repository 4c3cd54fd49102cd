/* SPDX-License-Identifier: MIT */
/* Was the last growth worth it? T is 100 ms; two workers did 200 Items a second of 10 ms, and there
 * are four. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "flow/growth.h"

static const double period = 0.1, item_s = 0.01;

static fay_equalizers *begin(fay_equalizer **ret)
{
    const fay_equalizer_stage stage = {.min = 1, .max = 64, .period = 100 * FAY_MS};
    fay_equalizers *all = fay_equalizers_new(&stage, 1, 0);
    *ret = &all->stages[0];
    (*ret)->item_s = item_s;
    (*ret)->service.changed = -100;
    (*ret)->service.pushed = 1000;
    (*ret)->last.live = 2;
    return all;
}

/* A queue stands, and four workers have started at 0. */
static fay_equalizers *grown(fay_equalizer **ret)
{
    fay_equalizers *all = begin(ret);
    fay_growth_begin(*ret, 0, 2);
    (*ret)->last.live = 4;
    (*ret)->standing = 0;
    fay_growth_judge(*ret, 0);
    return all;
}

/* A verdict after so many seconds in which so many Items have finished, of so long each. */
static void judge(fay_equalizer *e, double now, double rate, double each)
{
    e->item_s = each;
    e->finished = (uint64_t)(rate * now);
    fay_growth_judge(e, now);
}

static void what_is_worth_its_workers_stays(void **state)
{
    (void)state;
    fay_equalizer *e;
    fay_equalizers *all = grown(&e);
    judge(e, 1, 310, 0.0129); /* a gain of 0.55 */
    assert_false(e->probe.on);
    assert_true(isinf(e->cap));
    fay_equalizers_free(all);
}

static void what_is_not_is_capped_where_it_was(void **state)
{
    (void)state;
    fay_equalizer *e;
    fay_equalizers *all = grown(&e);
    judge(e, 1, 280, 0.0143); /* 0.4 */
    assert_false(e->probe.on);
    assert_true(e->cap == 4); /* 2 + ceil(0.8) + 1 */
    fay_equalizers_free(all);
    all = grown(&e);
    judge(e, 1, 190, 0.021);
    assert_true(e->cap == 3);
    fay_equalizers_free(all);
}

/* Without a queue; with results that have nowhere to go; with Items that are as quick as before:
 * then something else holds it. */
static void only_a_shared_resource_caps(void **state)
{
    (void)state;
    fay_equalizer *e;
    fay_equalizers *all = grown(&e);
    e->standing = -1;
    judge(e, 1, 200, 0.02);
    assert_false(e->probe.on);
    assert_true(isinf(e->cap));
    fay_equalizers_free(all);
    all = grown(&e);
    e->last.blocked = 1;
    judge(e, 1, 200, 0.02);
    assert_false(e->probe.on);
    assert_true(isinf(e->cap));
    fay_equalizers_free(all);
    all = grown(&e);
    judge(e, 1, 200, 0.0108);
    assert_false(e->probe.on);
    assert_true(isinf(e->cap));
    fay_equalizers_free(all);
}

static void the_verdict_waits_for_the_noise(void **state)
{
    (void)state;
    fay_equalizer *e;
    fay_equalizers *all = grown(&e); /* 36 Items would be enough: not before 3 T */
    judge(e, 2.9 * period, 200, 0.02);
    assert_true(e->probe.on);
    judge(e, 3.1 * period, 200, 0.02);
    assert_false(e->probe.on);
    fay_equalizers_free(all);
    all = begin(&e);
    fay_growth_begin(e, 0, 20);
    e->probe.rate = 200;
    e->last.live = 25; /* a quarter more: 2.88 s of 200 Items */
    e->standing = 0;
    fay_growth_judge(e, 0);
    judge(e, 2.8, 200, 0.02);
    assert_true(e->probe.on);
    judge(e, 2.9, 200, 0.02);
    assert_false(e->probe.on);
    fay_equalizers_free(all);
    all = begin(&e);
    fay_growth_begin(e, 0, 20);
    e->probe.rate = 200;
    e->last.live = 21; /* 72 s: not after 30 T */
    e->standing = 0;
    fay_growth_judge(e, 0);
    judge(e, 2.9, 200, 0.02);
    assert_true(e->probe.on);
    judge(e, 3.1, 200, 0.02);
    assert_false(e->probe.on);
    fay_equalizers_free(all);
}

static void more_growth_begins_the_trial_anew(void **state)
{
    (void)state;
    fay_equalizer *e;
    fay_equalizers *all = grown(&e);
    fay_growth_begin(e, 0.2, 4);
    assert_int_equal(e->probe.workers, 2);
    e->last.live = 8;
    fay_growth_judge(e, 0.2);
    fay_growth_judge(e, 0.4);
    assert_true(e->probe.on); /* since the last of them */
    fay_equalizers_free(all);
}

static void a_cap_is_tried_again_more_and_more_rarely(void **state)
{
    (void)state;
    fay_equalizer *e;
    fay_equalizers *all = grown(&e);
    double now = 0, cap = (double)INFINITY, waited = 0;
    const double waits[] = {20, 40, 80, 160, 320, 320};
    for (size_t i = 0; i < FAY_COUNT(waits); i++) {
        e->finished = 0;
        judge(e, now + 1, 0, 0.02); /* capped */
        assert_false(e->probe.on);
        now += 1;
        cap = e->cap;
        for (unsigned k = 0; e->cap <= cap && k < 400; k++) {
            fay_growth_judge(e, now + k * period);
            waited = k + 1;
        }
        assert_true(fabs(waited - waits[i]) <= 2);
        assert_true(e->cap == ceil(1.1 * cap) + 1);
        now += waited * period;
        fay_growth_begin(e, now, 2);
        e->before_s = item_s;
        e->probe.rate = 200;
        fay_growth_judge(e, now);
    }
    fay_equalizers_free(all);
}

/* It is not the cap that holds it. */
static void without_a_queue_a_cap_is_lifted(void **state)
{
    (void)state;
    fay_equalizer *e;
    fay_equalizers *all = grown(&e);
    judge(e, 1, 200, 0.02);
    assert_true(e->cap == 3);
    e->cap_until = 1000; /* it would be tried again much later */
    fay_growth_judge(e, 5);
    e->standing = -1;
    fay_growth_judge(e, 6.9);
    assert_true(e->cap == 3);
    fay_growth_judge(e, 7.1); /* 20 T */
    assert_true(isinf(e->cap));
    assert_true(fabs(e->cap_backoff - 20 * period) < 1e-9);
    fay_equalizers_free(all);
}

/* What was full is no more: up at once, not by a tenth in 20, 40, .. T. */
static void a_growth_that_pays_again_raises_the_cap(void **state)
{
    (void)state;
    fay_equalizer *e;
    fay_equalizers *all = grown(&e);
    e->cap = 4;
    e->cap_until = 1000;
    e->cap_backoff = 32;
    judge(e, 1, 350, 0.0115); /* a gain of 0.75 */
    assert_true(e->cap == 9); /* as many again, twice, and one */
    assert_true(e->cap_until == 1 && fabs(e->cap_backoff - 20 * period) < 1e-9);
    fay_equalizers_free(all);
    all = grown(&e);
    e->cap = 4;
    e->cap_until = 1000;
    judge(e, 1, 330, 0.0121); /* of 0.65 */
    assert_true(e->cap == 4);
    fay_equalizers_free(all);
}

static void items_that_became_slower_are_suspect(void **state)
{
    (void)state;
    fay_equalizer *e;
    fay_equalizers *all = grown(&e);
    e->item_s = 0.0114;
    assert_false(fay_growth_is_suspect(e));
    assert_true(fay_growth_item(e) == e->item_s);
    e->item_s = 0.02; /* as they share something: not to be answered with more of them */
    assert_true(fay_growth_is_suspect(e));
    assert_true(fabs(fay_growth_item(e) - 0.0115) < 1e-9);
    fay_equalizers_free(all);
}

/* Twice the workers cannot have made them three times as slow: the Items are others. */
static void what_growth_cannot_have_done_is_believed(void **state)
{
    (void)state;
    fay_equalizer *e;
    fay_equalizers *all = grown(&e);
    e->item_s = 0.024;
    assert_true(fay_growth_item(e) < 0.012);
    e->item_s = 0.03;
    assert_true(fay_growth_item(e) == 0.03);
    assert_false(fay_growth_is_suspect(e));
    assert_false(e->probe.on);
    fay_equalizers_free(all);
}

static void only_what_was_calm_is_a_reference(void **state)
{
    (void)state;
    fay_equalizer *e;
    fay_equalizers *all = begin(&e);
    e->service.changed = -3.9 * period;
    fay_growth_begin(e, 0, 2);
    assert_true(e->probe.on && e->before_s == 0);
    fay_equalizers_free(all);
    all = begin(&e);
    e->service.mark = e->service.pushed - 63;
    fay_growth_begin(e, 0, 2);
    assert_true(e->probe.on && e->before_s == 0);
    fay_equalizers_free(all);
    all = begin(&e);
    e->service.changed = -4.1 * period;
    e->service.mark = e->service.pushed - 64;
    fay_growth_begin(e, 0, 2);
    assert_true(e->probe.on && e->before_s == item_s);
    fay_equalizers_free(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_worth_its_workers_stays),
        cmocka_unit_test(what_is_not_is_capped_where_it_was),
        cmocka_unit_test(only_a_shared_resource_caps),
        cmocka_unit_test(the_verdict_waits_for_the_noise),
        cmocka_unit_test(more_growth_begins_the_trial_anew),
        cmocka_unit_test(a_cap_is_tried_again_more_and_more_rarely),
        cmocka_unit_test(without_a_queue_a_cap_is_lifted),
        cmocka_unit_test(a_growth_that_pays_again_raises_the_cap),
        cmocka_unit_test(items_that_became_slower_are_suspect),
        cmocka_unit_test(what_growth_cannot_have_done_is_believed),
        cmocka_unit_test(only_what_was_calm_is_a_reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
