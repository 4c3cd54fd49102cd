/* SPDX-License-Identifier: MIT */
/*
 * The flow, read as a transcript: a test feeds events in virtual time and compares all actions with
 * the text a reader would expect. Shared by test_flow.c and test_flow_failure.c.
 */
#ifndef FLOW_SCRIPT_H
#define FLOW_SCRIPT_H

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
    bool breaker;
    double cores;
    fay_router *router;
    fay_flow *flow;
    fay_ns now;
    uint64_t next_root;
    char trace[8192];
    size_t length;
};

static inline FAY_PRINTF(2, 3) void say(struct script *s, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(s->trace + s->length, sizeof s->trace - s->length, format, args);
    va_end(args);
    assert_true(n > 0 && (size_t)n < sizeof s->trace - s->length);
    s->length += (size_t)n;
}

/* "7.2=payload" for each Item. */
static inline void say_items(struct script *s, const fay_batch *batch, size_t at, size_t count)
{
    for (size_t i = at; i < at + count; i++) {
        char id[FAY_PATH_TEXT_MAX];
        const fay_entry *entry = &batch->entries[i];
        (void)fay_path_text(entry->root, &entry->path, false, id);
        say(s, " %s=%.*s", id, (int)entry->size, (const char *)batch->bytes + entry->at);
    }
    say(s, "\n");
}

static inline void say_decision(struct script *s, const fay_equalizer_view *view)
{
    if (view->spawn > 0 || view->retire) {
        say(s, "decided: %s, %+d", fay_rule_name(view->rule), view->retire ? -1 : (int)view->spawn);
    } else {
        say(s, "held");
    }
    say(s, " wants %u%s%s\n", view->wanted, view->held_by != FAY_HELD_NONE ? ", " : "",
        fay_held_name(view->held_by));
}

static inline void say_action(struct script *s, const fay_flow_action *a)
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
    case FAY_FLOW_PAUSED:
        say(s, "paused after %lu:", (unsigned long)a->items);
        say_items(s, a->batch, a->at, 1);
        break;
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
    case FAY_FLOW_DECISION: say_decision(s, fay_flow_stage_view(s->flow, a->stage)); break;
    }
}

/* One stage after the other, each with one worker, 2 retries of 100 ms, no jitter. */
static inline struct script *begin(void **state, size_t stages)
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
        s->feeds[i] = i + 1 < stages ? UINT64_C(1) << (i + 1) : FAY_TARGET_SINK;
    }
    s->feeds[stages] = 1;
    return s;
}

static inline void step(struct script *s)
{
    fay_flow_actions actions;
    fay_flow_step(s->flow, s->now, &actions);
    for (size_t i = 0; i < actions.count; i++) {
        say_action(s, &actions.items[i]);
    }
    fay_flow_check(s->flow);
}

static inline void feed(struct script *s, fay_flow_event event)
{
    assert_int_equal(fay_flow_feed(s->flow, s->now, &event), 0);
    fay_flow_check(s->flow);
}

static inline void start(struct script *s)
{
    fay_error err;
    s->router = fay_router_new(s->whens, s->feeds, s->count, &err);
    assert_non_null(s->router);
    fay_flow_config config = {.stages = s->stages,
                              .stages_count = s->count,
                              .router = s->router,
                              .journal = s->journal,
                              .failures_max = s->failures_max,
                              .breaker = s->breaker,
                              .cores = s->cores,
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

static inline void read_source(struct script *s, const char *letters)
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
static inline int results(struct script *s, uint32_t link, uint64_t tag, const char *letters,
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

static inline int set_up(void **state)
{
    *state = fay_alloc(sizeof(struct script));
    return 0;
}

static inline int tear_down(void **state)
{
    struct script *s = *state;
    fay_flow_free(s->flow);
    fay_router_free(s->router);
    free(s);
    return 0;
}

#define FLOW_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif /* FLOW_SCRIPT_H */
