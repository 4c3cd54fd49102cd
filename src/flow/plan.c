/* SPDX-License-Identifier: MIT */
#include "flow/plan.h"

#include <math.h>

#include "flow/growth.h"

static const double head_high = 0.2;    /* HIGH below R + 0.2 sqrt(R) */
static const double drain_periods = 5;  /* Td */
static const double full_from = 0.75;   /* of a queue's places */
static const double outdone = 1.1;      /* more than was hinted at arrives, .. */
static const double hint_periods = 1.5; /* .. and the hint is older than so many T */
static const double nearly = 0.97;      /* of a bound: at it, as rates are estimates */
static const double cap_margin = 1.02;  /* likewise: no other stage has a lower one */
static const double starts_left = 0.6;  /* of L: for those that are about it */

double fay_plan_target(double load, double drainers)
{
    return ceil(load + FAY_HEAD_ROOM * fay_equalizer_root(load) + drainers - FAY_ROUNDING);
}

double fay_plan_trigger(double load, double drainers)
{
    return load + head_high * fay_equalizer_root(load) + drainers;
}

double fay_plan_urgent(const fay_plan *p)
{
    return p->rare ? p->drainers : p->drainers / 2;
}

bool fay_plan_by_a_stage(const fay_plan *p)
{
    return p->ceiling.rate < nearly * p->ceiling.shared;
}

/* What is offered: a fresh hint counts more than what has arrived so far, and nobody gets more
 * than the pipeline as a whole can do. */
static void offer(fay_equalizers *all, size_t stage, double now, double seen, fay_plan *p)
{
    fay_equalizer *e = &all->stages[stage];
    double hinted, drained, age;
    p->rate = seen;
    if (fay_board_hint(all, stage, now, &hinted, &drained, &age)) {
        bool outdated =
            seen > outdone * (hinted + drained) && age > hint_periods * fay_equalizer_period(e);
        p->rate = outdated ? fmax(0, seen - drained) : hinted;
        p->drain = drained;
    }
    if (e->config.sourced && e->last.source_rate * e->visits > p->rate) {
        p->rate = e->last.source_rate * e->visits;
        p->from_source = true;
    }
    if (e->config.rate > 0) { /* more workers would not begin more */
        p->rate = fmin(p->rate, e->config.rate);
        p->drain = fmin(p->drain, e->config.rate - p->rate);
    }
    p->offered = p->rate;
    p->ceiling = fay_board_ceiling(all);
    double most = p->ceiling.rate * e->visits;
    e->capped = e->visits > 0 && p->rate > nearly * most;
    if (e->capped) {
        p->rate = most;
        p->drain = 0;
    } else {
        p->drain = fmin(p->drain, most - p->rate);
    }
    e->rate = p->rate;
}

/* The pipeline's bound is known and all that is offered is beyond it: everyone takes the share
 * that lets the whole do most, the bottleneck the odd place. */
static void share(const fay_equalizer *e, fay_plan *p, double load)
{
    double shared = p->ceiling.shared * e->visits * e->item_s;
    double own = fmin(e->config.max, e->cap);
    bool last = fay_board_slack(e) <= p->ceiling.slack;
    p->target = p->trigger = last ? ceil(shared + 0.5) : fmax(1, round(shared));
    if (own <= cap_margin * p->ceiling.rate * e->visits * e->item_s) {
        p->target = p->trigger = floor(own);
    } else if (fay_plan_by_a_stage(p)) {
        p->target = fay_plan_target(load, 0);
        p->trigger = fay_plan_trigger(load, 0);
    }
}

static void size(const fay_equalizer *e, fay_plan *p)
{
    const fay_equalizer_counters *c = &e->last;
    double wait = fay_equalizer_target_wait(e), queued = (double)c->queued;
    double load = p->rate * p->item, capacity = p->serving / e->item_s;
    double until = c->starting > 0 ? starts_left * e->spawn_s : e->spawn_s;
    double more = fmax(0, p->rate - capacity) * until;
    if (!e->config.sourced)
        more = fmin(more, queued + (double)c->room);
    p->backlog = fmax(0, queued + more - p->rate * wait);
    p->by = fmax(drain_periods * fay_equalizer_period(e), p->item);
    p->drainers = fmin((p->backlog / p->by + p->drain) * p->item,
                       fmax(p->backlog, p->drain * p->item)); /* never more than Items */
    /* Long Items: a worker starts sooner than one of ours is free, so each that waits gets one. */
    p->rare = e->item_s / fmax(1, p->serving) > e->spawn_s + wait;
    if (p->rare)
        p->drainers = fmax(p->drainers, queued);
    if (e->config.rate > 0)
        p->drainers = fmin(p->drainers, (e->config.rate - p->rate) * p->item);
    if (e->capped) {
        share(e, p, load);
        return;
    }
    bool any = load > FAY_ROUNDING || c->queued > 0;
    p->target = any ? fay_plan_target(load, p->drainers) : 0;
    p->trigger = fay_plan_trigger(load, fay_plan_urgent(p));
}

bool fay_plan_is_late(const fay_equalizer *e, double serving, double item_s)
{
    double may_wait =
        item_s > 0 ? serving / item_s * fay_equalizer_target_wait(e) : (double)INFINITY;
    return (double)e->last.queued > fmax(1, may_wait);
}

bool fay_plan_stands(fay_equalizer *e, double now, bool bad, double periods)
{
    if (!bad) {
        e->standing = -1;
    } else if (e->standing < 0) {
        e->standing = now;
    }
    return e->standing >= 0 && now - e->standing >= periods * fay_equalizer_period(e);
}

/* Late, for a whole period. Or the queue is as good as full, so that the rest of the line waits
 * upstream, for as long as the model takes to drain it. */
static bool stands(fay_equalizer *e, double now, double serving)
{
    double queued = (double)e->last.queued;
    bool late = fay_plan_is_late(e, serving, e->item_s);
    bool full = queued > fmax(1, full_from * (queued + (double)e->last.room));
    return fay_plan_stands(e, now, late || full, late ? 1 : drain_periods);
}

void fay_plan_make(fay_equalizers *all, size_t stage, double now, double seen, fay_plan *ret)
{
    fay_equalizer *e = &all->stages[stage];
    *ret = (fay_plan){.item = fay_growth_item(e)};
    ret->serving = e->last.live - FAY_MIN(e->last.stuck, e->last.live);
    offer(all, stage, now, seen, ret);
    size(e, ret);
    ret->standing = stands(e, now, ret->serving);
}
