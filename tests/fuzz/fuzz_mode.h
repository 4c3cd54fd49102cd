/* SPDX-License-Identifier: MIT */
/* What the fuzz targets of the worker modes share: a mode with Items in hand, bytes given to it in
 * pieces, and what the owner may rely on, asserted. */
#ifndef FAY_FUZZ_MODE_H
#define FAY_FUZZ_MODE_H

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "wire/codec.h"
#include "wire/verdict.h"
#include "worker/mode.h"

typedef struct fuzz_mode {
    fay_setup setup;
    fay_mode *mode;
    fay_replies replies;
    uint64_t leased, answered;
    bool part_open;
} fuzz_mode;

static inline void fuzz_begin(fuzz_mode *f, fay_mode_kind kind, uint64_t item_max)
{
    static char program[] = "x", none[] = "";
    static char *argv[] = {program, NULL};
    *f = (fuzz_mode){.setup = {.run = none,
                               .pipeline = none,
                               .stage = none,
                               .node = none,
                               .mode = (uint8_t)kind,
                               .argv = argv,
                               .item_max = item_max}};
    const fay_mode_config config = {.setup = &f->setup};
    f->mode = fay_mode_new(&config, NULL);
    assert(f->mode != NULL);
}

static inline void fuzz_lease(fuzz_mode *f, uint32_t count, bool lines)
{
    fay_batch *batch = fay_batch_new();
    batch->gap = lines ? 1 : 0;
    for (uint32_t i = 0; i < count; i++) {
        fay_batch_append(batch, "item", 4)->root = i;
    }
    fay_buffer payload = {0};
    fay_write64(&payload, 0);
    fay_write64(&payload, 0);
    fay_block_head(batch, 0, count, true, NULL, &payload);
    fay_block_data(batch, 0, count, &payload);
    fay_lease_frame lease;
    int rc = fay_lease_parse(fay_buffer_data(&payload), fay_buffer_size(&payload), &lease);
    assert(rc == 0);
    rc = fay_mode_lease(f->mode, &lease, 1, &f->replies);
    assert(rc == 0);
    fay_mode_settle(f->mode);
    f->leased = count;
    fay_buffer_deinit(&payload);
    fay_batch_unref(batch);
}

static inline void fuzz_check_reply(fuzz_mode *f, fay_message type, const fay_buffer *payload)
{
    const uint8_t *bytes = fay_buffer_data(payload);
    size_t size = fay_buffer_size(payload);
    fay_results_frame results;
    fay_part_frame part;
    fay_verdict verdict;
    int rc = 0;
    switch ((int)type) {
    case FAY_MESSAGE_RESULTS:
        rc = fay_results_parse(bytes, size, &results);
        f->answered += rc == 0 ? results.count : 0;
        assert(rc == 0 && results.first_tag + results.count <= f->leased);
        break;
    case FAY_MESSAGE_PART:
        rc = fay_part_parse(bytes, size, &part);
        assert(rc == 0 && part.tag < f->leased);
        break;
    case FAY_MESSAGE_VERDICT:
        rc = fay_verdict_parse(bytes, size, &verdict);
        assert(rc == 0 && verdict.tag < f->leased);
        f->answered++;
        break;
    case FAY_MESSAGE_GIVEN_BACK: f->answered += fay_load32(bytes + 8); break;
    default: assert(false); break;
    }
}

/* The replies are messages that an owner accepts, and the account of Items is right. */
static inline void fuzz_check(fuzz_mode *f)
{
    fay_buffer payload = {0};
    for (size_t i = 0; i < f->replies.count; i++) {
        const fay_reply *r = &f->replies.list[i];
        fay_buffer_clear(&payload);
        fay_buffer_append(&payload, fay_reply_head(&f->replies, r), r->head_size);
        fay_buffer_append(&payload, r->data, r->data_size);
        fuzz_check_reply(f, r->type, &payload);
    }
    fay_buffer_deinit(&payload);
    fay_replies_clear(&f->replies);
    assert(f->answered + fay_mode_held(f->mode) == f->leased);
}

/* All bytes, `step` more at a time, each time in memory of the very size. */
static inline void fuzz_feed(fuzz_mode *f, const uint8_t *data, size_t size, size_t step)
{
    size_t used = 0;
    int rc = 0;
    for (size_t end = 0; rc == 0;) {
        end = FAY_MIN(end + step, size);
        uint8_t *bytes = malloc(end - used + (end == used));
        assert(bytes != NULL);
        if (end > used)
            memcpy(bytes, data + used, end - used);
        fay_output output = {.bytes = bytes, .size = end - used, .final = end == size};
        rc = fay_mode_output(f->mode, &output, 2, &f->replies);
        assert(output.used <= output.size);
        used += output.used;
        if (rc != FAY_MODE_BREACH)
            fuzz_check(f); /* of a breach nothing counts, and the run ends */
        assert(rc != FAY_MODE_BREACH || f->replies.count == 0);
        free(bytes);
        if (end == size)
            break;
    }
}

static inline void fuzz_end(fuzz_mode *f)
{
    fay_mode_free(f->mode);
    fay_replies_deinit(&f->replies);
}

#endif /* FAY_FUZZ_MODE_H */
