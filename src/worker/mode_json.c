/* SPDX-License-Identifier: MIT */
/*
 * json: one JSON object a line, both ways, in any order.
 *
 *     {"id":7,"attempt":1,"attrs":{..},"item":..}      to the worker
 *     {"id":7,"emit":[..]}                             back: one of these three
 *     {"id":7,"error":"..","retry":false}
 *     {"id":7,"heartbeat":0.4}
 *
 * The id is the tag of the lease; a worker only repeats it. About a pipe's worth of requests is
 * with the worker at a time; the Items behind that are kept as they came and can be given back.
 * Answers to consecutive tags travel as one message.
 */
#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/units.h"
#include "item/attrs.h"
#include "item/format.h"
#include "item/json.h"
#include "wire/verdict.h"
#include "worker/mode_class.h"

enum {
    AHEAD = 64 * 1024,
    QUOTED = 80,
    GROUP_ITEMS = 4096,
    GROUP_BYTES = 128 * 1024,
    ANSWER_BYTES = 32 * 1024
};

typedef struct waiting { /* a lease whose Items are not all written as requests yet */
    fay_batch *batch;
    uint64_t first, enqueued_ms;
    size_t at;
} waiting;

typedef struct group { /* answers to consecutive tags, not in a reply yet */
    uint64_t first;
    uint32_t count;
    uint32_t *counts;
    size_t capacity;
    fay_batch *children;
} group;

typedef struct json {
    fay_mode mode;
    waiting *waits;
    size_t start, end, capacity;
    size_t waiting_items;
    fay_buffer queue;    /* requests */
    size_t request_size; /* of the usual one */
    size_t searched;
    group group;
    fay_buffer data, attrs; /* of the child being made */
} json;

static void drop_waiting(json *j)
{
    while (j->start < j->end) {
        fay_batch_unref(j->waits[j->start++].batch);
    }
    j->start = j->end = 0;
    j->waiting_items = 0;
}

static void json_deinit(fay_mode *mode)
{
    json *j = (json *)mode;
    drop_waiting(j);
    free(j->waits);
    free(j->group.counts);
    fay_batch_unref(j->group.children);
    fay_buffer_deinit(&j->queue);
    fay_buffer_deinit(&j->data);
    fay_buffer_deinit(&j->attrs);
}

/* ---- requests ------------------------------------------------------------------------------- */

/* A JSON value as it is, if it is one; any other payload as a string. */
static void write_item(const json *j, const uint8_t *data, size_t size, fay_buffer *out)
{
    if (j->mode.config.setup->format != FAY_FORMAT_JSONL) {
        fay_json_append_payload(out, data, size);
        return;
    }
    json_t *value = fay_json_load((const char *)data, size, NULL);
    if (value == NULL) {
        fay_json_append_payload(out, data, size);
    } else if (memchr(data, '\n', size) != NULL || memchr(data, '\r', size) != NULL) {
        fay_json_append_value(out, value);
    } else {
        fay_buffer_append(out, data, size);
    }
    json_decref(value);
}

/* The members of the framework; the Item's own follow. */
static void write_attrs(json *j, const waiting *w, const fay_entry *e, fay_buffer *out)
{
    const fay_setup *setup = j->mode.config.setup;
    char path[FAY_PATH_TEXT_MAX];
    (void)fay_path_text(e->root, &e->path, false, path);
    fay_buffer_printf(out, "{\"fay.id\":\"%s\",\"fay.attempt\":%u,\"fay.stage\":", path,
                      (unsigned)e->attempt);
    fay_json_append_string(out, setup->stage, strlen(setup->stage));
    fay_buffer_append_text(out, ",\"fay.node\":");
    fay_json_append_string(out, setup->node, strlen(setup->node));
    (void)fay_path_text(e->root, &e->path, true, path);
    fay_buffer_printf(out,
                      ",\"fay.enqueued\":%llu,\"fay.parent\":\"%s\",\"fay.pressure\":%d,"
                      "\"fay.workers\":%u",
                      (unsigned long long)w->enqueued_ms, path, j->mode.pressure, j->mode.workers);
    if (e->attrs_size > 0) {
        size_t brace = fay_buffer_size(out);
        fay_attrs_to_json(w->batch->bytes + e->attrs_at, e->attrs_size, out);
        uint8_t *at = out->bytes + out->start + brace;
        if (fay_buffer_size(out) - brace > 2) {
            *at = ','; /* goes on where ours ended */
            return;
        }
        out->end = out->start + brace; /* "{}" */
    }
    fay_buffer_append_text(out, "}");
}

static void write_request(json *j, const waiting *w)
{
    const fay_entry *e = &w->batch->entries[w->at];
    size_t before = fay_buffer_size(&j->queue);
    unsigned long long id = w->first + w->at;
    fay_buffer_printf(&j->queue, "{\"id\":%llu,\"attempt\":%u,\"attrs\":", id,
                      (unsigned)e->attempt);
    write_attrs(j, w, e, &j->queue);
    fay_buffer_append_text(&j->queue, ",\"item\":");
    write_item(j, w->batch->bytes + e->at, e->size, &j->queue);
    fay_buffer_append_text(&j->queue, "}\n");
    size_t size = fay_buffer_size(&j->queue) - before;
    j->request_size = j->request_size > 0 ? (7 * j->request_size + size) / 8 : size;
}

static void fill(json *j)
{
    while (j->start < j->end) {
        size_t with_worker = j->mode.held.items - j->waiting_items;
        if (with_worker > 0 && (with_worker + 1) * j->request_size > AHEAD)
            return;
        waiting *w = &j->waits[j->start];
        write_request(j, w);
        j->waiting_items--;
        if (++w->at < w->batch->count)
            continue;
        fay_batch_unref(w->batch);
        if (++j->start == j->end)
            j->start = j->end = 0;
    }
}

static int json_lease(fay_mode *mode, const fay_lease_frame *lease, fay_replies *out)
{
    json *j = (json *)mode;
    (void)out;
    if (fay_held_push(&mode->held, lease->first_tag, lease->block.count, NULL) != 0)
        return FAY_E_PEER;
    FAY_RESERVE(j->waits, j->capacity, j->end + 1);
    j->waits[j->end++] = (waiting){.batch = fay_block_batch(&lease->block),
                                   .first = lease->first_tag,
                                   .enqueued_ms = lease->enqueued_ms};
    j->waiting_items += lease->block.count;
    return 0;
}

static void json_recall(fay_mode *mode, fay_replies *out)
{
    json *j = (json *)mode;
    size_t items = j->waiting_items;
    drop_waiting(j);
    fay_mode_give_back(mode, items, out);
}

static const uint8_t *json_input(fay_mode *mode, size_t *ret_size)
{
    json *j = (json *)mode;
    fill(j);
    *ret_size = fay_buffer_size(&j->queue);
    return *ret_size > 0 ? fay_buffer_data(&j->queue) : NULL;
}

static void json_wrote(fay_mode *mode, size_t size)
{
    json *j = (json *)mode;
    fay_buffer_consume(&j->queue, size);
    if (fay_buffer_size(&j->queue) == 0 && j->queue.capacity > FAY_MIB)
        fay_buffer_deinit(&j->queue);
}

/* ---- answers -------------------------------------------------------------------------------- */

static void flush_group(json *j, fay_replies *out)
{
    group *g = &j->group;
    if (g->count == 0)
        return; /* its batch, if any, is replaced when the next group begins */
    const fay_set set = {
        .first = g->first, .count = g->count, .counts = g->counts, .children = g->children};
    fay_reply_set(out, &j->mode, &set);
    fay_batch_unref(g->children);
    g->children = NULL;
    g->count = 0;
}

/* Room in the group for the answer to one more tag. */
static void join_group(json *j, uint64_t tag, fay_replies *out)
{
    group *g = &j->group;
    if (g->count > 0 && (tag != g->first + g->count || g->count >= GROUP_ITEMS ||
                         g->children->size > GROUP_BYTES || g->children->count > GROUP_ITEMS))
        flush_group(j, out);
    if (g->count == 0) {
        g->first = tag;
        fay_batch_unref(g->children);
        g->children = fay_batch_new();
    }
    FAY_RESERVE(g->counts, g->capacity, (size_t)g->count + 1);
    g->counts[g->count++] = 0;
}

/* The payload that a value stands for. */
static int payload_of(json *j, json_t *value)
{
    json_t *base64 = json_is_object(value) ? json_object_get(value, "$base64") : NULL;
    if (json_is_string(value)) {
        fay_buffer_append(&j->data, json_string_value(value), json_string_length(value));
    } else if (json_is_string(base64) && json_object_size(value) == 1) {
        return fay_base64_decode(json_string_value(base64), json_string_length(base64), &j->data);
    } else {
        fay_json_append_value(&j->data, value);
    }
    return 0;
}

static int child_of(json *j, json_t *value)
{
    fay_buffer_clear(&j->data);
    fay_buffer_clear(&j->attrs);
    json_t *item = json_is_object(value) ? json_object_get(value, "item") : NULL;
    json_t *attrs = item != NULL ? json_object_get(value, "attrs") : NULL;
    fay_error err = {0};
    if (payload_of(j, item != NULL ? item : value) != 0)
        return fay_mode_garbage(&j->mode, "answered with a \"$base64\" that is not base64");
    if (attrs != NULL && fay_attrs_from_object(attrs, &j->attrs, NULL, NULL, &err) != 0)
        return fay_mode_garbage(&j->mode, "answered with wrong attrs: %s", err.message);
    return fay_mode_check_item(&j->mode, fay_buffer_size(&j->data));
}

/* One child of the answer that is last in the group. */
static int add_child(json *j, uint64_t tag, json_t *value, bool alone, fay_replies *out)
{
    group *g = &j->group;
    if (child_of(j, value) != 0)
        return FAY_E_PEER;
    size_t data_size = fay_buffer_size(&j->data), attrs_size = fay_buffer_size(&j->attrs);
    if (g->count > 1 && (!alone || data_size + attrs_size > ANSWER_BYTES)) {
        g->count--; /* what may be large comes first in its message, so that it can be cut */
        flush_group(j, out);
        join_group(j, tag, out);
    }
    if (g->children->size + data_size + attrs_size > FAY_ANSWERS_MAX)
        return fay_mode_garbage(&j->mode, "answered with more than 2 GiB");
    fay_batch_append(g->children, fay_buffer_data(&j->data), data_size);
    fay_batch_append_attrs(g->children, fay_buffer_data(&j->attrs), attrs_size);
    g->counts[g->count - 1]++;
    return 0;
}

static int answer_emit(json *j, uint64_t tag, json_t *emit, fay_replies *out)
{
    if (!json_is_array(emit))
        return fay_mode_garbage(&j->mode, "answered with an \"emit\" that is no list");
    group *g = &j->group;
    size_t count = json_array_size(emit);
    join_group(j, tag, out);
    for (size_t i = 0; i < count; i++) {
        /* only the first child may begin a message anew: its answer has nothing in this one yet */
        bool alone = count == 1 || i > 0;
        if (add_child(j, tag, json_array_get(emit, i), alone, out) != 0) {
            g->children->count -= g->counts[g->count - 1]; /* not answered well: not answered */
            g->count--;
            return FAY_E_PEER;
        }
    }
    (void)fay_held_answer(&j->mode.held, tag, 1);
    fay_mode_count(&j->mode, 1);
    if (g->children->size > GROUP_BYTES)
        flush_group(j, out);
    return 0;
}

static void answer_error(json *j, uint64_t tag, json_t *reply, fay_replies *out)
{
    json_t *error = json_object_get(reply, "error"), *retry = json_object_get(reply, "retry");
    fay_buffer_clear(&j->data);
    if (json_is_string(error)) {
        fay_buffer_append(&j->data, json_string_value(error), json_string_length(error));
    } else {
        fay_json_append_value(&j->data, error);
    }
    const fay_verdict verdict = {.tag = tag,
                                 .kind =
                                     json_is_false(retry) ? FAY_VERDICT_POISON : FAY_VERDICT_RETRY,
                                 .error = {.bytes = (const char *)fay_buffer_data(&j->data),
                                           .size = fay_buffer_size(&j->data)}};
    flush_group(j, out);
    fay_reply_begin(out, FAY_MESSAGE_VERDICT);
    fay_verdict_write(&verdict, &out->heads);
    fay_reply_end(out, NULL, 0);
    (void)fay_held_answer(&j->mode.held, tag, 1);
    fay_mode_count(&j->mode, 1);
}

static int answer(json *j, json_t *reply, fay_replies *out)
{
    json_t *id = json_object_get(reply, "id");
    if (!json_is_integer(id) || json_integer_value(id) < 0)
        return fay_mode_garbage(&j->mode, "answered without the \"id\" of an Item");
    uint64_t tag = (uint64_t)json_integer_value(id), oldest = 0;
    if (!fay_held_has(&j->mode.held, tag)) {
        return fay_mode_garbage(&j->mode, "answered id %llu, which it does not have in hand",
                                (unsigned long long)tag);
    }
    json_t *emit = json_object_get(reply, "emit"), *error = json_object_get(reply, "error");
    if (emit != NULL && error != NULL && !json_is_null(error))
        return fay_mode_garbage(&j->mode, "answered with both emit and error");
    if (emit != NULL)
        return answer_emit(j, tag, emit, out);
    if (error != NULL) {
        answer_error(j, tag, reply, out);
        return 0;
    }
    if (json_object_get(reply, "heartbeat") == NULL)
        return fay_mode_garbage(&j->mode, "answered with neither emit, error nor heartbeat");
    if (fay_held_oldest(&j->mode.held, &oldest) && oldest == tag)
        j->mode.since = j->mode.now;
    return 0;
}

/* Adds the line that was wrong to the text. */
static int quote(json *j, const uint8_t *line, size_t size)
{
    fay_buffer text = {0};
    fay_json_append_string(&text, line, FAY_MIN(size, (size_t)QUOTED));
    size_t used = strlen(j->mode.error), room = sizeof j->mode.error - used;
    if (room > fay_buffer_size(&text) + 3) {
        memcpy(j->mode.error + used, ": ", 2);
        memcpy(j->mode.error + used + 2, fay_buffer_text(&text), fay_buffer_size(&text) + 1);
    }
    fay_buffer_deinit(&text);
    return FAY_E_PEER;
}

static int answer_line(json *j, const uint8_t *line, size_t size, fay_replies *out)
{
    fay_error err = {0};
    json_t *reply = fay_json_load((const char *)line, size, &err);
    int rc;
    if (json_is_object(reply)) {
        rc = answer(j, reply, out);
    } else if (err.status == FAY_E_NORES) {
        rc = fay_mode_garbage(&j->mode, "printed a line of %s", err.message);
    } else if (reply == NULL) { /* without what it is near to: the line is quoted */
        const char *near = strstr(err.message, " near '");
        int length = (int)(near != NULL ? (size_t)(near - err.message) : strlen(err.message));
        rc = fay_mode_garbage(&j->mode, "printed a line that is %.*s", length, err.message);
    } else {
        rc = fay_mode_garbage(&j->mode, "printed a line that is no JSON object");
    }
    json_decref(reply);
    return rc != 0 ? quote(j, line, size) : 0;
}

/* 0, or garbage: a line has grown to so much, and has no end yet. */
static int check_line(json *j, size_t size)
{
    uint64_t most = j->mode.config.setup->item_max + FAY_REPLY_LINE_MAX;
    char all[FAY_UNITS_TEXT_MAX], over[FAY_UNITS_TEXT_MAX];
    if (size <= most)
        return 0;
    return fay_mode_garbage(&j->mode, "printed a line of more than %s (max_item and %s)",
                            fay_size_text(most, all), fay_size_text(FAY_REPLY_LINE_MAX, over));
}

static int json_output(fay_mode *mode, fay_output *output, fay_replies *out)
{
    json *j = (json *)mode;
    int rc = 0;
    while (rc == 0) {
        const uint8_t *line = output->bytes + output->used;
        size_t left = output->size - output->used;
        size_t searched = output->used == 0 ? FAY_MIN(j->searched, left) : 0;
        const uint8_t *end = left > 0 ? memchr(line + searched, '\n', left - searched) : NULL;
        if (end == NULL && output->final && left > 0)
            end = line + left;
        if (end == NULL) {
            j->searched = left;
            break;
        }
        size_t size = (size_t)(end - line);
        if (size > 0 && !(size == 1 && line[0] == '\r'))
            rc = answer_line(j, line, size, out);
        output->used = FAY_MIN(output->used + size + 1, output->size);
        j->searched = 0;
    }
    flush_group(j, out);
    return rc == 0 ? check_line(j, output->size - output->used) : rc;
}

const fay_mode_class fay_mode_json_class = {
    .size = sizeof(json),
    .deinit = json_deinit,
    .lease = json_lease,
    .recall = json_recall,
    .input = json_input,
    .wrote = json_wrote,
    .output = json_output,
};
