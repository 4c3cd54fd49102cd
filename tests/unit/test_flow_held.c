/* SPDX-License-Identifier: MIT */
/* Why a stage has the workers it has, as the flow tells it: each HELD word that the ledger itself
 * knows of, and that nothing is told again and again. */
#include "flow_script.h"

static void forget(struct script *s)
{
    s->length = 0;
    s->trace[0] = '\0';
}

static fay_flow_stats stats_of(const struct script *s, size_t stage)
{
    fay_flow_stats stats;
    fay_flow_stage_stats(s->flow, s->now, stage, &stats);
    return stats;
}

static size_t count(const struct script *s, const char *what)
{
    size_t n = 0;
    for (const char *at = s->trace; (at = strstr(at, what)) != NULL; at++) {
        n++;
    }
    return n;
}

/* One elastic stage; T is 50 ms, of its own. */
static struct script *elastic(void **state, unsigned max)
{
    struct script *s = begin(state, 1);
    s->stages[0].pinned = false;
    s->stages[0].workers_max = max;
    s->stages[0].prefetch = 1;
    return s;
}

static void answer(struct script *s, uint32_t link, uint64_t tag, fay_ns useful)
{
    FAY_CLEANUP(fay_batch_unrefp) fay_batch *batch = fay_batch_new();
    (void)fay_batch_append(batch, "x", 1);
    feed(s, (fay_flow_event){.kind = FAY_FLOW_RESULTS,
                             .link = link,
                             .tag = tag,
                             .count = 1,
                             .ns = useful,
                             .batch = batch});
}

/* `ms` of one worker that answers each 50 ms, from tag on, and says that it worked so long on
 * each; the queue is kept full. */
static uint64_t work(struct script *s, uint64_t tag, unsigned ms, fay_ns useful)
{
    for (unsigned t = 0; t < ms; t += 50) {
        s->now += 50 * FAY_MS;
        answer(s, 0, tag++, useful);
        read_source(s, "a");
        step(s);
    }
    return tag;
}

static void a_growth_is_told_before_it_is_needed_again(void **state)
{
    struct script *s = elastic(state, 4);
    start(s);
    read_source(s, "abcdefgh");
    step(s);
    assert_non_null(strstr(s->trace, "spawn 0/1\n"));
    assert_non_null(strstr(s->trace, "decided: learning, +2 wants 3\n"));
    assert_int_equal(count(s, "decided"), 1);
    assert_int_equal(stats_of(s, 0).held_by, FAY_HELD_NONE);
}

static void a_refusal_is_told_more_and_more_rarely(void **state)
{
    struct script *s = elastic(state, 1);
    s->stages[0].workers_min = 0; /* else it were pinned */
    start(s);
    read_source(s, "abcdefgh");
    step(s);
    forget(s);
    uint64_t tag = work(s, 0, 4000, 50 * FAY_MS);
    assert_int_equal(stats_of(s, 0).held_by, FAY_HELD_AT_MAX);
    assert_int_equal(stats_of(s, 0).pressure, FAY_HIGH);
    assert_in_range(count(s, ", AT_MAX\n"), 1, 3);
    size_t told = 0;
    for (int i = 0; i < 50; i++) { /* 200 s more */
        forget(s);
        tag = work(s, tag, 4000, (i % 2 == 0 ? 400 : 50) * FAY_MS); /* another number wanted */
        told += count(s, ", AT_MAX\n");
    }
    assert_in_range(told, 3, 8);
    assert_int_equal(stats_of(s, 0).held_by, FAY_HELD_AT_MAX);
}

static void two_words_that_take_turns_are_told_as_rarely(void **state)
{
    struct script *s = elastic(state, 1);
    start(s);
    read_source(s, "abcdefgh");
    step(s);
    uint64_t tag = 0;
    size_t told = 0, pinned = 0, at_max = 0;
    for (unsigned i = 0; i < 60; i++) { /* a minute */
        forget(s);
        feed(s, (fay_flow_event){.kind = FAY_FLOW_SCALE, .min = i % 2, .max = 1});
        tag = work(s, tag, 1000, 50 * FAY_MS);
        told += count(s, "held wants");
        pinned += stats_of(s, 0).held_by == FAY_HELD_PINNED;
        at_max += stats_of(s, 0).held_by == FAY_HELD_AT_MAX;
    }
    assert_in_range(pinned, 29, 30);
    assert_in_range(at_max, 29, 30);
    assert_in_range(told, 2, 8);
}

/* Its workers die: the next one is put off, and that is said until it is there. */
static void a_crash_loop_holds_it(void **state)
{
    struct script *s = begin(state, 1);
    start(s);
    read_source(s, "a");
    for (int i = 0; i < 3; i++) { /* the first two are replaced at once */
        assert_int_equal(stats_of(s, 0).held_by, FAY_HELD_NONE);
        step(s);
        feed(s, (fay_flow_event){.kind = FAY_FLOW_WORKER_DOWN,
                                 .cause = FAY_FLOW_EXIT,
                                 .ok = true,
                                 .tag = 0}); /* it had read nothing */
        step(s);
        if (i < 2)
            feed(s, (fay_flow_event){.kind = FAY_FLOW_WORKER_UP, .ns = FAY_MS});
    }
    assert_int_equal(stats_of(s, 0).held_by, FAY_HELD_CRASHLOOP);
    assert_int_equal(count(s, "held wants 1, CRASHLOOP\n"), 1);
    s->now = fay_flow_deadline(s->flow);
    step(s);
    assert_int_equal(stats_of(s, 0).held_by, FAY_HELD_NONE);
}

/* A start takes 3 s, and what is left is done sooner. */
static void a_drain_starts_nobody_for_nothing(void **state)
{
    struct script *s = begin(state, 2);
    s->stages[1].pinned = false;
    s->stages[1].workers_max = 64;
    s->stages[1].queue_items = 100;
    s->stages[1].prefetch = 1;
    start(s);
    read_source(s, "ab");
    step(s);
    assert_int_equal(results(s, 0, 0, "ABCDEFGHABCDEFGH", (const uint32_t[]){16}, 1), 0);
    step(s);
    assert_non_null(strstr(s->trace, "decided: learning, +5 wants 6\n"));
    feed(s, (fay_flow_event){
                .kind = FAY_FLOW_WORKER_UP, .link = 1, .worker = 1, .ns = 10 * FAY_SECOND});
    feed(s, (fay_flow_event){.kind = FAY_FLOW_DRAIN});
    forget(s);
    for (int i = 0; i < 20; i++) {
        s->now += 100 * FAY_MS;
        if (i % 4 == 3) /* one worker answers; the other is slow */
            answer(s, 1, i == 3 ? 0 : (uint64_t)i / 4 + 1, 400 * FAY_MS);
        step(s);
    }
    assert_int_equal(count(s, "spawn"), 0);
    assert_non_null(strstr(s->trace, "DRAINING\n"));
}

static void where_a_pinned_stage_stands_it_says_so(void **state)
{
    struct script *s = begin(state, 1);
    s->stages[0].prefetch = 1;
    start(s);
    read_source(s, "abcdefgh");
    step(s);
    assert_int_equal(stats_of(s, 0).held_by, FAY_HELD_NONE);
    forget(s);
    uint64_t tag = work(s, 0, 1000, 50 * FAY_MS);
    assert_int_equal(stats_of(s, 0).held_by, FAY_HELD_PINNED);
    assert_int_equal(stats_of(s, 0).pressure, FAY_HIGH);
    assert_int_equal(count(s, ", PINNED\n"), 1);
    assert_int_equal(count(s, "pressure\n"), 1);
    for (int i = 0; i < 8; i++) { /* worked off */
        s->now += 50 * FAY_MS;
        answer(s, 0, tag++, 50 * FAY_MS);
        step(s);
    }
    assert_int_equal(stats_of(s, 0).held_by, FAY_HELD_NONE);
    assert_int_equal(stats_of(s, 0).pressure, FAY_EVEN);
    assert_int_equal(count(s, "pressure\n"), 2);
}

static void who_waits_for_the_next_stage_is_blocked(void **state)
{
    struct script *s = begin(state, 2);
    s->stages[1].queue_items = 1;
    start(s);
    read_source(s, "abcd");
    step(s);
    assert_int_equal(results(s, 0, 0, "A", NULL, 1), 0);
    step(s);
    assert_int_equal(results(s, 0, 1, "B", NULL, 1), 0);
    step(s);
    assert_int_equal(stats_of(s, 0).held_by, FAY_HELD_BLOCKED);
    assert_int_equal(stats_of(s, 0).pressure, FAY_BLOCKED);
}

static void who_rests_is_held_by_nothing(void **state)
{
    struct script *s = begin(state, 1);
    s->stages[0].prefetch = 1;
    start(s);
    read_source(s, "abcdefgh");
    step(s);
    (void)work(s, 0, 1000, 50 * FAY_MS);
    assert_int_equal(stats_of(s, 0).held_by, FAY_HELD_PINNED);
    feed(s, (fay_flow_event){.kind = FAY_FLOW_ABORT});
    step(s);
    assert_int_equal(stats_of(s, 0).held_by, FAY_HELD_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FLOW_TEST(a_growth_is_told_before_it_is_needed_again),
        FLOW_TEST(a_refusal_is_told_more_and_more_rarely),
        FLOW_TEST(two_words_that_take_turns_are_told_as_rarely),
        FLOW_TEST(a_crash_loop_holds_it),
        FLOW_TEST(a_drain_starts_nobody_for_nothing),
        FLOW_TEST(where_a_pinned_stage_stands_it_says_so),
        FLOW_TEST(who_waits_for_the_next_stage_is_blocked),
        FLOW_TEST(who_rests_is_held_by_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
