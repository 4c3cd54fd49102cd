/* SPDX-License-Identifier: MIT */
/*
 * What an Instance says, as events for the flow. All of it is checked before it gets there: an
 * Instance may be broken, and the flow answers FAY_E_PEER for what the lease table does not allow.
 */
#include <stdlib.h>
#include <string.h>

#include "host/tree.h"
#include "letters/signature.h"
#include "run/owner.h"
#include "wire/block.h"
#include "wire/codec.h"

static fay_flow_event event_of(const fay_owner_instance *instance, fay_flow_event_kind kind,
                               uint16_t worker)
{
    fay_flow_event event = {.link = instance->number, .worker = worker};
    event.kind = kind;
    return event;
}

/* A lease that is gone is no fault of the Instance (rule 1). */
static int feed(fay_owner_instance *instance, const fay_flow_event *event)
{
    int r = fay_owner_feed(instance->owner, event);
    return r < 0 ? FAY_E_PEER : 0;
}

static int hear_hello(fay_owner_instance *instance, const fay_frame *frame)
{
    fay_reader r = fay_reader_of(frame->payload, frame->size);
    uint32_t version = fay_read32(&r);
    (void)fay_read32(&r);
    if (fay_reader_done(&r) != 0 || version != FAY_PROTOCOL_VERSION || instance->up)
        return FAY_E_PEER;
    fay_owner_instance_ready(instance);
    return 0;
}

static int hear_up(fay_owner_instance *instance, const fay_frame *frame)
{
    fay_owner *owner = instance->owner;
    fay_reader r = fay_reader_of(frame->payload, frame->size);
    uint32_t pid = fay_read32(&r);
    fay_flow_event event = event_of(instance, FAY_FLOW_WORKER_UP, frame->worker);
    event.ns = fay_read64(&r);
    if (fay_reader_done(&r) != 0)
        return FAY_E_PEER;
    instance->proven = true;
    if (fay_events_wanted(owner->events, FAY_HOOK_NONE)) {
        FAY_CLEANUP(fay_buffer_deinit) fay_buffer members = {0};
        const char *name = owner->pipeline->stages[instance->stage].name;
        fay_events_member(&members, "stage", name, strlen(name));
        fay_buffer_printf(&members, ",\"worker\":%u,\"pid\":%u,\"seconds\":%.6f",
                          frame->worker + 1u, pid, (double)event.ns / 1e9);
        fay_events_emit(owner->events, "worker.up", FAY_HOOK_NONE, fay_buffer_text(&members));
    }
    int rc = feed(instance, &event);
    fay_owner_open_source(owner);
    fay_owner_send_status(instance);
    return rc;
}

static int hear_results(fay_owner_instance *instance, const fay_frame *frame)
{
    fay_results_frame results;
    if (fay_results_parse(frame->payload, frame->size, &results) != 0)
        return FAY_E_PEER;
    FAY_CLEANUP(fay_batch_unrefp) fay_batch *batch = fay_block_batch(&results.block);
    FAY_CLEANUP(fay_freep) uint64_t *targets = fay_block_targets(&results.block);
    FAY_CLEANUP(fay_freep) uint32_t *children = NULL;
    if (results.children != NULL) {
        children = fay_alloc(results.count * sizeof *children);
        for (size_t i = 0; i < results.count; i++) {
            children[i] = fay_load32(results.children + 4 * i);
        }
    }
    fay_flow_event event = event_of(instance, FAY_FLOW_RESULTS, frame->worker);
    event.tag = results.first_tag;
    event.count = results.count;
    event.ns = results.useful_ns;
    event.batch = batch;
    event.children = children;
    event.targets = targets;
    fay_trail_results(instance->owner->trail, instance->stage, &event);
    return feed(instance, &event);
}

static int hear_part(fay_owner_instance *instance, const fay_frame *frame)
{
    fay_part_frame part;
    if (fay_part_parse(frame->payload, frame->size, &part) != 0)
        return FAY_E_PEER;
    FAY_CLEANUP(fay_batch_unrefp) fay_batch *batch = fay_block_batch(&part.block);
    FAY_CLEANUP(fay_freep) uint64_t *targets = fay_block_targets(&part.block);
    fay_flow_event event = event_of(instance, FAY_FLOW_PART, frame->worker);
    event.tag = part.tag;
    event.batch = batch;
    event.targets = targets;
    fay_trail_part(instance->owner->trail, instance->stage, &event);
    return feed(instance, &event);
}

/* What the breaker compares, if it looks: of the Item with that tag, or (NULL) of the worker's
 * first one. */
static uint64_t signature_of(const fay_owner_instance *instance, uint16_t worker,
                             const uint64_t *tag, const fay_news *news)
{
    const uint8_t *item;
    size_t size;
    const fay_flow *flow = instance->owner->flow;
    if (!fay_flow_watches(flow, instance->number, worker, tag, &item, &size))
        return 0;
    return fay_signature(news, item, size);
}

static int hear_verdict(fay_owner_instance *instance, const fay_frame *frame)
{
    fay_news news;
    if (fay_news_of_verdict(frame->payload, frame->size, &news) != 0)
        return FAY_E_PEER;
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer note = {0};
    fay_news_write(&news, &note);
    fay_flow_event event = event_of(instance, FAY_FLOW_VERDICT, frame->worker);
    event.tag = news.tag;
    event.verdict = fay_news_try(news.kind);
    event.note = fay_buffer_data(&note);
    event.note_size = fay_buffer_size(&note);
    event.signature = signature_of(instance, frame->worker, &event.tag, &news);
    fay_trail_verdict(instance->owner->trail, instance->stage, &event, &news);
    return feed(instance, &event);
}

static int hear_given_back(fay_owner_instance *instance, const fay_frame *frame)
{
    fay_reader r = fay_reader_of(frame->payload, frame->size);
    fay_flow_event event = event_of(instance, FAY_FLOW_GIVEN_BACK, frame->worker);
    event.tag = fay_read64(&r);
    event.count = fay_read32(&r);
    if (fay_reader_done(&r) != 0)
        return FAY_E_PEER;
    fay_trail_given_back(instance->owner->trail, &event);
    return feed(instance, &event);
}

static int hear_used(fay_owner_instance *instance, const fay_frame *frame)
{
    fay_used used;
    if (fay_used_parse(frame->payload, frame->size, &used) != 0)
        return FAY_E_PEER;
    fay_flow_event event = event_of(instance, FAY_FLOW_USED, frame->worker);
    event.stage = instance->stage;
    event.used = &used;
    return feed(instance, &event);
}

static fay_flow_cause cause_of(const fay_news *news)
{
    switch (news->kind) {
    case FAY_NEWS_RETIRED: return FAY_FLOW_RETIRED;
    case FAY_NEWS_SIGNAL: return FAY_FLOW_SIGNAL;
    case FAY_NEWS_TIMEOUT: return FAY_FLOW_TIMEOUT;
    case FAY_NEWS_GARBAGE: return FAY_FLOW_POISONED;
    case FAY_NEWS_EXIT:
    case FAY_NEWS_AGAIN:
    case FAY_NEWS_NEVER:
    case FAY_NEWS_BACK: break;
    }
    return FAY_FLOW_EXIT;
}

static void tell_down(fay_owner_instance *instance, uint16_t worker, const fay_news *news)
{
    fay_owner *owner = instance->owner;
    fay_hook hook = news->kind != FAY_NEWS_RETIRED ? FAY_HOOK_WORKER_CRASH : FAY_HOOK_NONE;
    if (!fay_events_wanted(owner->events, hook))
        return;
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer members = {0};
    const char *name = owner->pipeline->stages[instance->stage].name;
    fay_events_member(&members, "stage", name, strlen(name));
    fay_buffer_printf(&members, ",\"worker\":%u,\"exit\":%d,\"signal\":%d", worker + 1u, news->exit,
                      news->signal);
    fay_events_member(&members, "error", news->error, news->error_size);
    fay_events_member(&members, "stderr", news->tail, news->tail_size);
    fay_events_emit(owner->events, "worker.down", hook, fay_buffer_text(&members));
}

static int hear_down(fay_owner_instance *instance, const fay_frame *frame)
{
    fay_news news;
    if (fay_news_of_down(frame->payload, frame->size, &news) != 0)
        return FAY_E_PEER;
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer note = {0};
    fay_news_write(&news, &note);
    fay_flow_event event = event_of(instance, FAY_FLOW_WORKER_DOWN, frame->worker);
    event.cause = cause_of(&news);
    event.ns = news.ns;
    event.tag = news.seen;
    event.ok = true;
    event.note = fay_buffer_data(&note);
    event.note_size = fay_buffer_size(&note);
    event.signature = signature_of(instance, frame->worker, NULL, &news);
    tell_down(instance, frame->worker, &news);
    fay_trail_gone(instance->owner->trail, instance->stage, instance->number, frame->worker, &news);
    int rc = feed(instance, &event);
    fay_owner_send_status(instance);
    return rc;
}

static int hear_failed(fay_owner_instance *instance, const fay_frame *frame)
{
    bool breach;
    fay_error err = {0};
    if (fay_news_of_failed(frame->payload, frame->size, &breach, &err) != 0)
        return FAY_E_PEER;
    fay_owner_fail(instance->owner, breach ? FAY_EXIT_LIMIT : FAY_EXIT_WORKER, &err);
    if (breach) /* no result is taken any more: it might release answers that wait for their turn */
        fay_owner_close_instances(instance->owner);
    return 0;
}

static int on_frame(void *context, const fay_frame *frame)
{
    fay_owner_instance *instance = context;
    if (frame->type != FAY_MESSAGE_HELLO && frame->type != FAY_MESSAGE_PING && !instance->up)
        return FAY_E_PEER;
    switch (frame->type) {
    case FAY_MESSAGE_HELLO: return hear_hello(instance, frame);
    case FAY_MESSAGE_PING: return 0;
    case FAY_MESSAGE_UP: return hear_up(instance, frame);
    case FAY_MESSAGE_DOWN: return hear_down(instance, frame);
    case FAY_MESSAGE_RESULTS: return hear_results(instance, frame);
    case FAY_MESSAGE_PART: return hear_part(instance, frame);
    case FAY_MESSAGE_VERDICT: return hear_verdict(instance, frame);
    case FAY_MESSAGE_GIVEN_BACK: return hear_given_back(instance, frame);
    case FAY_MESSAGE_USED: return hear_used(instance, frame);
    case FAY_MESSAGE_FAILED: return hear_failed(instance, frame);
    case FAY_MESSAGE_NOTE:
        fay_owner_say(instance->owner, "%.*s\n", (int)frame->size, (const char *)frame->payload);
        return 0;
    case FAY_MESSAGE_SETUP:
    case FAY_MESSAGE_SPAWN:
    case FAY_MESSAGE_RETIRE:
    case FAY_MESSAGE_KILL:
    case FAY_MESSAGE_LEASE:
    case FAY_MESSAGE_RECALL:
    case FAY_MESSAGE_STATUS:
    case FAY_MESSAGE_HEARTBEAT:
    case FAY_MESSAGE_STOP: /* these go the other way; the following, between Nodes */
    case FAY_MESSAGE_PEER_HELLO:
    case FAY_MESSAGE_GRID:
    case FAY_MESSAGE_CERTIFICATION_WANT:
    case FAY_MESSAGE_CERTIFICATION:
    case FAY_MESSAGE_CRL_WANT:
    case FAY_MESSAGE_CRL:
    case FAY_MESSAGE_JOIN:
    case FAY_MESSAGE_JOINED:
    case FAY_MESSAGE_CALL:
    case FAY_MESSAGE_ANSWER:
    case FAY_MESSAGE_CANCEL: break;
    }
    return FAY_E_PEER;
}

static void on_closed(void *context, int why)
{
    fay_owner_link_closed(context, why);
}

static bool spares(void *context)
{
    const fay_owner_instance *instance = context;
    return instance->process != NULL && fay_tree_is_at_work(fay_process_pid(instance->process));
}

const fay_link_events fay_owner_link_events = {
    .frame = on_frame, .closed = on_closed, .spares = spares};
