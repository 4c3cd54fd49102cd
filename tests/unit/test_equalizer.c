/* SPDX-License-Identifier: MIT */
/* The Equalizers of a run: HIGH spawns, LOW retires one, EVEN does nothing and sleeps. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "equalizer_run.h"

/* The numbers of a view add up, as its reader would do it. */
static void assert_sum(const fay_equalizer_view *v)
{
    assert_true(fabs(v->load - v->rate * v->item_s) < 1e-9);
    assert_true(fabs(v->spare - 1.2 * sqrt(fmax(v->load, 0.25))) < 1e-9);
    assert_int_equal(v->wanted, (unsigned)ceil(v->load + v->spare + v->drain - 1e-6) + v->stuck);
}

static void balanced_it_is_dormant(void **state)
{
    (void)state;
    run r = begin(1, 1, 8);
    r.stages[0].live = 3;
    for (int i = 0; i < 100; i++) {
        work(&r, 0, 1, 100, 10 * FAY_MS);
        fay_equalizer_decision d = look(&r, 0);
        assert_int_equal(d.spawn + d.retire + d.shed, 0);
    }
    assert_int_equal(fay_equalizers_due(r.all, 0), FAY_NEVER);
    assert_int_equal(r.view.evaluations, 0);
    assert_false(r.view.armed);
    end(&r);
}

static void a_backlog_spawns_as_many_as_the_load_needs(void **state)
{
    (void)state;
    run r = begin(1, 1, 64);
    work(&r, 0, 5, 1000, 10 * FAY_MS); /* the work of ten */
    r.stages[0].queued = 90;
    fay_equalizer_decision d = look(&r, 0);
    assert_int_equal(r.view.pressure, FAY_HIGH);
    assert_in_range(d.spawn, 9, 40);
    assert_true(r.view.load > 9 && r.view.load < 11);
    assert_sum(&r.view);
    assert_int_equal(r.view.rule, FAY_RULE_LOAD);
    assert_int_equal(r.view.spawn, d.spawn);
    assert_int_equal(r.view.wanted, 1 + d.spawn);
    assert_int_equal(r.view.held_by, FAY_HELD_NONE);
    end(&r);
}

/* Three of twelve are on long Items and will be back: no head room is made for that. */
static void who_is_stuck_is_replaced_and_no_more(void **state)
{
    (void)state;
    run r = begin(1, 1, 64);
    work(&r, 0, 5, 1000, 10 * FAY_MS); /* the work of ten */
    r.stages[0].live = 12;
    r.stages[0].queued = 40;
    assert_int_equal(look(&r, 0).spawn, 0);
    r.stages[0].stuck = 3;
    work(&r, 0, 1, 1000, 10 * FAY_MS);
    assert_int_equal(look(&r, 0).spawn, 2); /* nine serve; eleven are enough */
    end(&r);
}

/* It cannot become as long as W* allows, but the rest of the line waits upstream. */
static void a_full_queue_stands_however_short_it_is(void **state)
{
    (void)state;
    run r = begin(1, 1, 64);
    r.stages[0].live = 13;
    work(&r, 0, 5, 2000, 5 * FAY_MS); /* the work of ten: 130 may wait */
    r.stages[0].queued = 64;
    for (int i = 0; i < 20; i++) { /* there is room for many more */
        assert_int_equal(look(&r, 0).spawn, 0);
        work(&r, 0, 1, 2000, 5 * FAY_MS);
    }
    r.stages[0].room = 0;
    r.stages[0].kept_out = true;
    fay_ns since = r.now;
    unsigned spawned = 0;
    for (int i = 0; i < 20 && spawned == 0; i++) {
        r.now += 100 * FAY_MS;
        spawned = look(&r, 0).spawn;
    }
    assert_int_equal(spawned, 1);
    assert_true(r.now >= since + 500 * FAY_MS); /* 5 T */
    end(&r);
}

static void the_maximum_holds_it(void **state)
{
    (void)state;
    run r = begin(1, 1, 2);
    r.stages[0].live = 2;
    work(&r, 0, 5, 100, 100 * FAY_MS);
    r.stages[0].queued = 990;
    fay_equalizer_decision d = look(&r, 0);
    assert_int_equal(d.spawn, 0);
    assert_false(d.shed);
    assert_int_equal(r.view.held_by, FAY_HELD_AT_MAX);
    assert_int_equal(r.view.pressure, FAY_HIGH);
    assert_sum(&r.view);
    assert_true(r.view.wanted > 10);
    fay_ns gaps[4] = {0}; /* rarely, and more and more so */
    size_t looks = 0;
    for (; looks < FAY_COUNT(gaps) && fay_equalizers_due(r.all, 0) != FAY_NEVER; looks++) {
        gaps[looks] = fay_equalizers_due(r.all, 0) - r.now;
        r.now += gaps[looks];
        assert_int_equal(look(&r, 0).spawn, 0);
    }
    assert_int_equal(looks, 2);
    assert_in_range(gaps[0], 100 * FAY_MS, 101 * FAY_MS); /* T */
    assert_in_range(gaps[1], 200 * FAY_MS, 201 * FAY_MS);
    assert_int_equal(fay_equalizers_due(r.all, 0), FAY_NEVER);
    assert_false(r.view.armed); /* there is nothing that it could do, .. */
    assert_int_equal(r.view.held_by, FAY_HELD_AT_MAX);
    for (unsigned i = 3; i < 12; i++) { /* the queue presses still */
        fay_ns last = r.now;
        fay_equalizers_watch(r.all, 0, r.now, &r.stages[0]);
        r.now = fay_equalizers_due(r.all, 0);
        assert_in_range((r.now - last) / FAY_MS, 100 * FAY_MIN(i, 8u), 100 * FAY_MIN(i, 8u) + 1);
        assert_int_equal(look(&r, 0).spawn, 0);
    }
    r.stages[0].queued = 0; /* nothing presses any more */
    (void)look(&r, 0);
    assert_int_equal(r.view.held_by, FAY_HELD_NONE);
    r.stages[0].queued = 990;
    fay_equalizers_scale(r.all, 0, r.now, 1, 8, false);
    assert_true(look(&r, 0).spawn > 0); /* .. until there is */
    assert_true(r.view.armed);
    end(&r);
}

static void near_the_end_nobody_is_started_for_nothing(void **state)
{
    (void)state;
    run r = begin(1, 1, 64);
    work(&r, 0, 5, 100, 10 * FAY_MS);
    r.stages[0].queued = 3; /* 30 ms of work; a start takes 20 ms */
    r.stages[0].drying = true;
    assert_int_equal(look(&r, 0).spawn, 0);
    assert_int_equal(r.view.held_by, FAY_HELD_SOURCE_DRY);
    assert_int_equal(r.view.pressure, FAY_EVEN);
    r.stages[0].queued = 300;
    r.now += 100 * FAY_MS;
    assert_true(look(&r, 0).spawn > 0);
    assert_int_equal(r.view.held_by, FAY_HELD_NONE);
    end(&r);
}

static void one_idle_worker_after_the_other_goes(void **state)
{
    (void)state;
    run r = begin(1, 1, 8);
    work(&r, 0, 5, 10, 10 * FAY_MS);
    fay_equalizer_counters *c = &r.stages[0];
    c->live = c->idle = 8;
    c->idle_since = r.now;
    fay_ns gone = 0;
    for (int i = 0; i < 200 && c->live > 1; i++) {
        fay_equalizer_decision d = look(&r, 0);
        assert_int_equal(d.spawn, 0);
        if (d.retire) {
            assert_int_equal(r.view.rule, FAY_RULE_IDLE);
            assert_true(r.view.retire && r.view.idle_s >= 0.2 - 1e-9);
            assert_int_equal(r.view.serving, c->live);
            assert_sum(&r.view);
            assert_true(r.now >= c->idle_since + 200 * FAY_MS); /* 2 T */
            assert_true(gone == 0 || r.now > gone);             /* never two at once */
            gone = r.now;
            c->live--;
            c->idle--;
            (void)look(&r, 0);
        }
        if (fay_equalizers_due(r.all, 0) == FAY_NEVER)
            break;
        r.now = FAY_MAX(r.now, fay_equalizers_due(r.all, 0));
    }
    assert_int_equal(c->live, 1); /* the minimum */
    end(&r);
}

/* Who is needed for the noise stays, and that is not asked again while Items come as they did. */
static void an_idle_worker_that_is_needed_stays(void **state)
{
    (void)state;
    run r = begin(1, 1, 8);
    fay_equalizer_counters *c = &r.stages[0];
    work(&r, 0, 5, 100, 10 * FAY_MS); /* R = 1, with head room 2.2 */
    c->live = 3;
    c->idle = 1;
    c->idle_since = r.now;
    work(&r, 0, 5, 100, 10 * FAY_MS);
    (void)look(&r, 0);
    uint64_t evaluations = r.view.evaluations;
    for (int i = 0; i < 200; i++) {
        work(&r, 0, 1, 100, 10 * FAY_MS);
        assert_false(look(&r, 0).retire);
    }
    assert_int_equal(r.view.evaluations, evaluations);
    c->live = c->idle = 3; /* nothing comes any more: its time is known without a look */
    assert_true(fay_equalizers_due(r.all, 0) < r.now + 3 * FAY_SECOND);
    r.now = fay_equalizers_due(r.all, 0);
    bool retired = look(&r, 0).retire;
    for (int i = 0; i < 100 && !retired; i++) {
        r.now = fay_equalizers_due(r.all, 0);
        retired = look(&r, 0).retire;
    }
    assert_true(retired);
    end(&r);
}

/* What was measured while it worked starts nobody when nothing is to be done. */
static void at_rest_it_stays_at_rest(void **state)
{
    (void)state;
    run r = begin(1, 0, 8);
    work(&r, 0, 5, 100, 10 * FAY_MS);
    r.stages[0].queued = 50;
    assert_true(look(&r, 0).spawn > 0);
    r.stages[0].queued = r.stages[0].live = 0;
    for (int i = 0; i < 10 && fay_equalizers_due(r.all, 0) != FAY_NEVER; i++) {
        r.now = FAY_MAX(r.now, fay_equalizers_due(r.all, 0));
        assert_int_equal(look(&r, 0).spawn, 0);
    }
    assert_int_equal(fay_equalizers_due(r.all, 0), FAY_NEVER);
    fay_equalizers_arrived(r.all, 0, r.now, 1);
    r.stages[0].queued = 1;
    for (int i = 0; i < 3 && r.stages[0].live == 0; i++) { /* but an Item wakes it */
        r.stages[0].live += look(&r, 0).spawn;
        r.now += 100 * FAY_MS;
    }
    assert_true(r.stages[0].live > 0);
    end(&r);
}

static void a_hint_comes_before_the_items(void **state)
{
    (void)state;
    run r = begin(2, 1, 64);
    for (int i = 0; i < 5; i++) { /* both work, evenly */
        work(&r, 0, 1, 100, FAY_MS);
        for (unsigned k = 0; k < 100; k++) {
            fay_equalizers_arrived(r.all, 1, r.now - (fay_ns)(100 - k) * 10 * FAY_MS, 1);
            fay_equalizers_finished(r.all, 1, 10 * FAY_MS, 1);
        }
        fay_equalizers_sent(r.all, 0, 1, 100);
    }
    r.stages[1].live = 2;
    (void)look(&r, 1);
    work(&r, 0, 1, 2000, FAY_MS); /* the first is flooded; nothing has reached the second */
    fay_equalizers_sent(r.all, 0, 1, 2000);
    r.stages[0].queued = 500;
    assert_true(look(&r, 0).spawn > 0);
    assert_true(fay_equalizers_due(r.all, 1) <= r.now);
    assert_true(look(&r, 1).spawn > 5);
    end(&r);
}

static void what_all_may_use_is_shared(void **state)
{
    (void)state;
    run r = begin(1, 1, 64);
    fay_equalizers_capacity(r.all, FAY_CORES, 4);
    work(&r, 0, 5, 100, 100 * FAY_MS);
    r.stages[0].queued = 900;
    assert_int_equal(look(&r, 0).spawn, 3);
    assert_int_equal(r.view.held_by, FAY_HELD_NO_CPU);
    assert_int_equal(r.view.rule, FAY_RULE_SHARE);
    r.stages[0].live = 4;
    r.now += 100 * FAY_MS;
    assert_int_equal(look(&r, 0).spawn, 0);
    assert_int_equal(r.view.held_by, FAY_HELD_NO_CPU);
    assert_int_equal(r.view.pressure, FAY_HIGH);
    fay_equalizers_cost(r.all, 0, FAY_CORES, 0.25); /* as it turns out */
    r.now += 100 * FAY_MS;
    assert_true(look(&r, 0).spawn > 3);
    end(&r);
}

static void memory_holds_it(void **state)
{
    (void)state;
    run r = begin(1, 1, 64);
    fay_equalizers_capacity(r.all, FAY_MEMORY, 3e9);
    fay_equalizers_cost(r.all, 0, FAY_MEMORY, 1e9);
    work(&r, 0, 5, 100, 100 * FAY_MS);
    r.stages[0].queued = 900;
    assert_int_equal(look(&r, 0).spawn, 2);
    assert_int_equal(r.view.held_by, FAY_HELD_NO_MEM);
    assert_true(r.view.bytes > 2.9e9 && r.view.each_bytes > 0.9e9);
    r.stages[0].live = 3;
    r.now += 100 * FAY_MS;
    assert_int_equal(look(&r, 0).spawn, 0);
    assert_int_equal(r.view.held_by, FAY_HELD_NO_MEM);
    end(&r);
}

static void saturated_cores_hold_it(void **state)
{
    (void)state;
    const fay_equalizer_stage stage = {
        .min = 1, .max = 64, .period = 100 * FAY_MS, .sourced = true, .saturated_max = 2};
    run r = {.all = fay_equalizers_new(&stage, 1, 0)};
    r.stages[0] = (fay_equalizer_counters){.room = 1000, .live = 1, .idle_since = FAY_NEVER};
    work(&r, 0, 5, 100, 100 * FAY_MS);
    r.stages[0].queued = 900;
    r.stages[0].saturated = true;
    assert_int_equal(look(&r, 0).spawn, 1);
    assert_int_equal(r.view.held_by, FAY_HELD_NO_CPU);
    end(&r);
}

static void who_waits_for_room_is_blocked(void **state)
{
    (void)state;
    run r = begin(1, 1, 64);
    work(&r, 0, 5, 100, FAY_MS);
    r.stages[0].queued = 100;
    r.stages[0].blocked = 1;
    (void)look(&r, 0);
    assert_int_equal(look(&r, 0).spawn, 0);
    assert_int_equal(r.view.pressure, FAY_BLOCKED);
    assert_int_equal(r.view.held_by, FAY_HELD_BLOCKED);
    r.stages[0].blocked = 0; /* and not a moment longer */
    r.stages[0].queued = 0;
    fay_equalizers_watch(r.all, 0, r.now, &r.stages[0]);
    fay_equalizers_view(r.all, 0, &r.view);
    assert_int_equal(r.view.pressure, FAY_EVEN);
    assert_int_equal(r.view.held_by, FAY_HELD_NONE);
    end(&r);
}

/* Four workers do as much as two did, and each Item takes twice as long: something is full. */
static void growth_that_does_nothing_is_held(void **state)
{
    (void)state;
    run r = begin(1, 1, 64);
    fay_equalizer_counters *c = &r.stages[0];
    fay_held held = FAY_HELD_NONE;
    unsigned n = 2;
    c->live = n;
    c->queued = 0;
    for (int i = 0; i < 100; i++) { /* calm at first: a reference */
        work(&r, 0, 1, 100, 10 * FAY_MS);
        (void)look(&r, 0);
    }
    for (int i = 0; i < 600 && held != FAY_HELD_GAIN; i++) {
        for (int k = 0; k < 20; k++) { /* 100 ms: 400/s come, 200/s is all that n workers do */
            r.now += 5 * FAY_MS;
            fay_equalizers_arrived(r.all, 0, r.now, 2);
            fay_equalizers_finished(r.all, 0, (fay_ns)n * 5 * FAY_MS, 1);
        }
        c->queued = 900;
        fay_equalizer_decision d = look(&r, 0);
        n += d.spawn;
        n -= d.retire || d.shed;
        c->live = n;
        held = r.view.held_by;
    }
    assert_int_equal(held, FAY_HELD_GAIN);
    assert_int_equal(r.view.pressure, FAY_HIGH);
    assert_true(r.view.cap < 64);
    end(&r);
}

static void pinned_it_is_never_asked(void **state)
{
    (void)state;
    const fay_equalizer_stage stage = {.min = 4, .max = 4, .pinned = true, .sourced = true};
    run r = {.all = fay_equalizers_new(&stage, 1, 0)};
    r.stages[0] = (fay_equalizer_counters){.queued = 9999, .live = 4, .idle_since = FAY_NEVER};
    work(&r, 0, 1, 1000, 20 * FAY_MS);
    (void)look(&r, 0);
    assert_int_equal(r.view.held_by, FAY_HELD_NONE); /* for a moment only, as far as is known */
    work(&r, 0, 1, 1000, 20 * FAY_MS);
    (void)look(&r, 0);
    assert_int_equal(fay_equalizers_due(r.all, 0), FAY_NEVER);
    assert_int_equal(r.view.held_by, FAY_HELD_PINNED);
    assert_int_equal(r.view.pressure, FAY_HIGH);
    assert_true(r.view.load > 15 && r.view.wanted > 15); /* 1,000/s of 20 ms: 20 at work */
    r.stages[0].queued = 0;
    (void)look(&r, 0);
    assert_int_equal(r.view.held_by, FAY_HELD_NONE);
    assert_int_equal(r.view.pressure, FAY_EVEN);
    r.stages[0].queued = 9999;
    fay_equalizers_scale(r.all, 0, r.now, 1, 8, false);
    assert_true(look(&r, 0).spawn > 0);
    end(&r);
}

static void what_it_does_has_a_name(void **state)
{
    (void)state;
    run r = begin(1, 1, 64);
    fay_equalizer_counters *c = &r.stages[0];
    work(&r, 0, 5, 1000, 10 * FAY_MS);
    c->queued = 90;
    c->live += look(&r, 0).spawn;
    assert_true(c->live > 9);
    assert_int_equal(r.view.pressure, FAY_HIGH);
    c->queued = 0;
    c->idle = c->live;
    c->idle_since = r.now;
    bool retired = false;
    for (int i = 0; i < 100 && !retired; i++) { /* nothing comes any more */
        r.now = FAY_MAX(r.now, fay_equalizers_due(r.all, 0));
        retired = look(&r, 0).retire;
        assert_int_equal(r.view.pressure, retired ? FAY_LOW : FAY_EVEN);
    }
    assert_true(retired);
    end(&r);
}

static void when_growth_was_enough_it_sleeps(void **state)
{
    (void)state;
    run r = begin(1, 1, 64);
    fay_equalizer_counters *c = &r.stages[0];
    work(&r, 0, 5, 1000, 10 * FAY_MS);
    c->queued = 90;
    c->live += look(&r, 0).spawn;
    assert_true(r.view.armed);
    c->queued = 0;
    c->idle = 2;
    for (int i = 0; i < 10; i++) {
        work(&r, 0, 1, 1000, 10 * FAY_MS);
        c->idle_since = r.now;
        assert_int_equal(look(&r, 0).spawn, 0);
    }
    uint64_t evaluations = r.view.evaluations;
    assert_false(r.view.armed);
    for (int i = 0; i < 50; i++) {
        work(&r, 0, 1, 1000, 10 * FAY_MS);
        c->idle_since = r.now;
        (void)look(&r, 0);
    }
    assert_int_equal(r.view.evaluations, evaluations);
    end(&r);
}

/* What is started for the work of ten workers and a queue of 200, where a start takes so long. */
static unsigned started_for(fay_ns start, run *r)
{
    *r = begin(1, 1, 1000);
    for (int i = 0; i < 30; i++) {
        fay_equalizers_started(r->all, 0, start);
    }
    work(r, 0, 5, 1000, 10 * FAY_MS);
    r->stages[0].queued = 200;
    return look(r, 0).spawn;
}

static void the_longer_a_start_the_more_are_started(void **state)
{
    (void)state;
    run r;
    unsigned quickly = started_for(10 * FAY_MS, &r);
    end(&r);
    unsigned slowly = started_for(2 * FAY_SECOND, &r);
    assert_true(r.view.spawn_s > 1.9 && r.view.spawn_s < 2.1);
    assert_true(slowly > 2 * quickly); /* what comes until then waits too */
    r.stages[0].starting = slowly;
    for (int i = 0; i < 10; i++) { /* who starts counts */
        work(&r, 0, 1, 1000, 10 * FAY_MS);
        r.stages[0].queued = 200;
        assert_true(look(&r, 0).spawn < slowly / 4);
    }
    end(&r);
}

static void who_took_long_to_start_stays_longer(void **state)
{
    (void)state;
    run r;
    (void)started_for(2 * FAY_SECOND, &r);
    fay_equalizer_counters *c = &r.stages[0];
    *c = (fay_equalizer_counters){.room = 1000, .live = 8, .idle = 8, .idle_since = r.now};
    fay_ns idle_since = r.now;
    bool retired = false;
    for (int i = 0; i < 1000 && !retired; i++) {
        retired = look(&r, 0).retire;
        r.now += retired ? 0 : 50 * FAY_MS;
    }
    assert_true(retired);
    assert_true(r.now - idle_since >= 3 * FAY_SECOND); /* 1.5 L, where 2 T is 200 ms */
    end(&r);
}

/* Four at most work beside each other without slowing each other; then the load would need 20. */
static void growth_that_is_no_use_is_taken_back(void **state)
{
    (void)state;
    run r = begin(1, 1, 64);
    fay_equalizer_counters *c = &r.stages[0];
    double workers = 0;
    c->live = 4;
    for (int i = 0; i < 400; i++) { /* periods */
        uint64_t come = i < 100 ? 2 : 20;
        fay_ns useful = 10 * FAY_MS * FAY_MAX(c->live, 4u) / 4;
        uint64_t most = c->live * (100 * FAY_MS / useful), all = c->queued + 10 * come;
        for (int part = 0; part < 10; part++) {
            r.now += 10 * FAY_MS;
            fay_equalizers_arrived(r.all, 0, r.now, come);
        }
        for (uint64_t item = 0; item < FAY_MIN(all, most); item++) {
            fay_equalizers_finished(r.all, 0, useful, 1);
        }
        c->queued = FAY_MIN(all - FAY_MIN(all, most), (uint64_t)1000);
        c->live += c->starting;
        c->starting = 0;
        fay_equalizer_decision d = look(&r, 0);
        c->starting = d.spawn;
        c->live -= d.shed || d.retire;
        workers += i >= 200 ? c->live / 200.0 : 0;
    }
    assert_true(workers >= 3);
    assert_true(workers < 15); /* it settles at 9 */
    end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(balanced_it_is_dormant),
        cmocka_unit_test(a_backlog_spawns_as_many_as_the_load_needs),
        cmocka_unit_test(who_is_stuck_is_replaced_and_no_more),
        cmocka_unit_test(a_full_queue_stands_however_short_it_is),
        cmocka_unit_test(the_maximum_holds_it),
        cmocka_unit_test(near_the_end_nobody_is_started_for_nothing),
        cmocka_unit_test(one_idle_worker_after_the_other_goes),
        cmocka_unit_test(an_idle_worker_that_is_needed_stays),
        cmocka_unit_test(at_rest_it_stays_at_rest),
        cmocka_unit_test(a_hint_comes_before_the_items),
        cmocka_unit_test(what_all_may_use_is_shared),
        cmocka_unit_test(memory_holds_it),
        cmocka_unit_test(growth_that_does_nothing_is_held),
        cmocka_unit_test(saturated_cores_hold_it),
        cmocka_unit_test(who_waits_for_room_is_blocked),
        cmocka_unit_test(pinned_it_is_never_asked),
        cmocka_unit_test(what_it_does_has_a_name),
        cmocka_unit_test(when_growth_was_enough_it_sleeps),
        cmocka_unit_test(the_longer_a_start_the_more_are_started),
        cmocka_unit_test(who_took_long_to_start_stays_longer),
        cmocka_unit_test(growth_that_is_no_use_is_taken_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
