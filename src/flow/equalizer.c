/* SPDX-License-Identifier: MIT */
#include "flow/equalizer.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "flow/account.h"
#include "flow/board.h"
#include "flow/growth.h"
#include "flow/pinned.h"
#include "flow/plan.h"
#include "flow/shrink.h"

static const double spawn_guess_s = 0.02; /* before the first worker has started */
static const double nudge = 0.1;          /* of the workers, while a queue stands */
static const double same_rate = 1.05;  /* as the last growth was for: not more is offered by now */
static const double far_ahead = 1.15;  /* of the bottleneck: a worker may go to it */
static const double slower_each = 1.5; /* when a look finds a queue, and no reason to grow */
enum {
    EVENS_UNTIL_DORMANT = 3,
    STALLS_UNTIL_DORMANT = 3,
    RAREST_PERIODS = 8, /* so many periods between two looks at most, while something presses */
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
    e->full_due = pinned ? (double)INFINITY : fay_equalizer_seconds(all, now);
    e->low_due = (double)INFINITY;
    e->view.pressure = FAY_EVEN;
    e->view.held_by = FAY_HELD_NONE;
}

static void begin(fay_equalizer *e, const fay_equalizer_stage *config)
{
    e->config = *config;
    fay_arrivals_init(&e->arrivals, 0);
    fay_service_init(&e->service, 0);
    e->cost[FAY_CORES] = 1;
    e->spawn_s = spawn_guess_s;
    e->hint_at = e->evaluated = e->grown = e->shrunk = e->nudged = e->flapped = FAY_LONG_AGO;
    e->full_due = e->low_due = (double)INFINITY;
    e->standing = -1;
    e->queue_high = 2;
    e->slow = 1;
    e->gap = fay_equalizer_soon(e);
    e->last.idle_since = FAY_NEVER;
    fay_growth_init(e);
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

/* ---- one evaluation -------------------------------------------------------------------------- */

/* The model is content, the queue is not. */
static bool nudges(const fay_equalizer *e, double now, const fay_plan *p)
{
    double again = fmax(e->spawn_s, 2 * fay_equalizer_period(e)), limit = e->config.rate;
    if (limit > 0 && p->serving >= fay_plan_target(limit * p->item, 0))
        return false; /* it stands as no more may begin */
    return p->standing && e->last.starting == 0 && fay_equalizer_flows(e) && !e->capped &&
           !fay_growth_is_suspect(e) && now - fmax(e->grown, e->nudged) >= again;
}

/* Whether the stage is to grow; p->target: to how many that serve. */
static bool is_high(fay_equalizer *e, double now, fay_plan *p)
{
    double have = p->serving + e->last.starting;
    bool high = have < p->trigger - FAY_ROUNDING;
    p->returning = high && have + e->last.stuck >= p->trigger;
    if (p->returning)
        p->target = fmin(p->target, ceil(p->trigger));
    if (fay_growth_is_suspect(e) && p->rate < same_rate * e->sized)
        high = false; /* wait for the verdict on the last one */
    if (high || !nudges(e, now, p))
        return high;
    p->target = fmax(p->target, have + fmax(1, floor(nudge * fay_equalizer_workers(e))));
    p->nudged = true;
    e->nudged = now;
    return true;
}

/* A worker that would have nothing left to do when it is up is not worth its start. */
static bool near_the_end(const fay_equalizers *all, size_t stage)
{
    const fay_equalizer *e = &all->stages[stage];
    return e->last.drying && fay_equalizer_workers(e) > 0 &&
           fay_board_rest(all, stage) * e->item_s / fay_equalizer_workers(e) < 2 * e->spawn_s;
}

/* Spawns up to `wanted`; *ret_held: what keeps it from that. */
static unsigned grow(fay_equalizers *all, size_t stage, double now, double wanted,
                     fay_held *ret_held)
{
    fay_equalizer *e = &all->stages[stage];
    double n = fay_equalizer_workers(e);
    fay_resource scarce;
    *ret_held = FAY_HELD_NONE;
    if (wanted > e->config.max) {
        wanted = e->config.max;
        *ret_held = FAY_HELD_AT_MAX;
    }
    double most = e->config.saturated_max;
    if (e->last.saturated && e->config.saturated_max > 0 && wanted > most) {
        wanted = fmax(most, n);
        *ret_held = FAY_HELD_NO_CPU;
    }
    double share = fay_board_even_share(all, e), place = fay_board_room(all, e, &scarce);
    if (wanted > share) {
        wanted = fmax(share, n);
        *ret_held = FAY_HELD_LEARNING;
    }
    e->denied = wanted - n > place;
    if (e->denied) {
        wanted = n + place;
        *ret_held = fay_account_want(scarce);
    }
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
static fay_equalizer_decision slow_start(fay_equalizers *all, size_t stage, double now)
{
    fay_equalizer *e = &all->stages[stage];
    unsigned n = fay_equalizer_workers(e);
    double items = e->last.idle > 0 ? (double)e->last.queued : fay_board_rest(all, stage);
    double wanted = fmin(SPECULATIVE_MAX, ceil(sqrt(items)));
    if (e->config.rate > 0) /* not for more than it may begin in a second */
        wanted = fmin(wanted, ceil(e->config.rate));
    if (n == 0 && (e->last.queued > 0 || fay_board_is_fed(all, stage)))
        wanted = fmax(wanted, 1);
    fay_held held = FAY_HELD_NONE;
    fay_equalizer_decision decision = {0};
    if (wanted > n)
        decision.spawn = grow(all, stage, now, wanted, &held);
    fay_board_publish(all, stage, now, 0, 0);
    fay_equalizer_wake(e, now + fay_equalizer_period(e));
    fay_account_guess(e, wanted, decision.spawn, held);
    return decision;
}

/* Whether workers are to go although they are not idle: above a cap, or because the machine is
 * full and another stage is the bottleneck. */
static bool sheds(fay_equalizers *all, size_t stage, double now, const fay_plan *p)
{
    fay_equalizer *e = &all->stages[stage];
    double over = fay_equalizer_workers(e) - (floor(e->cap) + e->last.stuck);
    fay_resource scarce;
    if (e->capped && !isinf(p->ceiling.shared)) {
        bool full = fay_board_free(all, e, &scarce) < 1;
        bool ahead = fay_board_slack(e) > far_ahead * p->ceiling.slack;
        over = fmax(over, fay_equalizer_workers(e) - p->target - (full && ahead ? 0 : 1));
    }
    if (over <= 0 || now - e->shrunk < e->gap ||
        fay_equalizer_workers(e) <= FAY_MAX(e->config.min, 1u))
        return false;
    fay_shrink_note(e, now);
    fay_equalizer_wake(e, now + e->gap);
    return true;
}

/* Seconds for which nobody is asked who has found nothing to be done, again and again. */
static double rarely(const fay_equalizer *e)
{
    return FAY_MIN(e->stalls, (unsigned)RAREST_PERIODS) * fay_equalizer_period(e);
}

/* When to look again, and whether at all. */
static void pace(fay_equalizer *e, double now, const fay_plan *p, bool refused)
{
    double period = fay_equalizer_period(e);
    bool capped = e->capped || !isinf(e->cap);
    e->queue_high =
        p->rare ? 1 : fmax(2, floor(p->serving / e->item_s * fay_equalizer_target_wait(e) / 2));
    bool vain = refused || (capped && !p->high && e->last.starting == 0 && isinf(e->full_due));
    e->stalls = vain ? e->stalls + 1 : 0;
    e->slow = !p->high && (double)e->last.queued >= e->queue_high ? e->slow * slower_each : 1;
    bool even = !p->high && e->last.starting == 0 && e->last.retiring == 0 && e->standing < 0 &&
                !e->probe.on && !e->capped;
    e->evens = even ? e->evens + 1 : 0;
    /* Nothing to do, or nothing that can be done: what changes either will wake it. */
    if (e->evens >= EVENS_UNTIL_DORMANT || e->stalls >= STALLS_UNTIL_DORMANT) {
        e->armed = false;
        e->evens = 0;
        return;
    }
    fay_equalizer_wake(e, now + fmax(period, rarely(e)));
}

/* Items per second that arrive; and all else that is measured. */
static double learn(fay_equalizers *all, size_t stage, double now)
{
    fay_equalizer *e = &all->stages[stage];
    double seen = fay_arrivals_rate(&e->arrivals, now, fay_equalizer_period(e), e->spawn_s);
    e->item_s = fay_service_mean(&e->service, now);
    if (!e->spawn_known && e->last.starting > 0) /* it takes at least as long as it has so far */
        fay_equalizer_guess_spawn(all, fmax(e->spawn_s, now - e->first_spawn));
    fay_board_visit(all);
    return seen;
}

/* Carries the plan out: up at once, if that is of use, or down by one. */
static fay_equalizer_decision decide(fay_equalizers *all, size_t stage, double now, fay_plan *p)
{
    fay_equalizer *e = &all->stages[stage];
    fay_equalizer_decision decision = {0};
    bool high = is_high(e, now, p);
    double wanted = fmax(fmin(p->target, floor(e->cap)) + e->last.stuck, e->config.min);
    high = high && wanted > fay_equalizer_workers(e);
    p->dry = high && near_the_end(all, stage);
    p->high = high && !p->dry;
    if (p->high) {
        e->evens = 0;
        e->sized = p->rate;
        decision.spawn = grow(all, stage, now, wanted, &p->held);
    } else if (!p->dry) {
        e->denied = false;
        decision.shed = sheds(all, stage, now, p);
        decision.retire = !decision.shed && fay_shrink(all, stage, now);
    }
    return decision;
}

static fay_equalizer_decision evaluate(fay_equalizers *all, size_t stage, double now)
{
    fay_equalizer *e = &all->stages[stage];
    double seen = learn(all, stage, now);
    if (fay_equalizer_workers(e) == 0 && e->last.queued == 0 && !fay_board_is_fed(all, stage)) {
        e->armed = false; /* at rest: what the estimates remember is over */
        fay_account_rest(e);
        return (fay_equalizer_decision){0};
    }
    if (e->item_s <= 0)
        return slow_start(all, stage, now);
    fay_plan p;
    fay_plan_make(all, stage, now, seen, &p);
    fay_growth_judge(e, now);
    fay_equalizer_decision decision = decide(all, stage, now, &p);
    double own = (fay_equalizer_workers(e) + decision.spawn) / e->item_s, sent = fmin(p.rate, own);
    fay_board_publish(all, stage, now, sent, fmin(p.backlog / p.by + p.drain, own - sent));
    pace(e, now, &p, p.high && decision.spawn == 0);
    if (!decision.retire) /* else that has said why */
        fay_account_plan(e, &p, &decision);
    return decision;
}

/* ---- from outside ---------------------------------------------------------------------------- */

void fay_equalizers_watch(fay_equalizers *all, size_t stage, fay_ns now,
                          const fay_equalizer_counters *counters)
{
    fay_equalizer *e = &all->stages[stage];
    double at = fay_equalizer_seconds(all, now);
    bool was_kept_out = e->last.kept_out;
    e->last = *counters;
    if (e->config.pinned) {
        fay_pinned_watch(all, stage, at);
        return;
    }
    fay_account_watch(e);
    e->low_due = fay_shrink_due(all, stage, at);
    bool backlog = (double)counters->queued >= e->queue_high && counters->idle == 0;
    bool asleep = counters->queued > 0 && fay_equalizer_workers(e) == 0;
    bool pressed = counters->kept_out || backlog || asleep;
    if (pressed) {
        double slowly = fmin(fay_equalizer_soon(e) * e->slow, fay_equalizer_period(e));
        fay_equalizer_wake(e, fmax(at, e->evaluated + fmax(slowly, rarely(e))));
    }
    if (!counters->kept_out || was_kept_out)
        return;
    FAY_EACH_BIT(from, e->feeders) /* they are about to be blocked */
    {
        fay_equalizer *f = &all->stages[from];
        if (!f->config.pinned)
            fay_equalizer_wake(f, fmax(at, f->evaluated + fay_equalizer_period(f) / 2));
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
    double at = fay_equalizer_seconds(all, now);
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
    e->evaluations++;
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
    return (fay_ns)(fmax(FAY_SERVICE_TRIM * e->item_s, 2 * fay_equalizer_period(e)) * 1e9);
}

void fay_equalizers_view(const fay_equalizers *all, size_t stage, fay_equalizer_view *ret)
{
    const fay_equalizer *e = &all->stages[stage];
    *ret = e->view;
    ret->evaluations = e->evaluations;
    ret->armed = e->armed;
    ret->cores = all->capacity[FAY_CORES];
    ret->bytes = all->capacity[FAY_MEMORY];
    ret->each_cores = e->cost[FAY_CORES];
    ret->each_bytes = e->cost[FAY_MEMORY];
}
