/* SPDX-License-Identifier: MIT */
/*
 * LEASED -> results. An Item that is finished hands its children on:
 *
 *     results --(ordered stage: held until its turn)--> children --> queues of the next stages
 *                                                               '--> output of the root --> sink
 *
 * A root's count of unfinished Items falls by one for its parent and rises by its children; at zero
 * the root is complete: what was held of its output is written, and it is acked. With a journal
 * output waits for that moment (rule 5), without one it is written at once.
 *
 * Two ways through here: a run of Items with one child each, one target and no order moves as a
 * whole (fast_run); everything else Item by Item.
 */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "flow/internal.h"

static const double hidden_from = 2;    /* times the usual time: there was a start in it */
static const double sample_least = 0.1; /* of a result in the mean of an Item's time, .. */
static const double sample_whole = 256; /* .. and more the more Items it is of */

void fay_flow_unreserve(fay_flow *flow, fay_stage *stage, uint64_t count)
{
    assert(stage->leased >= count);
    stage->leased -= count;
    FAY_EACH_BIT(bit, stage->possible & ~FAY_TARGET_SINK)
    {
        assert(flow->stages[bit].queue.reserved >= count);
        flow->stages[bit].queue.reserved -= count;
    }
    if ((stage->possible & FAY_TARGET_SINK) != 0) {
        assert(flow->sink_reserved >= count);
        flow->sink_reserved -= count;
    }
}

void fay_flow_enter_orders(fay_flow *flow, const fay_stage *stage, const fay_batch *batch,
                           size_t at, size_t count)
{
    FAY_EACH_BIT(bit, stage->upstream_of)
    {
        for (size_t i = at; i < at + count; i++) {
            const fay_entry *entry = &batch->entries[i];
            fay_order_enter(flow->stages[bit].order, entry->root, &entry->path, stage->index);
        }
    }
}

/* Children of one Item on their way: `index` is the number of the piece's first one, or UINT64_MAX
 * where the Items are the parent itself (a source Item). */
typedef struct delivery {
    fay_flow *flow;
    fay_ns now;
    fay_root *root;
    const fay_entry *parent;
    const fay_piece *piece;
    uint64_t index;
} delivery;

/* Items of one root to one target. */
static void deliver_to(const delivery *d, uint64_t target, fay_batch *batch, size_t at,
                       size_t count)
{
    if (target == FAY_TARGET_SINK_BIT) {
        fay_flow_output(d->flow, d->root, batch, at, count);
        return;
    }
    fay_stage *stage = &d->flow->stages[target];
    d->root->open += count;
    stage->stats.in += count;
    fay_flow_enter_orders(d->flow, stage, batch, at, count);
    fay_queue_push(&stage->queue, d->now, batch, at, count);
}

/* A child of `parent`: its number within it, and its branch if it has several targets (-1 = no).
 * The room in the path was checked before (paths_fit). */
void fay_flow_name_child(fay_entry *child, const fay_entry *parent, uint64_t index, int branch)
{
    child->root = parent->root;
    child->attempt = 0;
    child->backs = 0;
    child->path = parent->path;
    int r = index != UINT64_MAX ? fay_path_append(&child->path, index) : 0;
    if (branch >= 0)
        r |= fay_path_append(&child->path, (uint64_t)branch);
    assert(r == 0);
}

static uint64_t number_of(const delivery *d, size_t at)
{
    return d->index == UINT64_MAX ? UINT64_MAX : d->index + (at - d->piece->at);
}

/* Items [at, at + count) that all go to the same several targets: each target its own copies. */
static void deliver_copies(const delivery *d, uint64_t mask, size_t at, size_t count)
{
    int branch = 0;
    FAY_EACH_BIT(bit, mask)
    {
        FAY_CLEANUP(fay_batch_unrefp) fay_batch *copies = fay_batch_new();
        for (size_t i = at; i < at + count; i++) {
            fay_entry *child = fay_batch_copy(copies, d->piece->batch, i);
            fay_flow_name_child(child, d->parent, number_of(d, i), branch);
        }
        deliver_to(d, bit, copies, 0, count);
        branch++;
    }
}

/* Items [at, at + count) that all have the same targets. */
static void deliver_run(const delivery *d, uint64_t mask, size_t at, size_t count)
{
    fay_batch *batch = d->piece->batch;
    if (__builtin_popcountll(mask) != 1) {
        deliver_copies(d, mask, at, count);
        return;
    }
    for (size_t i = at; i < at + count; i++) {
        fay_flow_name_child(&batch->entries[i], d->parent, number_of(d, i), -1);
    }
    deliver_to(d, (uint64_t)__builtin_ctzll(mask), batch, at, count);
}

void fay_flow_deliver(fay_flow *flow, fay_ns now, fay_root *root, const fay_entry *parent,
                      const fay_piece *piece, uint64_t index)
{
    const delivery d = {flow, now, root, parent, piece, index};
    size_t end = piece->at + piece->count;
    const uint64_t *targets = piece->targets;
    for (size_t at = piece->at; at < end;) {
        uint64_t mask = targets != NULL ? targets[at - piece->at] : piece->mask;
        size_t next = targets != NULL ? at + 1 : end;
        while (next < end && targets[next - piece->at] == mask) {
            next++;
        }
        deliver_run(&d, mask, at, next - at);
        at = next;
    }
}

static void deliver_spool(fay_flow *flow, fay_ns now, fay_root *root, const fay_entry *parent,
                          const fay_piece *piece, uint64_t index)
{
    for (uint64_t target = 0; target < flow->stages_count; target++) {
        if (piece->counts[target] == 0)
            continue;
        fay_stage *stage = &flow->stages[target];
        assert(stage->upstream_of == 0); /* orders need every path: may_spool() */
        root->open += piece->counts[target];
        stage->stats.in += piece->counts[target];
        piece->spool->refs++;
        fay_segment *segment =
            fay_queue_push_spool(&stage->queue, now, piece->spool, piece->counts[target]);
        segment->root = parent->root;
        segment->parent = parent->path;
        segment->index = index;
    }
    if (piece->counts[FAY_TARGET_SINK_BIT] > 0)
        fay_flow_output_spool(flow, root, piece);
}

static void leave_orders(fay_flow *flow, const fay_stage *stage, const fay_entry *item, bool own)
{
    FAY_EACH_BIT(bit, stage->upstream_of)
    {
        if ((bit == stage->index) == own)
            fay_order_leave(flow->stages[bit].order, item->root, &item->path);
    }
}

static void release_held(fay_flow *flow, fay_ns now, fay_stage *stage);

/* Whether each child can be told apart: its number and its branch fit behind the parent's path. */
static bool paths_fit(const fay_entry *item, const fay_pieces *results)
{
    uint64_t children = 0;
    const fay_piece *piece;
    TAILQ_FOREACH (piece, results, link) {
        children += piece->count;
    }
    fay_path path = item->path;
    return children == 0 ||
           (fay_path_append(&path, children) == 0 && fay_path_append(&path, FAY_STAGES_MAX) == 0);
}

/* The Item's results go on, and it is no more. */
static void pass_on(fay_flow *flow, fay_ns now, fay_stage *stage, const fay_entry *item,
                    fay_pieces *results)
{
    fay_root *root = fay_roots_get(&flow->roots, item->root);
    uint64_t index = 0;
    fay_piece *piece;
    while ((piece = TAILQ_FIRST(results)) != NULL) {
        if (piece->kind == FAY_PIECE_SPOOL) {
            deliver_spool(flow, now, root, item, piece, index);
        } else {
            fay_flow_deliver(flow, now, root, item, piece, index);
        }
        index += piece->count;
        fay_flow_release_piece(flow, results, piece);
    }
    leave_orders(flow, stage, item, false);
    assert(root->open > 0);
    if (--root->open == 0)
        fay_flow_complete(flow, item->root);
    FAY_EACH_BIT(bit, stage->upstream_of)
    {
        if (bit != stage->index)
            release_held(flow, now, &flow->stages[bit]);
    }
}

static void release_held(fay_flow *flow, fay_ns now, fay_stage *stage)
{
    fay_place *place;
    while ((place = fay_order_release(stage->order)) != NULL) {
        fay_entry item = place->item;
        pass_on(flow, now, stage, &item, &place->results);
        fay_place_free(place);
    }
}

void fay_flow_finish(fay_flow *flow, fay_stage *stage, fay_ns now, const fay_entry *item,
                     fay_pieces *results)
{
    if (stage->order == NULL) {
        pass_on(flow, now, stage, item, results);
        return;
    }
    leave_orders(flow, stage, item, true);
    if (TAILQ_EMPTY(results)) {
        pass_on(flow, now, stage, item, results); /* no hole, no need to wait */
    } else {
        fay_order_hold(stage->order, item, results);
    }
    release_held(flow, now, stage);
}

void fay_flow_drop_parts(fay_flow *flow, fay_flow_worker *worker)
{
    fay_piece *piece;
    while ((piece = TAILQ_FIRST(&worker->parts)) != NULL) {
        fay_flow_release_piece(flow, &worker->parts, piece);
    }
    worker->parts_weight = 0;
}

/* Stages before an ordered exit need the path of each Item in memory. */
static bool may_spool(const fay_flow *flow, const fay_stage *stage)
{
    FAY_EACH_BIT(bit, stage->possible & ~FAY_TARGET_SINK)
    {
        if (flow->stages[bit].upstream_of != 0)
            return false;
    }
    return true;
}

/* What an Instance says of its children: as many as it has sent, and only to where they may go. */
static bool children_are_right(const fay_stage *stage, const fay_flow_event *event)
{
    uint64_t children = event->kind == FAY_FLOW_PART ? event->batch->count : event->count;
    if (event->kind == FAY_FLOW_RESULTS && event->children != NULL) {
        children = 0;
        for (uint64_t i = 0; i < event->count; i++) {
            children += event->children[i];
        }
    }
    for (size_t i = 0; event->targets != NULL && i < event->batch->count; i++) {
        if (event->targets[i] == 0 || (event->targets[i] & ~stage->possible) != 0)
            return false;
    }
    return children == event->batch->count;
}

int fay_flow_part(fay_flow *flow, fay_flow_worker *worker, const fay_flow_event *event)
{
    const fay_stage *stage = &flow->stages[worker->link->stage];
    bool other = !TAILQ_EMPTY(&worker->parts) && worker->parts_tag != event->tag;
    if (other || !fay_leases_cover(&worker->leases, event->tag, 1) ||
        !children_are_right(stage, event))
        return FAY_E_PEER;
    if (event->batch->count == 0)
        return 0;
    worker->parts_tag = event->tag;
    fay_piece *piece = fay_pieces_add_batch(&worker->parts, event->batch, 0, event->batch->count,
                                            event->targets, stage->all);
    worker->parts_weight += piece->weight;
    if (worker->parts_weight > flow->config.parts_bytes && may_spool(flow, stage)) {
        fay_flow_spill(flow, &worker->parts);
        worker->parts_weight = 0;
    }
    return 0;
}

static void count_success(fay_stage *stage, uint64_t items, uint64_t children)
{
    stage->proven = true;
    stage->crashes = 0;
    if (children == 0) {
        stage->stats.filtered += items;
    } else {
        stage->stats.out += items;
    }
}

static void run_to_stage(fay_ns now, fay_stage *next, const fay_lease *lease, fay_batch *children,
                         size_t at)
{
    next->stats.in += lease->count;
    fay_queue_push(&next->queue, now, children, at, lease->count);
}

static void run_to_sink(fay_flow *flow, const fay_lease *lease, fay_batch *children, size_t at)
{
    const fay_entry *parent = &lease->batch->entries[lease->at];
    for (size_t i = 0; i < lease->count; i++) {
        uint64_t number = parent[i].root;
        fay_root *root = fay_roots_get(&flow->roots, number);
        bool alone = root->open == 1 && root->held == NULL && root->group == NULL;
        bool direct = !flow->config.journal || alone;
        if (direct) {
            fay_flow_write(flow, children, at + i, 1);
        } else {
            fay_flow_output(flow, root, children, at + i, 1);
        }
        if (--root->open == 0)
            fay_flow_complete(flow, number);
    }
}

static bool run_fits(const fay_lease *lease)
{
    for (size_t i = lease->at; i < lease->at + lease->count; i++) {
        if (lease->batch->entries[i].path.size == FAY_PATH_MAX)
            return false;
    }
    return true;
}

/* Runs of one child each to one target, in one piece. Without a journal, writes go first, so that
 * they join into one action. */
static void fast_run(fay_flow *flow, fay_ns now, fay_stage *stage, const fay_lease *lease,
                     fay_batch *children, size_t at)
{
    const fay_entry *parent = &lease->batch->entries[lease->at];
    for (size_t i = 0; i < lease->count; i++) {
        fay_flow_name_child(&children->entries[at + i], &parent[i], 0, -1);
    }
    if (stage->all != FAY_TARGET_SINK) {
        run_to_stage(now, &flow->stages[__builtin_ctzll(stage->all)], lease, children, at);
    } else if (flow->config.journal) {
        run_to_sink(flow, lease, children, at);
    } else {
        fay_flow_write(flow, children, at, lease->count);
        for (size_t i = 0; i < lease->count; i++) {
            fay_root *root = fay_roots_get(&flow->roots, parent[i].root);
            if (--root->open == 0)
                fay_flow_complete(flow, parent[i].root);
        }
    }
}

/* One RESULTS event, as far as it is settled. */
typedef struct answers {
    fay_flow *flow;
    fay_ns now;
    fay_flow_worker *worker;
    const fay_flow_event *event;
    size_t index; /* of the next Item */
    size_t at;    /* of its first child */
    bool batch;   /* all children are in truth of all Items */
    bool refused; /* the results of a batch could not be taken */
} answers;

/* What came before in PARTs is the first of the set. */
static void take_parts(fay_flow_worker *worker, uint64_t tag, fay_pieces *results)
{
    if (TAILQ_EMPTY(&worker->parts) || worker->parts_tag != tag)
        return;
    TAILQ_CONCAT(results, &worker->parts, link);
    worker->parts_weight = 0;
}

static void settle_one(answers *a, const fay_lease *lease, size_t at)
{
    const fay_entry *parent = &lease->batch->entries[at];
    const fay_flow_event *event = a->event;
    fay_flow_worker *worker = a->worker;
    fay_stage *stage = &a->flow->stages[worker->link->stage];
    size_t count = event->children != NULL ? event->children[a->index] : 1;
    fay_pieces results;
    TAILQ_INIT(&results);
    take_parts(worker, event->tag + a->index, &results);
    if (count > 0) {
        const uint64_t *targets = event->targets != NULL ? event->targets + a->at : NULL;
        (void)fay_pieces_add_batch(&results, event->batch, a->at, count, targets, stage->all);
    }
    a->index++;
    a->at += count;
    /* Its children could not be told apart (limits.h), or those of its batch. */
    if (!paths_fit(parent, &results) || a->refused) {
        a->refused = a->batch;
        while (!TAILQ_EMPTY(&results)) {
            fay_flow_release_piece(a->flow, &results, TAILQ_FIRST(&results));
        }
        fay_flow_refuse(a->flow, a->now, stage, lease->batch, at);
        return;
    }
    count_success(stage, 1, TAILQ_EMPTY(&results) ? 0 : 1);
    fay_flow_finish(a->flow, stage, a->now, parent, &results);
}

/* The Items of one lease that are answered: as a whole if they can, else one by one. */
static void settle_lease(answers *a, const fay_lease *lease, bool fast)
{
    fay_stage *stage = &a->flow->stages[a->worker->link->stage];
    fay_flow_unreserve(a->flow, stage, lease->count);
    if (fast && run_fits(lease)) {
        count_success(stage, lease->count, 1);
        fast_run(a->flow, a->now, stage, lease, a->event->batch, a->at);
        a->index += lease->count;
        a->at += lease->count;
        return;
    }
    for (size_t i = lease->at; i < lease->at + lease->count; i++) {
        settle_one(a, lease, i);
    }
}

/* What a batch has made is in truth of all its Items, though it goes by the first one's name: their
 * roots are done together. */
static void tie_roots(fay_flow *flow, const fay_flow_worker *worker, const fay_flow_event *event)
{
    uint64_t first = 0;
    for (uint64_t i = 0; i < event->count;) {
        uint64_t tag = event->tag + i;
        const fay_lease *lease = fay_leases_find(&worker->leases, &tag);
        size_t at = lease->at + (size_t)(tag - lease->tag);
        for (; i < event->count && at < lease->at + lease->count; i++, at++) {
            uint64_t root = lease->batch->entries[at].root;
            first = i == 0 ? root : first;
            (void)fay_roots_tie(&flow->roots, first, root);
        }
    }
}

/* Of a hidden start: more is rather an Item that is slow, unless starts have been long before. */
static const double start_plausible_s = 1;
static const double start_trim = 8;

/* A worker that is up before it reads (lines, json) starts within the time of its first Items: what
 * is far more than others take for them is its start. */
static uint64_t hidden_start(const fay_flow *flow, const fay_flow_worker *worker,
                             const fay_flow_event *event)
{
    const fay_stage *stage = &flow->stages[worker->link->stage];
    if (worker->resident || !stage->config.start_hidden || stage->item_ns <= 0)
        return 0;
    double usual = stage->item_ns * (double)event->count;
    uint64_t hidden = (double)event->ns > hidden_from * usual ? event->ns - (uint64_t)usual : 0;
    fay_equalizer_view view;
    fay_equalizers_view(flow->equalizers, stage->index, &view);
    fay_ns most = (fay_ns)(fmax(start_trim * view.spawn_s, start_plausible_s) * 1e9);
    fay_equalizers_started(flow->equalizers, stage->index, FAY_MIN(worker->started + hidden, most));
    return hidden;
}

static void measure(fay_flow *flow, const fay_flow_worker *worker, const fay_flow_event *event)
{
    fay_stage *stage = &flow->stages[worker->link->stage];
    uint64_t useful = event->ns - hidden_start(flow, worker, event);
    double sample = (double)useful / (double)event->count;
    double weight = FAY_MIN(1.0, sample_least + (double)event->count / sample_whole);
    stage->item_ns =
        stage->item_ns > 0 ? stage->item_ns + weight * (sample - stage->item_ns) : sample;
    stage->stats.useful_ns += useful;
    fay_equalizers_finished(flow->equalizers, stage->index, useful / event->count, event->count);
}

int fay_flow_results(fay_flow *flow, fay_ns now, fay_flow_worker *worker,
                     const fay_flow_event *event)
{
    fay_stage *stage = &flow->stages[worker->link->stage];
    if (event->count == 0 || !fay_leases_cover(&worker->leases, event->tag, event->count) ||
        !children_are_right(stage, event))
        return FAY_E_PEER;
    bool batch = stage->config.batch_items > 0 && event->count > 1;
    if (batch)
        tie_roots(flow, worker, event);
    bool fast = !batch && event->children == NULL && event->targets == NULL && flow->ordered == 0 &&
                TAILQ_EMPTY(&worker->parts) && __builtin_popcountll(stage->all) == 1;
    measure(flow, worker, event);
    worker->heard = now;
    fay_flow_resident(flow, worker, true);
    answers a = {.flow = flow, .now = now, .worker = worker, .event = event, .batch = batch};
    while (a.index < event->count) {
        fay_lease lease =
            fay_leases_take(&worker->leases, event->tag + a.index, event->count - a.index);
        settle_lease(&a, &lease, fast);
        fay_batch_unref(lease.batch);
    }
    fay_flow_worker_idle(flow, worker, now);
    return 0;
}
