/* SPDX-License-Identifier: MIT */
/* What is offered to a stage, and how many workers that needs: two in a row, T is 100 ms. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "flow/plan.h"

/* They take 10 and 30 ms; as long as nothing bounds them. */
static fay_equalizers *begin(void)
{
    const fay_equalizer_stage stages[2] = {
        {.max = 64, .period = 100 * FAY_MS, .sourced = true, .feeds = 2},
        {.max = 64, .period = 100 * FAY_MS}};
    fay_equalizers *all = fay_equalizers_new(stages, 2, 0);
    for (size_t i = 0; i < 2; i++) {
        all->stages[i].item_s = i == 0 ? 0.01 : 0.03;
        all->stages[i].last = (fay_equalizer_counters){.live = 1, .room = 1000};
    }
    fay_board_visit(all);
    return all;
}

static void assert_near(double found, double wanted)
{
    if (fabs(found - wanted) > 1e-6 * fabs(wanted))
        fail_msg("%g is not %g", found, wanted);
}

static void what_arrives_is_carried_with_room_to_spare(void **state)
{
    (void)state;
    fay_equalizers *all = begin();
    fay_plan p;
    fay_plan_make(all, 0, 100, 400, &p); /* a load of 4; 6 more while one starts, 20 may wait */
    assert_near(p.target, 7);
    assert_near(p.trigger, 4.4);
    all->stages[0].last.queued = 114; /* 100 too many: two workers for 5 T */
    fay_plan_make(all, 0, 100, 400, &p);
    assert_near(p.backlog, 100);
    assert_near(p.target, 9);
    assert_near(p.trigger, 5.4);
    fay_equalizers_free(all);
}

static void a_hint_holds_until_it_is_outdone(void **state)
{
    (void)state;
    fay_equalizers *all = begin();
    fay_plan p;
    fay_board_publish(all, 0, 100, 50, 10);
    fay_plan_make(all, 1, 100.14, 100, &p); /* it is too young for that to be known */
    assert_near(p.rate, 50);
    assert_near(p.drain, 10);
    fay_plan_make(all, 1, 100.16, 65, &p);
    assert_near(p.rate, 50);
    fay_plan_make(all, 1, 100.16, 67, &p);
    assert_near(p.rate, 57);
    fay_equalizers_free(all);
}

/* One starts sooner than one of ours is free. */
static void each_long_item_gets_a_worker(void **state)
{
    (void)state;
    fay_equalizers *all = begin();
    fay_plan p;
    all->stages[0].last.queued = 5;
    fay_plan_make(all, 0, 100, 1, &p);
    assert_false(p.rare);
    assert_true(p.drainers < 1);
    all->stages[0].item_s = 1;
    fay_plan_make(all, 0, 100, 1, &p);
    assert_true(p.rare);
    assert_near(p.drainers, 5);
    assert_near(p.trigger, 1.2 + 5); /* all of them, at once */
    fay_equalizers_free(all);
}

static void what_comes_while_one_starts_waits_too(void **state)
{
    (void)state;
    fay_equalizers *all = begin();
    fay_plan p;
    for (size_t i = 0; i < 2; i++) {
        all->stages[i].item_s = 0.01;
        all->stages[i].spawn_s = 10;
        all->stages[i].config.target_wait = 1;
        all->stages[i].last.queued = 5;
        all->stages[i].last.room = 20;
    }
    fay_plan_make(all, 0, 100, 1000, &p); /* 900 a second more than one does */
    assert_near(round(p.backlog), 9005);
    all->stages[0].last.starting = 1; /* half of it is over, more or less */
    fay_plan_make(all, 0, 100, 1000, &p);
    assert_near(round(p.backlog), 5405);
    fay_plan_make(all, 1, 100, 1000, &p); /* who feeds it waits when its queue is full */
    assert_near(round(p.backlog), 30);
    fay_equalizers_free(all);
}

static void nobody_is_there_for_no_item(void **state)
{
    (void)state;
    fay_equalizers *all = begin();
    fay_plan p;
    all->stages[1].item_s = 1; /* as long as there is to drain them */
    all->stages[1].last.queued = 10;
    fay_board_publish(all, 0, 100, 0, 4);
    fay_plan_make(all, 1, 100, 0, &p);
    assert_near(p.backlog, 10);
    assert_near(p.drain, 4);
    assert_near(p.drainers, 10);
    fay_equalizers_free(all);
}

static void beyond_what_all_can_do_each_takes_its_share(void **state)
{
    (void)state;
    fay_equalizers *all = begin();
    fay_equalizer *second = &all->stages[1];
    fay_plan p;
    fay_equalizers_capacity(all, FAY_CORES, 12); /* 300 a second: 3 and 9 */
    all->stages[0].last.live = 3;
    second->last.live = 8;
    fay_plan_make(all, 0, 100, 1000, &p);
    assert_true(all->stages[0].capped);
    assert_near(p.target, 3);
    fay_plan_make(all, 1, 100, 1000, &p); /* the bottleneck takes the odd place */
    assert_near(p.target, 10);
    second->cap = 6; /* 200 a second */
    fay_plan_make(all, 1, 100, 1000, &p);
    assert_near(p.target, 6);
    assert_near(p.trigger, 6);
    assert_true(fay_plan_by_a_stage(&p));
    fay_plan_make(all, 0, 100, 1000, &p); /* no more than that for the other */
    assert_near(p.offered, 1000);
    assert_near(p.rate, 200);
    assert_near(p.target, 4);
    assert_near(p.trigger, 2 + 0.2 * sqrt(2));
    fay_equalizers_free(all);
}

static void a_queue_stands_when_it_has_been_late_for_a_period(void **state)
{
    (void)state;
    fay_equalizers *all = begin();
    fay_plan p;
    all->stages[0].last.live = 4;
    all->stages[0].last.queued = 21; /* 20 may wait */
    fay_plan_make(all, 0, 100, 100, &p);
    fay_plan_make(all, 0, 100.09, 100, &p);
    assert_false(p.standing);
    fay_plan_make(all, 0, 100.11, 100, &p);
    assert_true(p.standing);
    all->stages[0].last.queued = 19;
    fay_plan_make(all, 0, 100.2, 100, &p);
    assert_false(p.standing);
    all->stages[0].last.room = 5; /* as good as full: not before 5 T */
    fay_plan_make(all, 0, 100.3, 100, &p);
    fay_plan_make(all, 0, 100.79, 100, &p);
    assert_false(p.standing);
    fay_plan_make(all, 0, 100.81, 100, &p);
    assert_true(p.standing);
    fay_equalizers_free(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_arrives_is_carried_with_room_to_spare),
        cmocka_unit_test(a_hint_holds_until_it_is_outdone),
        cmocka_unit_test(each_long_item_gets_a_worker),
        cmocka_unit_test(what_comes_while_one_starts_waits_too),
        cmocka_unit_test(nobody_is_there_for_no_item),
        cmocka_unit_test(beyond_what_all_can_do_each_takes_its_share),
        cmocka_unit_test(a_queue_stands_when_it_has_been_late_for_a_period),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
