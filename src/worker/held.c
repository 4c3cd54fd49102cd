/* SPDX-License-Identifier: MIT */
#include "worker/held.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void drop_run(fay_held_run *run)
{
    free(run->done);
    fay_batch_unref(run->batch);
    *run = (fay_held_run){0};
}

void fay_held_deinit(fay_held *held)
{
    for (size_t i = held->start; i < held->end; i++) {
        drop_run(&held->runs[i]);
    }
    free(held->runs);
    *held = (fay_held){0};
}

/* Forgets what is answered whole at both ends. */
static void trim(fay_held *held)
{
    while (held->start < held->end && held->runs[held->start].left == 0) {
        drop_run(&held->runs[held->start++]);
    }
    while (held->start < held->end && held->runs[held->end - 1].left == 0) {
        drop_run(&held->runs[--held->end]);
    }
    if (held->start == held->end)
        held->start = held->end = 0;
}

int fay_held_push(fay_held *held, uint64_t first, uint32_t count, fay_batch *batch)
{
    trim(held);
    assert(held->runs != NULL || held->capacity == 0);
    const fay_held_run *last = held->end > held->start ? &held->runs[held->end - 1] : NULL;
    if (count == 0 || first + count < first || (last != NULL && first < last->first + last->count))
        return FAY_E_PEER;
    if (held->start > held->capacity / 2 && held->end == held->capacity && held->runs != NULL) {
        memmove(held->runs, held->runs + held->start,
                (held->end - held->start) * sizeof *held->runs);
        held->end -= held->start;
        held->start = 0;
    }
    FAY_RESERVE(held->runs, held->capacity, held->end + 1);
    assert(held->runs != NULL);
    held->runs[held->end++] =
        (fay_held_run){.first = first, .count = count, .left = count, .batch = batch};
    held->items += count;
    return 0;
}

static bool answered(const fay_held_run *run, uint32_t i)
{
    return i < run->at || (run->done != NULL && (run->done[i / 64] >> (i % 64) & 1) != 0);
}

/* The first run with Items left. */
static fay_held_run *oldest(const fay_held *held)
{
    for (size_t i = held->start; i < held->end; i++) {
        if (held->runs[i].left > 0)
            return &held->runs[i];
    }
    return NULL;
}

bool fay_held_oldest(const fay_held *held, uint64_t *ret_tag)
{
    const fay_held_run *run = oldest(held);
    if (run != NULL)
        *ret_tag = run->first + run->at;
    return run != NULL;
}

static void answer(fay_held *held, fay_held_run *run, uint32_t from, uint32_t count)
{
    run->left -= count;
    held->items -= count;
    if (from == run->at) {
        run->at += count;
    } else {
        if (run->done == NULL)
            run->done = fay_alloc((run->count / 64 + 1) * sizeof *run->done);
        for (uint32_t i = from; i < from + count; i++) {
            run->done[i / 64] |= UINT64_C(1) << (i % 64);
        }
    }
    while (run->at < run->count && answered(run, run->at)) {
        run->at++;
    }
}

uint32_t fay_held_peek(const fay_held *held, size_t want, const fay_held_run **ret_run,
                       uint32_t *ret_at)
{
    const fay_held_run *run = oldest(held);
    if (run == NULL || want == 0)
        return 0;
    uint32_t count = 1, most = (uint32_t)FAY_MIN(want, (size_t)(run->count - run->at));
    if (run->done == NULL) {
        count = most;
    } else {
        while (count < most && !answered(run, run->at + count)) {
            count++;
        }
    }
    *ret_run = run;
    *ret_at = run->at;
    return count;
}

uint32_t fay_held_take(fay_held *held, size_t want, const fay_held_run **ret_run, uint32_t *ret_at)
{
    trim(held);
    uint32_t count = fay_held_peek(held, want, ret_run, ret_at);
    if (count > 0)
        answer(held, oldest(held), *ret_at, count);
    return count;
}

/* The run that has the tag; NULL if it is held by none. */
static fay_held_run *find(const fay_held *held, uint64_t tag)
{
    size_t low = held->start, high = held->end;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const fay_held_run *run = &held->runs[middle];
        if (tag < run->first) {
            high = middle;
        } else if (tag >= run->first + run->count) {
            low = middle + 1;
        } else {
            return &held->runs[middle];
        }
    }
    return NULL;
}

bool fay_held_has(const fay_held *held, uint64_t tag)
{
    const fay_held_run *run = find(held, tag);
    return run != NULL && !answered(run, (uint32_t)(tag - run->first));
}

int fay_held_answer(fay_held *held, uint64_t first, uint64_t count)
{
    if (count > held->items || first + count < first)
        return FAY_E_PEER;
    for (uint64_t i = 0; i < count;) {
        const fay_held_run *run = find(held, first + i);
        if (run == NULL)
            return FAY_E_PEER;
        uint32_t from = (uint32_t)(first + i - run->first);
        uint32_t part = (uint32_t)FAY_MIN(count - i, (uint64_t)(run->count - from));
        bool fresh = from >= run->at;
        for (uint32_t k = from; fresh && run->done != NULL && k < from + part; k++) {
            fresh = !answered(run, k);
        }
        if (!fresh)
            return FAY_E_PEER;
        i += part;
    }
    for (uint64_t i = 0; i < count;) {
        fay_held_run *run = find(held, first + i);
        assert(run != NULL);
        uint32_t from = (uint32_t)(first + i - run->first);
        uint32_t part = (uint32_t)FAY_MIN(count - i, (uint64_t)(run->count - from));
        answer(held, run, from, part);
        i += part;
    }
    trim(held);
    return 0;
}

uint32_t fay_held_give_back(fay_held *held, size_t want, uint64_t *ret_first)
{
    trim(held);
    if (held->start == held->end || want == 0)
        return 0;
    fay_held_run *run = &held->runs[held->end - 1];
    uint32_t end = run->count;
    while (end > run->at && answered(run, end - 1)) {
        end--;
    }
    uint32_t from = end;
    while (from > run->at && end - from < want && !answered(run, from - 1)) {
        from--;
    }
    *ret_first = run->first + from;
    answer(held, run, from, end - from);
    return end - from;
}
