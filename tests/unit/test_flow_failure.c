/* SPDX-License-Identifier: MIT */
/* The way of Items through the flow when something dies, fails or lies. */
#include "flow_script.h"

static void a_failing_item_is_tried_three_times_then_dead(void **state)
{
    struct script *s = begin(state, 1);
    start(s);
    read_source(s, "a");
    feed(s, (fay_flow_event){.kind = FAY_FLOW_SOURCE_END});
    step(s);
    for (uint64_t tag = 0; tag < 3; tag++) {
        feed(s, (fay_flow_event){.kind = FAY_FLOW_VERDICT,
                                 .link = 0,
                                 .worker = 0,
                                 .tag = tag,
                                 .verdict = FAY_TRY_EXIT});
        step(s);
        fay_ns due = fay_flow_deadline(s->flow);
        s->now = due != FAY_NEVER ? due : s->now;
        step(s);
    }
    assert_string_equal(s->trace, "[  0] lease 0/0 from 0: 0=a\n"
                                  "[100] lease 0/0 from 1: 0=a\n"
                                  "[300] lease 0/0 from 2: 0=a\n"
                                  "[300] letter, 3 tries: 0=a\n"
                                  "[300] acked 0..0\n"
                                  "[300] done\n");
}

static void a_poison_item_dies_at_once(void **state)
{
    struct script *s = begin(state, 1);
    start(s);
    read_source(s, "a");
    step(s);
    feed(s, (fay_flow_event){.kind = FAY_FLOW_VERDICT, .worker = 0, .verdict = FAY_TRY_POISON});
    step(s);
    assert_string_equal(s->trace, "[  0] lease 0/0 from 0: 0=a\n"
                                  "[  0] letter, 1 tries: 0=a\n"
                                  "[  0] acked 0..0\n");
}

/* Four are in hand when the worker dies: halves, until the culprit is alone. */
static void the_rest_is_halved(void **state)
{
    struct script *s = begin(state, 1);
    start(s);
    read_source(s, "abcd");
    step(s);
    feed(s, (fay_flow_event){.kind = FAY_FLOW_WORKER_DOWN, .worker = 0, .cause = FAY_FLOW_SIGNAL});
    step(s);
    feed(s, (fay_flow_event){.kind = FAY_FLOW_WORKER_UP, .worker = 0});
    step(s);
    assert_int_equal(results(s, 0, 4, "AB", NULL, 2), 0);
    step(s);
    feed(s, (fay_flow_event){.kind = FAY_FLOW_WORKER_DOWN, .worker = 0, .cause = FAY_FLOW_SIGNAL});
    step(s);
    feed(s, (fay_flow_event){.kind = FAY_FLOW_WORKER_UP, .worker = 0});
    step(s);
    assert_string_equal(s->trace, "[  0] lease 0/0 from 0: 0=a 1=b 2=c 3=d\n"
                                  "[  0] spawn 0/0\n"
                                  "[  0] lease 0/0 from 4: 0=a 1=b\n"
                                  "[  0] write: 0.0=A 1.0=B\n"
                                  "[  0] acked 0..1\n"
                                  "[  0] lease 0/0 from 6: 2=c 3=d\n"
                                  "[  0] spawn 0/0\n"
                                  "[  0] lease 0/0 from 8: 2=c\n");
}

/* Two of three had not reached the worker when it died: the one that had was alone, and counts. */
static void what_crossed_a_death_is_not_counted(void **state)
{
    struct script *s = begin(state, 1);
    s->stages[0].retries = 0;
    start(s);
    read_source(s, "abc");
    step(s);
    feed(s, (fay_flow_event){
                .kind = FAY_FLOW_WORKER_DOWN, .cause = FAY_FLOW_EXIT, .ok = true, .tag = 1});
    step(s);
    feed(s, (fay_flow_event){.kind = FAY_FLOW_WORKER_UP});
    step(s);
    assert_string_equal(s->trace, "[  0] lease 0/0 from 0: 0=a 1=b 2=c\n"
                                  "[  0] letter, 1 tries: 0=a\n"
                                  "[  0] acked 0..0\n"
                                  "[  0] spawn 0/0\n"
                                  "[  0] lease 0/0 from 3: 1=b 2=c\n");
}

/* Rule 1: what a dead link still says changes nothing. */
static void a_dead_links_results_are_stale(void **state)
{
    struct script *s = begin(state, 1);
    start(s);
    read_source(s, "a");
    step(s);
    feed(s, (fay_flow_event){.kind = FAY_FLOW_LINK_DOWN, .link = 0});
    assert_int_equal(results(s, 0, 0, "A", NULL, 1), FAY_FLOW_STALE);
    feed(s, (fay_flow_event){.kind = FAY_FLOW_LINK_UP, .link = 7});
    s->now = 200 * FAY_MS;
    step(s);
    feed(s, (fay_flow_event){.kind = FAY_FLOW_WORKER_UP, .link = 7, .worker = 0});
    step(s);
    assert_string_equal(s->trace, "[  0] lease 0/0 from 0: 0=a\n"
                                  "[200] spawn 7/0\n"
                                  "[200] lease 7/0 from 0: 0=a\n");
}

static void results_of_what_is_not_leased_break_the_protocol(void **state)
{
    struct script *s = begin(state, 1);
    start(s);
    read_source(s, "a");
    step(s);
    assert_int_equal(results(s, 0, 1, "A", NULL, 1), FAY_E_PEER);
    assert_int_equal(results(s, 0, 0, "AB", NULL, 2), FAY_E_PEER);
    assert_int_equal(results(s, 0, 0, "A", NULL, 1), 0);
    assert_int_equal(results(s, 0, 0, "A", NULL, 1), FAY_E_PEER);
}

/* A worker that gives back what it has not begun may be about to go: nothing is sent ahead to it.
 * */
static void who_gives_back_gets_nothing_until_it_is_idle(void **state)
{
    struct script *s = begin(state, 1);
    start(s);
    read_source(s, "abcd");
    step(s);
    feed(s, (fay_flow_event){.kind = FAY_FLOW_GIVEN_BACK, .tag = 2, .count = 2});
    step(s);
    assert_int_equal(results(s, 0, 0, "AB", NULL, 2), 0);
    step(s);
    assert_string_equal(s->trace, "[  0] lease 0/0 from 0: 0=a 1=b 2=c 3=d\n"
                                  "[  0] write: 0.0=A 1.0=B\n"
                                  "[  0] acked 0..1\n"
                                  "[  0] lease 0/0 from 4: 2=c\n"
                                  "[  0] lease 0/0 from 5: 3=d\n");
}

/* Instances that are killed with nothing to do prove nothing; those that die at work do. */
static void five_deaths_at_work_end_the_run(void **state)
{
    struct script *s = begin(state, 1);
    start(s);
    for (uint32_t link = 0; link < 5; link++) { /* the stage has never had a result: these count */
        feed(s, (fay_flow_event){.kind = FAY_FLOW_LINK_DOWN, .link = link});
        feed(s, (fay_flow_event){.kind = FAY_FLOW_LINK_UP, .link = link + 1});
    }
    step(s);
    assert_non_null(strstr(s->trace, "fail 4\n"));
}

static void deaths_without_work_are_forgiven_once_it_has_worked(void **state)
{
    struct script *s = begin(state, 1);
    start(s);
    read_source(s, "a");
    step(s);
    assert_int_equal(results(s, 0, 0, "A", NULL, 1), 0);
    for (uint32_t link = 0; link < 9; link++) {
        feed(s, (fay_flow_event){.kind = FAY_FLOW_LINK_DOWN, .link = link});
        feed(s, (fay_flow_event){.kind = FAY_FLOW_LINK_UP, .link = link + 1});
    }
    step(s);
    assert_null(strstr(s->trace, "fail"));
}

static void more_failures_than_the_limit_end_the_run(void **state)
{
    struct script *s = begin(state, 1);
    s->failures_max = 1;
    start(s);
    read_source(s, "ab");
    step(s);
    for (uint64_t tag = 0; tag < 2; tag++) {
        assert_null(strstr(s->trace, "fail"));
        feed(s, (fay_flow_event){.kind = FAY_FLOW_VERDICT, .tag = tag, .verdict = FAY_TRY_POISON});
        step(s);
    }
    assert_non_null(strstr(s->trace, "fail 2\n"));
}

static void twenty_alike_break_the_circuit(void **state)
{
    struct script *s = begin(state, 1);
    s->stages[0].retries = 0;
    s->stages[0].queue_items = 64;
    fay_error err;
    s->router = fay_router_new(s->whens, s->feeds, s->count, &err);
    fay_flow_config config = {
        .stages = s->stages, .stages_count = 1, .router = s->router, .breaker = true};
    s->flow = fay_flow_new(&config, 0);
    feed(s, (fay_flow_event){.kind = FAY_FLOW_LINK_UP});
    step(s);
    feed(s, (fay_flow_event){.kind = FAY_FLOW_WORKER_UP, .worker = 0});
    read_source(s, "abcdefghijklmnopqrstuvwxyz");
    for (uint64_t tag = 0; tag < 20; tag++) {
        fay_flow_actions actions;
        fay_flow_step(s->flow, s->now, &actions);
        feed(s, (fay_flow_event){.kind = FAY_FLOW_VERDICT,
                                 .worker = 0,
                                 .tag = tag,
                                 .verdict = FAY_TRY_EXIT,
                                 .signature = 5});
    }
    step(s);
    assert_non_null(strstr(s->trace, "fail 3\n"));
    assert_null(strstr(s->trace, "lease"));
}

/* An Instance may lie about its children: their number, or where they go. */
static void results_that_do_not_add_up_are_refused(void **state)
{
    struct script *s = begin(state, 2);
    start(s);
    read_source(s, "a");
    step(s);
    FAY_CLEANUP(fay_batch_unrefp) fay_batch *batch = fay_batch_new();
    (void)fay_batch_append(batch, "x", 1);
    static const uint64_t nowhere[] = {0};
    static const uint64_t beyond[] = {UINT64_C(1) << 40};
    static const uint64_t back[] = {1};
    static const uint32_t two[] = {2};
    fay_flow_event event = {.kind = FAY_FLOW_RESULTS, .count = 1, .batch = batch};
    const uint64_t *const lies[] = {nowhere, beyond, back};
    for (size_t i = 0; i < FAY_COUNT(lies); i++) {
        event.targets = lies[i];
        assert_int_equal(fay_flow_feed(s->flow, 0, &event), FAY_E_PEER);
    }
    event.targets = NULL;
    event.children = two;
    assert_int_equal(fay_flow_feed(s->flow, 0, &event), FAY_E_PEER);
    event.children = NULL;
    assert_int_equal(fay_flow_feed(s->flow, 0, &event), 0);
}

/* Children whose paths would be too long: the Item is dead, and says so itself. */
static void results_that_cannot_be_named_end_their_item(void **state)
{
    struct script *s = begin(state, 1);
    start(s);
    FAY_CLEANUP(fay_batch_unrefp) fay_batch *batch = fay_batch_new();
    fay_entry *entry = fay_batch_append(batch, "deep", 4);
    while (fay_path_append(&entry->path, 1) == 0) {
    }
    feed(s, (fay_flow_event){.kind = FAY_FLOW_REENTER, .batch = batch});
    fay_flow_actions actions;
    fay_flow_step(s->flow, 0, &actions);
    assert_int_equal(results(s, 0, 0, "x", NULL, 1), 0);
    fay_flow_step(s->flow, 0, &actions);
    assert_int_equal(actions.items[0].kind, FAY_FLOW_LETTER);
    assert_int_equal(actions.items[0].batch->entries[actions.items[0].at].size, 4);
    assert_int_equal(actions.items[0].note_size, 0);
    fay_flow_check(s->flow);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FLOW_TEST(results_that_do_not_add_up_are_refused),
        FLOW_TEST(results_that_cannot_be_named_end_their_item),
        FLOW_TEST(a_failing_item_is_tried_three_times_then_dead),
        FLOW_TEST(a_poison_item_dies_at_once),
        FLOW_TEST(the_rest_is_halved),
        FLOW_TEST(what_crossed_a_death_is_not_counted),
        FLOW_TEST(a_dead_links_results_are_stale),
        FLOW_TEST(results_of_what_is_not_leased_break_the_protocol),
        FLOW_TEST(who_gives_back_gets_nothing_until_it_is_idle),
        FLOW_TEST(five_deaths_at_work_end_the_run),
        FLOW_TEST(deaths_without_work_are_forgiven_once_it_has_worked),
        FLOW_TEST(more_failures_than_the_limit_end_the_run),
        FLOW_TEST(twenty_alike_break_the_circuit),
    };
    return cmocka_run_group_tests_name("flow_failure", tests, NULL, NULL);
}
