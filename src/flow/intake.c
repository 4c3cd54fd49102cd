/* SPDX-License-Identifier: MIT */
/*
 * What comes in: source Items open their roots and join the first queues, and how fast the source
 * would give them is measured; Items of a spool that were loaded join the queue in which it stands.
 */
#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "flow/internal.h"

enum {
    HELD_PART = 20 /* of the time: a source without room for as much is held back */
};

static void open_root(fay_flow *flow, fay_ns now, const fay_flow_event *event, size_t i)
{
    const fay_entry *entry = &event->batch->entries[i];
    fay_root *root = fay_roots_open(&flow->roots, entry->root, event->ends ? event->ends[i] : 0);
    uint64_t mask = flow->source_all;
    if (flow->source_tests) {
        mask = fay_router_targets(flow->router, flow->stages_count,
                                  event->batch->bytes + entry->attrs_at, entry->attrs_size,
                                  event->batch->bytes + entry->at, entry->size);
    }
    fay_piece piece = {.batch = event->batch, .at = i, .count = 1, .mask = mask};
    fay_flow_deliver(flow, now, root, entry, &piece, UINT64_MAX);
    if (--root->open == 0)
        fay_flow_complete(flow, entry->root);
}

/* Source Items that all go to one stage: roots are opened, and the batch joins the queue whole. */
static void open_run(fay_flow *flow, fay_ns now, const fay_flow_event *event, size_t at,
                     size_t count)
{
    fay_stage *stage = &flow->stages[__builtin_ctzll(flow->source_all)];
    for (size_t i = at; i < at + count; i++) {
        (void)fay_roots_open(&flow->roots, event->batch->entries[i].root,
                             event->ends ? event->ends[i] : 0);
    }
    stage->stats.in += count;
    fay_flow_enter_orders(flow, stage, event->batch, at, count);
    fay_queue_push(&stage->queue, now, event->batch, at, count);
}

void fay_flow_source(fay_flow *flow, fay_ns now, const fay_flow_event *event)
{
    fay_batch *batch = event->batch;
    bool whole = !flow->source_tests && __builtin_popcountll(flow->source_all) == 1 &&
                 flow->source_all != FAY_TARGET_SINK;
    bool resumed = flow->commit.acked.count > 0;
    flow->reading.items += (double)batch->count;
    size_t begun = 0;
    for (size_t i = 0; i < batch->count; i++) {
        uint64_t root = batch->entries[i].root;
        assert(root >= flow->next_root);
        flow->next_root = root + 1;
        if (resumed && fay_ranges_has(&flow->commit.acked, root)) {
            fay_ranges_note_end(&flow->commit.acked, root, event->ends ? event->ends[i] : 0);
            if (whole && i > begun)
                open_run(flow, now, event, begun, i - begun);
            begun = i + 1;
            continue;
        }
        flow->totals.read++;
        if (!whole)
            open_root(flow, now, event, i);
    }
    if (whole && batch->count > begun)
        open_run(flow, now, event, begun, batch->count - begun);
    if (flow->source_tokens.rate > 0)
        fay_flow_tokens_spend(&flow->source_tokens, now, (double)batch->count);
}

/* ---- its speed ------------------------------------------------------------------------------- */

void fay_flow_time_source(fay_flow *flow, fay_ns now)
{
    uint64_t items, bytes;
    fay_ns *time = flow->source_open ? &flow->reading.open_ns : &flow->reading.held_ns;
    *time += now - flow->source_since;
    if (now - flow->reading_since >= FAY_SECOND) {
        flow->before = flow->reading;
        flow->reading = (fay_flow_reading){0};
        flow->reading_since = now;
    }
    fay_flow_source_space(flow, &items, &bytes);
    flow->source_open = items > 0 && bytes > 0;
    flow->source_since = now;
}

double fay_flow_source_rate(const fay_flow *flow)
{
    fay_ns open = flow->reading.open_ns + flow->before.open_ns;
    fay_ns held = flow->reading.held_ns + flow->before.held_ns;
    if (flow->ended || flow->draining || held < (open + held) / HELD_PART)
        return 0;
    return (flow->reading.items + flow->before.items) / fmax((double)open / 1e9, 1e-6);
}

/* ---- drain, spools, dead letters ------------------------------------------------------------- */

/* The last Item of the segment, if it is a source Item that nobody has touched, is forgotten. */
static bool forget_last(fay_flow *flow, fay_stage *stage, fay_segment *segment)
{
    const fay_entry entry = segment->batch->entries[segment->at + segment->count - 1];
    fay_root *root = fay_roots_get(&flow->roots, entry.root);
    if (flow->ordered != 0 && entry.root < flow->begun)
        return false; /* a resumed run would write it behind one that is younger */
    if (entry.path.size > 0 || entry.attempt > 0 || root->open != 1 || root->held != NULL)
        return false;
    FAY_EACH_BIT(bit, stage->upstream_of)
    {
        fay_order_leave(flow->stages[bit].order, entry.root, &entry.path);
    }
    root->open = 0;
    fay_roots_close(&flow->roots, entry.root);
    flow->totals.not_begun++;
    segment->count--;
    stage->queue.items--;
    stage->queue.bytes -= (uint64_t)entry.size + entry.attrs_size;
    return true;
}

/* Drain: source Items of which nothing has begun are forgotten; a resumed run reads them again. */
void fay_flow_forget_unbegun(fay_flow *flow)
{
    FAY_EACH_BIT(bit, flow->source_possible & ~FAY_TARGET_SINK)
    {
        fay_stage *stage = &flow->stages[bit];
        fay_segment *segment;
        fay_segment *next;
        TAILQ_FOREACH_SAFE(segment, &stage->queue.segments, link, next)
        {
            while (segment->batch != NULL && segment->count > 0 &&
                   forget_last(flow, stage, segment)) {
            }
            if (segment->batch != NULL && segment->count == 0)
                fay_queue_remove(&stage->queue, segment);
        }
    }
}

static fay_segment *find_loading(const fay_flow *flow, const fay_flow_event *event,
                                 fay_stage **ret_stage)
{
    for (size_t i = 0; i < flow->stages_count; i++) {
        fay_segment *segment;
        TAILQ_FOREACH (segment, &flow->stages[i].queue.segments, link) {
            if (segment->spool != NULL && segment->loading && segment->spool->id == event->spool &&
                segment->cursor == event->tag) {
                *ret_stage = &flow->stages[i];
                return segment;
            }
        }
    }
    return NULL;
}

/* The loaded Items that are for this stage, named as children of the spool's parent. */
static fay_batch *select_loaded(const fay_stage *stage, const fay_segment *segment,
                                const fay_flow_event *event)
{
    fay_batch *mine = fay_batch_new();
    fay_entry parent = {.root = segment->root, .path = segment->parent};
    uint64_t bit = UINT64_C(1) << stage->index;
    for (size_t i = 0; i < event->batch->count; i++) {
        uint64_t mask = event->targets != NULL ? event->targets[i] : bit;
        if ((mask & bit) == 0)
            continue;
        int branch = __builtin_popcountll(mask) > 1 ? __builtin_popcountll(mask & (bit - 1)) : -1;
        fay_entry *child = fay_batch_copy(mine, event->batch, i);
        fay_flow_name_child(child, &parent, segment->index + i, branch);
    }
    return mine;
}

int fay_flow_loaded(fay_flow *flow, fay_ns now, const fay_flow_event *event)
{
    fay_stage *stage = NULL;
    fay_segment *segment = find_loading(flow, event, &stage);
    if (segment == NULL)
        return FAY_FLOW_STALE;
    FAY_CLEANUP(fay_batch_unrefp) fay_batch *mine = select_loaded(stage, segment, event);
    if (mine->count > segment->count || (event->batch->count == 0 && segment->count > 0))
        return FAY_E_IO; /* the spool does not hold what was put there */
    segment->loading = false;
    segment->cursor = event->ns;
    segment->index += event->batch->count;
    fay_queue_load(&stage->queue, now, segment, mine);
    if (segment->count == 0) {
        fay_flow_unspool(flow, segment->spool);
        segment->spool = NULL;
        fay_queue_remove(&stage->queue, segment);
    }
    return 0;
}

/* Dead letters that are tried again: each opens a root of its own, in the stage where it died. */
void fay_flow_reenter(fay_flow *flow, fay_ns now, const fay_flow_event *event)
{
    fay_stage *stage = &flow->stages[event->stage];
    fay_batch *batch = event->batch;
    for (size_t i = 0; i < batch->count; i++) {
        assert(batch->entries[i].root >= flow->next_root);
        flow->next_root = batch->entries[i].root + 1;
        (void)fay_roots_open(&flow->roots, batch->entries[i].root, 0);
    }
    flow->totals.read += batch->count;
    stage->stats.in += batch->count;
    fay_flow_enter_orders(flow, stage, batch, 0, batch->count);
    fay_queue_push(&stage->queue, now, batch, 0, batch->count);
}
