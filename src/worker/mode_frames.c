/* SPDX-License-Identifier: MIT */
/*
 * frames: a worker that speaks our own protocol. Its messages are checked, because it runs user
 * code, and passed on as they are; only where children are routed must their block be made anew.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/units.h"
#include "item/attrs.h"
#include "wire/codec.h"
#include "wire/verdict.h"
#include "worker/mode_class.h"

/* What PARTs of a tag not answered yet have come to. */
typedef struct parts {
    uint64_t tag, bytes;
} parts;

typedef struct frames {
    fay_mode mode;
    uint64_t next;        /* above every tag that it was given */
    uint64_t asked_below; /* tags that it was asked to give back */
    parts *open;          /* the latest is the last one */
    size_t count, capacity;
} frames;

static void frames_deinit(fay_mode *mode)
{
    free(((frames *)mode)->open);
}

/* Over max_output it would fill the memory of the owner, which keeps PARTs. The whole payload
 * counts, so that PARTs of nothing are bounded too. */
static int check_parts(frames *f, uint64_t tag, uint64_t bytes)
{
    uint64_t most = f->mode.config.setup->output_max;
    size_t i = f->count;
    while (i > 0 && f->open[i - 1].tag != tag) {
        i--;
    }
    if (i == 0) {
        FAY_RESERVE(f->open, f->capacity, f->count + 1);
        f->open[f->count++] = (parts){.tag = tag};
        i = f->count;
    }
    parts *p = &f->open[i - 1];
    p->bytes += bytes;
    char text[FAY_UNITS_TEXT_MAX];
    return most == 0 || p->bytes <= most
               ? 0
               : fay_mode_garbage(&f->mode, "sent more than max_output (%s) in PARTs of one Item",
                                  fay_size_text(most, text));
}

/* The tags are answered, which ends their PARTs. */
static void close_parts(fay_mode *mode, uint64_t first, uint64_t count)
{
    frames *f = (frames *)mode;
    size_t kept = 0;
    for (size_t i = 0; i < f->count; i++) {
        if (f->open[i].tag - first >= count) /* unsigned: below it too */
            f->open[kept++] = f->open[i];
    }
    f->count = kept;
}

static int frames_lease(fay_mode *mode, const fay_lease_frame *lease, fay_replies *out)
{
    (void)out;
    ((frames *)mode)->next = lease->first_tag + lease->block.count;
    return fay_held_push(&mode->held, lease->first_tag, lease->block.count, NULL);
}

/* The worker itself knows what it has not begun. */
static void frames_recall(fay_mode *mode, fay_replies *out)
{
    (void)out;
    ((frames *)mode)->asked_below = ((frames *)mode)->next;
}

/* Passes the message on; the payload stays where it is. */
static void pass(const fay_frame *frame, fay_replies *out)
{
    fay_reply_begin(out, frame->type);
    fay_reply_end(out, frame->payload, frame->size);
}

static int check_block(fay_mode *mode, const fay_block *block)
{
    if ((block->has & ~(unsigned)FAY_BLOCK_ATTRS) != 0)
        return fay_mode_garbage(mode, "sent ids or routes, which are not a worker's to give");
    uint32_t largest = 0;
    for (size_t i = 0; i < block->count; i++) {
        largest = FAY_MAX(largest, fay_load32(block->lengths + 4 * i));
    }
    if (fay_mode_check_item(mode, largest) != 0)
        return FAY_E_PEER;
    const uint8_t *attrs = block->attrs;
    for (size_t i = 0; block->attr_lengths != NULL && i < block->count; i++) {
        size_t size = fay_load32(block->attr_lengths + 4 * i);
        if (size > 0 && fay_attrs_check(attrs, size) != 0)
            return fay_mode_garbage(mode, "sent an Item with wrong attributes");
        attrs += size;
    }
    return 0;
}

static int not_held(fay_mode *mode, uint64_t tag)
{
    return fay_mode_garbage(mode, "answered tag %llu, which it does not have in hand",
                            (unsigned long long)tag);
}

/* All of the payload up to the block, then the block with routes. */
static void routed(const fay_mode *mode, const fay_frame *frame, size_t head,
                   const fay_block *block, fay_replies *out)
{
    fay_batch *children = fay_block_batch(block);
    fay_reply_begin(out, frame->type);
    fay_buffer_append(&out->heads, frame->payload, head);
    fay_reply_routed(out, mode, children);
    fay_batch_unref(children);
}

static int on_results(fay_mode *mode, const fay_frame *frame, fay_replies *out)
{
    fay_results_frame results;
    if (fay_results_parse(frame->payload, frame->size, &results) != 0)
        return fay_mode_garbage(mode, "sent RESULTS that are none");
    if (check_block(mode, &results.block) != 0)
        return FAY_E_PEER;
    if (fay_held_answer(&mode->held, results.first_tag, results.count) != 0)
        return not_held(mode, results.first_tag);
    close_parts(mode, results.first_tag, results.count);
    fay_mode_count(mode, results.count);
    size_t counts = results.children != NULL ? 4 * (size_t)results.count : 0;
    if (mode->tests) {
        routed(mode, frame, 8 + 4 + 8 + 1 + counts, &results.block, out);
    } else {
        pass(frame, out);
    }
    return 0;
}

static int on_part(fay_mode *mode, const fay_frame *frame, fay_replies *out)
{
    fay_part_frame part;
    if (fay_part_parse(frame->payload, frame->size, &part) != 0)
        return fay_mode_garbage(mode, "sent a PART that is none");
    if (check_block(mode, &part.block) != 0)
        return FAY_E_PEER;
    if (!fay_held_has(&mode->held, part.tag))
        return not_held(mode, part.tag);
    if (check_parts((frames *)mode, part.tag, frame->size) != 0)
        return FAY_E_PEER;
    if (mode->tests) {
        routed(mode, frame, 8, &part.block, out);
    } else {
        pass(frame, out);
    }
    return 0;
}

static int on_verdict(fay_mode *mode, const fay_frame *frame, fay_replies *out)
{
    fay_verdict verdict;
    if (fay_verdict_parse(frame->payload, frame->size, &verdict) != 0)
        return fay_mode_garbage(mode, "sent a VERDICT that is none");
    if (fay_held_answer(&mode->held, verdict.tag, 1) != 0)
        return not_held(mode, verdict.tag);
    close_parts(mode, verdict.tag, 1);
    fay_mode_count(mode, 1);
    pass(frame, out);
    return 0;
}

/* What nobody has asked for may come again and again, so that its first Item is counted; those
 * behind it, which may have been sent too early for the worker, have their turn then. */
static void refused(fay_replies *out, uint64_t first, uint32_t count)
{
    char error[96];
    (void)snprintf(error, sizeof error,
                   "the worker gave it back without having done it, more than %d times",
                   FAY_GIVE_BACKS_MAX);
    if (count > 1)
        fay_reply_given_back(out, first + 1, count - 1);
    fay_reply_refusal(out, first, FAY_VERDICT_BACK, error);
}

static int on_given_back(fay_mode *mode, const fay_frame *frame, fay_replies *out)
{
    fay_reader r = fay_reader_of(frame->payload, frame->size);
    uint64_t first = fay_read64(&r);
    uint32_t count = fay_read32(&r);
    if (fay_reader_done(&r) != 0 || count == 0)
        return fay_mode_garbage(mode, "sent a GIVEN_BACK that is none");
    if (fay_held_answer(&mode->held, first, count) != 0)
        return not_held(mode, first);
    close_parts(mode, first, count);
    if (first < ((frames *)mode)->asked_below) {
        pass(frame, out);
    } else {
        refused(out, first, count);
    }
    return 0;
}

static int on_heartbeat(fay_mode *mode, const fay_frame *frame)
{
    fay_reader r = fay_reader_of(frame->payload, frame->size);
    uint64_t tag = fay_read64(&r), oldest = 0;
    (void)fay_read_double(&r);
    if (fay_reader_done(&r) != 0)
        return fay_mode_garbage(mode, "sent a HEARTBEAT that is none");
    if (fay_held_oldest(&mode->held, &oldest) && oldest == tag)
        mode->since = mode->now;
    return 0;
}

static int frames_frame(fay_mode *mode, const fay_frame *frame, fay_replies *out)
{
    switch ((int)frame->type) {
    case FAY_MESSAGE_RESULTS: return on_results(mode, frame, out);
    case FAY_MESSAGE_PART: return on_part(mode, frame, out);
    case FAY_MESSAGE_VERDICT: return on_verdict(mode, frame, out);
    case FAY_MESSAGE_GIVEN_BACK: return on_given_back(mode, frame, out);
    case FAY_MESSAGE_HEARTBEAT: return on_heartbeat(mode, frame);
    default:
        return fay_mode_garbage(mode, "sent %s, which is not a worker's to send",
                                fay_message_name(frame->type));
    }
}

const fay_mode_class fay_mode_frames_class = {
    .size = sizeof(frames),
    .deinit = frames_deinit,
    .lease = frames_lease,
    .recall = frames_recall,
    .frame = frames_frame,
};
