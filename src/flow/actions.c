/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "flow/internal.h"

void fay_flow_actions_clear(fay_flow *flow)
{
    for (size_t i = 0; i < flow->actions_count; i++) {
        fay_batch_unref(flow->actions[i].batch);
    }
    for (size_t i = 0; i < flow->lent_count; i++) {
        free(flow->lent[i]);
    }
    flow->lent_count = 0;
    flow->actions_count = 0;
    flow->actions_given = false;
}

void fay_flow_lend(fay_flow *flow, void *memory)
{
    FAY_RESERVE(flow->lent, flow->lent_capacity,
                flow->lent_count + 1); /* NOLINT(bugprone-sizeof-expression) */
    flow->lent[flow->lent_count++] = memory;
}

void fay_flow_act_note(fay_flow *flow, fay_flow_action *action, const uint8_t *note, size_t size)
{
    if (size == 0)
        return;
    uint8_t *copy = fay_alloc(size);
    memcpy(copy, note, size);
    fay_flow_lend(flow, copy);
    action->note = copy;
    action->note_size = size;
}

fay_flow_action *fay_flow_act(fay_flow *flow, fay_flow_action_kind kind)
{
    assert(!flow->actions_given);
    FAY_RESERVE(flow->actions, flow->actions_capacity, flow->actions_count + 1);
    fay_flow_action *action = &flow->actions[flow->actions_count++];
    memset(action, 0, sizeof *action);
    action->kind = kind;
    return action;
}

void fay_flow_act_items(fay_flow *flow, fay_flow_action_kind kind, fay_batch *batch, size_t at,
                        size_t count)
{
    if (flow->actions_count > 0) {
        fay_flow_action *last = &flow->actions[flow->actions_count - 1];
        if (kind == FAY_FLOW_WRITE && last->kind == FAY_FLOW_WRITE && last->batch == batch &&
            last->at + last->count == at) {
            last->count += count;
            return;
        }
    }
    fay_flow_action *action = fay_flow_act(flow, kind);
    action->batch = fay_batch_ref(batch);
    action->at = at;
    action->count = count;
}

void fay_flow_act_fail(fay_flow *flow, fay_flow_failure why, size_t stage, const uint8_t *note,
                       size_t size)
{
    if (flow->failed)
        return;
    flow->failed = true;
    fay_flow_action *action = fay_flow_act(flow, FAY_FLOW_FAIL);
    action->why = why;
    action->stage = stage;
    fay_flow_act_note(flow, action, note, size);
}
