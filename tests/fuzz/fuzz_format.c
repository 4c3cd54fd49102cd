/* SPDX-License-Identifier: MIT */
/*
 * Splitters. The first byte chooses the format and how large the reads are. The oracle: reads of
 * any size give the Items that one read gives, and what is joined again is split into the same.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "item/format.h"

enum {
    ITEM_MAX = 64
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Appends what is found, each Item behind its length; returns how it ended. */
static int split(fay_format format, const uint8_t *bytes, size_t size, size_t step,
                 fay_buffer *items)
{
    size_t at = 0, seen = FAY_MIN(step, size), scanned = 0;
    for (;;) {
        fay_slice slice;
        /* Of the very size, so that ASan sees a read past it. */
        uint8_t *part = malloc(seen - at + (seen == at));
        assert(part != NULL);
        memcpy(part, bytes + at, seen - at);
        int rc = fay_split(format, part, seen - at, seen == size, true, ITEM_MAX, &scanned, &slice);
        if (rc == FAY_SPLIT_ITEM) {
            assert(slice.at + slice.length <= slice.next && slice.next <= seen - at);
            assert(slice.next > 0 && slice.length <= ITEM_MAX);
            fay_buffer_append(items, &slice.length, sizeof slice.length);
            fay_buffer_append(items, part + slice.at, slice.length);
            at += slice.next;
        }
        free(part);
        if (rc < 0 || (rc == FAY_SPLIT_MORE && seen == size))
            return rc;
        if (rc == FAY_SPLIT_MORE)
            seen = FAY_MIN(seen + step, size);
    }
}

static void join(fay_format format, const uint8_t *item, size_t size)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer out = {0};
    fay_slice slice;
    if (fay_join(format, item, size, &out) != 0) {
        assert(fay_buffer_size(&out) == 0);
        return;
    }
    assert(fay_split(format, out.bytes, fay_buffer_size(&out), true, false, UINT64_MAX, NULL,
                     &slice) == FAY_SPLIT_ITEM);
    assert(slice.length == size && slice.next == fay_buffer_size(&out));
    assert(size == 0 || memcmp(out.bytes + slice.at, item, size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer whole = {0};
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer pieces = {0};
    if (size < 2)
        return 0;
    fay_format format = (fay_format)(data[0] % 6);
    size_t step = (size_t)data[0] / 6 + 1;
    int rc = split(format, data + 1, size - 1, size, &whole);
    int again = split(format, data + 1, size - 1, step, &pieces);
    assert(rc == again && fay_buffer_size(&whole) == fay_buffer_size(&pieces));
    assert(fay_buffer_size(&whole) == 0 ||
           memcmp(whole.bytes, pieces.bytes, fay_buffer_size(&whole)) == 0);
    join(format, data + 1, size - 1);
    return 0;
}
