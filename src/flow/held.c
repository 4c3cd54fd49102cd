/* SPDX-License-Identifier: MIT */
/*
 * What is told of a stage's workers, and when: each action, and what keeps a stage from one (its
 * HELD word), but not again and again.
 */
#include "flow/internal.h"

/* How it came out. What the ledger itself knows comes before what the Equalizer says. */
static void conclude(const fay_flow *flow, fay_ns now, const fay_stage *stage,
                     fay_equalizer_view *ret)
{
    fay_equalizers_view(flow->equalizers, stage->index, ret);
    ret->max = stage->config.workers_max;
    bool missing = stage->live + stage->starting < stage->wanted;
    if (missing && (stage->crashes > 0 || now < stage->spawn_after)) {
        ret->held_by = FAY_HELD_CRASHLOOP;
        ret->rule = FAY_RULE_NONE;
        ret->serving = stage->live;
        ret->starting = stage->starting;
        ret->stuck = 0;
        ret->wanted = stage->wanted;
        ret->queued = stage->queue.items;
    } else if (flow->draining && ret->held_by == FAY_HELD_SOURCE_DRY) {
        ret->held_by = FAY_HELD_DRAINING;
    }
}

/* An action is always told. A refusal is when it is another one, by its word or by what was wanted;
 * one of the same word, or of the two that take turns, not before 1 s, then 2, 4, .. 64 s have
 * passed, as the number that is wanted may be another each time. */
static bool is_news(fay_stage *stage, fay_ns now, const fay_equalizer_view *view)
{
    if (view->wanted <= stage->live + stage->starting)
        return false; /* there are as many as that, and more would not help */
    bool last = view->held_by == stage->refused_by;
    bool same = last || view->held_by == stage->refused_before;
    bool soon = now - stage->refused_at < FAY_SECOND << stage->refusals;
    bool again = view->wanted == stage->refused_wanted &&
                 view->held_by == stage->view.held_by; /* all the time since */
    if (view->held_by == FAY_HELD_NONE || (same && (soon || again)))
        return false;
    stage->refusals = same ? FAY_MIN(stage->refusals + 1, 6u) : 0;
    stage->refused_before = last ? stage->refused_before : stage->refused_by;
    stage->refused_by = view->held_by;
    stage->refused_wanted = view->wanted;
    stage->refused_at = now;
    return true;
}

void fay_flow_tell_staff(fay_flow *flow, fay_ns now, fay_stage *stage, int change)
{
    fay_equalizer_view view;
    bool acted = change != 0;
    conclude(flow, now, stage, &view);
    view.spawn = change > 0 ? (unsigned)change : 0;
    view.retire = change < 0;
    if (view.retire && view.rule == FAY_RULE_NONE)
        view.rule = FAY_RULE_SHARE; /* decided some time ago, but only now has one been idle */
    stage->refusals = acted ? 0 : stage->refusals;
    bool news = is_news(stage, now, &view);
    bool other = view.pressure != stage->view.pressure || view.held_by != stage->view.held_by;
    stage->view = view;
    if (acted || news)
        fay_flow_act(flow, FAY_FLOW_DECISION)->stage = stage->index;
    if (other)
        fay_flow_act(flow, FAY_FLOW_PRESSURE)->stage = stage->index;
}
