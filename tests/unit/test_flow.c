/* SPDX-License-Identifier: MIT */
/* The way of Items through the flow when all goes well. */
#include "flow_script.h"

static void items_go_through_two_stages(void **state)
{
    struct script *s = begin(state, 2);
    start(s);
    read_source(s, "ab");
    feed(s, (fay_flow_event){.kind = FAY_FLOW_SOURCE_END});
    step(s);
    assert_int_equal(results(s, 0, 0, "AB", NULL, 2), 0);
    step(s);
    assert_int_equal(results(s, 1, 0, "xy", NULL, 2), 0);
    step(s);
    feed(s, (fay_flow_event){.kind = FAY_FLOW_WRITTEN, .items = 2, .bytes = 2});
    step(s);
    assert_string_equal(s->trace, "[  0] lease 0/0 from 0: 0=a 1=b\n"
                                  "[  0] lease 1/0 from 0: 0.0=A 1.0=B\n"
                                  "[  0] write: 0.0.0=x 1.0.0=y\n"
                                  "[  0] acked 0..1\n"
                                  "[  0] done\n");
}

/* Rules 5 and 6: a root's output is written when the root is complete, and acked when recorded. */
static void the_journal_speaks_after_the_sink(void **state)
{
    struct script *s = begin(state, 2);
    s->journal = true;
    start(s);
    read_source(s, "ab");
    step(s);
    assert_int_equal(results(s, 0, 0, "ABC", (uint32_t[]){2, 1}, 2), 0);
    step(s);
    assert_int_equal(results(s, 1, 0, "x", NULL, 1), 0);
    step(s);
    assert_int_equal(results(s, 1, 2, "z", NULL, 1), 0);
    step(s);
    assert_int_equal(results(s, 1, 1, "y", NULL, 1), 0);
    s->now = 200 * FAY_MS;
    step(s);
    feed(s, (fay_flow_event){.kind = FAY_FLOW_SYNCED, .ok = true});
    step(s);
    feed(s, (fay_flow_event){.kind = FAY_FLOW_RECORDED, .ok = true});
    step(s);
    assert_string_equal(s->trace, "[  0] lease 0/0 from 0: 0=a 1=b\n"
                                  "[  0] lease 1/0 from 0: 0.0=A 0.1=B 1.0=C\n"
                                  "[  0] write: 1.0.0=z\n"
                                  "[200] write: 0.0.0=x\n"
                                  "[200] write: 0.1.0=y\n"
                                  "[200] sync\n"
                                  "[200] record [0,2) at 20\n"
                                  "[200] acked 0..1\n");
}

/* What a batch has made is of all its Items, though it goes by the first one's name. */
static void the_roots_of_a_batch_are_done_together(void **state)
{
    struct script *s = begin(state, 2);
    s->journal = true;
    s->stages[0].batch_items = 3;
    s->stages[0].batch_bytes = 1024;
    s->stages[0].batch_wait = FAY_SECOND;
    start(s);
    read_source(s, "abcd");
    step(s);
    assert_int_equal(results(s, 0, 0, "AB", (uint32_t[]){2, 0, 0}, 3), 0);
    step(s);
    assert_int_equal(results(s, 1, 0, "x", NULL, 1), 0);
    s->now = 200 * FAY_MS;
    step(s);
    assert_int_equal(results(s, 1, 1, "y", NULL, 1), 0);
    step(s);
    feed(s, (fay_flow_event){.kind = FAY_FLOW_SYNCED, .ok = true});
    step(s);
    feed(s, (fay_flow_event){.kind = FAY_FLOW_RECORDED, .ok = true});
    step(s);
    assert_string_equal(s->trace, "[  0] lease 0/0 from 0: 0=a 1=b 2=c\n"
                                  "[  0] lease 1/0 from 0: 0.0=A 0.1=B\n"
                                  "[200] write: 0.0.0=x\n"
                                  "[200] write: 0.1.0=y\n"
                                  "[200] sync\n"
                                  "[200] record [0,3) at 30\n"
                                  "[200] acked 0..2\n");
}

/* A worker of mode exec gets one Item ahead, and gives it back when the one in hand turns out to be
 * slow while another worker idles. */
static void one_item_ahead_waits_for_nobody(void **state)
{
    struct script *s = begin(state, 1);
    s->stages[0].solo = s->stages[0].recall = true;
    s->stages[0].workers_min = s->stages[0].workers_start = s->stages[0].workers_max = 2;
    start(s);
    read_source(s, "abc");
    step(s); /* the first worker has two, and the second one */
    fay_flow_event second = {.kind = FAY_FLOW_RESULTS, .tag = 2, .count = 1};
    FAY_CLEANUP(fay_batch_unrefp) fay_batch *none = fay_batch_new();
    second.children = (uint32_t[]){0};
    second.batch = none;
    s->now = FAY_MS;
    feed(s, second);
    step(s);
    assert_int_equal(fay_flow_deadline(s->flow), 2 * FAY_MS);
    s->now = 2 * FAY_MS;
    step(s);
    feed(s, (fay_flow_event){.kind = FAY_FLOW_GIVEN_BACK, .worker = 1, .tag = 1, .count = 1});
    step(s);
    assert_string_equal(s->trace, "[  0] lease 0/1 from 0: 0=a 1=b\n"
                                  "[  0] lease 0/0 from 2: 2=c\n"
                                  "[  1] acked 2..2\n"
                                  "[  2] recall 0/1\n"
                                  "[  2] lease 0/0 from 3: 1=b\n");
}

/* The last worker of a stage goes when nothing is to be expected from upstream, and not before;
 * also where the workers upstream are pinned, which are never none. */
static void the_last_worker_waits_for_who_works_upstream(void **state)
{
    struct script *s = begin(state, 2);
    s->stages[1].pinned = false;
    s->stages[1].workers_min = 0;
    start(s);
    read_source(s, "a");
    step(s);
    s->now = 60 * FAY_SECOND;
    step(s); /* the Item takes long */
    assert_string_equal(s->trace, "[  0] lease 0/0 from 0: 0=a\n");
    assert_int_equal(results(s, 0, 0, "A", NULL, 1), 0);
    step(s);
    assert_int_equal(results(s, 1, 0, "x", NULL, 1), 0);
    step(s);
    s->now = 120 * FAY_SECOND;
    step(s);
    assert_string_equal(s->trace, "[  0] lease 0/0 from 0: 0=a\n"
                                  "[60000] lease 1/0 from 0: 0.0=A\n"
                                  "[60000] write: 0.0.0=x\n"
                                  "[60000] acked 0..0\n"
                                  "[120000] retire 1/0\n"
                                  "[120000] decided: idle, -1 wants 1\n"
                                  "[120000] pressure\n");
}

/* A root with Items in two batches ties both: they are done when all three roots are. */
static void batches_with_a_root_in_common_are_one(void **state)
{
    struct script *s = begin(state, 3);
    s->stages[1].batch_items = 2;
    s->stages[1].batch_bytes = 1024;
    start(s);
    read_source(s, "abc");
    feed(s, (fay_flow_event){.kind = FAY_FLOW_SOURCE_END});
    step(s);
    assert_int_equal(results(s, 0, 0, "ABCD", (uint32_t[]){1, 2, 1}, 3), 0);
    step(s);
    assert_int_equal(results(s, 1, 0, "x", (uint32_t[]){1, 0}, 2), 0);
    step(s);
    assert_int_equal(results(s, 2, 0, "X", NULL, 1), 0);
    step(s);
    assert_int_equal(results(s, 1, 2, "y", (uint32_t[]){1, 0}, 2), 0);
    step(s);
    assert_int_equal(results(s, 2, 1, "Y", NULL, 1), 0);
    step(s);
    assert_string_equal(s->trace, "[  0] lease 0/0 from 0: 0=a 1=b 2=c\n"
                                  "[  0] lease 1/0 from 0: 0.0=A 1.0=B\n"
                                  "[  0] lease 2/0 from 0: 0.0.0=x\n"
                                  "[  0] lease 1/0 from 2: 1.1=C 2.0=D\n"
                                  "[  0] write: 0.0.0.0=X\n"
                                  "[  0] lease 2/0 from 1: 1.1.0=y\n"
                                  "[  0] write: 1.1.0.0=Y\n"
                                  "[  0] acked 0..2\n");
}

static void after_a_failed_sync_nothing_is_recorded(void **state)
{
    struct script *s = begin(state, 1);
    s->journal = true;
    start(s);
    read_source(s, "a");
    step(s);
    assert_int_equal(results(s, 0, 0, "A", NULL, 1), 0);
    s->now = 200 * FAY_MS;
    step(s);
    feed(s, (fay_flow_event){.kind = FAY_FLOW_SYNCED, .ok = false});
    step(s);
    feed(s, (fay_flow_event){.kind = FAY_FLOW_ABORT});
    step(s);
    assert_string_equal(s->trace, "[  0] lease 0/0 from 0: 0=a\n"
                                  "[200] write: 0.0=A\n"
                                  "[200] sync\n"
                                  "[200] fail 4\n"
                                  "[200] done\n");
}

/* Rule 8: results leave in path order; one that is in backoff holds the others, not the run. */
static void an_ordered_stage_waits_for_its_turn(void **state)
{
    struct script *s = begin(state, 1);
    s->stages[0].ordered = true;
    start(s);
    read_source(s, "abc");
    step(s);
    assert_int_equal(results(s, 0, 1, "B", NULL, 1), 0);
    step(s);
    feed(s, (fay_flow_event){
                .kind = FAY_FLOW_VERDICT, .worker = 0, .tag = 0, .verdict = FAY_TRY_EXIT});
    assert_int_equal(results(s, 0, 2, "C", NULL, 1), 0);
    step(s);
    s->now = 100 * FAY_MS;
    step(s);
    assert_int_equal(results(s, 0, 3, "A", NULL, 1), 0);
    step(s);
    assert_string_equal(s->trace, "[  0] lease 0/0 from 0: 0=a 1=b 2=c\n"
                                  "[100] lease 0/0 from 3: 0=a\n"
                                  "[100] write: 0.0=A\n"
                                  "[100] acked 0..0\n"
                                  "[100] write: 1.0=B\n"
                                  "[100] acked 1..1\n"
                                  "[100] write: 2.0=C\n"
                                  "[100] acked 2..2\n");
}

static void a_drain_forgets_what_has_not_begun(void **state)
{
    struct script *s = begin(state, 1);
    start(s);
    read_source(s, "abcdef");
    step(s);
    feed(s, (fay_flow_event){.kind = FAY_FLOW_DRAIN});
    assert_int_equal(results(s, 0, 0, "ABCD", NULL, 4), 0);
    step(s);
    feed(s, (fay_flow_event){.kind = FAY_FLOW_WRITTEN, .items = 4, .bytes = 4});
    step(s);
    fay_flow_totals totals;
    fay_flow_total(s->flow, &totals);
    assert_int_equal(totals.not_begun, 2);
    assert_string_equal(s->trace, "[  0] lease 0/0 from 0: 0=a 1=b 2=c 3=d\n"
                                  "[  0] write: 0.0=A 1.0=B 2.0=C 3.0=D\n"
                                  "[  0] acked 0..3\n"
                                  "[  0] done\n");
}

/* Rule 4: a full queue stops the leases before it, never the results. */
static void a_full_queue_stops_leases(void **state)
{
    struct script *s = begin(state, 2);
    s->stages[1].queue_items = 2;
    s->stages[1].workers_start = s->stages[1].workers_min = 0;
    s->stages[1].workers_max = 1;
    start(s);
    read_source(s, "abcdef");
    step(s);
    assert_int_equal(results(s, 0, 0, "AB", NULL, 2), 0);
    step(s);
    assert_string_equal(s->trace, "[  0] lease 0/0 from 0: 0=a 1=b\n");
}

static void copies_have_branches(void **state)
{
    struct script *s = begin(state, 2);
    s->feeds[2] = 3; /* the source feeds both, both feed the sink */
    s->feeds[0] = FAY_TARGET_SINK;
    start(s);
    read_source(s, "a");
    step(s);
    assert_string_equal(s->trace, "[  0] lease 0/0 from 0: 0.0=a\n"
                                  "[  0] lease 1/0 from 0: 0.1=a\n");
}

static void a_large_set_is_spilled_and_loaded(void **state)
{
    struct script *s = begin(state, 2);
    s->stages[0].queue_bytes = s->stages[1].queue_bytes = 64 * FAY_MIB;
    start(s);
    read_source(s, "a");
    step(s);
    FAY_CLEANUP(fay_batch_unrefp) fay_batch *part = fay_batch_new();
    static char big[700 * 1024];
    (void)fay_batch_append(part, big, sizeof big);
    fay_flow_event event = {.kind = FAY_FLOW_PART, .worker = 0, .batch = part};
    feed(s, event);
    feed(s, event);
    assert_int_equal(results(s, 0, 0, "z", NULL, 1), 0);
    step(s);
    FAY_CLEANUP(fay_batch_unrefp) fay_batch *loaded = fay_batch_new();
    (void)fay_batch_append(loaded, "x", 1);
    (void)fay_batch_append(loaded, "y", 1);
    feed(s, (fay_flow_event){.kind = FAY_FLOW_LOADED, .spool = 1, .batch = loaded, .ns = 99});
    step(s);
    assert_string_equal(s->trace, "[  0] lease 0/0 from 0: 0=a\n"
                                  "[  0] spill 1\n"
                                  "[  0] spill 1\n"
                                  "[  0] load 1\n"
                                  "[  0] unspool 1\n"
                                  "[  0] lease 1/0 from 0: 0.0=x 0.1=y\n"
                                  "[  0] lease 1/0 from 2: 0.2=z\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FLOW_TEST(items_go_through_two_stages),
        FLOW_TEST(the_journal_speaks_after_the_sink),
        FLOW_TEST(the_roots_of_a_batch_are_done_together),
        FLOW_TEST(one_item_ahead_waits_for_nobody),
        FLOW_TEST(the_last_worker_waits_for_who_works_upstream),
        FLOW_TEST(batches_with_a_root_in_common_are_one),
        FLOW_TEST(after_a_failed_sync_nothing_is_recorded),
        FLOW_TEST(an_ordered_stage_waits_for_its_turn),
        FLOW_TEST(a_drain_forgets_what_has_not_begun),
        FLOW_TEST(a_full_queue_stops_leases),
        FLOW_TEST(copies_have_branches),
        FLOW_TEST(a_large_set_is_spilled_and_loaded),
    };
    return cmocka_run_group_tests_name("flow", tests, NULL, NULL);
}
