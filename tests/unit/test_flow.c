/* SPDX-License-Identifier: MIT */
/*
 * The flow, read as a transcript: each test feeds events in virtual time and compares all actions
 * with the text a reader would expect.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flow/flow.h"

enum {
    STAGES_MAX = 4
};

struct script {
    fay_flow_stage stages[STAGES_MAX];
    const char *whens[STAGES_MAX];
    uint64_t feeds[STAGES_MAX + 1];
    size_t count;
    bool journal;
    uint64_t failures_max;
    fay_router *router;
    fay_flow *flow;
    fay_ns now;
    uint64_t next_root;
    char trace[8192];
    size_t length;
};

static FAY_PRINTF(2, 3) void say(struct script *s, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(s->trace + s->length, sizeof s->trace - s->length, format, args);
    va_end(args);
    assert_true(n > 0 && (size_t)n < sizeof s->trace - s->length);
    s->length += (size_t)n;
}

/* "7.2=payload" for each Item. */
static void say_items(struct script *s, const fay_batch *batch, size_t at, size_t count)
{
    for (size_t i = at; i < at + count; i++) {
        char id[FAY_PATH_TEXT_MAX];
        const fay_entry *entry = &batch->entries[i];
        (void)fay_path_text(entry->root, &entry->path, false, id);
        say(s, " %s=%.*s", id, (int)entry->size, (const char *)batch->bytes + entry->at);
    }
    say(s, "\n");
}

static void say_action(struct script *s, const fay_flow_action *a)
{
    say(s, "[%3lu] ", (unsigned long)(s->now / FAY_MS));
    switch (a->kind) {
    case FAY_FLOW_LEASE:
        say(s, "lease %u/%u from %lu:", a->link, a->worker, (unsigned long)a->tag);
        say_items(s, a->batch, a->at, a->count);
        break;
    case FAY_FLOW_WRITE:
        say(s, "write:");
        say_items(s, a->batch, a->at, a->count);
        break;
    case FAY_FLOW_LETTER:
        say(s, "letter, %u tries:", a->batch->entries[a->at].attempt);
        say_items(s, a->batch, a->at, 1);
        break;
    case FAY_FLOW_SPAWN: say(s, "spawn %u/%u\n", a->link, a->worker); break;
    case FAY_FLOW_RETIRE: say(s, "retire %u/%u\n", a->link, a->worker); break;
    case FAY_FLOW_RECALL: say(s, "recall %u/%u\n", a->link, a->worker); break;
    case FAY_FLOW_ACKED:
        say(s, "acked %lu..%lu\n", (unsigned long)a->root, (unsigned long)(a->root + a->count - 1));
        break;
    case FAY_FLOW_SYNC: say(s, "sync\n"); break;
    case FAY_FLOW_RECORD:
        say(s, "record");
        for (size_t i = 0; i < a->ranges_count; i++) {
            say(s, " [%lu,%lu)", (unsigned long)a->ranges[i].from, (unsigned long)a->ranges[i].to);
        }
        say(s, " at %lu\n", (unsigned long)a->position);
        break;
    case FAY_FLOW_FAIL: say(s, "fail %d\n", (int)a->why); break;
    case FAY_FLOW_DONE: say(s, "done\n"); break;
    case FAY_FLOW_HOLDING:
        say(s, "holding:");
        say_items(s, a->batch, a->at, 1);
        break;
    case FAY_FLOW_WRITE_SPOOL:
        say(s, "write spool %u, %lu\n", a->spool, (unsigned long)a->items);
        break;
    case FAY_FLOW_SPILL: say(s, "spill %u\n", a->spool); break;
    case FAY_FLOW_LOAD: say(s, "load %u\n", a->spool); break;
    case FAY_FLOW_UNSPOOL: say(s, "unspool %u\n", a->spool); break;
    case FAY_FLOW_PRESSURE: say(s, "pressure\n"); break;
    }
}

/* One stage after the other, each with one worker, 2 retries of 100 ms, no jitter. */
static struct script *begin(void **state, size_t stages)
{
    struct script *s = *state;
    s->count = stages;
    for (size_t i = 0; i < stages; i++) {
        s->stages[i] = (fay_flow_stage){.retries = 2,
                                        .backoff_initial = 100 * FAY_MS,
                                        .backoff_max = FAY_SECOND,
                                        .backoff_factor = 2,
                                        .retry_on = 7,
                                        .queue_items = 8,
                                        .queue_bytes = 1024,
                                        .prefetch = 4,
                                        .reorder_items = 4,
                                        .workers_min = 1,
                                        .workers_start = 1,
                                        .workers_max = 1,
                                        .pinned = true};
        s->whens[i] = "";
        s->feeds[i] = i + 1 < stages ? UINT64_C(1) << (i + 1) : FAY_ROUTE_SINK;
    }
    s->feeds[stages] = 1;
    return s;
}

static void step(struct script *s)
{
    fay_flow_actions actions;
    fay_flow_step(s->flow, s->now, &actions);
    for (size_t i = 0; i < actions.count; i++) {
        say_action(s, &actions.items[i]);
    }
    fay_flow_check(s->flow);
}

static void feed(struct script *s, fay_flow_event event)
{
    assert_int_equal(fay_flow_feed(s->flow, s->now, &event), 0);
    fay_flow_check(s->flow);
}

static void start(struct script *s)
{
    fay_error err;
    s->router = fay_router_new(s->whens, s->feeds, s->count, &err);
    assert_non_null(s->router);
    fay_flow_config config = {.stages = s->stages,
                              .stages_count = s->count,
                              .router = s->router,
                              .journal = s->journal,
                              .failures_max = s->failures_max,
                              .seed = 1};
    s->flow = fay_flow_new(&config, 0);
    for (size_t i = 0; i < s->count; i++) {
        feed(s, (fay_flow_event){.kind = FAY_FLOW_LINK_UP, .stage = i, .link = (uint32_t)i});
    }
    fay_flow_actions actions;
    fay_flow_step(s->flow, s->now, &actions);
    for (size_t i = 0; i < actions.count; i++) {
        const fay_flow_action a = actions.items[i];
        assert_int_equal(a.kind, FAY_FLOW_SPAWN);
    }
    for (size_t i = 0; i < s->count; i++) {
        for (unsigned w = 0; w < s->stages[i].workers_start; w++) {
            feed(s, (fay_flow_event){.kind = FAY_FLOW_WORKER_UP,
                                     .link = (uint32_t)i,
                                     .worker = (uint16_t)w,
                                     .ns = FAY_MS});
        }
    }
}

static void read_source(struct script *s, const char *letters)
{
    FAY_CLEANUP(fay_batch_unrefp) fay_batch *batch = fay_batch_new();
    uint64_t ends[64];
    for (size_t i = 0; letters[i] != '\0'; i++) {
        fay_batch_append(batch, &letters[i], 1)->root = s->next_root++;
        ends[i] = s->next_root * 10;
    }
    feed(s, (fay_flow_event){.kind = FAY_FLOW_SOURCE, .batch = batch, .ends = ends});
}

/* Answers `count` tags; `letters`: one child each, or with `children` that many each. */
static int results(struct script *s, uint32_t link, uint64_t tag, const char *letters,
                   const uint32_t *children, uint64_t count)
{
    FAY_CLEANUP(fay_batch_unrefp) fay_batch *batch = fay_batch_new();
    for (size_t i = 0; letters[i] != '\0'; i++) {
        (void)fay_batch_append(batch, &letters[i], 1);
    }
    fay_flow_event event = {.kind = FAY_FLOW_RESULTS,
                            .link = link,
                            .worker = 0,
                            .tag = tag,
                            .count = count,
                            .ns = FAY_MS,
                            .children = children,
                            .batch = batch};
    return fay_flow_feed(s->flow, s->now, &event);
}

static int set_up(void **state)
{
    *state = fay_alloc(sizeof(struct script));
    return 0;
}

static int tear_down(void **state)
{
    struct script *s = *state;
    fay_flow_free(s->flow);
    fay_router_free(s->router);
    free(s);
    return 0;
}

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
                                  "[200] fail 5\n"
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

static void copies_have_branches(void **state)
{
    struct script *s = begin(state, 2);
    s->feeds[2] = 3; /* the source feeds both, both feed the sink */
    s->feeds[0] = FAY_ROUTE_SINK;
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

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        T(items_go_through_two_stages),
        T(a_failing_item_is_tried_three_times_then_dead),
        T(a_poison_item_dies_at_once),
        T(the_rest_is_halved),
        T(a_dead_links_results_are_stale),
        T(results_of_what_is_not_leased_break_the_protocol),
        T(the_journal_speaks_after_the_sink),
        T(after_a_failed_sync_nothing_is_recorded),
        T(an_ordered_stage_waits_for_its_turn),
        T(a_drain_forgets_what_has_not_begun),
        T(a_full_queue_stops_leases),
        T(who_gives_back_gets_nothing_until_it_is_idle),
        T(five_deaths_at_work_end_the_run),
        T(deaths_without_work_are_forgiven_once_it_has_worked),
        T(copies_have_branches),
        T(a_large_set_is_spilled_and_loaded),
        T(more_failures_than_the_limit_end_the_run),
        T(twenty_alike_break_the_circuit),
#undef T
    };
    return cmocka_run_group_tests_name("flow", tests, NULL, NULL);
}
