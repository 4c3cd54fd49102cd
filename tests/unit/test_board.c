/* SPDX-License-Identifier: MIT */
/* What the Equalizers of a run know of each other: three stages in a row, T is 100 ms. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "flow/board.h"

static const double period = 0.1;

static fay_equalizers *begin(void)
{
    fay_equalizer_stage stages[3];
    for (size_t i = 0; i < 3; i++) {
        stages[i] = (fay_equalizer_stage){.max = 64,
                                          .period = 100 * FAY_MS,
                                          .sourced = i == 0,
                                          .feeds = i < 2 ? UINT64_C(2) << i : 0};
    }
    fay_equalizers *all = fay_equalizers_new(stages, 3, 0);
    for (size_t i = 0; i < 3; i++) {
        all->stages[i].last.live = 2;
        all->stages[i].last.idle_since = FAY_NEVER;
    }
    fay_equalizers_capacity(all, FAY_CORES, 12);
    return all;
}

/* An Item of the first stage becomes two of the second, each of these a half of the third; they
 * take 10, 20 and 10 ms: 60 ms of a source Item. */
static fay_equalizers *known(void)
{
    static const double item_s[] = {0.01, 0.02, 0.01};
    fay_equalizers *all = begin();
    for (size_t i = 0; i < 3; i++) {
        fay_equalizers_finished(all, i, FAY_MS, 1000);
        all->stages[i].item_s = item_s[i];
    }
    fay_equalizers_sent(all, 0, 1, 2000);
    fay_equalizers_sent(all, 1, 2, 500);
    fay_board_visit(all);
    return all;
}

static void assert_near(double found, double wanted)
{
    if (fabs(found - wanted) > 1e-6 * fabs(wanted))
        fail_msg("%g is not %g", found, wanted);
}

static void visits_follow_what_was_sent(void **state)
{
    (void)state;
    fay_equalizers *all = begin();
    fay_board_visit(all);
    assert_near(all->stages[2].visits, 1); /* before it is known */
    fay_equalizers_free(all);
    all = known();
    assert_near(all->stages[0].visits, 1);
    assert_near(all->stages[1].visits, 2);
    assert_near(all->stages[2].visits, 1);
    for (int i = 0; i < 10000; i++) { /* what was long ago is forgotten */
        fay_equalizers_sent(all, 0, 1, 30);
        fay_equalizers_finished(all, 0, FAY_MS, 10);
    }
    fay_board_visit(all);
    assert_near(round(all->stages[1].visits * 100), 300);
    fay_equalizers_free(all);
}

static void the_ceiling_is_what_all_can_do_together(void **state)
{
    (void)state;
    fay_equalizers *all = begin();
    fay_board_visit(all);
    assert_true(isinf(fay_board_ceiling(all).rate)); /* nothing is known */
    fay_equalizers_free(all);
    all = known();
    fay_ceiling c = fay_board_ceiling(all);
    assert_near(c.rate, 200); /* 12 cores / 60 ms */
    assert_near(c.shared, 200);
    assert_int_equal(c.scarce, FAY_CORES);
    assert_near(c.slack, 50); /* two workers at 40 ms */
    all->stages[1].cap = 4;
    assert_near(fay_board_ceiling(all).rate, 100);
    assert_near(fay_board_ceiling(all).shared, 200);
    fay_equalizers_capacity(all, FAY_MEMORY, 2e9);
    fay_equalizers_cost(all, 2, FAY_MEMORY, 1e9 / 0.9);
    assert_int_equal(fay_board_ceiling(all).scarce, FAY_MEMORY);
    assert_near(fay_board_ceiling(all).shared, 180);
    fay_equalizers_free(all);
}

static void each_has_a_share_and_before_that_an_even_one(void **state)
{
    (void)state;
    fay_equalizers *all = begin();
    fay_board_visit(all);
    assert_near(fay_board_even_share(all, &all->stages[0]), 4);
    assert_true(fay_board_share(all, &all->stages[0], FAY_CORES) <= 0);
    fay_equalizers_capacity(all, FAY_CORES, 2);
    assert_near(fay_board_even_share(all, &all->stages[0]), 1);
    fay_equalizers_free(all);
    all = known();
    assert_true(isinf(fay_board_even_share(all, &all->stages[0])));
    assert_near(fay_board_share(all, &all->stages[0], FAY_CORES), 2);
    assert_near(fay_board_share(all, &all->stages[1], FAY_CORES), 8);
    fay_equalizers_free(all);
}

static void places_are_free_or_made_so(void **state)
{
    (void)state;
    fay_equalizers *all = known();
    fay_resource scarce;
    fay_equalizer *first = &all->stages[0], *second = &all->stages[1];
    all->stages[0].rate = all->stages[2].rate = 1000; /* enough for all their workers */
    assert_near(fay_board_free(all, second, &scarce), 6);
    second->last.retiring = 1; /* needs its place until it is gone */
    assert_near(fay_board_free(all, second, &scarce), 5);
    first->last.live = first->last.idle = 8; /* nothing is free; but these do not work */
    assert_true(fay_board_free(all, second, &scarce) <= 0);
    assert_near(fay_board_room(all, second, &scarce), 7);
    first->last.idle = 0; /* its share of the cores is 8 of 12 all the same */
    assert_near(fay_board_room(all, second, &scarce), 5);
    fay_equalizers_capacity(all, FAY_MEMORY, 14e9); /* but memory is whose it is */
    for (size_t i = 0; i < 3; i++) {
        fay_equalizers_cost(all, i, FAY_MEMORY, 1e9);
    }
    assert_near(fay_board_room(all, second, &scarce), 1);
    assert_int_equal(scarce, FAY_MEMORY);
    second->last.retiring = second->last.live = 0; /* the first one always has a place */
    fay_equalizers_capacity(all, FAY_MEMORY, 1e9);
    assert_near(fay_board_room(all, second, &scarce), 1);
    fay_equalizers_free(all);
}

/* At the end of a finite input: who works now and then has not got a core of its own. */
static void a_core_that_idles_in_part_is_given_to_one_more(void **state)
{
    (void)state;
    fay_equalizers *all = known();
    fay_resource scarce;
    fay_equalizer *second = &all->stages[1], *third = &all->stages[2];
    fay_equalizers_capacity(all, FAY_CORES, 2);
    all->stages[0].last.live = all->stages[0].last.idle = 1; /* it has done all that there was */
    second->last.live = third->last.live = 1;
    third->rate = 50; /* 0.5 of a core */
    assert_near(fay_board_room(all, second, &scarce), 1);
    third->rate = 90; /* 0.1 is left */
    assert_near(fay_board_room(all, second, &scarce), 0);
    third->rate = 500; /* more than it has workers for */
    assert_near(fay_board_room(all, second, &scarce), 0);
    third->item_s = 0; /* not known: it works */
    third->rate = 50;
    assert_near(fay_board_room(all, second, &scarce), 0);
    fay_equalizers_free(all);
}

static void a_hint_is_passed_on_while_it_is_fresh(void **state)
{
    (void)state;
    fay_equalizers *all = known();
    double rate, drain, age;
    assert_false(fay_board_hint(all, 1, 100, &rate, &drain, &age)); /* nobody has said anything */
    fay_board_publish(all, 0, 100, 50, 10);
    assert_false(fay_board_hint(all, 0, 100, &rate, &drain, &age)); /* it has the source */
    assert_true(fay_board_hint(all, 1, 100.2, &rate, &drain, &age));
    assert_near(rate, 100);
    assert_near(drain, 20);
    assert_near(age, 0.2);
    all->stages[1].spawn_s = 1; /* and 3 T */
    assert_true(fay_board_hint(all, 1, 101.29, &rate, &drain, &age));
    assert_false(fay_board_hint(all, 1, 101.31, &rate, &drain, &age));
    fay_equalizers_free(all);
}

/* 5 % more than it knows of; or it sleeps, and something is about to come. */
static void news_wakes_those_downstream(void **state)
{
    (void)state;
    fay_equalizers *all = known();
    fay_equalizer *d = &all->stages[1];
    d->rate = 100;
    d->evaluated = 100;
    fay_board_publish(all, 0, 100, 52, 0);
    assert_true(isinf(d->full_due));
    fay_board_publish(all, 0, 100, 50, 3);
    assert_near(d->full_due, 100 + period / 8); /* not twice at once */
    d->full_due = (double)INFINITY;
    fay_board_publish(all, 0, 200, 53, 0);
    assert_near(d->full_due, 200);
    d->full_due = (double)INFINITY;
    d->last.live = 0;
    fay_board_publish(all, 0, 200, 0, 0);
    assert_near(d->full_due, 200);
    d->full_due = (double)INFINITY;
    all->stages[0].last.live = 0; /* both sleep */
    fay_board_publish(all, 0, 200, 0, 0);
    assert_true(isinf(d->full_due));
    fay_equalizers_free(all);
}

static void a_free_place_wakes_those_who_want_one(void **state)
{
    (void)state;
    fay_equalizers *all = known();
    fay_equalizer *e = &all->stages[1];
    fay_equalizers_freed(all, 0, 200 * FAY_SECOND);
    assert_true(isinf(e->full_due));
    e->denied = true;
    fay_equalizers_freed(all, 1, 200 * FAY_SECOND); /* it was its own */
    assert_true(isinf(e->full_due));
    fay_equalizers_freed(all, 0, 200 * FAY_SECOND);
    assert_near(e->full_due, 200);
    e->denied = false;
    e->capped = true;
    e->full_due = (double)INFINITY;
    e->evaluated = 200;
    fay_equalizers_freed(all, 0, 200 * FAY_SECOND);
    assert_near(e->full_due, 200 + period / 8);
    fay_equalizers_free(all);
}

static void what_may_still_come_is_known(void **state)
{
    (void)state;
    fay_equalizers *all = known();
    for (size_t i = 0; i < 3; i++) {
        all->stages[i].last.idle = 2;
    }
    assert_false(fay_board_is_fed(all, 1));
    all->stages[0].last.idle = 1; /* one is in hand there, two will come of it */
    assert_true(fay_board_is_fed(all, 1));
    assert_near(fay_board_rest(all, 1), 2);
    all->stages[0].last.queued = 10;
    all->stages[1].last.queued = 3;
    assert_near(fay_board_rest(all, 1), 25);
    assert_near(fay_board_rest(all, 2), 12.5);
    all->stages[0].last.idle = 2;
    assert_true(fay_board_is_fed(all, 1));
    all->stages[0].last.queued = 0;
    all->stages[0].last.starting = 1;
    assert_true(fay_board_is_fed(all, 1));
    fay_equalizers_free(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(visits_follow_what_was_sent),
        cmocka_unit_test(the_ceiling_is_what_all_can_do_together),
        cmocka_unit_test(each_has_a_share_and_before_that_an_even_one),
        cmocka_unit_test(places_are_free_or_made_so),
        cmocka_unit_test(a_core_that_idles_in_part_is_given_to_one_more),
        cmocka_unit_test(a_hint_is_passed_on_while_it_is_fresh),
        cmocka_unit_test(news_wakes_those_downstream),
        cmocka_unit_test(a_free_place_wakes_those_who_want_one),
        cmocka_unit_test(what_may_still_come_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
