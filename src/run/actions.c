/* SPDX-License-Identifier: MIT */
/* What the flow asks for, carried out in the order in which it asks. */
#include <stdlib.h>
#include <string.h>

#include "base/texts.h"
#include "report/reason.h"
#include "report/report.h"
#include "run/owner.h"

/* ---- dead letters ---------------------------------------------------------------------------- */

static void tell_dead(fay_owner *owner, const fay_letter *letter)
{
    if (!fay_events_wanted(owner->events, FAY_HOOK_ITEM_DEAD))
        return;
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer members = {0};
    fay_events_member(&members, "id", letter->id, strlen(letter->id));
    fay_events_member(&members, "stage", letter->stage, strlen(letter->stage));
    fay_buffer_printf(&members, ",\"attempts\":%u", letter->attempts);
    fay_events_member(&members, "error", letter->error, strlen(letter->error));
    fay_events_emit(owner->events, "item.dead", FAY_HOOK_ITEM_DEAD, fay_buffer_text(&members));
}

static void *copy_bytes(const uint8_t *bytes, size_t size)
{
    void *copy = fay_alloc(size);
    if (size > 0)
        memcpy(copy, bytes, size);
    return copy;
}

static void write_letter(fay_owner *owner, const fay_batch *batch, size_t index, const char *stage,
                         const fay_news *news)
{
    const fay_entry *entry = &batch->entries[index];
    char id[FAY_PATH_TEXT_MAX];
    (void)fay_path_text(entry->root, &entry->path, false, id);
    FAY_CLEANUP(fay_letter_deinit)
    fay_letter letter = {
        .id = fay_strdup(id),
        .stage = fay_strdup(stage),
        .node = fay_strdup(owner->node),
        .error = fay_strndup(news->error_size > 0 ? news->error : "", news->error_size),
        .stderr_tail = fay_strndup(news->tail_size > 0 ? news->tail : "", news->tail_size),
        .hash = fay_strdup(owner->hash),
        .attempts = entry->attempt,
        .exit = news->exit != 0 ? news->exit : -1,
        .signal = news->signal,
        .attrs = copy_bytes(batch->bytes + entry->attrs_at, entry->attrs_size),
        .attrs_size = entry->attrs_size,
        .item = copy_bytes(batch->bytes + entry->at, entry->size),
        .item_size = entry->size,
    };
    if (owner->file != NULL) {
        letter.pipeline = fay_strdup(owner->file);
    } else if (owner->options->words != NULL) {
        letter.argv = fay_texts_copy(owner->options->words, fay_texts_count(owner->options->words));
    }
    owner->lettered++;
    tell_dead(owner, &letter);
    fay_error err;
    if (fay_letters_write(owner->letters, &letter, &err) != 0)
        fay_owner_fail(owner, FAY_EXIT_IO, &err);
}

static void letter(fay_owner *owner, const fay_flow_action *action)
{
    fay_news news = fay_news_read(action->note, action->note_size);
    if (action->note_size == 0)
        news = fay_news_saying("its results are nested too deep or too many to be told apart");
    write_letter(owner, action->batch, action->at, owner->pipeline->stages[action->stage].name,
                 &news);
}

/* What has been written of them by now is what the next record tells of. */
static void mark_letters(fay_owner *owner)
{
    owner->marked_dead = fay_letters_offset(owner->letters);
    owner->marked_tally.dead = owner->past.dead + owner->lettered;
}

void fay_owner_refuse(fay_owner *owner, const fay_batch *batch, size_t index)
{
    FAY_CLEANUP(fay_freep)
    char *error = fay_printed("the sink's format '%s' cannot hold this Item",
                              fay_format_name(owner->pipeline->sink.format));
    fay_news news = fay_news_saying(error);
    owner->refused++;
    write_letter(owner, batch, index, "sink", &news);
    /* Of a spool that stands before the mark: its root will be on record, so this letter must be.
     * Letters of others that came meanwhile are too, and are written again if that is resumed. */
    if (owner->marking && !owner->carrying)
        mark_letters(owner);
}

/* ---- spools ---------------------------------------------------------------------------------- */

static void load(fay_owner *owner, const fay_flow_action *action)
{
    fay_owner_pending *p = &owner->pending;
    fay_owner_loaded loaded = {.spool = action->spool, .cursor = action->tag};
    fay_error err;
    if (fay_spools_load(owner->spools, loaded.spool, loaded.cursor, &loaded.items, &err) != 0) {
        fay_owner_fail(owner, FAY_EXIT_IO, &err);
        return;
    }
    FAY_RESERVE(p->loaded, p->loaded_capacity, p->loaded_count + 1);
    p->loaded[p->loaded_count++] = loaded;
}

static void spill(fay_owner *owner, const fay_flow_action *action)
{
    const fay_spooled items = {.batch = action->batch,
                               .at = action->at,
                               .count = action->count,
                               .targets =
                                   (uint64_t *)(uintptr_t)action->targets}; // NOLINT: only read
    fay_error err;
    if (fay_spools_append(owner->spools, action->spool, &items, &err) != 0)
        fay_owner_fail(owner, FAY_EXIT_IO, &err);
}

/* ---- news ------------------------------------------------------------------------------------ */

static void decision(fay_owner *owner, size_t stage)
{
    fay_owner_instance *instance = &owner->instances[stage];
    const fay_equalizer_view *view = fay_flow_stage_view(owner->flow, stage);
    instance->held += view->spawn == 0 && !view->retire;
    fay_history_add(instance->history, uv_hrtime() - owner->begun, view);
    if (!fay_events_wanted(owner->events, FAY_HOOK_NONE_OFTEN))
        return;
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer members = {0};
    const char *name = owner->pipeline->stages[stage].name;
    fay_events_member(&members, "stage", name, strlen(name));
    fay_reason_members(view, &members);
    fay_events_emit(owner->events, fay_reason_event(view), FAY_HOOK_NONE_OFTEN,
                    fay_buffer_text(&members));
}

static void pressure(fay_owner *owner, size_t stage)
{
    fay_owner_instance *instance = &owner->instances[stage];
    fay_flow_stats stats;
    fay_pressure now = fay_flow_stage_view(owner->flow, stage)->pressure;
    if (now == instance->pressure) /* what holds it is another: the bar shows it */
        return;
    fay_flow_stage_stats(owner->flow, uv_hrtime(), stage, &stats);
    instance->pressure = now;
    instance->high += now == FAY_HIGH;
    instance->low += now == FAY_LOW;
    fay_owner_send_status(instance);
    if (!fay_events_wanted(owner->events, FAY_HOOK_PRESSURE))
        return;
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer members = {0};
    const char *name = owner->pipeline->stages[stage].name;
    fay_events_member(&members, "stage", name, strlen(name));
    fay_buffer_printf(&members, ",\"pressure\":\"%s\",\"workers\":%u,\"target\":%u",
                      fay_report_pressure(now), stats.workers, stats.target);
    fay_events_emit(owner->events, "pressure", FAY_HOOK_PRESSURE, fay_buffer_text(&members));
}

static void holding(fay_owner *owner, const fay_flow_action *action)
{
    const fay_entry *entry = &action->batch->entries[action->at];
    const char *name = owner->pipeline->stages[action->stage].name;
    char id[FAY_PATH_TEXT_MAX];
    (void)fay_path_text(entry->root, &entry->path, false, id);
    fay_owner_say(owner,
                  "faymora: stage '%s': HOLDING ORDER: Item %s is not finished, others wait "
                  "for it\n",
                  name, id);
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer members = {0};
    fay_events_member(&members, "stage", name, strlen(name));
    fay_events_member(&members, "id", id, strlen(id));
    fay_events_emit(owner->events, "holding", FAY_HOOK_NONE, fay_buffer_text(&members));
}

void fay_owner_tell_cause(const fay_owner *owner, const fay_flow_action *action, fay_buffer *cause)
{
    fay_news news = fay_news_read(action->note, action->note_size);
    fay_news_tell(&news, cause);
    const char *death = owner->instances[action->stage].death;
    if (fay_buffer_size(cause) == 0)
        fay_buffer_append_text(cause, death != NULL ? death : "no cause is known");
}

static void fail(fay_owner *owner, const fay_flow_action *action)
{
    const char *name = owner->pipeline->stages[action->stage].name;
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer cause = {0};
    fay_owner_tell_cause(owner, action, &cause);
    const char *text = fay_buffer_text(&cause);
    fay_error err = {0};
    int exit = FAY_EXIT_LIMIT;
    switch (action->why) {
    case FAY_FAIL_ON_ERROR:
        (void)fay_fail_with(&err, FAY_E_DENIED, "stage '%s' failed (on_error: stop): %.250s", name,
                            text);
        break;
    case FAY_FAIL_LIMIT:
        (void)fay_fail_with(&err, FAY_E_DENIED,
                            "too many Items have failed; the last in stage "
                            "'%s': %.200s",
                            name, text);
        break;
    case FAY_FAIL_CRASHLOOP:
        (void)fay_fail_with(&err, FAY_E_DENIED, "stage '%s' dies again and again: %.250s", name,
                            text);
        fay_hint(&err, "run its command by itself to see why it ends before it answers");
        exit = FAY_EXIT_WORKER;
        break;
    case FAY_FAIL_SYNC:
    case FAY_FAIL_NONE: /* told where it happened */
        (void)fay_fail_with(&err, FAY_E_IO, "nothing can be committed any more");
        exit = FAY_EXIT_IO;
        break;
    }
    fay_owner_fail(owner, exit, &err);
}

/* ---- all ------------------------------------------------------------------------------------- */

static void sync_ends(fay_owner *owner)
{
    owner->syncing = true;
    if (owner->sink_failed || fay_letters_failed(owner->letters)) {
        owner->pending.synced = FAY_SYNCED_BADLY;
        return;
    }
    mark_letters(owner);
    owner->marking = true;
    fay_sink_mark(owner->sink);
}

static void lease(fay_owner *owner, const fay_flow_action *action)
{
    fay_owner_instance *instance = fay_owner_find_instance(owner, action->link);
    if (instance != NULL)
        fay_owner_lease(instance, action);
}

static void recall(fay_owner *owner, const fay_flow_action *action)
{
    const fay_owner_instance *instance = fay_owner_find_instance(owner, action->link);
    if (instance != NULL)
        fay_link_send(instance->link, FAY_MESSAGE_RECALL, action->worker, NULL, 0);
}

static void spawn_or_retire(fay_owner *owner, const fay_flow_action *action)
{
    fay_owner_instance *instance = fay_owner_find_instance(owner, action->link);
    if (instance == NULL)
        return;
    bool up = action->kind == FAY_FLOW_SPAWN;
    instance->spawned += up;
    instance->retired += !up;
    if (up)
        instance->numbers = FAY_MAX(instance->numbers, action->worker + 1u);
    fay_link_send(instance->link, up ? FAY_MESSAGE_SPAWN : FAY_MESSAGE_RETIRE, action->worker, NULL,
                  0);
}

static void carry_out(fay_owner *owner, const fay_flow_action *action)
{
    switch (action->kind) {
    case FAY_FLOW_LEASE: lease(owner, action); break;
    case FAY_FLOW_RECALL: recall(owner, action); break;
    case FAY_FLOW_SPAWN:
    case FAY_FLOW_RETIRE: spawn_or_retire(owner, action); break;
    case FAY_FLOW_WRITE:
        fay_sink_write(owner->sink, action->batch, action->at, action->count);
        break;
    case FAY_FLOW_WRITE_SPOOL:
        fay_sink_write_spool(owner->sink, action->spool, action->items);
        break;
    case FAY_FLOW_LETTER: letter(owner, action); break;
    case FAY_FLOW_SPILL: spill(owner, action); break;
    case FAY_FLOW_LOAD: load(owner, action); break;
    case FAY_FLOW_UNSPOOL: fay_spools_unref(owner->spools, action->spool); break;
    case FAY_FLOW_SYNC: sync_ends(owner); break;
    case FAY_FLOW_RECORD: fay_owner_record(owner, action); break;
    case FAY_FLOW_ACKED: fay_source_acked(owner->source, action->root, action->count); break;
    case FAY_FLOW_HOLDING: holding(owner, action); break;
    case FAY_FLOW_DECISION: decision(owner, action->stage); break;
    case FAY_FLOW_PRESSURE: pressure(owner, action->stage); break;
    case FAY_FLOW_FAIL: fail(owner, action); break;
    case FAY_FLOW_PAUSED: fay_owner_paused(owner, action); break;
    case FAY_FLOW_DONE: fay_owner_done(owner); break;
    }
}

void fay_owner_carry_out(fay_owner *owner, const fay_flow_actions *actions)
{
    for (size_t i = 0; i < actions->count; i++) {
        carry_out(owner, &actions->items[i]);
    }
    if (actions->count > 0)
        owner->changed = true;
}
