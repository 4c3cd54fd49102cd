/* SPDX-License-Identifier: MIT */
#include "flow/flow.h"

#include <assert.h>
#include <stdlib.h>

#include "base/limits.h"
#include "flow/internal.h"

/* ---- life ------------------------------------------------------------------------------------ */

static void stage_init(fay_flow *flow, size_t index, fay_ns now)
{
    fay_stage *stage = &flow->stages[index];
    stage->config = flow->config.stages[index];
    stage->index = index;
    stage->tests = fay_router_tests(flow->router, index);
    stage->all = fay_router_all(flow->router, index);
    stage->possible = fay_router_possible(flow->router, index);
    stage->queue_limit = FAY_MAX(stage->config.queue_items, (uint64_t)1);
    stage->tokens = (fay_flow_tokens){.rate = stage->config.rate, .tokens = 1, .at = now};
    stage->wanted = stage->config.workers_start;
    stage->window_at = now;
    TAILQ_INIT(&stage->idle);
    TAILQ_INIT(&stage->workers);
    fay_queue_init(&stage->queue);
    if (stage->config.ordered) {
        stage->order = fay_alloc(sizeof *stage->order);
        fay_order_init(stage->order);
        flow->ordered |= UINT64_C(1) << index;
    }
}

static void equalizers_init(fay_flow *flow, fay_ns now)
{
    fay_equalizer_stage stages[FAY_STAGES_MAX] = {{0}};
    for (size_t i = 0; i < flow->stages_count; i++) {
        const fay_stage *stage = &flow->stages[i];
        const fay_flow_stage *config = &stage->config;
        stages[i] = (fay_equalizer_stage){.min = config->workers_min,
                                          .max = config->workers_max,
                                          .pinned = config->pinned,
                                          .rate = config->rate,
                                          .period = config->period,
                                          .target_wait = config->target_wait,
                                          .feeds = stage->possible & ~FAY_TARGET_SINK,
                                          .sourced = (flow->source_possible >> i & 1) != 0,
                                          .saturated_max = config->workers_saturated};
    }
    flow->equalizers = fay_equalizers_new(stages, flow->stages_count, now);
    fay_flow_fit_init(flow);
}

/* Depth first from a stage: those that it may feed are listed before it. */
static void list_downstream(fay_flow *flow, size_t index, uint64_t *seen, size_t *count)
{
    if ((*seen & UINT64_C(1) << index) != 0)
        return;
    *seen |= UINT64_C(1) << index;
    FAY_EACH_BIT(bit, flow->stages[index].possible & ~FAY_TARGET_SINK)
    {
        list_downstream(flow, bit, seen, count);
    }
    flow->downstream_first[(*count)++] = index;
}

/* Who counts as upstream of which ordered stage: it itself, and all from which it can be reached.
 */
static void mark_upstream(fay_flow *flow)
{
    for (size_t i = 0; i < flow->stages_count; i++) { /* downstream first: those are marked */
        fay_stage *stage = &flow->stages[flow->downstream_first[i]];
        stage->upstream_of = flow->ordered & (UINT64_C(1) << stage->index);
        FAY_EACH_BIT(bit, stage->possible & ~FAY_TARGET_SINK)
        {
            stage->upstream_of |= flow->stages[bit].upstream_of;
        }
    }
}

static void set_roots_max(fay_flow *flow)
{
    uint64_t sum = flow->config.sink_items;
    for (size_t i = 0; i < flow->stages_count; i++) {
        sum += 2 * flow->stages[i].queue_limit;
    }
    flow->roots_max = sum;
}

fay_flow *fay_flow_new(const fay_flow_config *config, fay_ns now)
{
    assert(config->stages_count > 0 && config->stages_count <= FAY_STAGES_MAX);
    fay_flow *flow = fay_alloc(sizeof *flow);
    flow->config = *config;
    fay_flow_config *c = &flow->config;
    c->held_bytes = c->held_bytes > 0 ? c->held_bytes : 16 * FAY_MIB;
    c->parts_bytes = c->parts_bytes > 0 ? c->parts_bytes : FAY_MIB;
    c->sink_items = c->sink_items > 0 ? c->sink_items : 65536;
    c->sink_bytes = c->sink_bytes > 0 ? c->sink_bytes : 16 * FAY_MIB;
    c->commit_ns = c->commit_ns > 0 ? c->commit_ns : 200 * FAY_MS;
    flow->router = config->router;
    flow->stages_count = config->stages_count;
    flow->stages = fay_alloc(flow->stages_count * sizeof *flow->stages);
    flow->downstream_first = fay_alloc(flow->stages_count * sizeof *flow->downstream_first);
    flow->source_tests = fay_router_tests(flow->router, flow->stages_count);
    flow->source_all = fay_router_all(flow->router, flow->stages_count);
    flow->source_possible = fay_router_possible(flow->router, flow->stages_count);
    flow->source_tokens = (fay_flow_tokens){.rate = c->source_rate, .tokens = 1, .at = now};
    flow->commit.last = flow->source_since = flow->reading_since = now;
    flow->saturated = true;
    fay_prng_init(&flow->prng, config->seed);
    for (size_t i = 0; i < flow->stages_count; i++) {
        stage_init(flow, i, now);
    }
    uint64_t seen = 0;
    size_t listed = 0;
    for (size_t i = 0; i < flow->stages_count; i++) {
        list_downstream(flow, i, &seen, &listed);
    }
    mark_upstream(flow);
    set_roots_max(flow);
    equalizers_init(flow, now);
    return flow;
}

static void forget_spools(fay_pieces *pieces)
{
    fay_piece *piece;
    while ((piece = TAILQ_FIRST(pieces)) != NULL) {
        if (piece->spool != NULL && --piece->spool->refs == 0)
            free(piece->spool);
        piece->spool = NULL;
        fay_pieces_remove(pieces, piece);
    }
}

static void stage_deinit(fay_stage *stage)
{
    fay_flow_worker *worker;
    while ((worker = TAILQ_FIRST(&stage->workers)) != NULL) {
        TAILQ_REMOVE(&stage->workers, worker, stage_link);
        forget_spools(&worker->parts);
        fay_leases_deinit(&worker->leases);
        free(worker);
    }
    fay_segment *segment;
    TAILQ_FOREACH (segment, &stage->queue.segments, link) {
        if (segment->spool != NULL && --segment->spool->refs == 0)
            free(segment->spool);
    }
    fay_queue_deinit(&stage->queue);
    if (stage->order != NULL)
        fay_order_deinit(stage->order);
    free(stage->order);
}

void fay_flow_free(fay_flow *flow)
{
    if (flow == NULL)
        return;
    fay_flow_actions_clear(flow);
    for (size_t i = 0; i < flow->stages_count; i++) {
        stage_deinit(&flow->stages[i]);
    }
    for (fay_page *page = flow->roots.pages; page != NULL; page = page->hh.next) {
        for (size_t i = 0; i < FAY_PAGE_ROOTS; i++) {
            if (page->roots[i].held != NULL)
                forget_spools(page->roots[i].held);
            free(page->roots[i].held);
        }
    }
    while (flow->links != NULL) {
        fay_flow_link_remove(flow, flow->links);
    }
    fay_equalizers_free(flow->equalizers);
    fay_roots_deinit(&flow->roots);
    fay_delays_deinit(&flow->delays);
    fay_ranges_deinit(&flow->commit.acked);
    fay_ranges_deinit(&flow->commit.snapshot);
    fay_ranges_deinit(&flow->commit.fresh);
    fay_ranges_deinit(&flow->commit.recording);
    free(flow->actions);
    free(flow->lent);
    free(flow->stages);
    free(flow->downstream_first);
    free(flow);
}

void fay_flow_restore(fay_flow *flow, const fay_range *ranges, size_t count, uint64_t position)
{
    assert(flow->totals.read == 0 && flow->commit.acked.count == 0);
    for (size_t i = 0; i < count; i++) {
        fay_ranges_add_range(&flow->commit.acked, ranges[i], ranges[i].from == 0 ? position : 0);
    }
}

bool fay_flow_is_acked(const fay_flow *flow, uint64_t root)
{
    return fay_ranges_has(&flow->commit.acked, root);
}

/* ---- events ---------------------------------------------------------------------------------- */

static int feed_worker(fay_flow *flow, fay_ns now, const fay_flow_event *event)
{
    fay_flow_link *link = fay_flow_find_link(flow, event->link);
    if (link == NULL)
        return FAY_FLOW_STALE; /* rule 1: a link that is gone took its leases with it */
    fay_flow_worker *worker = fay_flow_find_worker(link, event->worker);
    if (worker == NULL)
        return FAY_E_PEER;
    if (event->kind == FAY_FLOW_RESULTS)
        return fay_flow_results(flow, now, worker, event);
    if (event->kind == FAY_FLOW_PART)
        return fay_flow_part(flow, worker, event);
    if (event->kind == FAY_FLOW_VERDICT)
        return fay_flow_verdict(flow, now, worker, event);
    if (event->kind == FAY_FLOW_GIVEN_BACK)
        return fay_flow_given_back(flow, now, worker, event);
    if (event->kind == FAY_FLOW_WORKER_UP) {
        fay_flow_worker_up(flow, now, worker, event->ns);
    } else {
        fay_flow_worker_down(flow, now, worker, event);
    }
    return 0;
}

static int feed_link_down(fay_flow *flow, fay_ns now, const fay_flow_event *event)
{
    fay_flow_link *link = fay_flow_find_link(flow, event->link);
    if (link == NULL)
        return FAY_FLOW_STALE;
    fay_flow_link_down(flow, now, link, event);
    return 0;
}

static void written(fay_flow *flow, const fay_flow_event *event)
{
    assert(flow->sink_items >= event->items);
    flow->sink_items -= event->items;
    flow->sink_bytes -= FAY_MIN(event->bytes, flow->sink_bytes);
}

static void scale(fay_flow *flow, fay_ns now, const fay_flow_event *event)
{
    fay_stage *stage = &flow->stages[event->stage];
    bool pinned = event->min == event->max;
    stage->config.workers_min = event->min;
    stage->config.workers_max = event->max;
    stage->config.pinned = pinned;
    fay_equalizers_scale(flow->equalizers, event->stage, now, event->min, event->max, pinned);
    stage->wanted = FAY_MAX(FAY_MIN(stage->wanted, event->max), event->min);
}

static void drain(fay_flow *flow)
{
    if (flow->draining)
        return;
    flow->draining = true;
    fay_flow_forget_unbegun(flow);
}

int fay_flow_feed(fay_flow *flow, fay_ns now, const fay_flow_event *event)
{
    if (flow->actions_given)
        fay_flow_actions_clear(flow);
    switch (event->kind) {
    case FAY_FLOW_SOURCE: fay_flow_source(flow, now, event); break;
    case FAY_FLOW_SOURCE_END: flow->ended = true; break;
    case FAY_FLOW_REENTER: fay_flow_reenter(flow, now, event); break;
    case FAY_FLOW_LINK_UP: fay_flow_link_up(flow, event); break;
    case FAY_FLOW_LINK_DOWN: return feed_link_down(flow, now, event);
    case FAY_FLOW_WORKER_UP:
    case FAY_FLOW_WORKER_DOWN:
    case FAY_FLOW_RESULTS:
    case FAY_FLOW_PART:
    case FAY_FLOW_VERDICT:
    case FAY_FLOW_GIVEN_BACK: return feed_worker(flow, now, event);
    case FAY_FLOW_WRITTEN: written(flow, event); break;
    case FAY_FLOW_SYNCED: fay_flow_commit_synced(flow, event->ok); break;
    case FAY_FLOW_RECORDED: fay_flow_commit_recorded(flow, event->ok); break;
    case FAY_FLOW_LOADED: return fay_flow_loaded(flow, now, event);
    case FAY_FLOW_SCALE: scale(flow, now, event); break;
    case FAY_FLOW_USED: fay_flow_used(flow, event); break;
    case FAY_FLOW_MACHINE:
        flow->saturated = event->ok;
        flow->free_bytes = event->bytes;
        break;
    case FAY_FLOW_DRAIN: drain(flow); break;
    case FAY_FLOW_ABORT: flow->aborted = true; break;
    case FAY_FLOW_GO_ON: fay_flow_go_on(flow, now); break;
    }
    return 0;
}

/* ---- steps ----------------------------------------------------------------------------------- */

/* Queues are as long as 20 ms of the rate. The windows of the rates are too long to tell that: a
 * part of one will do, so that a short run gets the queues of a long one. */
static bool grow_queue(fay_stage *stage, double seconds)
{
    uint64_t out = stage->stats.out + stage->stats.filtered;
    uint64_t most = FAY_MAX(stage->stats.in - stage->window_in, out - stage->window_out);
    uint64_t wanted = (uint64_t)((double)most / seconds * 0.02);
    wanted = FAY_MIN(wanted, FAY_QUEUE_GROWN_MAX); /* more was never faster, only larger */
    if (!stage->config.queue_grows || wanted <= stage->queue_limit)
        return false;
    stage->queue_limit = wanted;
    return true;
}

/* Over windows of 100 ms. */
static void measure_rates(fay_flow *flow, fay_ns now)
{
    bool grown = false;
    for (size_t i = 0; i < flow->stages_count; i++) {
        fay_stage *stage = &flow->stages[i];
        fay_ns elapsed = now - stage->window_at;
        double seconds = (double)elapsed / 1e9;
        if (elapsed < 10 * FAY_MS)
            continue;
        grown = grow_queue(stage, seconds) || grown;
        if (elapsed < 100 * FAY_MS)
            continue;
        uint64_t out = stage->stats.out + stage->stats.filtered;
        stage->in_rate = (double)(stage->stats.in - stage->window_in) / seconds;
        stage->out_rate = (double)(out - stage->window_out) / seconds;
        stage->window_in = stage->stats.in;
        stage->window_out = out;
        stage->window_at = now;
    }
    if (grown)
        set_roots_max(flow);
}

/* An ordered stage whose frontier has not moved for reorder_wait although others wait for it. */
static void watch_order(fay_flow *flow, fay_ns now, fay_stage *stage)
{
    fay_order *order = stage->order;
    const fay_place *least = fay_order_frontier(order);
    bool same = least != NULL && order->held_items > 0 && least->root == order->stuck_root &&
                fay_path_compare(&least->path, &order->stuck_path) == 0;
    if (!same) {
        order->stuck_since = now;
        order->reported = false;
        order->stuck_root = least != NULL ? least->root : 0;
        order->stuck_path = least != NULL ? least->path : (fay_path){0};
        return;
    }
    if (order->reported || stage->config.reorder_wait == 0 ||
        now - order->stuck_since < stage->config.reorder_wait)
        return;
    order->reported = true;
    FAY_CLEANUP(fay_batch_unrefp) fay_batch *name = fay_batch_new();
    fay_entry *entry = fay_batch_append(name, "", 0);
    entry->root = least->root;
    entry->path = least->path;
    fay_flow_act_items(flow, FAY_FLOW_HOLDING, name, 0, 1);
    flow->actions[flow->actions_count - 1].stage = stage->index;
}

static bool finished(const fay_flow *flow)
{
    bool quiet = flow->commit.state == FAY_COMMIT_IDLE || flow->commit.state == FAY_COMMIT_BROKEN;
    bool clean = !flow->commit.dirty || flow->commit.state == FAY_COMMIT_BROKEN;
    bool all = (flow->ended || flow->draining) && flow->roots.open == 0 && flow->sink_items == 0 &&
               flow->paused == NULL;
    return quiet && clean && (all || flow->aborted);
}

void fay_flow_step(fay_flow *flow, fay_ns now, fay_flow_actions *ret)
{
    if (flow->actions_given)
        fay_flow_actions_clear(flow);
    flow->stepped = now;
    measure_rates(flow, now);
    fay_flow_schedule(flow, now);
    fay_flow_time_source(flow, now);
    for (size_t i = flow->stages_count; i-- > 0;) { /* upstream first: hints are for this step */
        fay_flow_staff(flow, now, &flow->stages[flow->downstream_first[i]]);
    }
    for (size_t i = 0; i < flow->stages_count; i++) {
        if (flow->stages[i].order != NULL && flow->paused == NULL)
            watch_order(flow, now, &flow->stages[i]);
    }
    fay_flow_commit_step(flow, now);
    if (!flow->done && finished(flow)) {
        flow->done = true;
        (void)fay_flow_act(flow, FAY_FLOW_DONE);
    }
    *ret = (fay_flow_actions){.items = flow->actions, .count = flow->actions_count};
    flow->actions_given = true;
}

/* When the source may be read again, if only its rate holds it. */
static fay_ns source_due(const fay_flow *flow)
{
    const fay_flow_tokens *tokens = &flow->source_tokens;
    if (tokens->rate <= 0 || flow->ended || flow->draining)
        return FAY_NEVER;
    return fay_flow_tokens_due(tokens, flow->stepped);
}

fay_ns fay_flow_deadline(const fay_flow *flow)
{
    fay_ns due = FAY_MIN(fay_delays_due(&flow->delays), fay_flow_commit_due(flow));
    if (flow->done)
        return FAY_NEVER;
    if (fay_flow_rests(flow))
        return fay_flow_commit_due(flow); /* nothing else happens by itself */
    due = FAY_MIN(due, source_due(flow));
    for (size_t i = 0; i < flow->stages_count; i++) {
        const fay_stage *stage = &flow->stages[i];
        due = FAY_MIN(due, fay_flow_staff_due(flow, stage));
        due = FAY_MIN(due, fay_flow_schedule_due(flow, stage));
        if (stage->order != NULL && stage->order->held_items > 0 && !stage->order->reported &&
            stage->config.reorder_wait > 0)
            due = FAY_MIN(due, stage->order->stuck_since + stage->config.reorder_wait);
    }
    return due;
}

/* ---- questions ------------------------------------------------------------------------------- */

void fay_flow_source_space(const fay_flow *flow, uint64_t *ret_items, uint64_t *ret_bytes)
{
    *ret_items = 0;
    *ret_bytes = 0;
    if (flow->ended || flow->draining || fay_flow_rests(flow) ||
        flow->roots.open >= flow->roots_max)
        return;
    uint64_t items = flow->roots_max - flow->roots.open;
    uint64_t bytes = UINT64_MAX;
    FAY_EACH_BIT(bit, flow->source_possible & ~FAY_TARGET_SINK)
    {
        const fay_stage *stage = &flow->stages[bit];
        uint64_t used = stage->queue.items + stage->queue.reserved;
        items = FAY_MIN(items, used < stage->queue_limit ? stage->queue_limit - used : 0);
        uint64_t most = stage->config.queue_bytes;
        bytes = FAY_MIN(bytes, stage->queue.bytes < most ? most - stage->queue.bytes : 0);
    }
    if ((flow->source_possible & FAY_TARGET_SINK) != 0)
        items = flow->sink_items < flow->config.sink_items ? items : 0;
    if (items > 0 && bytes > 0) {
        *ret_items = items;
        *ret_bytes = bytes;
    }
}

void fay_flow_source_room(const fay_flow *flow, fay_ns now, uint64_t *ret_items,
                          uint64_t *ret_bytes)
{
    fay_flow_source_space(flow, ret_items, ret_bytes);
    if (*ret_items == 0 || flow->source_tokens.rate <= 0)
        return;
    double tokens = fay_flow_tokens_have(&flow->source_tokens, now);
    *ret_items = tokens >= 1 ? FAY_MIN(*ret_items, (uint64_t)tokens) : 0;
    *ret_bytes = *ret_items > 0 ? *ret_bytes : 0;
}

void fay_flow_stage_stats(const fay_flow *flow, fay_ns now, size_t index, fay_flow_stats *ret)
{
    const fay_stage *stage = &flow->stages[index];
    *ret = stage->stats;
    ret->queued = stage->queue.items;
    ret->queue_limit = stage->queue_limit;
    ret->leased = stage->leased;
    ret->delayed = stage->delayed;
    ret->held = stage->order != NULL ? stage->order->held_items : 0;
    ret->workers = stage->live;
    ret->starting = stage->starting;
    ret->idle = stage->idle_count;
    ret->retiring = stage->retiring;
    ret->target = stage->wanted;
    ret->workers_peak = stage->peak;
    ret->pressure = stage->view.pressure;
    ret->held_by = fay_flow_rests(flow) || flow->done ? FAY_HELD_NONE : stage->view.held_by;
    if (stage->blocked && stage->queue.items > 0) {
        ret->pressure = FAY_BLOCKED;
        ret->held_by = FAY_HELD_BLOCKED;
    }
    bool stale = now - stage->window_at > FAY_SECOND;
    ret->in_rate = stale ? 0 : stage->in_rate;
    ret->out_rate = stale ? 0 : stage->out_rate;
    ret->item_ns = stage->item_ns;
}

const fay_equalizer_view *fay_flow_stage_view(const fay_flow *flow, size_t index)
{
    return &flow->stages[index].view;
}

void fay_flow_total(const fay_flow *flow, fay_flow_totals *ret)
{
    *ret = flow->totals;
    ret->open = flow->roots.open;
    ret->held_bytes = flow->held_bytes;
    ret->source_ended = flow->ended;
    ret->draining = flow->draining;
    ret->done = flow->done;
}
