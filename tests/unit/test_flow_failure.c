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
    assert_non_null(strstr(s->trace, "fail 3\n"));
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

/* ---- the circuit breaker --------------------------------------------------------------------- */

/* One stage that may pause the run, with one worker that holds one Item at a time. */
static struct script *begin_watched(void **state, const char *letters)
{
    struct script *s = begin(state, 1);
    s->stages[0].retries = 0;
    s->stages[0].prefetch = 1;
    s->stages[0].queue_items = 64;
    s->breaker = true;
    start(s);
    read_source(s, letters);
    return s;
}

/* The Item of the tag is leased and fails, with that signature. */
static void fail_one(struct script *s, uint64_t tag, uint64_t signature)
{
    step(s);
    feed(s, (fay_flow_event){.kind = FAY_FLOW_VERDICT,
                             .tag = tag,
                             .verdict = FAY_TRY_EXIT,
                             .signature = signature});
}

static void fail_many(struct script *s, uint64_t from, uint64_t to, uint64_t signature)
{
    for (uint64_t tag = from; tag < to; tag++) {
        fail_one(s, tag, signature);
    }
}

static void forget_trace(struct script *s)
{
    s->length = 0;
    s->trace[0] = '\0';
}

static const char many[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/* Nothing is begun, nor read, until somebody decides. */
static void twenty_alike_pause_the_flow(void **state)
{
    struct script *s = begin_watched(state, many);
    uint64_t items, bytes;
    fail_many(s, 0, 19, 5);
    step(s);
    assert_null(strstr(s->trace, "paused"));
    forget_trace(s);
    feed(s, (fay_flow_event){.kind = FAY_FLOW_VERDICT, .tag = 19, .verdict = 1, .signature = 5});
    step(s);
    s->now += FAY_SECOND;
    step(s);
    assert_string_equal(s->trace, "[  0] paused after 20: 19=t\n"
                                  "[  0] letter, 1 tries: 19=t\n"
                                  "[  0] acked 19..19\n");
    fay_flow_source_room(s->flow, s->now, &items, &bytes);
    assert_true(items == 0 && bytes == 0);
    assert_int_equal(fay_flow_deadline(s->flow), FAY_NEVER);
}

static void who_goes_on_is_not_asked_again(void **state)
{
    struct script *s = begin_watched(state, many);
    fail_many(s, 0, 20, 5);
    step(s);
    forget_trace(s);
    feed(s, (fay_flow_event){.kind = FAY_FLOW_GO_ON});
    step(s);
    assert_string_equal(s->trace, "[  0] lease 0/0 from 20: 20=u\n");
    fail_many(s, 20, 52, 5);
    step(s);
    assert_null(strstr(s->trace, "paused"));
    feed(s, (fay_flow_event){.kind = FAY_FLOW_GO_ON}); /* of no use, and of no harm */
    feed(s, (fay_flow_event){.kind = FAY_FLOW_SOURCE_END});
    forget_trace(s);
    step(s);
    assert_string_equal(s->trace, "[  0] done\n");
}

/* Stopped: what has not been begun is not consumed. */
static void who_stops_consumes_nothing_more(void **state)
{
    struct script *s = begin_watched(state, many);
    fail_many(s, 0, 20, 5);
    step(s);
    forget_trace(s);
    feed(s, (fay_flow_event){.kind = FAY_FLOW_ABORT});
    step(s);
    assert_string_equal(s->trace, "[  0] done\n");
}

/* What workers hold meanwhile is taken and written; a worker that goes is replaced later. */
static void what_is_in_workers_may_finish_meanwhile(void **state)
{
    struct script *s = begin_watched(state, "");
    feed(s, (fay_flow_event){.kind = FAY_FLOW_SCALE, .min = 2, .max = 2});
    step(s);
    feed(s, (fay_flow_event){.kind = FAY_FLOW_WORKER_UP, .worker = 1});
    read_source(s, many);
    step(s); /* worker 1, the last one in, holds tag 0; worker 0 fails all of its own */
    fail_many(s, 1, 21, 5);
    step(s);
    assert_non_null(strstr(s->trace, "paused after 20: 20=u"));
    forget_trace(s);
    FAY_CLEANUP(fay_batch_unrefp) fay_batch *batch = fay_batch_new();
    (void)fay_batch_append(batch, "A", 1);
    feed(s, (fay_flow_event){
                .kind = FAY_FLOW_RESULTS, .worker = 1, .count = 1, .batch = batch, .ns = 1});
    feed(s, (fay_flow_event){.kind = FAY_FLOW_WORKER_DOWN, .cause = FAY_FLOW_EXIT});
    step(s);
    assert_string_equal(s->trace, "[  0] write: 0.0=A\n"
                                  "[  0] acked 0..0\n");
    feed(s, (fay_flow_event){.kind = FAY_FLOW_GO_ON});
    forget_trace(s);
    s->now += FAY_SECOND;
    step(s);
    assert_string_equal(s->trace, "[1000] lease 0/1 from 21: 21=v\n"
                                  "[1000] spawn 0/0\n");
}

/* The question stands also when it was the last Item: only the answer tells how the run ends. */
static void the_end_waits_for_the_answer(void **state)
{
    struct script *s = begin_watched(state, "abcdefghijklmnopqrst");
    feed(s, (fay_flow_event){.kind = FAY_FLOW_SOURCE_END});
    fail_many(s, 0, 20, 5);
    step(s);
    assert_null(strstr(s->trace, "done"));
    feed(s, (fay_flow_event){.kind = FAY_FLOW_GO_ON});
    step(s);
    assert_non_null(strstr(s->trace, "done"));
}

static void failures_that_differ_pause_nothing(void **state)
{
    struct script *s = begin_watched(state, many);
    fail_many(s, 0, 10, 5);
    fail_many(s, 10, 11, 6);
    fail_many(s, 11, 52, 5);
    step(s);
    assert_null(strstr(s->trace, "paused"));
}

static void one_success_and_nothing_pauses(void **state)
{
    struct script *s = begin_watched(state, many);
    fail_many(s, 0, 10, 5);
    step(s);
    assert_int_equal(results(s, 0, 10, "K", NULL, 1), 0);
    fail_many(s, 11, 52, 5);
    step(s);
    assert_null(strstr(s->trace, "paused"));
}

/* Of each Item the first try alone counts, and what waits for its next try waits on. */
static void retries_wait_while_it_is_paused(void **state)
{
    struct script *s = begin(state, 1);
    s->stages[0].prefetch = 1;
    s->stages[0].queue_items = 64;
    s->breaker = true;
    start(s);
    read_source(s, many);
    fail_many(s, 0, 20, 5);
    step(s);
    assert_non_null(strstr(s->trace, "paused after 20: 19=t"));
    forget_trace(s);
    s->now += FAY_SECOND;
    step(s);
    assert_string_equal(s->trace, "");
    feed(s, (fay_flow_event){.kind = FAY_FLOW_GO_ON});
    step(s);
    assert_string_equal(s->trace, "[1000] lease 0/0 from 20: 19=t\n");
}

/* Two stages side by side: the second one fails alike while the first has the flow paused. */
static void another_stage_is_told_of_after_the_first(void **state)
{
    struct script *s = begin(state, 2);
    for (size_t i = 0; i < 2; i++) {
        s->stages[i].retries = 0;
        s->stages[i].prefetch = 25;
        s->stages[i].queue_items = 64;
        s->feeds[i] = FAY_TARGET_SINK;
    }
    s->feeds[2] = 3;
    s->breaker = true;
    start(s);
    read_source(s, many);
    step(s);
    forget_trace(s);
    for (uint32_t link = 0; link < 2; link++) {
        for (uint64_t tag = 0; tag < 20; tag++) {
            feed(s, (fay_flow_event){.kind = FAY_FLOW_VERDICT,
                                     .link = link,
                                     .tag = tag,
                                     .verdict = FAY_TRY_EXIT,
                                     .signature = 7 + link});
        }
    }
    step(s);
    assert_non_null(strstr(s->trace, "paused after 20: 19.0=t"));
    assert_null(strstr(s->trace, "19.1=t\n[  0] paused"));
    forget_trace(s);
    feed(s, (fay_flow_event){.kind = FAY_FLOW_GO_ON});
    feed(s, (fay_flow_event){
                .kind = FAY_FLOW_VERDICT, .link = 1, .tag = 20, .verdict = 1, .signature = 8});
    step(s);
    assert_non_null(strstr(s->trace, "paused after 21: 20.1=u"));
}

/* A resumed run that has worked before: whatever fails, and however alike. */
static void who_has_worked_in_another_life_is_not_watched(void **state)
{
    struct script *s = begin_watched(state, many);
    const uint8_t *item = NULL;
    size_t size = 0;
    const uint64_t first = 0;
    fay_flow_unwatch(s->flow);
    step(s);
    assert_false(fay_flow_watches(s->flow, 0, 0, &first, &item, &size));
    fail_many(s, 0, 52, 5);
    step(s);
    assert_null(strstr(s->trace, "paused"));
}

/* The Item is lent for its signature as long as that is of use. */
static void items_are_lent_while_the_breaker_looks(void **state)
{
    struct script *s = begin_watched(state, many);
    const uint8_t *item = NULL;
    size_t size = 0;
    const uint64_t first = 0, none = 1;
    step(s);
    assert_true(fay_flow_watches(s->flow, 0, 0, &first, &item, &size));
    assert_true(size == 1 && item[0] == 'a');
    assert_true(fay_flow_watches(s->flow, 0, 0, NULL, &item, &size));
    assert_false(fay_flow_watches(s->flow, 0, 0, &none, &item, &size));
    assert_false(fay_flow_watches(s->flow, 0, 9, &first, &item, &size));
    assert_false(fay_flow_watches(s->flow, 9, 0, &first, &item, &size));
    assert_int_equal(results(s, 0, 0, "A", NULL, 1), 0);
    step(s);
    assert_false(fay_flow_watches(s->flow, 0, 0, NULL, &item, &size)); /* the stage has worked */
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

/* Its Items had not reached any of them: no attempt counts, and five are enough at any pace. */
static void five_deaths_without_a_look_at_an_item_end_the_run(void **state)
{
    struct script *s = begin(state, 1);
    start(s);
    read_source(s, "ab");
    step(s);
    for (uint64_t tag = 0; tag < 10; tag += 2) {
        feed(s, (fay_flow_event){
                    .kind = FAY_FLOW_WORKER_DOWN, .cause = FAY_FLOW_EXIT, .ok = true, .tag = tag});
        s->now += 60 * FAY_SECOND;
        step(s);
        if (tag < 8)
            feed(s, (fay_flow_event){.kind = FAY_FLOW_WORKER_UP});
        step(s);
    }
    fay_flow_stats stats;
    fay_flow_stage_stats(s->flow, s->now, 0, &stats);
    assert_int_equal(stats.retried + stats.dead, 0);
    assert_non_null(strstr(s->trace, "fail 3\n"));
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
        FLOW_TEST(five_deaths_without_a_look_at_an_item_end_the_run),
        FLOW_TEST(deaths_without_work_are_forgiven_once_it_has_worked),
        FLOW_TEST(more_failures_than_the_limit_end_the_run),
        FLOW_TEST(twenty_alike_pause_the_flow),
        FLOW_TEST(who_goes_on_is_not_asked_again),
        FLOW_TEST(who_stops_consumes_nothing_more),
        FLOW_TEST(what_is_in_workers_may_finish_meanwhile),
        FLOW_TEST(the_end_waits_for_the_answer),
        FLOW_TEST(failures_that_differ_pause_nothing),
        FLOW_TEST(one_success_and_nothing_pauses),
        FLOW_TEST(retries_wait_while_it_is_paused),
        FLOW_TEST(another_stage_is_told_of_after_the_first),
        FLOW_TEST(who_has_worked_in_another_life_is_not_watched),
        FLOW_TEST(items_are_lent_while_the_breaker_looks),
    };
    return cmocka_run_group_tests_name("flow_failure", tests, NULL, NULL);
}
