/* SPDX-License-Identifier: MIT */
/*
 * Bytes are a stream of frames: whatever is accepted can be walked, copied and written again
 * without leaving its bounds, and what was copied is what was there.
 */
#include <assert.h>
#include <string.h>

#include "base/limits.h"
#include "flow/cost.h"
#include "wire/block.h"
#include "wire/frame.h"
#include "wire/setup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(const fay_block *block)
{
    FAY_CLEANUP(fay_batch_unrefp) fay_batch *batch = fay_block_batch(block);
    fay_block_item item = {0};
    size_t i = 0;
    while (fay_block_next(block, &item)) {
        const fay_entry *entry = &batch->entries[i++];
        assert(entry->size == item.size && entry->attrs_size == item.attrs_size);
        assert(item.size == 0 || memcmp(batch->bytes + entry->at, item.data, item.size) == 0);
    }
    assert(i == batch->count);
    fay_buffer out = {0};
    if (i > 0) {
        fay_block_head(batch, 0, i, true, NULL, &out);
        fay_block_data(batch, 0, i, &out);
    }
    fay_buffer_deinit(&out);
}

static void payload(const fay_frame *frame)
{
    fay_lease_frame lease;
    fay_results_frame results;
    fay_part_frame part;
    fay_setup setup;
    fay_used used;
    if (fay_lease_parse(frame->payload, frame->size, &lease) == 0)
        walk(&lease.block);
    if (fay_results_parse(frame->payload, frame->size, &results) == 0)
        walk(&results.block);
    if (fay_part_parse(frame->payload, frame->size, &part) == 0)
        walk(&part.block);
    if (fay_setup_parse(frame->payload, frame->size, &setup) == 0)
        fay_setup_deinit(&setup);
    if (fay_used_parse(frame->payload, frame->size, &used) == 0) {
        fay_cost cost = {0};
        fay_cost_add(&cost, &used, false);
        fay_cost_add(&cost, &used, true);
        assert(cost.cores >= 0 && cost.cores <= FAY_CPU_MAX);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t at = 0;
    fay_frame frame;
    size_t needed;
    while (fay_frame_parse(data + at, size - at, &frame, &needed) == FAY_FRAME_WHOLE) {
        payload(&frame);
        at += needed;
    }
    frame = (fay_frame){.payload = data, .size = size};
    payload(&frame); /* also without the header, so that the fuzzer need not find it */
    return 0;
}
