/* SPDX-License-Identifier: MIT */
/*
 * The owner's loop. Whatever wakes it up feeds the flow and calls fay_owner_wake(); before the loop
 * waits again, and after it has waited, what is due is done at once for all of them:
 *
 *     timers --> prepare: pump --> poll: links, files --> check: pump --> ..
 *
 *     pump:  pending events --> source, as far as there is room --> step --> actions --> sink
 *
 * If a pump had to stop before all was done (a source that could give more, a sink that takes
 * more), an idle handle keeps the loop from waiting. Else nothing wakes it but a link's pings, and
 * the flow's deadline.
 */
#include "run/owner.h"

#include <assert.h>
#include <stdlib.h>

enum {
    ROUNDS_MAX = 8, /* of a pump: then the loop turns, so that links are heard */
    PULLS_MAX = 8,  /* of a round */
};
#define LOOK_ARMED (100 * FAY_MS) /* while an Equalizer is about to decide something */
#define LOOK_QUIET (2 * FAY_SECOND)
#define PULL_BYTES ((uint64_t)256 * FAY_KIB)

void fay_owner_wake(fay_owner *owner)
{
    owner->dirty = true;
}

int fay_owner_feed(fay_owner *owner, const fay_flow_event *event)
{
    assert(!owner->carrying);
    owner->dirty = true;
    owner->changed = true;
    return fay_flow_feed(owner->flow, uv_hrtime(), event);
}

/* ---- source ---------------------------------------------------------------------------------- */

void fay_owner_source_ready(void *context)
{
    fay_owner *owner = context;
    owner->source_ready = true;
    fay_owner_wake(owner);
}

/* No Item is consumed before every stage has shown that its workers start. */
void fay_owner_open_source(fay_owner *owner)
{
    for (size_t i = 0; i < owner->pipeline->stages_count && !owner->source_open; i++) {
        const fay_owner_instance *instance = &owner->instances[i];
        bool wanted = owner->stages[i].workers_start > 0;
        if (!instance->up || (wanted && !instance->proven))
            return;
    }
    owner->source_open = true;
    fay_owner_wake(owner);
}

static void source_ends(fay_owner *owner)
{
    if (!owner->source_ended)
        (void)fay_owner_feed(owner, &(fay_flow_event){.kind = FAY_FLOW_SOURCE_END});
    owner->source_ended = true;
}

static void feed_chunk(fay_owner *owner, const fay_chunk *chunk)
{
    fay_batch *batch = chunk->batch;
    for (size_t i = 0; i < batch->count; i++) {
        batch->entries[i].root = owner->next_root++;
    }
    fay_flow_event event = {.kind = FAY_FLOW_SOURCE, .batch = batch, .ends = chunk->ends};
    if (chunk->stage >= 0) {
        event.kind = FAY_FLOW_REENTER;
        event.stage = (size_t)chunk->stage;
    }
    (void)fay_owner_feed(owner, &event);
    fay_batch_unref(batch);
}

/* Reads what there is room for. True if it stopped although there may be more. */
static bool pull_source(fay_owner *owner)
{
    for (int pulls = 0; owner->source_ready && !owner->source_ended; pulls++) {
        uint64_t items, bytes;
        fay_flow_source_room(owner->flow, uv_hrtime(), &items, &bytes);
        if (!owner->source_open || items == 0 || bytes == 0)
            return false;
        if (pulls == PULLS_MAX)
            return true;
        fay_chunk chunk;
        fay_error err = {0};
        int r = fay_source_pull(owner->source, items, FAY_MIN(bytes, PULL_BYTES), &chunk, &err);
        if (r == FAY_PULL_ITEMS) {
            feed_chunk(owner, &chunk);
        } else if (r == FAY_PULL_WAIT) {
            owner->source_ready = false;
        } else {
            /* What was read is finished, also when reading has failed. */
            source_ends(owner);
            if (r < 0)
                fay_owner_report(owner, FAY_EXIT_IO, &err);
        }
    }
    return false;
}

/* ---- pump ------------------------------------------------------------------------------------ */

static void feed_loaded(fay_owner *owner)
{
    fay_owner_pending *pending = &owner->pending;
    size_t count = pending->loaded_count;
    for (size_t i = 0; i < count; i++) {
        fay_owner_loaded *loaded = &pending->loaded[i];
        fay_flow_event event = {.kind = FAY_FLOW_LOADED,
                                .spool = loaded->spool,
                                .tag = loaded->cursor,
                                .ns = loaded->items.next,
                                .batch = loaded->items.batch,
                                .targets = loaded->items.targets};
        if (fay_owner_feed(owner, &event) < 0) {
            fay_error err;
            (void)fay_fail_with(&err, FAY_E_IO, "a temporary file has changed");
            fay_owner_fail(owner, FAY_EXIT_IO, &err);
        }
        fay_spooled_deinit(&loaded->items);
    }
    pending->loaded_count = 0;
}

/* What came up while actions were carried out. */
static void feed_pending(fay_owner *owner)
{
    fay_owner_pending *pending = &owner->pending;
    if (pending->items > 0) {
        fay_flow_event event = {
            .kind = FAY_FLOW_WRITTEN, .items = pending->items, .bytes = pending->bytes};
        pending->items = pending->bytes = 0;
        (void)fay_owner_feed(owner, &event);
    }
    feed_loaded(owner);
    if (pending->synced != FAY_SYNCED_NOT) {
        bool ok = pending->synced == FAY_SYNCED_WELL;
        pending->synced = FAY_SYNCED_NOT;
        owner->syncing = false;
        (void)fay_owner_feed(owner, &(fay_flow_event){.kind = FAY_FLOW_SYNCED, .ok = ok});
    }
    if (pending->drain)
        (void)fay_owner_feed(owner, &(fay_flow_event){.kind = FAY_FLOW_DRAIN});
    if (pending->abort)
        (void)fay_owner_feed(owner, &(fay_flow_event){.kind = FAY_FLOW_ABORT});
    pending->drain = pending->abort = false;
}

static bool has_pending(const fay_owner *owner)
{
    const fay_owner_pending *p = &owner->pending;
    return p->items > 0 || p->loaded_count > 0 || p->abort || p->drain ||
           p->synced != FAY_SYNCED_NOT;
}

static bool is_armed(const fay_owner *owner)
{
    for (size_t i = 0; i < owner->pipeline->stages_count; i++) {
        if (fay_flow_stage_view(owner->flow, i)->armed)
            return true;
    }
    return false;
}

/* How busy the cores are and how much memory is free, for the Equalizers: looked at when something
 * happens anyway, and rarely while all is in balance. */
static void look_at_machine(fay_owner *owner)
{
    fay_cores_time now;
    fay_ns at = uv_hrtime();
    fay_ns since = at - owner->cores_looked_at;
    if (since < LOOK_ARMED || (since < LOOK_QUIET && !is_armed(owner)) || !fay_cores_look(&now))
        return;
    uint64_t total = now.total - owner->cores.total;
    uint64_t idle = now.idle - owner->cores.idle;
    if (owner->cores_looked_at > 0)
        owner->saturated = idle * 10 < total;
    owner->cores = now;
    owner->cores_looked_at = at;
    fay_memory memory;
    fay_memory_look(&memory);
    (void)fay_owner_feed(owner, &(fay_flow_event){.kind = FAY_FLOW_MACHINE,
                                                  .ok = owner->saturated,
                                                  .bytes = fay_memory_free(&memory)});
}

static void step(fay_owner *owner)
{
    fay_flow_actions actions;
    owner->dirty = false;
    if (!owner->done) { /* then workers go, and must not be missed */
        fay_flow_step(owner->flow, uv_hrtime(), &actions);
        owner->carrying = true;
        fay_owner_carry_out(owner, &actions);
        owner->carrying = false;
    }
    if (!owner->sink_finished)
        fay_sink_flush(owner->sink);
}

static void set_deadline(fay_owner *owner)
{
    fay_ns due = owner->done ? FAY_NEVER : fay_flow_deadline(owner->flow);
    if (due == FAY_NEVER) {
        fay_timer_stop(owner->deadline);
        return;
    }
    fay_timer_at(owner->deadline, due);
}

static void on_idle(uv_idle_t *handle)
{
    (void)handle; /* its being there is what keeps the loop awake */
}

static void pump(fay_owner *owner)
{
    if (!owner->dirty && !has_pending(owner) && !uv_is_active((uv_handle_t *)&owner->idle))
        return;
    bool more = false;
    for (int round = 0; round < ROUNDS_MAX; round++) {
        feed_pending(owner);
        more = pull_source(owner);
        look_at_machine(owner);
        step(owner);
        if (!owner->dirty && !has_pending(owner) && !more)
            break;
    }
    if (more || owner->dirty || has_pending(owner) ||
        (!owner->sink_finished && fay_sink_has_more(owner->sink))) {
        (void)uv_idle_start(&owner->idle, on_idle);
    } else {
        (void)uv_idle_stop(&owner->idle);
    }
    set_deadline(owner);
    fay_owner_show_progress(owner);
}

/* Links have sent by now what they were given before. What they are given here, after a timer say,
 * would wait until the loop wakes up: so it goes round once more. */
static void on_prepare(uv_prepare_t *handle)
{
    fay_owner *owner = handle->data;
    bool due = owner->dirty || has_pending(owner) || uv_is_active((uv_handle_t *)&owner->idle);
    pump(owner);
    if (due)
        (void)uv_idle_start(&owner->idle, on_idle);
}

static void on_check(uv_check_t *handle)
{
    pump(handle->data);
}

static void on_deadline(void *context)
{
    fay_owner_wake(context);
}

int fay_owner_loop_init(fay_owner *owner)
{
    int r = uv_loop_init(&owner->loop);
    if (r != 0)
        return FAY_E_NORES;
    owner->loop.data = owner;
    (void)uv_prepare_init(&owner->loop, &owner->prepare);
    (void)uv_check_init(&owner->loop, &owner->check);
    (void)uv_idle_init(&owner->loop, &owner->idle);
    owner->prepare.data = owner->check.data = owner;
    (void)uv_prepare_start(&owner->prepare, on_prepare);
    (void)uv_check_start(&owner->check, on_check);
    owner->deadline = fay_timer_new(&owner->loop, on_deadline, owner);
    owner->processes = fay_processes_new(&owner->loop);
    return 0;
}
