/* SPDX-License-Identifier: MIT */
#include "flow/account.h"

#include <math.h>

static const double wanted_most = 1e9; /* workers, so that it fits */

unsigned fay_account_whole(double workers)
{
    return (unsigned)fmin(fmax(0, workers), wanted_most);
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
    v->spare = FAY_HEAD_ROOM * fay_board_root(v->load);
    v->backlog = v->drain = v->drain_s = v->idle_s = 0;
    v->trigger = 0;
    v->ceiling = (double)INFINITY;
    v->cap = e->cap;
    v->wanted = fay_account_whole(ceil(v->load + v->spare - FAY_ROUNDING)) + v->stuck;
}

void fay_account_settle(fay_equalizer *e)
{
    static const fay_held bounds[] = {FAY_HELD_AT_MAX, FAY_HELD_GAIN, FAY_HELD_NO_CPU,
                                      FAY_HELD_NO_MEM};
    fay_equalizer_view *v = &e->view;
    bool content = !e->armed && e->stalls == 0; /* else it sleeps as nothing can be done */
    if (content && v->pressure != FAY_BLOCKED)
        v->held_by = FAY_HELD_NONE;
    for (size_t i = 0; i < FAY_COUNT(bounds); i++) {
        if (v->pressure == FAY_EVEN && v->held_by == bounds[i])
            v->pressure = FAY_HIGH;
    }
}

/* A queue longer than W*, for a whole period (as CoDel has it); looked at once a period. */
static bool stands(fay_equalizer *e, double now, bool *ret_same)
{
    *ret_same = false;
    if (e->last.queued <= 1) {
        e->standing = -1;
        return false;
    }
    *ret_same = now - e->evaluated < fay_board_period(e);
    if (*ret_same)
        return false;
    e->evaluated = now;
    double item_s = fay_service_mean(&e->service, now);
    double may_wait = e->last.live * fay_board_target_wait(e) / fmax(item_s, 1e-9);
    if (item_s <= 0 || (double)e->last.queued <= may_wait) {
        e->standing = -1;
    } else if (e->standing < 0) {
        e->standing = now;
    }
    return e->standing >= 0 && now - e->standing >= fay_board_period(e);
}

void fay_account_pinned(fay_equalizers *all, size_t stage, double now)
{
    fay_equalizer *e = &all->stages[stage];
    bool same, stood = e->view.pressure == FAY_HIGH;
    bool standing = stands(e, now, &same);
    if (same)
        return;
    e->view.pressure = standing ? FAY_HIGH : FAY_EVEN;
    e->view.held_by = standing ? FAY_HELD_PINNED : FAY_HELD_NONE;
    if (!standing || stood)
        return;
    double rate = fay_arrivals_rate(&e->arrivals, now, fay_board_period(e), e->spawn_s);
    fay_board_visit(all);
    double offered = e->config.sourced ? e->last.source_rate * e->visits : 0;
    fay_account_note(e, fmax(rate, offered), fay_service_mean(&e->service, now));
    e->view.from_source = offered > rate;
    e->view.rule = FAY_RULE_STANDING;
    e->view.wanted = FAY_MAX(e->view.wanted, fay_board_workers(e) + 1);
}
