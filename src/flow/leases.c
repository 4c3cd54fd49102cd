/* SPDX-License-Identifier: MIT */
#include "flow/leases.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void fay_leases_deinit(fay_leases *leases)
{
    for (size_t i = leases->first; i < leases->first + leases->count; i++) {
        fay_batch_unref(leases->list[i].batch);
    }
    free(leases->list);
    *leases = (fay_leases){0};
}

static void insert(fay_leases *leases, size_t at, fay_lease lease)
{
    if (leases->first > 0 && leases->first + leases->count == leases->capacity) {
        memmove(leases->list, leases->list + leases->first, leases->count * sizeof *leases->list);
        at -= leases->first;
        leases->first = 0;
    }
    FAY_RESERVE(leases->list, leases->capacity, leases->first + leases->count + 1);
    size_t end = leases->first + leases->count;
    memmove(&leases->list[at + 1], &leases->list[at], (end - at) * sizeof *leases->list);
    leases->list[at] = lease;
    leases->count++;
}

void fay_leases_add(fay_leases *leases, fay_lease lease)
{
    assert(lease.count > 0);
    insert(leases, leases->first + leases->count, lease);
    leases->items += lease.count;
}

/* Index of the lease that holds the tag; first + count if none does. */
static size_t find(const fay_leases *leases, uint64_t tag)
{
    size_t i = leases->first;
    size_t end = leases->first + leases->count;
    while (i < end && tag - leases->list[i].tag >= leases->list[i].count) {
        i++;
    }
    return i;
}

bool fay_leases_cover(const fay_leases *leases, uint64_t tag, uint64_t count)
{
    while (count > 0) {
        size_t i = find(leases, tag);
        if (i == leases->first + leases->count)
            return false;
        const fay_lease *lease = &leases->list[i];
        uint64_t here = FAY_MIN(count, lease->tag + lease->count - tag);
        tag += here;
        count -= here;
    }
    return true;
}

const fay_lease *fay_leases_find(const fay_leases *leases, const uint64_t *tag)
{
    size_t i = tag != NULL ? find(leases, *tag) : leases->first;
    return i < leases->first + leases->count ? &leases->list[i] : NULL;
}

static void erase(fay_leases *leases, size_t i)
{
    size_t end = leases->first + leases->count;
    if (i == leases->first) {
        leases->first++;
    } else {
        memmove(&leases->list[i], &leases->list[i + 1], (end - i - 1) * sizeof *leases->list);
    }
    if (--leases->count == 0)
        leases->first = 0;
}

fay_lease fay_leases_take(fay_leases *leases, uint64_t tag, uint64_t count)
{
    size_t i = find(leases, tag);
    assert(i < leases->first + leases->count && count > 0);
    fay_lease *lease = &leases->list[i];
    size_t before = (size_t)(tag - lease->tag);
    size_t taken = (size_t)FAY_MIN(count, lease->count - before);
    size_t behind = lease->count - before - taken;
    fay_lease result = {
        .tag = tag, .batch = lease->batch, .at = lease->at + before, .count = taken};
    fay_lease tail = {
        .tag = tag + taken, .batch = lease->batch, .at = result.at + taken, .count = behind};
    leases->items -= taken;
    if (before == 0 && behind == 0) {
        erase(leases, i);
    } else if (before == 0) {
        *lease = tail;
        (void)fay_batch_ref(result.batch);
    } else {
        lease->count = before;
        (void)fay_batch_ref(result.batch);
        if (behind > 0) {
            (void)fay_batch_ref(tail.batch);
            insert(leases, i + 1, tail);
        }
    }
    return result;
}
