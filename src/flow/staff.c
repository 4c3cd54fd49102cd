/* SPDX-License-Identifier: MIT */
/*
 * How many workers a stage has: what the ledger knows of it is told to its Equalizer, and what that
 * says is done, as far as there is a link and somebody idle.
 */
#include "flow/internal.h"

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
    const fay_flow_worker *bottom = fay_flow_longest_idle(stage);
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
        .source_rate = fay_flow_source_rate(flow),
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

void fay_flow_staff(fay_flow *flow, fay_ns now, fay_stage *stage)
{
    if (fay_flow_rests(flow) || flow->done)
        return;
    bool decided = equalize(flow, now, stage); /* pinned too: the others see them on the board */
    int before = (int)(stage->live + stage->starting);
    stage->wanted =
        FAY_MAX(FAY_MIN(stage->wanted, stage->config.workers_max), stage->config.workers_min);
    while (stage->live + stage->starting < stage->wanted && now >= stage->spawn_after) {
        if (!fay_flow_worker_spawn(flow, stage))
            break;
    }
    while (stage->live + stage->starting > stage->wanted && fay_flow_longest_idle(stage) != NULL) {
        fay_flow_worker_retire(flow, fay_flow_longest_idle(stage));
    }
    int change = (int)(stage->live + stage->starting) - before;
    bool told = decided || (stage->owed && change < 0); /* those that have died come back unsaid */
    stage->owed = (decided || stage->owed) && stage->live + stage->starting > stage->wanted;
    fay_flow_tell_staff(flow, now, stage, told ? change : 0);
}

fay_ns fay_flow_staff_due(const fay_flow *flow, const fay_stage *stage)
{
    fay_ns due = fay_equalizers_due(flow->equalizers, stage->index);
    bool missing = stage->live + stage->starting < stage->wanted;
    if (missing && stage->spawn_after > flow->stepped)
        due = FAY_MIN(due, stage->spawn_after);
    return fay_flow_rests(flow) ? FAY_NEVER : due;
}
