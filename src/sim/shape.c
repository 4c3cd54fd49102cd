/* SPDX-License-Identifier: MIT */
#include "sim/shape.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum {
    NO_TEST = -1,
    ELSE = -2
};

static uint64_t one_of(fay_sim_world *world, const uint64_t *list, size_t count)
{
    return list[fay_sim_below(world, count)];
}
#define ONE_OF(world, ...)                                                                         \
    one_of((world), (const uint64_t[]){__VA_ARGS__},                                               \
           sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))

static void draw_feeds(fay_sim_shape *shape, fay_sim_world *world)
{
    size_t source = shape->count;
    bool linear = fay_sim_chance(world, 0.5);
    shape->feeds[source] = 1;
    for (size_t i = 1; i < shape->count; i++) {
        if (linear) {
            shape->feeds[i - 1] |= UINT64_C(1) << i;
            continue;
        }
        uint64_t inputs = 1 + fay_sim_below(world, fay_sim_chance(world, 0.3) ? 2 : 1);
        for (; inputs > 0; inputs--) {
            size_t from = fay_sim_below(world, i + 1);
            shape->feeds[from == i ? source : from] |= UINT64_C(1) << i;
        }
    }
    for (size_t i = 0; i < shape->count; i++) {
        if (shape->feeds[i] == 0)
            shape->feeds[i] = FAY_TARGET_SINK;
    }
}

/* An `else` makes sense only beside a test, and there is one among the readers of one input. */
static void draw_else(fay_sim_shape *shape, size_t stage)
{
    bool beside = true;
    for (size_t from = 0; from <= shape->count; from++) {
        if ((shape->feeds[from] >> stage & 1) == 0)
            continue;
        bool test = false;
        for (size_t i = 0; i < shape->count; i++) {
            bool reads = (shape->feeds[from] >> i & 1) != 0;
            test = test || (reads && shape->stages[i].when >= 0);
            beside = beside && !(reads && shape->stages[i].when == ELSE);
        }
        beside = beside && test;
    }
    if (beside)
        shape->stages[stage].when = ELSE;
}

static void draw_routes(fay_sim_shape *shape, fay_sim_world *world)
{
    bool routed = fay_sim_chance(world, 0.4);
    for (size_t i = 0; i < shape->count; i++) {
        bool test = routed && fay_sim_chance(world, 0.5);
        shape->stages[i].when = test ? (int)fay_sim_below(world, FAY_SIM_KINDS) : NO_TEST;
    }
    for (size_t i = 0; routed && i < shape->count; i++) {
        if (shape->stages[i].when == NO_TEST && fay_sim_chance(world, 0.5))
            draw_else(shape, i);
    }
    char texts[FAY_SIM_STAGES_MAX][24];
    const char *whens[FAY_SIM_STAGES_MAX];
    for (size_t i = 0; i < shape->count; i++) {
        int when = shape->stages[i].when;
        if (when >= 0) {
            (void)snprintf(texts[i], sizeof texts[i], "data ~ \"*k%d*\"", when);
        } else {
            (void)snprintf(texts[i], sizeof texts[i], "%s", when == ELSE ? "else" : "");
        }
        whens[i] = texts[i];
    }
    fay_error err;
    shape->router = fay_router_new(whens, shape->feeds, shape->count, &err);
    assert(shape->router != NULL);
}

/* How many of them; where Items come in bursts, these come and go. */
static void draw_staff(const fay_sim_shape *shape, fay_flow_stage *flow, fay_sim_world *world)
{
    bool bursts = shape->burst > 0;
    flow->workers_max = (unsigned)fay_sim_between(world, 1, bursts ? 12 : 4);
    flow->workers_min = (unsigned)fay_sim_below(world, flow->workers_max + 1);
    if (bursts && fay_sim_chance(world, 0.7))
        flow->workers_min = 0;
    unsigned least = FAY_MAX(flow->workers_min, 1u);
    flow->workers_start = (unsigned)fay_sim_between(world, least, flow->workers_max);
    if (fay_sim_chance(world, bursts ? 0.1 : 0.4)) {
        flow->pinned = true;
        flow->workers_min = flow->workers_max = flow->workers_start;
    }
}

static void draw_workers(const fay_sim_shape *shape, fay_sim_stage *stage, fay_flow_stage *flow,
                         fay_sim_world *world)
{
    stage->mode = (fay_sim_mode)fay_sim_below(world, 4);
    stage->instances = fay_sim_chance(world, 0.2) ? 2 : 1;
    stage->concurrency = (unsigned)ONE_OF(world, 1, 1, 2, 4);
    stage->work = ONE_OF(world, 10000, FAY_MS, 10 * FAY_MS, 100 * FAY_MS);
    stage->timeout = 100 * FAY_MS + 10 * stage->work;
    stage->start = ONE_OF(world, FAY_MS, 20 * FAY_MS, 300 * FAY_MS);
    flow->solo = stage->mode == FAY_SIM_SOLO;
    flow->start_hidden = stage->mode == FAY_SIM_LINES;
    flow->recall = stage->mode == FAY_SIM_TAGGED || stage->mode == FAY_SIM_SOLO;
    if (stage->mode == FAY_SIM_BATCH) {
        flow->batch_items = ONE_OF(world, 1, 2, 5, 16);
        flow->batch_bytes = ONE_OF(world, 30, 1000, FAY_MIB);
        flow->batch_wait = ONE_OF(world, 0, FAY_MS, 50 * FAY_MS);
    }
    flow->prefetch = ONE_OF(world, 0, 0, 1, 3, 16);
    draw_staff(shape, flow, world);
    flow->period = ONE_OF(world, 0, 0, 20 * FAY_MS);
    flow->target_wait = ONE_OF(world, 0, 0, 10 * FAY_MS);
}

static void draw_rules(fay_flow_stage *flow, fay_sim_world *world)
{
    flow->retries = fay_sim_below(world, 4);
    flow->backoff_initial = ONE_OF(world, 0, FAY_MS, 100 * FAY_MS, FAY_SECOND);
    flow->backoff_factor = fay_sim_chance(world, 0.5) ? 2 : 1;
    flow->backoff_max = 30 * FAY_SECOND;
    flow->backoff_jitter = fay_sim_chance(world, 0.5) ? 0.2 : 0;
    flow->on_error = FAY_ON_ERROR_DEAD;
    if (fay_sim_chance(world, 0.2))
        flow->on_error = fay_sim_chance(world, 0.8) ? FAY_ON_ERROR_DROP : FAY_ON_ERROR_STOP;
    flow->retry_on = FAY_RETRY_ON_EXIT | FAY_RETRY_ON_SIGNAL | FAY_RETRY_ON_TIMEOUT;
    if (fay_sim_chance(world, 0.2))
        flow->retry_on = (unsigned)fay_sim_below(world, 8);
    flow->reorder_items = ONE_OF(world, 1, 2, 3, 10, 1024);
    flow->reorder_wait = ONE_OF(world, 100 * FAY_MS, 30 * FAY_SECOND);
    flow->queue_items = ONE_OF(world, 1, 1, 2, 3, 8, 64);
    flow->queue_bytes = ONE_OF(world, 10, 200, FAY_MIB, FAY_MIB);
    flow->queue_grows = fay_sim_chance(world, 0.2);
    if (fay_sim_chance(world, 0.1))
        flow->rate = (double)ONE_OF(world, 5, 50, 1000);
}

static void draw_stage(fay_sim_shape *shape, fay_sim_world *world, size_t index)
{
    static const double children[][4] = {
        {0, 1, 0, 0}, {0, 1, 0, 0}, {0.2, 0.5, 0.2, 0.1}, {0.5, 0.5, 0, 0}, {0.3, 0.2, 0.2, 0.3}};
    fay_sim_stage *stage = &shape->stages[index];
    fay_flow_stage *flow = &shape->flow_stages[index];
    draw_workers(shape, stage, flow, world);
    draw_rules(flow, world);
    flow->ordered = shape->orders && fay_sim_chance(world, 0.5);
    size_t way = fay_sim_below(world, FAY_COUNT(children));
    memcpy(stage->children, children[way], sizeof stage->children);
}

static void draw_config(fay_sim_shape *shape, fay_sim_world *world)
{
    fay_flow_config *config = &shape->config;
    config->stages = shape->flow_stages;
    config->stages_count = shape->count;
    config->router = shape->router;
    config->journal = fay_sim_chance(world, 0.7);
    config->held_bytes = ONE_OF(world, 0, 0, 1, 100, 1000);
    config->parts_bytes = ONE_OF(world, 0, 20, 300);
    config->sink_items = ONE_OF(world, 0, 0, 1, 5);
    config->sink_bytes = ONE_OF(world, 0, 0, 100);
    config->commit_ns = ONE_OF(world, 0, FAY_MS, 20 * FAY_MS);
    if (fay_sim_chance(world, 0.1))
        config->source_rate = (double)ONE_OF(world, 20, 1000);
    if (fay_sim_chance(world, 0.05))
        config->failures_max = fay_sim_between(world, 1, 5);
    if (fay_sim_chance(world, 0.05))
        config->failures_percent = 50;
    config->breaker = fay_sim_chance(world, 0.1);
    if (config->breaker && fay_sim_chance(world, 0.7))
        shape->stages[fay_sim_below(world, shape->count)].broken = true;
    config->seed = fay_prng_next(&world->prng);
}

void fay_sim_shape_draw(fay_sim_shape *shape, fay_sim_world *world)
{
    *shape = (fay_sim_shape){.count = fay_sim_between(world, 1, FAY_SIM_STAGES_MAX)};
    draw_feeds(shape, world);
    shape->orders = fay_sim_chance(world, 0.5);
    if (fay_sim_chance(world, 0.25)) {
        shape->burst = ONE_OF(world, 1, 3, 10, 40);
        shape->pause = ONE_OF(world, 200 * FAY_MS, FAY_SECOND, 5 * FAY_SECOND);
    }
    for (size_t i = 0; i < shape->count; i++) {
        draw_stage(shape, world, i);
    }
    draw_routes(shape, world);
    draw_config(shape, world);
    uint64_t most = ONE_OF(world, 5, 20, 60, 200, 200);
    shape->items = fay_sim_between(world, 1, most);
    shape->gap = ONE_OF(world, 0, 0, FAY_MS, 50 * FAY_MS);
    shape->letters = fay_sim_chance(world, 0.05);
    shape->config.journal = shape->config.journal && !shape->letters;
    shape->positions = fay_sim_chance(world, 0.8);
    shape->greedy = fay_sim_chance(world, 0.2);
    shape->big = fay_sim_chance(world, 0.3) ? 0.1 : 0;
    shape->parts = fay_sim_chance(world, 0.5) ? 0.5 : 0;
    shape->latency = ONE_OF(world, 1000, 100000, 5 * FAY_MS);
    shape->sink = ONE_OF(world, 1000, 1000, FAY_MS, 50 * FAY_MS);
    shape->payload = ONE_OF(world, 0, 10, 100);
}

void fay_sim_shape_deinit(fay_sim_shape *shape)
{
    fay_router_free(shape->router);
    shape->router = NULL;
}

uint64_t fay_sim_shape_targets(const fay_sim_shape *shape, size_t from, unsigned kind)
{
    uint64_t targets = shape->feeds[from] & FAY_TARGET_SINK, otherwise = 0;
    bool matched = false;
    for (size_t i = 0; i < shape->count; i++) {
        uint64_t bit = shape->feeds[from] & UINT64_C(1) << i;
        int when = shape->stages[i].when;
        if (bit == 0)
            continue;
        if (when == ELSE) {
            otherwise |= bit;
        } else if (when == NO_TEST || when == (int)kind) {
            targets |= bit;
        }
        matched = matched || when == (int)kind;
    }
    if (matched)
        return targets;
    if (otherwise != 0)
        return targets | otherwise;
    for (size_t i = 0; i < shape->count; i++) {
        if ((shape->feeds[from] >> i & 1) != 0 && shape->stages[i].when >= 0)
            targets |= fay_sim_shape_targets(shape, i, kind); /* past it */
    }
    return targets;
}

size_t fay_sim_shape_reenters(const fay_sim_shape *shape, uint64_t root)
{
    return root % shape->count;
}

bool fay_sim_shape_ordered(const fay_sim_shape *shape)
{
    unsigned feeders = 0;
    for (size_t from = 0; from <= shape->count; from++) {
        if ((fay_router_possible(shape->router, from) & FAY_TARGET_SINK) == 0)
            continue;
        if (from == shape->count || !shape->flow_stages[from].ordered)
            return false;
        feeders++;
    }
    return feeders == 1 || !shape->config.journal;
}

void fay_sim_shape_text(const fay_sim_shape *shape, char *text, size_t size)
{
    static const char *const modes[] = {"solo", "lines", "batch", "tagged"};
    size_t used = 0;
    for (size_t i = 0; i <= shape->count && used < size; i++) {
        const char *mode = i < shape->count ? modes[shape->stages[i].mode] : "source";
        bool ordered = i < shape->count && shape->flow_stages[i].ordered;
        used += (size_t)snprintf(text + used, size - used, "%s%zu %s%s", i > 0 ? " | " : "", i,
                                 mode, ordered ? " ordered" : "");
        if (i < shape->count && shape->stages[i].when != NO_TEST && used < size)
            used += (size_t)snprintf(text + used, size - used, " when %d", shape->stages[i].when);
        for (size_t to = 0; to < 64 && used < size; to++) {
            if ((shape->feeds[i] >> to & 1) != 0) {
                used += (size_t)snprintf(text + used, size - used, " >%s%zu",
                                         to == 63 ? "sink " : "", to);
            }
        }
    }
}
