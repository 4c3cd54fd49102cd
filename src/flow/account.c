/* SPDX-License-Identifier: MIT */
#include "flow/account.h"

#include <math.h>

#include "flow/growth.h"

static const double wanted_most = 1e9; /* workers, so that it fits */

static unsigned whole(double workers)
{
    return (unsigned)fmin(fmax(0, workers), wanted_most);
}

fay_held fay_account_want(fay_resource resource)
{
    return resource == FAY_CORES ? FAY_HELD_NO_CPU : FAY_HELD_NO_MEM;
}

static void say(fay_equalizer *e, fay_pressure pressure, fay_held held)
{
    e->view.pressure = pressure;
    e->view.held_by = held;
}

void fay_account_note(fay_equalizer *e, double rate, double item_s)
{
    fay_equalizer_view *v = &e->view;
    v->rule = FAY_RULE_NONE;
    v->stuck = FAY_MIN(e->last.stuck, e->last.live);
    v->serving = e->last.live - v->stuck;
    v->starting = e->last.starting;
    v->queued = e->last.queued;
    v->rate = rate;
    v->from_source = false;
    v->item_s = item_s;
    v->spawn_s = e->spawn_s;
    v->load = rate * item_s;
    v->spare = FAY_HEAD_ROOM * fay_equalizer_root(v->load);
    v->backlog = v->drain = v->drain_s = v->idle_s = 0;
    v->trigger = 0;
    v->ceiling = (double)INFINITY;
    v->cap = e->cap;
    v->wanted = whole(fay_plan_target(v->load, 0)) + v->stuck;
}

void fay_account_rest(fay_equalizer *e)
{
    fay_account_note(e, 0, e->item_s);
    say(e, FAY_EVEN, FAY_HELD_NONE);
}

void fay_account_guess(fay_equalizer *e, double wanted, unsigned spawn, fay_held held)
{
    unsigned n = fay_equalizer_workers(e);
    fay_account_note(e, 0, 0);
    e->view.rule = n == 0 ? FAY_RULE_WAKING : FAY_RULE_LEARNING;
    e->view.wanted = whole(wanted);
    if (spawn == 0 && held == FAY_HELD_NONE && e->last.queued > 0)
        held = FAY_HELD_LEARNING;
    say(e, wanted > n ? FAY_HIGH : FAY_EVEN, held);
}

void fay_account_idle(fay_equalizers *all, size_t stage, double now, double rate)
{
    fay_equalizer *e = &all->stages[stage];
    fay_account_note(e, rate, e->item_s);
    e->view.rule = FAY_RULE_IDLE;
    e->view.idle_s = now - fay_equalizer_seconds(all, e->last.idle_since);
    say(e, FAY_LOW, FAY_HELD_NONE);
}

/* ---- a plan ---------------------------------------------------------------------------------- */

/* What the formula says of all that is offered, whoever else may bound it. */
static void note_plan(fay_equalizer *e, const fay_plan *p)
{
    fay_equalizer_view *v = &e->view;
    fay_account_note(e, p->offered, p->item);
    v->from_source = p->from_source;
    v->backlog = p->backlog;
    v->drain = p->drainers;
    v->drain_s = p->by;
    v->ceiling = p->ceiling.rate * e->visits;
    v->trigger = fay_plan_trigger(v->load, fay_plan_urgent(p));
    bool any = v->load > FAY_ROUNDING || v->queued > 0;
    v->wanted = any ? whole(fay_plan_target(v->load, v->drain)) + v->stuck : 0;
    if (p->nudged || p->returning)
        v->wanted = whole(p->target) + v->stuck;
}

/* Why it grows, or would. */
static fay_rule rule_of(const fay_equalizer *e, const fay_plan *p)
{
    double have = p->serving + e->last.starting;
    if (fay_equalizer_workers(e) == 0)
        return FAY_RULE_WAKING;
    if (p->nudged)
        return FAY_RULE_STANDING;
    if (e->capped)
        return FAY_RULE_SHARE;
    if (have < fay_plan_trigger(e->view.load, 0) - FAY_ROUNDING)
        return FAY_RULE_LOAD;
    return p->rare ? FAY_RULE_LONG_ITEMS : FAY_RULE_BACKLOG;
}

/* What bounds it to `have` workers, whatever is offered. */
static fay_held bound_by(const fay_equalizer *e, const fay_plan *p, double have)
{
    if (have >= floor(e->cap))
        return FAY_HELD_GAIN;
    if (!e->capped)
        return fay_growth_is_suspect(e) ? FAY_HELD_LEARNING : FAY_HELD_NONE;
    if (have >= e->config.max)
        return FAY_HELD_AT_MAX;
    return fay_plan_by_a_stage(p) ? FAY_HELD_BLOCKED : fay_account_want(p->ceiling.scarce);
}

/* It grows: what keeps it from all that is wanted. */
static fay_held rationed_by(const fay_equalizer *e, const fay_plan *p, unsigned spawn)
{
    if (p->held != FAY_HELD_NONE || e->view.wanted <= fay_equalizer_workers(e) + spawn)
        return p->held;
    return bound_by(e, p, p->serving + e->last.starting + spawn);
}

static bool is_blocked(const fay_equalizer *e)
{
    return e->last.blocked > 0 && e->last.blocked >= e->last.live;
}

/* It does not grow: what keeps it from that, if what is offered would need more. */
static fay_held kept_by(const fay_equalizer *e, const fay_plan *p)
{
    double have = p->serving + e->last.starting;
    if (is_blocked(e))
        return FAY_HELD_BLOCKED;
    return have < e->view.trigger - FAY_ROUNDING ? bound_by(e, p, have) : FAY_HELD_NONE;
}

/* Who may not grow, whatever for, is under pressure all the same; who sleeps wants nothing, unless
 * it does as nothing can be done. */
static void settle(fay_equalizer *e)
{
    static const fay_held bounds[] = {FAY_HELD_AT_MAX, FAY_HELD_GAIN, FAY_HELD_NO_CPU,
                                      FAY_HELD_NO_MEM};
    fay_equalizer_view *v = &e->view;
    bool content = !e->armed && e->stalls == 0;
    if (content && v->pressure != FAY_BLOCKED)
        v->held_by = FAY_HELD_NONE;
    for (size_t i = 0; i < FAY_COUNT(bounds); i++) {
        if (v->pressure == FAY_EVEN && v->held_by == bounds[i])
            v->pressure = FAY_HIGH;
    }
}

void fay_account_plan(fay_equalizer *e, const fay_plan *p, const fay_equalizer_decision *decision)
{
    note_plan(e, p);
    if (p->dry) {
        say(e, FAY_EVEN, FAY_HELD_SOURCE_DRY);
    } else if (p->high) {
        say(e, FAY_HIGH, rationed_by(e, p, decision->spawn));
    } else {
        say(e, is_blocked(e) ? FAY_BLOCKED : FAY_EVEN, kept_by(e, p));
    }
    if (p->high || e->view.held_by != FAY_HELD_NONE)
        e->view.rule = rule_of(e, p);
    if (decision->shed) {
        bool over = fay_equalizer_workers(e) > floor(e->cap) + e->last.stuck;
        e->view.rule = over ? FAY_RULE_OVER_CAP : FAY_RULE_SHARE;
    }
    settle(e);
}

void fay_account_watch(fay_equalizer *e)
{
    bool relieved = !e->armed && e->stalls > 0 && e->last.queued == 0;
    bool unblocked = e->view.pressure == FAY_BLOCKED && e->last.blocked == 0;
    if (relieved || unblocked)
        say(e, FAY_EVEN, FAY_HELD_NONE);
}
