/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdlib.h>

#include "base/limits.h"
#include "wire/codec.h"
#include "wire/verdict.h"
#include "worker/mode_class.h"

void fay_replies_clear(fay_replies *replies)
{
    replies->count = 0;
    if (replies->heads.capacity > FAY_MIB) {
        fay_buffer_deinit(&replies->heads);
    } else {
        fay_buffer_clear(&replies->heads);
    }
}

void fay_replies_cut(fay_replies *replies, size_t count)
{
    if (count >= replies->count)
        return;
    replies->heads.end = replies->heads.start + replies->list[count].head_at;
    replies->count = count;
}

void fay_replies_deinit(fay_replies *replies)
{
    fay_buffer_deinit(&replies->heads);
    free(replies->list);
    *replies = (fay_replies){0};
}

void fay_reply_begin(fay_replies *out, fay_message type)
{
    FAY_RESERVE(out->list, out->capacity, out->count + 1);
    out->list[out->count++] = (fay_reply){.type = type, .head_at = fay_buffer_size(&out->heads)};
}

void fay_reply_end(fay_replies *out, const uint8_t *data, size_t size)
{
    fay_reply *reply = &out->list[out->count - 1];
    reply->head_size = fay_buffer_size(&out->heads) - reply->head_at;
    reply->data = data;
    reply->data_size = size;
}

void fay_reply_results(fay_replies *out, uint64_t first, uint32_t count, fay_ns useful,
                       const uint32_t *children)
{
    fay_reply_begin(out, FAY_MESSAGE_RESULTS);
    fay_write64(&out->heads, first);
    fay_write32(&out->heads, count);
    fay_write64(&out->heads, useful);
    fay_write8(&out->heads, children != NULL);
    for (uint32_t i = 0; children != NULL && i < count; i++) {
        fay_write32(&out->heads, children[i]);
    }
}

/* The block of children [at, at + count), with routes if the stage's children are tested. */
static void write_block(const fay_mode *mode, const fay_batch *children, size_t at, size_t count,
                        fay_buffer *out)
{
    FAY_CLEANUP(fay_freep) uint64_t *targets = NULL;
    if (mode->tests && count > 0) {
        targets = fay_alloc(count * sizeof *targets);
        for (size_t i = 0; i < count; i++) {
            const fay_entry *entry = &children->entries[at + i];
            targets[i] = fay_router_targets(mode->config.router, mode->config.setup->index,
                                            children->bytes + entry->attrs_at, entry->attrs_size,
                                            children->bytes + entry->at, entry->size);
        }
    }
    fay_block_head(children, at, count, false, targets, out);
    fay_block_data(children, at, count, out);
}

/* How many children from `at` on make a part: at least one, else up to a chunk. */
static size_t part_of(const fay_batch *children, size_t at)
{
    size_t size = 0, count = 0;
    while (at + count < children->count && count < FAY_BLOCK_ITEMS_MAX) {
        const fay_entry *entry = &children->entries[at + count];
        size += entry->size + entry->attrs_size;
        if (count > 0 && size > FAY_FRAME_CHUNK_MAX)
            break;
        count++;
    }
    return count;
}

void fay_reply_routed(fay_replies *out, const fay_mode *mode, const fay_batch *children)
{
    write_block(mode, children, 0, children->count, &out->heads);
    fay_reply_end(out, NULL, 0);
}

void fay_reply_parts(fay_replies *out, const fay_mode *mode, uint64_t tag,
                     const fay_batch *children)
{
    for (size_t at = 0, count; at < children->count; at += count) {
        count = part_of(children, at);
        fay_reply_begin(out, FAY_MESSAGE_PART);
        fay_write64(&out->heads, tag);
        write_block(mode, children, at, count, &out->heads);
        fay_reply_end(out, NULL, 0);
    }
}

void fay_reply_set(fay_replies *out, fay_mode *mode, const fay_set *set)
{
    const fay_batch *children = set->children;
    bool whole = children->count <= FAY_BLOCK_ITEMS_MAX &&
                 fay_batch_weight(children, 0, children->count) <= FAY_FRAME_BATCH_MAX;
    if (!whole) { /* much output is that of the first tag */
        assert(set->counts[0] == children->count);
        fay_reply_parts(out, mode, set->first, children);
        set->counts[0] = 0;
    }
    fay_reply_results(out, set->first, set->count, fay_mode_useful(mode), set->counts);
    write_block(mode, children, 0, whole ? children->count : 0, &out->heads);
    fay_reply_end(out, NULL, 0);
}

void fay_reply_given_back(fay_replies *out, uint64_t first, uint32_t count)
{
    fay_reply_begin(out, FAY_MESSAGE_GIVEN_BACK);
    fay_write64(&out->heads, first);
    fay_write32(&out->heads, count);
    fay_reply_end(out, NULL, 0);
}

void fay_reply_refusal(fay_replies *out, uint64_t tag, int kind, const char *error)
{
    const fay_verdict verdict = {
        .tag = tag, .kind = (fay_verdict_kind)kind, .error = fay_text_from(error)};
    fay_reply_begin(out, FAY_MESSAGE_VERDICT);
    fay_verdict_write(&verdict, &out->heads);
    fay_reply_end(out, NULL, 0);
}
