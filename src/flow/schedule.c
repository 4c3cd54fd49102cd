/* SPDX-License-Identifier: MIT */
/*
 * READY -> LEASED. Stages are served downstream first, so that what is nearly done goes out before
 * more comes in. Within a stage:
 *
 *     1. while a worker idles and an Item is ready, the ready ones are shared among the idle
 *     2. what is left over goes ahead to busy workers, up to each one's credit
 *
 * A lease needs room for its children (rule 4) and reserves it; an ordered stage leases only inside
 * its reorder window (rule 8). The exception that keeps every run alive: the least unfinished path
 * before an ordered stage may always be leased.
 */
#include <assert.h>
#include <math.h>

#include "base/limits.h"
#include "flow/internal.h"

static const double prefetch_ns = 50e6 / 8; /* T/8: what may wait in one worker's hands */
static const double recall_worth_ns = 2e6;  /* ten round trips of some 200 us: less is no gain */

double fay_flow_tokens_have(const fay_flow_tokens *tokens, fay_ns now)
{
    double burst = tokens->rate * 0.05 > 1 ? tokens->rate * 0.05 : 1;
    double have = tokens->tokens + tokens->rate * (double)(now - tokens->at) / 1e9;
    return have < burst ? have : burst;
}

void fay_flow_tokens_spend(fay_flow_tokens *tokens, fay_ns now, double count)
{
    tokens->tokens = fay_flow_tokens_have(tokens, now) - count;
    tokens->at = now;
}

/* When there will be a whole token; FAY_NEVER if there is one now. */
fay_ns fay_flow_tokens_due(const fay_flow_tokens *tokens, fay_ns now)
{
    double missing = 1 - fay_flow_tokens_have(tokens, now);
    return missing > 0 ? now + (fay_ns)(missing / tokens->rate * 1e9) + 1 : FAY_NEVER;
}

/* Places left in every queue that a child may enter, and in the reorder window. */
uint64_t fay_flow_room(const fay_flow *flow, const fay_stage *stage)
{
    uint64_t room = UINT64_MAX;
    FAY_EACH_BIT(bit, stage->possible & ~FAY_TARGET_SINK)
    {
        const fay_stage *next = &flow->stages[bit];
        uint64_t used = next->queue.items + next->queue.reserved;
        bool full = used >= next->queue_limit || next->queue.bytes >= next->config.queue_bytes;
        room = FAY_MIN(room, full ? 0 : next->queue_limit - used);
    }
    if ((stage->possible & FAY_TARGET_SINK) != 0) {
        uint64_t used = flow->sink_items + flow->sink_reserved;
        bool full = used >= flow->config.sink_items || flow->sink_bytes >= flow->config.sink_bytes;
        room = FAY_MIN(room, full ? 0 : flow->config.sink_items - used);
    }
    if (stage->order != NULL) {
        uint64_t used = stage->order->held_items + stage->leased;
        bool full = used >= stage->config.reorder_items ||
                    stage->order->held_bytes >= stage->config.queue_bytes;
        room = FAY_MIN(room, full ? 0 : stage->config.reorder_items - used);
    }
    return room;
}

static void reserve(fay_flow *flow, const fay_stage *stage, uint64_t count)
{
    FAY_EACH_BIT(bit, stage->possible & ~FAY_TARGET_SINK)
    {
        flow->stages[bit].queue.reserved += count;
    }
    if ((stage->possible & FAY_TARGET_SINK) != 0)
        flow->sink_reserved += count;
}

/* A few Items out of a large batch take a copy along, so that a slow one pins no megabyte. */
static void copy_out(fay_batch **batch, size_t *at, size_t count)
{
    size_t weight = fay_batch_weight(*batch, *at, count);
    if (count > 8 || (*batch)->size < 4096 + 4 * weight)
        return;
    fay_batch *small = fay_batch_new();
    small->gap = 0;
    for (size_t i = 0; i < count; i++) {
        (void)fay_batch_copy(small, *batch, *at + i);
    }
    fay_batch_unref(*batch);
    *batch = small;
    *at = 0;
}

static void give(fay_flow *flow, fay_stage *stage, fay_flow_worker *worker, fay_lease lease)
{
    fay_flow_link *link = worker->link;
    if (worker->idle)
        worker->heard = flow->stepped;
    fay_flow_worker_busy(flow, worker);
    copy_out(&lease.batch, &lease.at, lease.count);
    lease.tag = link->next_tag;
    link->next_tag += lease.count;
    reserve(flow, stage, lease.count);
    stage->leased += lease.count;
    for (size_t i = lease.at; flow->ordered != 0 && i < lease.at + lease.count; i++) {
        flow->begun = FAY_MAX(flow->begun, lease.batch->entries[i].root + 1);
    }
    fay_flow_act_items(flow, FAY_FLOW_LEASE, lease.batch, lease.at, lease.count);
    fay_flow_action *action = &flow->actions[flow->actions_count - 1];
    action->link = link->id;
    action->worker = worker->number;
    action->stage = stage->index;
    action->tag = lease.tag;
    fay_leases_add(&worker->leases, lease);
}

/* A spool at the head is read first; its Items come with the LOADED event. */
static bool loading(fay_flow *flow, fay_segment *segment)
{
    if (segment->spool == NULL)
        return false;
    if (!segment->loading) {
        segment->loading = true;
        fay_flow_action *action = fay_flow_act(flow, FAY_FLOW_LOAD);
        action->spool = segment->spool->id;
        action->tag = segment->cursor;
    }
    return true;
}

/* Leases up to `items` Items of the head to the worker. Suspects go whole. */
static size_t lease(fay_flow *flow, fay_ns now, fay_stage *stage, fay_flow_worker *worker,
                    size_t items)
{
    fay_segment *segment = TAILQ_FIRST(&stage->queue.segments);
    size_t given = 0;
    bool suspect = segment->suspect;
    if (suspect)
        items = segment->count;
    while (given < items) {
        segment = TAILQ_FIRST(&stage->queue.segments);
        if (segment == NULL || segment->spool != NULL || segment->suspect != suspect)
            break;
        fay_lease lease = {0};
        size_t most = FAY_MIN(items - given, FAY_BLOCK_ITEMS_MAX);
        lease.count = fay_queue_take(&stage->queue, segment, most, FAY_FRAME_BATCH_MAX,
                                     &lease.batch, &lease.at);
        give(flow, stage, worker, lease);
        given += lease.count;
    }
    worker->suspect = suspect;
    if (stage->tokens.rate > 0)
        fay_flow_tokens_spend(&stage->tokens, now, (double)given);
    return given;
}

/* One lease of up to batch_items Items, in one piece. */
static void lease_batch(fay_flow *flow, fay_ns now, fay_stage *stage, fay_flow_worker *worker,
                        size_t items)
{
    fay_segment *segment = TAILQ_FIRST(&stage->queue.segments);
    bool suspect = segment->suspect;
    items = suspect ? segment->count : FAY_MIN(items, stage->config.batch_items);
    size_t bytes = suspect ? SIZE_MAX : stage->config.batch_bytes;
    fay_lease whole = {.batch = fay_batch_new()};
    whole.batch->gap = segment->batch->gap;
    size_t weight = 0;
    while (whole.count < items) {
        segment = TAILQ_FIRST(&stage->queue.segments);
        bool alike = segment != NULL && segment->spool == NULL && segment->suspect == suspect &&
                     segment->batch->gap == whole.batch->gap;
        if (!alike || (whole.count > 0 && weight >= bytes))
            break;
        fay_batch *batch;
        size_t at;
        size_t count = fay_queue_take(&stage->queue, segment, items - whole.count, bytes - weight,
                                      &batch, &at);
        for (size_t i = at; i < at + count; i++) {
            (void)fay_batch_copy(whole.batch, batch, i);
        }
        weight += fay_batch_weight(batch, at, count);
        whole.count += count;
        fay_batch_unref(batch);
    }
    give(flow, stage, worker, whole);
    worker->suspect = suspect;
    if (stage->tokens.rate > 0)
        fay_flow_tokens_spend(&stage->tokens, now, (double)whole.count);
}

static uint64_t credit(const fay_stage *stage)
{
    if (stage->config.batch_items > 0)
        return 1;
    /* The next process begins without a round trip to us. */
    double most = stage->config.solo ? 2 : (double)FAY_CREDIT_MAX;
    if (stage->config.prefetch > 0)
        return FAY_MIN(stage->config.prefetch, (uint64_t)most);
    if (stage->item_ns <= 0)
        return 1;
    double items = prefetch_ns / stage->item_ns;
    return items < 1 ? 1 : (uint64_t)FAY_MIN(items, most);
}

/* When the batch at the head may go although it is not full; 0 = now. */
static fay_ns batch_due(const fay_flow *flow, const fay_stage *stage)
{
    const fay_flow_stage *config = &stage->config;
    const fay_segment *head = TAILQ_FIRST(&stage->queue.segments);
    bool full = stage->queue.items >= config->batch_items ||
                stage->queue.bytes >= config->batch_bytes || head->suspect;
    const fay_roots *roots = &flow->roots;
    bool dry = flow->ended || roots->open >= flow->roots_max; /* nothing comes before these go */
    bool last = dry && roots->open - roots->waiting == stage->queue.items;
    return full || last ? 0 : head->since + config->batch_wait;
}

/* The least unfinished path before an ordered stage, if it is ready in this queue. A vain search is
 * not repeated until the frontier moves or something joins the queue. */
static fay_segment *find_least(const fay_stage *stage, fay_order *order, size_t *ret_index)
{
    const fay_place *least = fay_order_frontier(order);
    if (least == NULL || least->stage != stage->index)
        return NULL;
    if (order->vain_pushes == stage->queue.pushes && order->vain_root == least->root &&
        fay_path_compare(&order->vain_path, &least->path) == 0)
        return NULL;
    fay_segment *segment;
    TAILQ_FOREACH (segment, &stage->queue.segments, link) {
        for (size_t i = segment->at; segment->batch && i < segment->at + segment->count; i++) {
            const fay_entry *entry = &segment->batch->entries[i];
            if (entry->root == least->root && fay_path_compare(&entry->path, &least->path) == 0) {
                *ret_index = i;
                return segment;
            }
        }
    }
    order->vain_pushes = stage->queue.pushes;
    order->vain_root = least->root;
    order->vain_path = least->path;
    return NULL;
}

/* No room, but the least path may go. */
static bool lease_least(fay_flow *flow, fay_ns now, fay_stage *stage, fay_flow_worker *worker)
{
    FAY_EACH_BIT(bit, stage->upstream_of)
    {
        size_t index;
        fay_segment *segment = find_least(stage, flow->stages[bit].order, &index);
        if (segment == NULL)
            continue;
        bool suspect = segment->suspect;
        fay_lease lease = {.count = 1, .at = index};
        fay_queue_take_one(&stage->queue, segment, index, &lease.batch);
        give(flow, stage, worker, lease);
        worker->suspect = suspect;
        if (stage->tokens.rate > 0)
            fay_flow_tokens_spend(&stage->tokens, now, 1);
        return true;
    }
    return false;
}

/* One lease to the idle worker on top; false when there is none to make. */
static bool serve_idle(fay_flow *flow, fay_ns now, fay_stage *stage)
{
    fay_flow_worker *worker = TAILQ_FIRST(&stage->idle);
    fay_segment *head = TAILQ_FIRST(&stage->queue.segments);
    if (worker == NULL || head == NULL)
        return false;
    if (stage->tokens.rate > 0 && fay_flow_tokens_have(&stage->tokens, now) < 1)
        return false;
    uint64_t room = fay_flow_room(flow, stage);
    stage->blocked = room == 0 || (head->suspect && head->count > room && stage->leased > 0);
    if (stage->blocked)
        return lease_least(flow, now, stage, worker);
    if (loading(flow, head))
        return false;
    if (stage->config.batch_items > 0) {
        if (batch_due(flow, stage) > now)
            return false;
        lease_batch(flow, now, stage, worker, (size_t)room);
        return true;
    }
    uint64_t share = (stage->queue.items + stage->idle_count - 1) / stage->idle_count;
    uint64_t items = FAY_MIN(FAY_MIN(share, credit(stage)), room);
    if (stage->tokens.rate > 0) {
        double tokens = fay_flow_tokens_have(&stage->tokens, now);
        items = FAY_MIN(items, FAY_MAX((uint64_t)tokens, (uint64_t)1));
    }
    return lease(flow, now, stage, worker, (size_t)items) > 0;
}

/* Sends ahead to busy workers, in pieces of at least half a credit, so that frames stay large. */
static void prefetch(fay_flow *flow, fay_ns now, fay_stage *stage)
{
    uint64_t most = credit(stage);
    if (most < 2 || stage->tokens.rate > 0 || stage->idle_count > 0)
        return;
    fay_flow_worker *worker;
    TAILQ_FOREACH (worker, &stage->workers, stage_link) {
        fay_segment *head = TAILQ_FIRST(&stage->queue.segments);
        if (head == NULL || head->suspect || loading(flow, head))
            return;
        if (worker->state != FAY_WORKER_LIVE || worker->suspect || worker->recalled ||
            worker->leases.items > most / 2)
            continue;
        uint64_t room = fay_flow_room(flow, stage);
        stage->blocked = room == 0;
        uint64_t items = FAY_MIN(most - worker->leases.items, room);
        if (items == 0)
            return;
        (void)lease(flow, now, stage, worker, (size_t)items);
    }
}

/* When the Items that a worker has not begun are worth the way back and to another: at once where
 * they are long, later where one turns out to be. */
static fay_ns recall_due(const fay_stage *stage, const fay_flow_worker *worker)
{
    if (worker->state != FAY_WORKER_LIVE || worker->recalled || worker->leases.items < 2)
        return FAY_NEVER;
    bool worth = (double)worker->leases.items * stage->item_ns > recall_worth_ns;
    return worth ? 0 : worker->heard + (fay_ns)recall_worth_ns;
}

static bool may_recall(const fay_stage *stage)
{
    return stage->config.recall && stage->idle_count > 0 && stage->queue.items == 0;
}

/* When something is to be recalled although nothing happens. */
static fay_ns recalls_due(const fay_stage *stage)
{
    fay_ns due = FAY_NEVER;
    const fay_flow_worker *worker;
    if (!may_recall(stage))
        return FAY_NEVER;
    TAILQ_FOREACH (worker, &stage->workers, stage_link) {
        due = FAY_MIN(due, recall_due(stage, worker));
    }
    return due;
}

/* A worker idles, nothing is ready, and another holds more than it can have begun: asks it to give
 * back the rest. */
static void recall(fay_flow *flow, fay_ns now, fay_stage *stage)
{
    if (!may_recall(stage))
        return;
    fay_flow_worker *worker;
    TAILQ_FOREACH (worker, &stage->workers, stage_link) {
        if (recall_due(stage, worker) > now)
            continue;
        worker->recalled = true;
        fay_flow_action *action = fay_flow_act(flow, FAY_FLOW_RECALL);
        action->link = worker->link->id;
        action->worker = worker->number;
        action->stage = stage->index;
    }
}

static void wake_delayed(fay_flow *flow, fay_ns now)
{
    while (fay_delays_due(&flow->delays) <= now) {
        fay_delay delay = fay_delays_take(&flow->delays);
        fay_stage *stage = &flow->stages[delay.stage];
        stage->delayed--;
        fay_queue_push_head(&stage->queue, now, delay.batch, 0, 1, false);
        fay_batch_unref(delay.batch);
    }
}

void fay_flow_schedule(fay_flow *flow, fay_ns now)
{
    if (fay_flow_rests(flow))
        return;
    wake_delayed(flow, now);
    for (size_t i = 0; i < flow->stages_count; i++) {
        fay_stage *stage = &flow->stages[flow->downstream_first[i]];
        stage->blocked = false;
        while (serve_idle(flow, now, stage)) {
        }
        prefetch(flow, now, stage);
        recall(flow, now, stage);
    }
}

/* When this stage has something to do although nothing happens. */
fay_ns fay_flow_schedule_due(const fay_flow *flow, const fay_stage *stage)
{
    const fay_segment *head = TAILQ_FIRST(&stage->queue.segments);
    if (head == NULL)
        return recalls_due(stage);
    if (stage->idle_count == 0 || stage->blocked)
        return FAY_NEVER;
    fay_ns due = FAY_NEVER;
    if (stage->config.batch_items > 0 && head->spool == NULL)
        due = batch_due(flow, stage);
    if (stage->tokens.rate > 0) {
        fay_ns next = fay_flow_tokens_due(&stage->tokens, flow->stepped);
        if (next != FAY_NEVER)
            due = due == FAY_NEVER ? next : FAY_MAX(due, next);
    }
    return due;
}
