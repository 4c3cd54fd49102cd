/* SPDX-License-Identifier: MIT */
#include "sim/text.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    ITEMS_SHOWN = 6
};

const char *fay_sim_event_name(int kind)
{
    static const char *const names[] = {
        [FAY_FLOW_SOURCE] = "SOURCE",
        [FAY_FLOW_SOURCE_END] = "SOURCE_END",
        [FAY_FLOW_REENTER] = "REENTER",
        [FAY_FLOW_LINK_UP] = "LINK_UP",
        [FAY_FLOW_LINK_DOWN] = "LINK_DOWN",
        [FAY_FLOW_WORKER_UP] = "WORKER_UP",
        [FAY_FLOW_WORKER_DOWN] = "WORKER_DOWN",
        [FAY_FLOW_RESULTS] = "RESULTS",
        [FAY_FLOW_PART] = "PART",
        [FAY_FLOW_VERDICT] = "VERDICT",
        [FAY_FLOW_GIVEN_BACK] = "GIVEN_BACK",
        [FAY_FLOW_USED] = "USED",
        [FAY_FLOW_WRITTEN] = "WRITTEN",
        [FAY_FLOW_SYNCED] = "SYNCED",
        [FAY_FLOW_RECORDED] = "RECORDED",
        [FAY_FLOW_LOADED] = "LOADED",
        [FAY_FLOW_SCALE] = "SCALE",
        [FAY_FLOW_MACHINE] = "MACHINE",
        [FAY_FLOW_DRAIN] = "DRAIN",
        [FAY_FLOW_ABORT] = "ABORT",
        [FAY_FLOW_GO_ON] = "GO_ON",
    };
    return names[kind];
}

const char *fay_sim_action_name(int kind)
{
    static const char *const names[] = {
        [FAY_FLOW_LEASE] = "lease",       [FAY_FLOW_RECALL] = "recall",
        [FAY_FLOW_SPAWN] = "spawn",       [FAY_FLOW_RETIRE] = "retire",
        [FAY_FLOW_WRITE] = "write",       [FAY_FLOW_WRITE_SPOOL] = "write_spool",
        [FAY_FLOW_LETTER] = "letter",     [FAY_FLOW_SPILL] = "spill",
        [FAY_FLOW_LOAD] = "load",         [FAY_FLOW_UNSPOOL] = "unspool",
        [FAY_FLOW_SYNC] = "sync",         [FAY_FLOW_RECORD] = "record",
        [FAY_FLOW_ACKED] = "acked",       [FAY_FLOW_HOLDING] = "holding",
        [FAY_FLOW_DECISION] = "decision", [FAY_FLOW_PRESSURE] = "pressure",
        [FAY_FLOW_FAIL] = "fail",         [FAY_FLOW_PAUSED] = "paused",
        [FAY_FLOW_DONE] = "done",
    };
    return names[kind];
}

/* " 7.2=a41 ..": paths and the atoms that the payloads name. */
static void items_text(const fay_batch *batch, size_t at, size_t count, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = at; i < at + count && i < at + ITEMS_SHOWN; i++) {
        const fay_entry *entry = &batch->entries[i];
        char path[FAY_PATH_TEXT_MAX];
        (void)fay_path_text(entry->root, &entry->path, false, path);
        const char *payload = (const char *)batch->bytes + entry->at;
        int length = 0;
        while (length < (int)entry->size && payload[length] != ' ') {
            length++;
        }
        used += (size_t)snprintf(text + used, size - used, " %s=%.*s", path, length, payload);
    }
    if (count > ITEMS_SHOWN)
        (void)snprintf(text + used, size - used, " ..");
}

void fay_sim_say_event(fay_sim_trace *trace, const fay_flow_event *event)
{
    if (!trace->on)
        return;
    char who[16] = "owner", items[400] = "";
    if (event->link > 0)
        (void)snprintf(who, sizeof who, "link %u", event->link);
    if (event->batch != NULL)
        items_text(event->batch, 0, event->batch->count, items, sizeof items);
    const char *name = fay_sim_event_name((int)event->kind);
    switch (event->kind) {
    case FAY_FLOW_SOURCE:
    case FAY_FLOW_REENTER: fay_sim_say(trace, who, "%-11s%s", name, items); break;
    case FAY_FLOW_WORKER_DOWN:
        fay_sim_say(trace, who, "%-11s worker %u cause %d", name, event->worker, (int)event->cause);
        break;
    case FAY_FLOW_RESULTS:
    case FAY_FLOW_PART:
    case FAY_FLOW_GIVEN_BACK:
    case FAY_FLOW_VERDICT:
        fay_sim_say(trace, who, "%-11s worker %u tag %" PRIu64 " +%" PRIu64 " verdict %d%s", name,
                    event->worker, event->tag, event->count, (int)event->verdict, items);
        break;
    case FAY_FLOW_WRITTEN:
        fay_sim_say(trace, who, "%-11s items %" PRIu64, name, event->items);
        break;
    case FAY_FLOW_SYNCED:
    case FAY_FLOW_RECORDED:
        fay_sim_say(trace, who, "%-11s %s", name, event->ok ? "ok" : "FAILED");
        break;
    case FAY_FLOW_LOADED:
        fay_sim_say(trace, who, "%-11s spool %u cursor %" PRIu64 "%s", name, event->spool,
                    event->tag, items);
        break;
    case FAY_FLOW_SCALE:
        fay_sim_say(trace, who, "%-11s stage %zu min %u max %u", name, event->stage, event->min,
                    event->max);
        break;
    case FAY_FLOW_USED:
    case FAY_FLOW_LINK_UP:
    case FAY_FLOW_LINK_DOWN: fay_sim_say(trace, who, "%-11s stage %zu", name, event->stage); break;
    case FAY_FLOW_WORKER_UP: fay_sim_say(trace, who, "%-11s worker %u", name, event->worker); break;
    case FAY_FLOW_SOURCE_END:
    case FAY_FLOW_MACHINE:
    case FAY_FLOW_DRAIN:
    case FAY_FLOW_ABORT:
    case FAY_FLOW_GO_ON: fay_sim_say(trace, who, "%s", name); break;
    }
}

void fay_sim_say_action(fay_sim_trace *trace, const fay_flow_action *action)
{
    if (!trace->on)
        return;
    char items[400] = "";
    if (action->batch != NULL) {
        items_text(action->batch, action->at, FAY_MAX(action->count, (size_t)1), items,
                   sizeof items);
    }
    const char *name = fay_sim_action_name((int)action->kind);
    switch (action->kind) {
    case FAY_FLOW_LEASE:
        fay_sim_say(trace, "  flow", "%-11s stage %zu link %u worker %u tag %" PRIu64 " +%zu%s",
                    name, action->stage, action->link, action->worker, action->tag, action->count,
                    items);
        break;
    case FAY_FLOW_RECALL:
    case FAY_FLOW_SPAWN:
    case FAY_FLOW_RETIRE:
        fay_sim_say(trace, "  flow", "%-11s stage %zu link %u worker %u", name, action->stage,
                    action->link, action->worker);
        break;
    case FAY_FLOW_WRITE:
        fay_sim_say(trace, "  flow", "%-11s +%zu%s", name, action->count, items);
        break;
    case FAY_FLOW_LETTER:
    case FAY_FLOW_HOLDING:
    case FAY_FLOW_PAUSED:
        fay_sim_say(trace, "  flow", "%-11s stage %zu%s", name, action->stage, items);
        break;
    case FAY_FLOW_WRITE_SPOOL:
    case FAY_FLOW_SPILL:
    case FAY_FLOW_LOAD:
    case FAY_FLOW_UNSPOOL:
        fay_sim_say(trace, "  flow", "%-11s spool %u cursor %" PRIu64 "%s", name, action->spool,
                    action->tag, items);
        break;
    case FAY_FLOW_RECORD:
        fay_sim_say(trace, "  flow", "%-11s %zu ranges, the first [%" PRIu64 ", %" PRIu64 ")", name,
                    action->ranges_count, action->ranges_count > 0 ? action->ranges[0].from : 0,
                    action->ranges_count > 0 ? action->ranges[0].to : 0);
        break;
    case FAY_FLOW_ACKED:
        fay_sim_say(trace, "  flow", "%-11s %" PRIu64 " +%zu", name, action->root, action->count);
        break;
    case FAY_FLOW_DECISION:
    case FAY_FLOW_PRESSURE:
        fay_sim_say(trace, "  flow", "%-11s stage %zu", name, action->stage);
        break;
    case FAY_FLOW_FAIL:
        fay_sim_say(trace, "  flow", "%-11s why %d stage %zu", name, (int)action->why,
                    action->stage);
        break;
    case FAY_FLOW_SYNC:
    case FAY_FLOW_DONE: fay_sim_say(trace, "  flow", "%s", name); break;
    }
}
