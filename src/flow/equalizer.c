/* SPDX-License-Identifier: MIT */
#include "flow/equalizer.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "flow/account.h"
#include "flow/board.h"
#include "flow/growth.h"
#include "flow/shrink.h"

static const double spawn_guess_s = 0.02; /* before the first worker has started */
static const double head_high = 0.2;      /* HIGH below R + 0.2 sqrt(R) */
static const double drain_periods = 5;    /* Td */
static const double nudge = 0.1;          /* of the workers, while a queue stands */
static const double full_from = 0.75;     /* of a queue's places */
enum {
    EVENS_UNTIL_DORMANT = 3,
    STALLS_UNTIL_DORMANT = 3,
    SPECULATIVE_MAX = 16
};

/* ---- life ------------------------------------------------------------------------------------ */

void fay_equalizers_scale(fay_equalizers *all, size_t stage, fay_ns now, unsigned min, unsigned max,
                          bool pinned)
{
    fay_equalizer *e = &all->stages[stage];
    assert(min <= max && max > 0);
    e->config.min = min;
    e->config.max = max;
    e->config.pinned = pinned;
    e->armed = !pinned;
    e->evens = 0;
    e->full_due = pinned ? (double)INFINITY : fay_board_seconds(all, now);
    e->low_due = (double)INFINITY;
    e->view.pressure = FAY_EVEN;
    e->view.held_by = FAY_HELD_NONE;
}

static void begin(fay_equalizer *e, const fay_equalizer_stage *config)
{
    e->config = *config;
    fay_arrivals_init(&e->arrivals, 0);
    fay_service_init(&e->service, 0);
    e->cost[0] = 1;
    e->spawn_s = spawn_guess_s;
    e->cap = (double)INFINITY;
    e->hint_at = e->evaluated = e->grown = e->shrunk = e->nudged = e->flapped = -1e6;
    e->full_due = e->low_due = (double)INFINITY;
    e->standing = -1;
    e->queue_high = 2;
    e->slow = 1;
    e->gap = fay_board_period(e) / 8;
    e->cap_backoff = 20 * fay_board_period(e);
    e->last.idle_since = FAY_NEVER;
    e->view.held_by = FAY_HELD_NONE;
    e->view.ceiling = e->view.cap = (double)INFINITY;
}

/* Upstream first: a stage comes when all that feed it have. */
static void sort(fay_equalizers *all)
{
    uint64_t sorted = 0;
    for (size_t k = 0; k < all->count;) {
        size_t before = k;
        for (size_t i = 0; i < all->count; i++) {
            bool ready = (sorted >> i & 1) == 0 && (all->stages[i].feeders & ~sorted) == 0;
            if (!ready)
                continue;
            all->order[k++] = i;
            sorted |= UINT64_C(1) << i;
        }
        assert(k > before);
    }
}

fay_equalizers *fay_equalizers_new(const fay_equalizer_stage *stages, size_t count, fay_ns now)
{
    assert(count <= FAY_STAGES_MAX);
    fay_equalizers *all = fay_alloc(sizeof *all + count * sizeof *all->stages);
    *all = (fay_equalizers){.epoch = now, .count = count};
    all->sent = fay_alloc((count * count + 1) * sizeof *all->sent);
    all->order = fay_alloc((count + 1) * sizeof *all->order);
    for (size_t r = 0; r < FAY_RESOURCES; r++) {
        all->capacity[r] = (double)INFINITY;
    }
    for (size_t i = 0; i < count; i++) {
        begin(&all->stages[i], &stages[i]);
    }
    for (size_t i = 0; i < count; i++) {
        FAY_EACH_BIT(to, stages[i].feeds)
        {
            assert(to < count);
            all->stages[to].feeders |= UINT64_C(1) << i;
        }
    }
    sort(all);
    return all;
}

void fay_equalizers_free(fay_equalizers *all)
{
    if (all == NULL)
        return;
    free(all->sent);
    free(all->order);
    free(all);
}

/* ---- what happens ---------------------------------------------------------------------------- */

void fay_equalizers_capacity(fay_equalizers *all, size_t resource, double capacity)
{
    all->capacity[resource] = capacity;
}

void fay_equalizers_cost(fay_equalizers *all, size_t stage, size_t resource, double cost)
{
    all->stages[stage].cost[resource] = cost;
}

void fay_equalizers_arrived(fay_equalizers *all, size_t stage, fay_ns now, uint64_t items)
{
    fay_equalizer *e = &all->stages[stage];
    fay_arrivals_add(&e->arrivals, fay_board_seconds(all, now), items, fay_board_period(e));
}

/* ---- one evaluation -------------------------------------------------------------------------- */

typedef struct plan {
    double rate, drain; /* to be worked off, Items/s: what arrives, and what upstream drains */
    double offered;     /* what would be, if the pipeline as a whole did not bound it */
    double backlog, drainers; /* B, D */
    double by;                /* when B is to be gone, seconds */
    double target, trigger;
    bool from_source, standing, rare, nudged;
    fay_ceiling ceiling;
    double serving; /* workers that do, with those that are not stuck */
} plan;

/* What is offered: a fresh hint counts more than what has arrived so far, and nobody gets more
 * than the pipeline as a whole can do. */
static void offer(fay_equalizers *all, size_t stage, double now, double seen, plan *p)
{
    fay_equalizer *e = &all->stages[stage];
    double age;
    p->rate = seen;
    p->drain = 0;
    double hinted, drained;
    if (fay_board_hint(all, stage, now, &hinted, &drained, &age)) {
        bool outdated = seen > 1.1 * (hinted + drained) && age > 1.5 * fay_board_period(e);
        p->rate = outdated ? fmax(0, seen - drained) : hinted;
        p->drain = drained;
    }
    if (e->config.sourced && e->last.source_rate * e->visits > p->rate) {
        p->rate = e->last.source_rate * e->visits;
        p->from_source = true;
    }
    p->offered = p->rate;
    p->ceiling = fay_board_ceiling(all);
    double most = p->ceiling.rate * e->visits;
    e->capped = e->visits > 0 && p->rate > 0.97 * most;
    if (e->capped) {
        p->rate = most;
        p->drain = 0;
    } else {
        p->drain = fmin(p->drain, most - p->rate);
    }
}

/* The pipeline's bound is known and all that is offered is beyond it: everyone takes the share
 * that lets the whole do most, the bottleneck the odd place. */
static void share(const fay_equalizer *e, plan *p, double load)
{
    double shared = p->ceiling.shared * e->visits * e->item_s;
    double own = fmin(e->config.max, e->cap);
    bool last = fay_board_slack(e) <= p->ceiling.slack;
    p->target = p->trigger = last ? ceil(shared + 0.5) : fmax(1, round(shared));
    if (own <= 1.02 * p->ceiling.rate * e->visits * e->item_s) {
        p->target = p->trigger = floor(own);
    } else if (p->ceiling.rate < 0.97 * p->ceiling.shared) { /* another stage's cap */
        p->target = ceil(load + FAY_HEAD_ROOM * fay_board_root(load));
        p->trigger = load + head_high * fay_board_root(load);
    }
}

static void size(const fay_equalizer *e, double item, plan *p)
{
    const fay_equalizer_counters *c = &e->last;
    double wait = fay_board_target_wait(e), queued = (double)c->queued;
    double load = p->rate * item, capacity = p->serving / e->item_s;
    double until = c->starting > 0 ? 0.6 * e->spawn_s : e->spawn_s;
    double more = fmax(0, p->rate - capacity) * until;
    if (!e->config.sourced)
        more = fmin(more, queued + (double)c->room);
    p->backlog = fmax(0, queued + more - p->rate * wait);
    p->by = fmax(drain_periods * fay_board_period(e), item);
    p->drainers = fmin((p->backlog / p->by + p->drain) * item,
                       fmax(p->backlog, p->drain * item)); /* never more than Items */
    /* Long Items: a worker starts sooner than one of ours is free, so each that waits gets one. */
    p->rare = e->item_s / fmax(1, p->serving) > e->spawn_s + wait;
    if (p->rare)
        p->drainers = fmax(p->drainers, queued);
    if (e->capped) {
        share(e, p, load);
        return;
    }
    bool any = load > FAY_ROUNDING || c->queued > 0;
    p->target =
        any ? ceil(load + FAY_HEAD_ROOM * fay_board_root(load) + p->drainers - FAY_ROUNDING) : 0;
    p->trigger =
        load + head_high * fay_board_root(load) + (p->rare ? p->drainers : p->drainers / 2);
}

/* CoDel: the head of the line waits longer than W*, for a whole period. Or the queue is as good as
 * full, so that the rest of the line waits upstream, for as long as the model takes to drain it. */
static bool stands(fay_equalizer *e, double now, double serving)
{
    double queued = (double)e->last.queued, period = fay_board_period(e);
    double may_wait = serving / e->item_s * fay_board_target_wait(e);
    bool late = queued > fmax(1, may_wait);
    if (!late && queued <= fmax(1, full_from * (queued + (double)e->last.room))) {
        e->standing = -1;
    } else if (e->standing < 0) {
        e->standing = now;
    }
    return e->standing >= 0 && now - e->standing >= (late ? 1 : drain_periods) * period;
}

/* The model is content, the queue is not. */
static bool nudges(const fay_equalizer *e, double now, const plan *p)
{
    double again = fmax(e->spawn_s, 2 * fay_board_period(e));
    return p->standing && e->last.starting == 0 && e->last.blocked <= 0.2 * fay_board_workers(e) &&
           !e->capped && !fay_growth_is_suspect(e) && now - fmax(e->grown, e->nudged) >= again;
}

/* A worker that would have nothing left to do when it is up is not worth its start. */
static bool near_the_end(const fay_equalizers *all, size_t stage)
{
    const fay_equalizer *e = &all->stages[stage];
    return e->last.drying && fay_board_workers(e) > 0 &&
           fay_board_rest(all, stage) * e->item_s / fay_board_workers(e) < 2 * e->spawn_s;
}

static const fay_held held_by_resource[FAY_RESOURCES] = {
    [FAY_CORES] = FAY_HELD_NO_CPU, [FAY_MEMORY] = FAY_HELD_NO_MEM};

/* Spawns up to `wanted`, or says what holds it. */
static unsigned grow(fay_equalizers *all, size_t stage, double now, double wanted)
{
    fay_equalizer *e = &all->stages[stage];
    double n = fay_board_workers(e);
    size_t scarce = 0;
    fay_held held = FAY_HELD_NONE;
    if (wanted > e->config.max) {
        wanted = e->config.max;
        held = FAY_HELD_AT_MAX;
    }
    double most = e->config.saturated_max;
    if (e->last.saturated && e->config.saturated_max > 0 && wanted > most) {
        wanted = fmax(most, n);
        held = FAY_HELD_NO_CPU;
    }
    double share = fay_board_even_share(all, e), place = fay_board_room(all, e, &scarce);
    if (wanted > share) {
        wanted = fmax(share, n);
        held = FAY_HELD_LEARNING;
    }
    e->denied = wanted - n > place;
    if (e->denied) {
        wanted = n + place;
        held = held_by_resource[scarce];
    }
    e->view.held_by = held;
    if (wanted <= n)
        return 0;
    fay_shrink_regret(e, now);
    fay_growth_begin(e, now, e->last.live);
    if (e->last.starting == 0)
        e->first_spawn = now;
    e->grown = now;
    fay_shrink_forget(e);
    return (unsigned)(wanted - n);
}

/* Nothing has ever finished here: as many as the root of the Items that wait, and, as long as none
 * of ours is idle, of those that wait upstream too: they will come here as well. */
static unsigned slow_start(fay_equalizers *all, size_t stage, double now)
{
    fay_equalizer *e = &all->stages[stage];
    unsigned n = fay_board_workers(e);
    double items = e->last.idle > 0 ? (double)e->last.queued : fay_board_rest(all, stage);
    double wanted = fmin(SPECULATIVE_MAX, ceil(sqrt(items)));
    if (n == 0 && (e->last.queued > 0 || fay_board_is_fed(all, stage)))
        wanted = fmax(wanted, 1);
    fay_account_note(e, 0, 0);
    e->view.rule = n == 0 ? FAY_RULE_WAKING : FAY_RULE_LEARNING;
    e->view.wanted = fay_account_whole(wanted);
    e->view.pressure = wanted > n ? FAY_HIGH : FAY_EVEN;
    e->view.held_by = FAY_HELD_NONE;
    unsigned more = wanted > n ? grow(all, stage, now, wanted) : 0;
    if (more == 0 && e->view.held_by == FAY_HELD_NONE && e->last.queued > 0)
        e->view.held_by = FAY_HELD_LEARNING;
    return more;
}

/* Whether workers are to go although they are not idle: above a cap, or because the machine is
 * full and another stage is the bottleneck. */
static bool sheds(fay_equalizers *all, size_t stage, double now, const plan *p, double wanted)
{
    fay_equalizer *e = &all->stages[stage];
    double over = fay_board_workers(e) - (floor(e->cap) + e->last.stuck);
    size_t scarce;
    if (e->capped && !isinf(p->ceiling.shared)) {
        bool full = fay_board_free(all, e, &scarce) < 1;
        bool ahead = fay_board_slack(e) > 1.15 * p->ceiling.slack;
        over = fmax(over, fay_board_workers(e) - wanted - (full && ahead ? 0 : 1));
    }
    if (over <= 0 || now - e->shrunk < e->gap || fay_board_workers(e) <= FAY_MAX(e->config.min, 1u))
        return false;
    fay_shrink_note(e, now);
    e->view.rule =
        fay_board_workers(e) > floor(e->cap) + e->last.stuck ? FAY_RULE_OVER_CAP : FAY_RULE_SHARE;
    e->full_due = fmin(e->full_due, now + e->gap);
    return true;
}

/* When to look again, and whether at all. */
static void pace(fay_equalizer *e, double now, const plan *p, bool denied)
{
    double period = fay_board_period(e);
    bool high = e->view.pressure == FAY_HIGH;
    bool capped = e->capped || !isinf(e->cap);
    e->queue_high =
        p->rare ? 1 : fmax(2, floor(p->serving / e->item_s * fay_board_target_wait(e) / 2));
    bool vain = denied || (capped && !high && e->last.starting == 0 && isinf(e->full_due));
    e->stalls = vain ? e->stalls + 1 : 0;
    e->slow = !high && (double)e->last.queued >= e->queue_high ? e->slow * 1.5 : 1;
    bool even = !high && e->last.starting == 0 && e->last.retiring == 0 && e->standing < 0 &&
                !e->probe.on && !e->capped;
    e->evens = even ? e->evens + 1 : 0;
    /* Nothing to do, or nothing that can be done: what changes either will wake it. */
    if (e->evens >= EVENS_UNTIL_DORMANT || e->stalls >= STALLS_UNTIL_DORMANT) {
        e->armed = false;
        e->evens = 0;
        return;
    }
    double next = now + FAY_MAX(1u, FAY_MIN(8u, e->stalls)) * period;
    e->full_due = fmin(e->full_due, next);
}

/* What the formula says of all that is offered, whoever else may bound it. */
static void note(fay_equalizer *e, const plan *p, double item)
{
    fay_equalizer_view *v = &e->view;
    fay_account_note(e, p->offered, item);
    v->from_source = p->from_source;
    v->backlog = p->backlog;
    v->drain = p->drainers;
    v->drain_s = p->by;
    v->ceiling = p->ceiling.rate * e->visits;
    v->trigger =
        v->load + head_high * fay_board_root(v->load) + (p->rare ? p->drainers : p->drainers / 2);
    double wanted = ceil(v->load + v->spare + v->drain - FAY_ROUNDING);
    bool any = v->load > FAY_ROUNDING || v->queued > 0;
    v->wanted = any ? fay_account_whole(wanted) + v->stuck : 0;
}

/* Why it grows, or would. */
static fay_rule rule_of(const fay_equalizer *e, const plan *p)
{
    const fay_equalizer_view *v = &e->view;
    double have = p->serving + e->last.starting;
    if (fay_board_workers(e) == 0)
        return FAY_RULE_WAKING;
    if (p->nudged)
        return FAY_RULE_STANDING;
    if (e->capped)
        return FAY_RULE_SHARE;
    if (have < v->load + head_high * fay_board_root(v->load) - FAY_ROUNDING)
        return FAY_RULE_LOAD;
    return p->rare ? FAY_RULE_LONG_ITEMS : FAY_RULE_BACKLOG;
}

/* What bounds it to `have` workers, whatever is offered. */
static fay_held bound_by(const fay_equalizer *e, const plan *p, double have)
{
    if (have >= floor(e->cap))
        return FAY_HELD_GAIN;
    if (!e->capped)
        return fay_growth_is_suspect(e) ? FAY_HELD_LEARNING : FAY_HELD_NONE;
    if (have >= e->config.max)
        return FAY_HELD_AT_MAX;
    bool by_another = p->ceiling.rate < 0.97 * p->ceiling.shared;
    return by_another ? FAY_HELD_BLOCKED : held_by_resource[p->ceiling.scarce];
}

static bool is_blocked(const fay_equalizer *e)
{
    return e->last.blocked > 0 && e->last.blocked >= e->last.live;
}

/* It does not grow: what keeps it from that, if what is offered would need more. */
static fay_held kept_by(const fay_equalizer *e, const plan *p)
{
    double have = p->serving + e->last.starting;
    if (is_blocked(e))
        return FAY_HELD_BLOCKED;
    return have < e->view.trigger - FAY_ROUNDING ? bound_by(e, p, have) : FAY_HELD_NONE;
}

static void learn(fay_equalizers *all, size_t stage, double now, double *ret_seen)
{
    fay_equalizer *e = &all->stages[stage];
    *ret_seen = fay_arrivals_rate(&e->arrivals, now, fay_board_period(e), e->spawn_s);
    e->item_s = fay_service_mean(&e->service, now);
    if (!e->spawn_known && e->last.starting > 0) /* it takes at least as long as it has so far */
        fay_board_guess_spawn(all, fmax(e->spawn_s, now - e->first_spawn));
    fay_board_visit(all);
}

static fay_equalizer_decision evaluate(fay_equalizers *all, size_t stage, double now)
{
    fay_equalizer *e = &all->stages[stage];
    fay_equalizer_decision decision = {0};
    double seen;
    plan p = {0};
    learn(all, stage, now, &seen);
    if (fay_board_workers(e) == 0 && e->last.queued == 0 && !fay_board_is_fed(all, stage)) {
        e->armed = false; /* at rest: what the estimates remember is over */
        fay_account_note(e, 0, e->item_s);
        e->view.pressure = FAY_EVEN;
        e->view.held_by = FAY_HELD_NONE;
        return decision;
    }
    if (e->item_s <= 0) {
        decision.spawn = slow_start(all, stage, now);
        fay_board_publish(all, stage, now, 0, 0);
        e->full_due = fmin(e->full_due, now + fay_board_period(e));
        return decision;
    }
    double item = fay_growth_item(e);
    p.serving = e->last.live - FAY_MIN(e->last.stuck, e->last.live);
    offer(all, stage, now, seen, &p);
    e->rate = p.rate;
    size(e, item, &p);
    p.standing = stands(e, now, p.serving);
    fay_growth_judge(e, now);
    note(e, &p, item);

    double have = p.serving + e->last.starting;
    bool high = have < p.trigger - FAY_ROUNDING;
    if (high && have + e->last.stuck >= p.trigger) /* those that are stuck come back */
        p.target = fmin(p.target, ceil(p.trigger));
    if (fay_growth_is_suspect(e) && p.rate < 1.05 * e->sized)
        high = false; /* wait for the verdict on the last one */
    if (!high && nudges(e, now, &p)) {
        p.target = fmax(p.target, have + fmax(1, floor(nudge * fay_board_workers(e))));
        p.nudged = true;
        e->view.wanted = fay_account_whole(p.target) + e->view.stuck;
        e->nudged = now;
        high = true;
    }
    double wanted = fmax(fmin(p.target, floor(e->cap)) + e->last.stuck, e->config.min);
    bool denied = false;
    if (high && wanted > fay_board_workers(e) && near_the_end(all, stage)) {
        e->view.pressure = FAY_EVEN;
        e->view.held_by = FAY_HELD_SOURCE_DRY;
        e->view.rule = rule_of(e, &p);
    } else if (high && wanted > fay_board_workers(e)) {
        e->view.pressure = FAY_HIGH;
        e->evens = 0;
        e->sized = p.rate;
        e->view.rule = rule_of(e, &p);
        decision.spawn = grow(all, stage, now, wanted);
        denied = decision.spawn == 0;
        if (e->view.held_by == FAY_HELD_NONE &&
            e->view.wanted > fay_board_workers(e) + decision.spawn)
            e->view.held_by = bound_by(e, &p, have + decision.spawn);
    } else {
        e->denied = false;
        e->view.pressure = is_blocked(e) ? FAY_BLOCKED : FAY_EVEN;
        e->view.held_by = kept_by(e, &p);
        if (e->view.held_by != FAY_HELD_NONE)
            e->view.rule = rule_of(e, &p);
        decision.shed = sheds(all, stage, now, &p, p.target);
        decision.retire = !decision.shed && fay_shrink(all, stage, now);
    }
    double own = (fay_board_workers(e) + decision.spawn) / e->item_s, sent = fmin(p.rate, own);
    fay_board_publish(all, stage, now, sent, fmin(p.backlog / p.by + p.drain, own - sent));
    pace(e, now, &p, denied);
    fay_account_settle(e);
    return decision;
}

/* ---- from outside ---------------------------------------------------------------------------- */

void fay_equalizers_watch(fay_equalizers *all, size_t stage, fay_ns now,
                          const fay_equalizer_counters *counters)
{
    fay_equalizer *e = &all->stages[stage];
    double at = fay_board_seconds(all, now), period = fay_board_period(e);
    bool was_kept_out = e->last.kept_out;
    e->last = *counters;
    if (e->config.pinned) {
        fay_account_pinned(all, stage, at);
        return;
    }
    bool relieved = !e->armed && e->stalls > 0 && counters->queued == 0;
    bool unblocked = e->view.pressure == FAY_BLOCKED && counters->blocked == 0;
    if (relieved || unblocked) { /* not a moment longer */
        e->view.pressure = FAY_EVEN;
        e->view.held_by = FAY_HELD_NONE;
    }
    e->low_due = fay_shrink_due(all, stage, at);
    bool backlog = (double)counters->queued >= e->queue_high && counters->idle == 0;
    bool asleep = counters->queued > 0 && fay_board_workers(e) == 0;
    bool pressed = counters->kept_out || backlog || asleep;
    if (pressed) {
        double gap = fmax(period / 8 * fmin(8, e->slow), FAY_MIN(8u, e->stalls) * period);
        e->full_due = fmin(e->full_due, fmax(at, e->evaluated + gap));
    }
    if (!counters->kept_out || was_kept_out)
        return;
    FAY_EACH_BIT(from, e->feeders) /* they are about to be blocked */
    {
        fay_equalizer *f = &all->stages[from];
        if (!f->config.pinned)
            f->full_due = fmin(f->full_due, fmax(at, f->evaluated + fay_board_period(f) / 2));
    }
}

fay_ns fay_equalizers_due(const fay_equalizers *all, size_t stage)
{
    const fay_equalizer *e = &all->stages[stage];
    double due = fmin(e->full_due, e->low_due);
    if (e->config.pinned || isinf(due))
        return FAY_NEVER;
    return all->epoch + (fay_ns)ceil(fmax(0, due) * 1e9);
}

fay_equalizer_decision fay_equalizers_evaluate(fay_equalizers *all, size_t stage, fay_ns now,
                                               const fay_equalizer_counters *counters)
{
    fay_equalizer *e = &all->stages[stage];
    double at = fay_board_seconds(all, now);
    assert(!e->config.pinned);
    e->last = *counters;
    if (e->full_due > at + FAY_ROUNDING) { /* only the coldest worker's time is up */
        fay_equalizer_decision decision = {.retire = fay_shrink(all, stage, at)};
        e->low_due = fay_shrink_due(all, stage, at);
        e->view.spawn = 0;
        e->view.retire = decision.retire;
        return decision;
    }
    if (!e->armed) {
        e->armed = true;
        e->evens = 0;
    }
    e->full_due = (double)INFINITY;
    e->evaluated = at;
    e->view.evaluations++;
    fay_equalizer_decision decision = evaluate(all, stage, at);
    e->view.spawn = decision.spawn;
    e->view.retire = decision.retire || decision.shed;
    e->low_due = fay_shrink_due(all, stage, at);
    return decision;
}

fay_ns fay_equalizers_stuck_after(const fay_equalizers *all, size_t stage)
{
    const fay_equalizer *e = &all->stages[stage];
    if (e->item_s <= 0)
        return FAY_NEVER;
    return (fay_ns)(fmax(FAY_SERVICE_TRIM * e->item_s, 2 * fay_board_period(e)) * 1e9);
}

void fay_equalizers_view(const fay_equalizers *all, size_t stage, fay_equalizer_view *ret)
{
    const fay_equalizer *e = &all->stages[stage];
    *ret = e->view;
    ret->armed = e->armed;
    ret->cores = all->capacity[FAY_CORES];
    ret->bytes = all->capacity[FAY_MEMORY];
    ret->each_cores = e->cost[FAY_CORES];
    ret->each_bytes = e->cost[FAY_MEMORY];
}
