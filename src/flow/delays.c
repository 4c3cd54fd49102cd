/* SPDX-License-Identifier: MIT */
#include "flow/delays.h"

#include <assert.h>
#include <stdlib.h>

void fay_delays_deinit(fay_delays *delays)
{
    for (size_t i = 0; i < delays->count; i++) {
        fay_batch_unref(delays->heap[i].batch);
    }
    free(delays->heap);
    *delays = (fay_delays){0};
}

static bool before(const fay_delay *a, const fay_delay *b)
{
    return a->due != b->due ? a->due < b->due : a->serial < b->serial;
}

static void swap(fay_delay *a, fay_delay *b)
{
    fay_delay t = *a;
    *a = *b;
    *b = t;
}

void fay_delays_add(fay_delays *delays, fay_ns due, size_t stage, fay_batch *batch)
{
    assert(batch->count == 1);
    FAY_RESERVE(delays->heap, delays->capacity, delays->count + 1);
    size_t i = delays->count++;
    delays->heap[i] =
        (fay_delay){.due = due, .serial = delays->serial++, .stage = stage, .batch = batch};
    while (i > 0 && before(&delays->heap[i], &delays->heap[(i - 1) / 2])) {
        swap(&delays->heap[i], &delays->heap[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
}

fay_ns fay_delays_due(const fay_delays *delays)
{
    return delays->count > 0 ? delays->heap[0].due : FAY_NEVER;
}

fay_delay fay_delays_take(fay_delays *delays)
{
    assert(delays->count > 0);
    fay_delay first = delays->heap[0];
    delays->heap[0] = delays->heap[--delays->count];
    size_t i = 0;
    for (;;) {
        size_t least = i;
        for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < delays->count; child++) {
            if (before(&delays->heap[child], &delays->heap[least]))
                least = child;
        }
        if (least == i)
            return first;
        swap(&delays->heap[i], &delays->heap[least]);
        i = least;
    }
}
