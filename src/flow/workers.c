/* SPDX-License-Identifier: MIT */
/*
 * Who is there to work: links (Instances) and their workers, the stack of idle ones, and how many
 * of them a stage has. Idle workers are a stack, last in first out, so that a surplus sinks to its
 * bottom, where LOW finds it.
 */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "flow/internal.h"

enum {
    HELD_PART = 20 /* of the time: a source without room for as much is held back */
};

/* NOLINTBEGIN(readability-function-size,clang-analyzer-unix.Malloc): of uthash */
fay_flow_link *fay_flow_find_link(const fay_flow *flow, uint32_t id)
{
    fay_flow_link *link;
    HASH_FIND(hh, flow->links, &id, sizeof id, link);
    return link;
}

void fay_flow_link_up(fay_flow *flow, const fay_flow_event *event)
{
    fay_flow_link *link = fay_alloc(sizeof *link);
    link->id = event->link;
    link->stage = event->stage;
    HASH_ADD(hh, flow->links, id, sizeof link->id, link);
}

void fay_flow_link_remove(fay_flow *flow, fay_flow_link *link)
{
    HASH_DEL(flow->links, link);
    free(link->workers);
    free(link);
}
/* NOLINTEND(readability-function-size,clang-analyzer-unix.Malloc) */

fay_flow_worker *fay_flow_find_worker(const fay_flow_link *link, uint16_t number)
{
    return number < link->workers_count ? link->workers[number] : NULL;
}

static void unlist_idle(fay_stage *stage, fay_flow_worker *worker)
{
    if (!worker->idle)
        return;
    TAILQ_REMOVE(&stage->idle, worker, idle_link);
    worker->idle = false;
    stage->idle_count--;
}

void fay_flow_worker_idle(fay_flow *flow, fay_flow_worker *worker, fay_ns now)
{
    if (worker->leases.items > 0 || worker->state != FAY_WORKER_LIVE || worker->idle)
        return;
    fay_stage *stage = &flow->stages[worker->link->stage];
    worker->suspect = false;
    worker->recalled = false;
    worker->idle = true;
    worker->idle_since = now;
    TAILQ_INSERT_HEAD(&stage->idle, worker, idle_link);
    stage->idle_count++;
}

void fay_flow_worker_busy(fay_flow *flow, fay_flow_worker *worker)
{
    unlist_idle(&flow->stages[worker->link->stage], worker);
}

void fay_flow_worker_up(fay_flow *flow, fay_ns now, fay_flow_worker *worker, fay_ns took)
{
    fay_stage *stage = &flow->stages[worker->link->stage];
    if (worker->state != FAY_WORKER_STARTING)
        return; /* retired while it started: goes when it says so */
    worker->state = FAY_WORKER_LIVE;
    stage->starting--;
    stage->live++;
    stage->peak = FAY_MAX(stage->peak, stage->live);
    worker->started = took;
    if (!stage->config.start_hidden)
        fay_equalizers_started(flow->equalizers, stage->index, took);
    fay_flow_worker_idle(flow, worker, now);
}

static void uncount(fay_stage *stage, const fay_flow_worker *worker)
{
    switch (worker->state) {
    case FAY_WORKER_STARTING: stage->starting--; break;
    case FAY_WORKER_LIVE: stage->live--; break;
    case FAY_WORKER_RETIRING: stage->retiring--; break;
    }
}

void fay_flow_worker_remove(fay_flow *flow, fay_flow_worker *worker)
{
    fay_stage *stage = &flow->stages[worker->link->stage];
    assert(worker->leases.items == 0 && TAILQ_EMPTY(&worker->parts));
    unlist_idle(stage, worker);
    uncount(stage, worker);
    fay_flow_resident(flow, worker, false);
    TAILQ_REMOVE(&stage->workers, worker, stage_link);
    worker->link->workers[worker->number] = NULL;
    fay_leases_deinit(&worker->leases);
    free(worker);
    fay_equalizers_freed(flow->equalizers, stage->index, flow->stepped);
}

/* The stage's link with the fewest workers, and its lowest free number. */
static fay_flow_link *place(const fay_flow *flow, const fay_stage *stage, uint16_t *ret_number)
{
    fay_flow_link *best = NULL;
    unsigned least = FAY_WORKERS_MAX;
    for (fay_flow_link *link = flow->links; link != NULL; link = link->hh.next) {
        unsigned used = 0;
        for (size_t i = 0; i < link->workers_count; i++) {
            used += link->workers[i] != NULL;
        }
        if (link->stage == stage->index && used < least) {
            least = used;
            best = link;
        }
    }
    if (best == NULL)
        return NULL;
    size_t number = 0;
    while (number < best->workers_count && best->workers[number] != NULL) {
        number++;
    }
    *ret_number = (uint16_t)number;
    return best;
}

static bool spawn(fay_flow *flow, fay_stage *stage)
{
    uint16_t number;
    fay_flow_link *link = place(flow, stage, &number);
    if (link == NULL)
        return false;
    if (number >= link->workers_count) {
        /* NOLINTNEXTLINE(bugprone-sizeof-expression): a list of pointers */
        FAY_RESERVE(link->workers, link->workers_capacity, (size_t)number + 1);
        while (link->workers_count <= number) {
            link->workers[link->workers_count++] = NULL;
        }
    }
    fay_flow_worker *worker = fay_alloc(sizeof *worker);
    worker->link = link;
    worker->number = number;
    worker->state = FAY_WORKER_STARTING;
    TAILQ_INIT(&worker->parts);
    link->workers[number] = worker;
    TAILQ_INSERT_TAIL(&stage->workers, worker, stage_link);
    stage->starting++;
    fay_flow_action *action = fay_flow_act(flow, FAY_FLOW_SPAWN);
    action->link = link->id;
    action->worker = number;
    action->stage = stage->index;
    return true;
}

static void retire(fay_flow *flow, fay_stage *stage, fay_flow_worker *worker)
{
    assert(worker->leases.items == 0 && worker->state != FAY_WORKER_RETIRING);
    unlist_idle(stage, worker);
    uncount(stage, worker);
    worker->state = FAY_WORKER_RETIRING;
    stage->retiring++;
    fay_flow_action *action = fay_flow_act(flow, FAY_FLOW_RETIRE);
    action->link = worker->link->id;
    action->worker = worker->number;
    action->stage = stage->index;
}

static fay_flow_worker *longest_idle(const fay_stage *stage)
{
    return TAILQ_LAST(&stage->idle, fay_idle_stack);
}

/* ---- the Equalizers -------------------------------------------------------------------------- */

/* Items per second of the source while it is not held back; 0 = not known, or it has not been held
 * back of late: then what arrives says it all, and is known for longer and forgotten in time. */
static double source_rate(const fay_flow *flow)
{
    fay_ns open = flow->reading.open_ns + flow->before.open_ns;
    fay_ns held = flow->reading.held_ns + flow->before.held_ns;
    if (flow->ended || flow->draining || held < (open + held) / HELD_PART)
        return 0;
    return (flow->reading.items + flow->before.items) / fmax((double)open / 1e9, 1e-6);
}

/* Of the live workers: on one Item for longer than an Item takes. */
static unsigned stuck(const fay_flow *flow, fay_ns now, const fay_stage *stage)
{
    fay_ns after = fay_equalizers_stuck_after(flow->equalizers, stage->index);
    const fay_flow_worker *worker;
    unsigned count = 0;
    if (after == FAY_NEVER)
        return 0;
    TAILQ_FOREACH (worker, &stage->workers, stage_link) {
        bool busy = worker->state == FAY_WORKER_LIVE && worker->leases.items > 0;
        count += busy && now - worker->heard > after;
    }
    return count;
}

static fay_equalizer_counters counters(const fay_flow *flow, const fay_stage *stage)
{
    const fay_flow_worker *bottom = longest_idle(stage);
    uint64_t used = stage->queue.items + stage->queue.reserved;
    bool full = used >= stage->queue_limit || stage->queue.bytes >= stage->config.queue_bytes;
    bool blocked = stage->blocked && stage->queue.items > 0;
    return (fay_equalizer_counters){
        .queued = stage->queue.items,
        .room = full ? 0 : stage->queue_limit - used,
        .kept_out = full,
        .live = stage->live,
        .starting = stage->starting,
        .retiring = stage->retiring,
        .idle = blocked ? 0 : stage->idle_count,
        .blocked = blocked ? FAY_MAX(stage->idle_count, 1u) : 0,
        .idle_since = bottom != NULL && !blocked ? bottom->idle_since : FAY_NEVER,
        .saturated = fay_flow_fills_cores(flow, stage),
        .drying = flow->ended || flow->draining,
        .source_rate = source_rate(flow),
    };
}

static bool feeds(const fay_stage *from, const fay_stage *to)
{
    return (from->possible >> to->index & 1) != 0;
}

/* What has arrived since the last step, and from where: where several feed a stage, each is taken
 * to have sent its share of what they have finished. */
static void tell_arrivals(fay_flow *flow, fay_ns now, fay_stage *stage)
{
    uint64_t items = stage->stats.in - stage->told_in;
    stage->told_in = stage->stats.in;
    if (items == 0)
        return;
    fay_equalizers_arrived(flow->equalizers, stage->index, now, items);
    bool sourced = (flow->source_possible >> stage->index & 1) != 0;
    uint64_t all = sourced ? flow->totals.read : 0;
    for (size_t i = 0; i < flow->stages_count; i++) {
        all += feeds(&flow->stages[i], stage) ? flow->stages[i].stats.out : 0;
    }
    for (size_t i = 0; i < flow->stages_count && all > 0; i++) {
        double share = (double)flow->stages[i].stats.out / (double)all;
        if (feeds(&flow->stages[i], stage))
            fay_equalizers_sent(flow->equalizers, i, stage->index, (double)items * share);
    }
}

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

/* Whether another number of workers is wanted now. (Where one is to go and none is idle it is asked
 * again and again.) */
static bool equalize(fay_flow *flow, fay_ns now, fay_stage *stage)
{
    fay_equalizers *all = flow->equalizers;
    fay_equalizer_decision decision = {0};
    unsigned before = stage->wanted;
    tell_arrivals(flow, now, stage);
    fay_equalizer_counters input = counters(flow, stage);
    fay_equalizers_watch(all, stage->index, now, &input);
    if (now >= fay_equalizers_due(all, stage->index)) {
        fay_flow_fit(flow);
        input.stuck = stuck(flow, now, stage); /* it is asked for then alone, and walks them all */
        decision = fay_equalizers_evaluate(all, stage->index, now, &input);
    }
    if (decision.spawn > 0)
        stage->wanted = stage->live + stage->starting + decision.spawn;
    if (decision.retire || decision.shed)
        stage->wanted = stage->live + stage->starting - 1;
    return stage->wanted != before;
}

/* How it came out. What the ledger itself knows comes before what the Equalizer says. */
static void conclude(const fay_flow *flow, fay_ns now, const fay_stage *stage,
                     fay_equalizer_view *ret)
{
    fay_equalizers_view(flow->equalizers, stage->index, ret);
    ret->max = stage->config.workers_max;
    bool missing = stage->live + stage->starting < stage->wanted;
    if (missing && (stage->crashes > 0 || now < stage->spawn_after)) {
        ret->held_by = "CRASHLOOP";
        ret->rule = FAY_RULE_NONE;
        ret->serving = stage->live;
        ret->starting = stage->starting;
        ret->stuck = 0;
        ret->wanted = stage->wanted;
        ret->queued = stage->queue.items;
    } else if (flow->draining && strcmp(ret->held_by, "SOURCE_DRY") == 0) {
        ret->held_by = "DRAINING";
    }
}

/* An action is always told. A refusal is when it is another one, by its word or by what was wanted;
 * one of the same word, or of the two that take turns, not before 1 s, then 2, 4, .. 64 s have
 * passed, as the number that is wanted may be another each time. */
static bool is_news(fay_stage *stage, fay_ns now, const fay_equalizer_view *view)
{
    bool last = strcmp(view->held_by, stage->refused_by) == 0;
    bool same = last || strcmp(view->held_by, stage->refused_before) == 0;
    bool soon = now - stage->refused_at < FAY_SECOND << stage->refusals;
    bool again = view->wanted == stage->refused_wanted &&
                 strcmp(view->held_by, stage->view.held_by) == 0; /* all the time since */
    if (view->held_by[0] == '\0' || (same && (soon || again)))
        return false;
    stage->refusals = same ? FAY_MIN(stage->refusals + 1, 6u) : 0;
    stage->refused_before = last ? stage->refused_before : stage->refused_by;
    stage->refused_by = view->held_by;
    stage->refused_wanted = view->wanted;
    stage->refused_at = now;
    return true;
}

static void tell(fay_flow *flow, fay_ns now, fay_stage *stage, bool acted)
{
    fay_equalizer_view view;
    conclude(flow, now, stage, &view);
    stage->refusals = acted ? 0 : stage->refusals;
    bool news = is_news(stage, now, &view);
    bool other =
        view.pressure != stage->view.pressure || strcmp(view.held_by, stage->view.held_by) != 0;
    stage->view = view;
    if (!acted) {
        stage->view.spawn = 0;
        stage->view.retire = false;
    }
    if (acted || news)
        fay_flow_act(flow, FAY_FLOW_DECISION)->stage = stage->index;
    if (other)
        fay_flow_act(flow, FAY_FLOW_PRESSURE)->stage = stage->index;
}

void fay_flow_staff(fay_flow *flow, fay_ns now, fay_stage *stage)
{
    if (fay_flow_rests(flow) || flow->done)
        return;
    bool acted = equalize(flow, now, stage); /* pinned too: the others see them on the board */
    stage->wanted =
        FAY_MAX(FAY_MIN(stage->wanted, stage->config.workers_max), stage->config.workers_min);
    while (stage->live + stage->starting < stage->wanted && now >= stage->spawn_after) {
        if (!spawn(flow, stage))
            break;
    }
    while (stage->live + stage->starting > stage->wanted && longest_idle(stage) != NULL) {
        retire(flow, stage, longest_idle(stage));
    }
    tell(flow, now, stage, acted);
}

fay_ns fay_flow_staff_due(const fay_flow *flow, const fay_stage *stage)
{
    fay_ns due = fay_equalizers_due(flow->equalizers, stage->index);
    bool missing = stage->live + stage->starting < stage->wanted;
    if (missing && stage->spawn_after > flow->stepped)
        due = FAY_MIN(due, stage->spawn_after);
    return fay_flow_rests(flow) ? FAY_NEVER : due;
}
