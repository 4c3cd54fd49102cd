/* SPDX-License-Identifier: MIT */
/*
 * Sink before journal (rule 6):
 *
 *     IDLE --SYNC--> SYNCING --synced--> RECORDING --recorded--> IDLE
 *                       '---- failed ----> BROKEN <--- failed ---'
 *
 * The record speaks of what was written before the SYNC, so the acked ranges are copied when SYNC
 * is asked for. After a failure nothing is committed any more: the next fsync may succeed although
 * pages were dropped.
 */
#include <assert.h>

#include "flow/internal.h"

/* Roots that are done without a gap between them are told in one action. */
static void tell_acked(fay_flow *flow, uint64_t root, uint64_t count)
{
    if (flow->actions_count > 0) {
        fay_flow_action *last = &flow->actions[flow->actions_count - 1];
        if (last->kind == FAY_FLOW_ACKED && last->root + last->count == root) {
            last->count += count;
            return;
        }
    }
    fay_flow_action *action = fay_flow_act(flow, FAY_FLOW_ACKED);
    action->root = root;
    action->count = count;
}

void fay_flow_commit_root(fay_flow *flow, uint64_t root, uint64_t end)
{
    flow->totals.acked++;
    if (!flow->config.journal) {
        tell_acked(flow, root, 1);
        return;
    }
    fay_ranges_add(&flow->commit.acked, root, end);
    fay_ranges_add(&flow->commit.fresh, root, end);
    flow->commit.dirty = true;
}

static bool nothing_left(const fay_flow *flow)
{
    return flow->roots.open == 0 && (flow->ended || flow->draining);
}

fay_ns fay_flow_commit_due(const fay_flow *flow)
{
    const fay_flow_commit *commit = &flow->commit;
    if (!commit->dirty || commit->state != FAY_COMMIT_IDLE)
        return FAY_NEVER;
    return commit->last + flow->config.commit_ns;
}

void fay_flow_commit_step(fay_flow *flow, fay_ns now)
{
    fay_flow_commit *commit = &flow->commit;
    if (!commit->dirty || commit->state != FAY_COMMIT_IDLE)
        return;
    if (now < fay_flow_commit_due(flow) && !nothing_left(flow) && !flow->aborted)
        return;
    fay_ranges_copy(&commit->snapshot, &commit->acked);
    fay_ranges_copy(&commit->recording, &commit->fresh);
    fay_ranges_clear(&commit->fresh);
    commit->dirty = false;
    commit->last = now;
    commit->state = FAY_COMMIT_SYNCING;
    (void)fay_flow_act(flow, FAY_FLOW_SYNC);
}

static void broken(fay_flow *flow)
{
    flow->commit.state = FAY_COMMIT_BROKEN;
    fay_flow_act_fail(flow, FAY_FAIL_SYNC, 0, NULL, 0);
}

void fay_flow_commit_synced(fay_flow *flow, bool ok)
{
    fay_flow_commit *commit = &flow->commit;
    assert(commit->state == FAY_COMMIT_SYNCING);
    if (!ok) {
        broken(flow);
        return;
    }
    commit->state = FAY_COMMIT_RECORDING;
    fay_flow_action *action = fay_flow_act(flow, FAY_FLOW_RECORD);
    action->ranges = commit->snapshot.list;
    action->ranges_count = commit->snapshot.count;
    bool prefix = commit->snapshot.count > 0 && commit->snapshot.list[0].from == 0;
    action->position = prefix ? commit->snapshot.ends[0] : 0;
}

void fay_flow_commit_recorded(fay_flow *flow, bool ok)
{
    fay_flow_commit *commit = &flow->commit;
    assert(commit->state == FAY_COMMIT_RECORDING);
    if (!ok) {
        broken(flow);
        return;
    }
    commit->state = FAY_COMMIT_IDLE;
    for (size_t i = 0; i < commit->recording.count; i++) {
        fay_range range = commit->recording.list[i];
        tell_acked(flow, range.from, range.to - range.from);
    }
    fay_ranges_clear(&commit->recording);
}
