/* SPDX-License-Identifier: MIT */
/*
 * lines: one line in, one line out. A line printed is the answer of the oldest Item unanswered, so
 * that answers are matched by count: Items that came as lines are passed on as the block they lie
 * in, and a block of answers is passed back the same way. Only newlines are looked for. What is
 * printed behind the end of the input waits until the worker has ended: then they can be counted.
 *
 *     lease --> direct (the frame's own bytes) --written at once--> worker
 *                 '--settle--> queue (what the pipe did not take) --'
 */
#include <string.h>

#include "wire/codec.h"
#include "wire/verdict.h"
#include "worker/mode_class.h"

typedef struct lines {
    fay_mode mode;
    const uint8_t *direct; /* of the frame being leased: goes out before it is copied, if at all */
    size_t direct_size;
    fay_buffer queue;
    fay_buffer lengths; /* of the answers being collected, as on the wire */
    size_t searched;    /* of the rest that was given before: no newline up to here */
    bool overlong;      /* the next line is longer than max_item */
    size_t line;        /* of the output held back: where its unfinished line begins */
} lines;

static void lines_deinit(fay_mode *mode)
{
    lines *l = (lines *)mode;
    fay_buffer_deinit(&l->queue);
    fay_buffer_deinit(&l->lengths);
}

/* Items that are not known to be lines: one with a newline inside would be two. */
static void check_lines(lines *l, const fay_lease_frame *lease, fay_replies *out)
{
    fay_block_item item = {0};
    while (fay_block_next(&lease->block, &item)) {
        if (item.size == 0 || memchr(item.data, '\n', item.size) == NULL) {
            fay_buffer_append(&l->queue, item.data, item.size);
            fay_buffer_append(&l->queue, "\n", 1);
            continue;
        }
        uint64_t tag = lease->first_tag + item.index - 1;
        (void)fay_held_answer(&l->mode.held, tag, 1);
        fay_reply_refusal(out, tag, FAY_VERDICT_POISON,
                          "the Item has a newline inside and cannot go to a worker in mode lines; "
                          "use mode json or exec");
    }
}

static int lines_lease(fay_mode *mode, const fay_lease_frame *lease, fay_replies *out)
{
    lines *l = (lines *)mode;
    const fay_block *block = &lease->block;
    fay_batch *kept = block->attrs_size > 0 ? fay_block_batch(block) : NULL; /* to be inherited */
    if (fay_held_push(&mode->held, lease->first_tag, block->count, kept) != 0) {
        fay_batch_unref(kept);
        return FAY_E_PEER;
    }
    if (block->gap == 0) {
        check_lines(l, lease, out);
    } else if (fay_buffer_size(&l->queue) == 0) {
        l->direct = block->data;
        l->direct_size = block->data_size;
    } else {
        fay_buffer_append(&l->queue, block->data, block->data_size);
    }
    return 0;
}

static const uint8_t *lines_input(fay_mode *mode, size_t *ret_size)
{
    lines *l = (lines *)mode;
    if (l->direct_size > 0) {
        *ret_size = l->direct_size;
        return l->direct;
    }
    *ret_size = fay_buffer_size(&l->queue);
    return *ret_size > 0 ? fay_buffer_data(&l->queue) : NULL;
}

static void lines_wrote(fay_mode *mode, size_t size)
{
    lines *l = (lines *)mode;
    if (l->direct_size > 0) {
        l->direct += size;
        l->direct_size -= size;
        return;
    }
    fay_buffer_consume(&l->queue, size);
    if (fay_buffer_size(&l->queue) == 0 && l->queue.capacity > FAY_MIB)
        fay_buffer_deinit(&l->queue);
}

static void lines_settle(fay_mode *mode)
{
    lines *l = (lines *)mode;
    fay_buffer_append(&l->queue, l->direct, l->direct_size);
    l->direct = NULL;
    l->direct_size = 0;
}

/* Of the queue, the line that may have been written in part stays; all behind it have not begun. */
static void lines_recall(fay_mode *mode, fay_replies *out)
{
    lines *l = (lines *)mode;
    const uint8_t *at = fay_buffer_data(&l->queue);
    const uint8_t *end = at + fay_buffer_size(&l->queue);
    const uint8_t *stays = at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;
    if (stays == NULL)
        return;
    size_t behind = 0;
    for (at = stays + 1; at < end && (at = memchr(at, '\n', (size_t)(end - at))) != NULL; at++) {
        behind++;
    }
    l->queue.end -= (size_t)(end - stays - 1);
    fay_mode_give_back(mode, behind, out);
}

/* Collects up to `want` lines from `at` on, a frame's worth at most; where they end. */
static size_t collect(lines *l, const fay_output *output, size_t at, size_t want)
{
    size_t from = at, count = 0;
    fay_buffer_clear(&l->lengths);
    l->overlong = false;
    while (count < want && at - from < FAY_FRAME_BATCH_MAX) {
        size_t searched = count == 0 && at == 0 ? l->searched : 0;
        const uint8_t *start = output->bytes + at;
        size_t left = output->size - at;
        const uint8_t *newline =
            left > searched ? memchr(start + searched, '\n', left - searched) : NULL;
        size_t length = newline != NULL ? (size_t)(newline - start) : left;
        l->overlong = length > l->mode.config.setup->item_max;
        if (newline == NULL || l->overlong)
            break;
        fay_store32(fay_buffer_reserve(&l->lengths, 4), (uint32_t)length);
        fay_buffer_commit(&l->lengths, 4);
        at += length + 1;
        count++;
    }
    return at;
}

/* Targets and attributes of the answers, where the stage has them: all that is done per Item. */
static void extras(const lines *l, const fay_held_run *run, uint32_t run_at, const uint8_t *data,
                   uint32_t count, fay_replies *out)
{
    const fay_mode *mode = &l->mode;
    const fay_batch *batch = run->batch;
    size_t at = 0;
    for (uint32_t i = 0; mode->tests && i < count; i++) {
        const fay_entry *e = batch != NULL ? &batch->entries[run_at + i] : NULL;
        size_t size = fay_load32(fay_buffer_data(&l->lengths) + 4 * (size_t)i);
        fay_write64(&out->heads,
                    fay_router_targets(mode->config.router, mode->config.setup->index,
                                       e != NULL ? batch->bytes + e->attrs_at : NULL,
                                       e != NULL ? e->attrs_size : 0, data + at, size));
        at += size + 1;
    }
    for (uint32_t i = 0; batch != NULL && i < count; i++) {
        fay_write32(&out->heads, batch->entries[run_at + i].attrs_size);
    }
    for (uint32_t i = 0; batch != NULL && i < count; i++) {
        const fay_entry *e = &batch->entries[run_at + i];
        fay_buffer_append(&out->heads, batch->bytes + e->attrs_at, e->attrs_size);
    }
}

static void reply(lines *l, const fay_held_run *run, uint32_t run_at, const uint8_t *data,
                  size_t size, fay_replies *out)
{
    uint32_t count = (uint32_t)(fay_buffer_size(&l->lengths) / 4);
    fay_reply_results(out, run->first + run_at, count, fay_mode_useful(&l->mode), NULL);
    uint8_t has = 0;
    if (l->mode.tests)
        has |= FAY_BLOCK_ROUTES;
    if (run->batch != NULL)
        has |= FAY_BLOCK_ATTRS;
    fay_write32(&out->heads, count);
    fay_write8(&out->heads, 1);
    fay_write8(&out->heads, has);
    fay_write16(&out->heads, 0);
    fay_buffer_append(&out->heads, fay_buffer_data(&l->lengths), fay_buffer_size(&l->lengths));
    if (has != 0)
        extras(l, run, run_at, data, count, out);
    fay_reply_end(out, data, size);
}

/* Some line before was no answer, and which one cannot be told. */
static int too_many(lines *l)
{
    (void)fay_mode_garbage(&l->mode, "printed more lines than it was given Items");
    return FAY_MODE_BREACH;
}

/* The last line of a worker that has ended well counts without its newline. */
static void last_line(lines *l, fay_output *output, fay_replies *out)
{
    fay_mode *mode = &l->mode;
    const fay_held_run *run;
    uint32_t at;
    size_t size = output->size - output->used;
    if (size == 0 || fay_held_take(&mode->held, 1, &run, &at) == 0)
        return;
    uint8_t length[4];
    fay_store32(length, (uint32_t)size);
    fay_buffer_clear(&l->lengths);
    fay_buffer_append(&l->lengths, length, sizeof length);
    reply(l, run, at, output->bytes + output->used, size, out);
    fay_buffer_append(&out->heads, output->bytes + output->used, size);
    fay_buffer_append(&out->heads, "\n", 1);
    fay_reply_end(out, NULL, 0);
    fay_mode_count(mode, 1);
    output->used = output->size;
}

/* A line that has grown beyond max_item, whole or not: the oldest Item's fault, and no other's. */
static int too_long(lines *l, fay_replies *out)
{
    const fay_held_run *run;
    uint32_t at;
    int rc = fay_mode_check_item(&l->mode, UINT64_MAX);
    if (fay_held_take(&l->mode.held, 1, &run, &at) == 0)
        return rc;
    fay_reply_refusal(out, run->first + at, FAY_VERDICT_TOO_LARGE, l->mode.error);
    fay_mode_count(&l->mode, 1);
    return FAY_MODE_REFUSED;
}

/* Counts the lines behind the end of the input, and uses none. What fay_mode_output() returns. */
static int hold_back(lines *l, const fay_output *output, fay_replies *out)
{
    fay_mode *mode = &l->mode;
    bool overlong = false;
    size_t before = mode->behind;
    while (!overlong && l->searched < output->size) {
        const uint8_t *from = output->bytes + l->searched;
        const uint8_t *newline = memchr(from, '\n', output->size - l->searched);
        size_t at = newline != NULL ? (size_t)(newline - output->bytes) : output->size;
        overlong = at - l->line > mode->config.setup->item_max;
        l->searched = at;
        if (newline == NULL)
            break;
        mode->behind++;
        l->line = l->searched = at + 1;
    }
    if (mode->behind > before)
        mode->since = mode->now;
    if (mode->behind > mode->held.items)
        return too_many(l);
    if (!overlong)
        return 0;
    return mode->behind == 0 && mode->held.items == 1 ? too_long(l, out)
                                                      : fay_mode_check_item(mode, UINT64_MAX);
}

/* It has ended: an answer for each Item, or none that can be told from the others. Who ends well
 * has lost nothing, but leaves lines out. */
static int check_held_back(lines *l, const fay_output *output)
{
    fay_mode *mode = &l->mode;
    size_t items = mode->held.items, answers = mode->behind;
    if (answers < items && l->line < output->size)
        answers++; /* its last line has no newline */
    mode->behind = 0;
    mode->input_ended = false;
    l->searched = l->line = 0;
    if (answers == items)
        return 0;
    if (!output->well) {
        return fay_mode_garbage(mode, "it answered %zu of %zu line%s behind the end of its input",
                                answers, items, items == 1 ? "" : "s");
    }
    unsigned long long before = mode->answered, given = before + items;
    (void)fay_mode_garbage(mode, "answered %llu of %llu line%s and ended well", before + answers,
                           given, given == 1 ? "" : "s");
    return FAY_MODE_BREACH;
}

/* Output with no Item in hand: a line is one too many. The beginning of one is none yet, and may
 * have no end. */
static int unasked(lines *l, const fay_output *output)
{
    const uint8_t *from = output->bytes + output->used;
    size_t rest = output->size - output->used, searched = FAY_MIN(l->searched, rest);
    l->searched = rest;
    if (memchr(from + searched, '\n', rest - searched) != NULL)
        return too_many(l);
    return fay_mode_check_item(&l->mode, rest);
}

/* Passes on an answer for each line, as long as there are Items for them. */
static int take_lines(lines *l, fay_output *output, fay_replies *out)
{
    fay_mode *mode = &l->mode;
    for (;;) {
        const fay_held_run *run = NULL;
        uint32_t run_at = 0;
        uint32_t want = fay_held_peek(&mode->held, SIZE_MAX, &run, &run_at);
        size_t end = collect(l, output, output->used, FAY_MIN(want, (uint32_t)FAY_BLOCK_ITEMS_MAX));
        size_t count = fay_buffer_size(&l->lengths) / 4;
        if (count == 0)
            break;
        (void)fay_held_take(&mode->held, count, &run, &run_at);
        reply(l, run, run_at, output->bytes + output->used, end - output->used, out);
        fay_mode_count(mode, count);
        output->used = end;
        l->searched = 0;
    }
    size_t rest = output->size - output->used;
    if (rest > 0 && mode->held.items == 0)
        return unasked(l, output);
    if (l->overlong)
        return too_long(l, out);
    l->searched = rest;
    if (output->final)
        last_line(l, output, out);
    return 0;
}

static int lines_output(fay_mode *mode, fay_output *output, fay_replies *out)
{
    lines *l = (lines *)mode;
    size_t before = out->count;
    int rc = 0;
    if (mode->input_ended) {
        rc = hold_back(l, output, out);
        if (rc == 0 && output->final)
            rc = check_held_back(l, output);
        if (rc != 0 || !output->final)
            return rc;
    }
    rc = take_lines(l, output, out);
    if (rc == FAY_MODE_BREACH) /* the answers that came along are no better */
        fay_replies_cut(out, before);
    return rc;
}

const fay_mode_class fay_mode_lines_class = {
    .size = sizeof(lines),
    .deinit = lines_deinit,
    .lease = lines_lease,
    .settle = lines_settle,
    .recall = lines_recall,
    .input = lines_input,
    .wrote = lines_wrote,
    .output = lines_output,
};
