/* SPDX-License-Identifier: MIT */
#include "wire/batch.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

fay_batch *fay_batch_new(void)
{
    fay_batch *batch = fay_alloc(sizeof *batch);
    batch->refs = 1;
    return batch;
}

fay_batch *fay_batch_ref(fay_batch *batch)
{
    assert(batch->refs > 0 && batch->refs < UINT32_MAX);
    batch->refs++;
    return batch;
}

void fay_batch_unref(fay_batch *batch)
{
    if (batch == NULL)
        return;
    assert(batch->refs > 0);
    if (--batch->refs > 0)
        return;
    free(batch->entries);
    free(batch->bytes);
    free(batch);
}

void fay_batch_unrefp(fay_batch **batch)
{
    fay_batch_unref(*batch);
    *batch = NULL;
}

void fay_batch_reserve(fay_batch *batch, size_t count, size_t size)
{
    FAY_RESERVE(batch->entries, batch->capacity, batch->count + count);
    FAY_RESERVE(batch->bytes, batch->room,
                batch->size + size + 1); /* never NULL: empty Items too */
}

fay_entry *fay_batch_push(fay_batch *batch, size_t at, size_t size)
{
    assert(at + size <= batch->size && batch->size <= UINT32_MAX);
    FAY_RESERVE(batch->entries, batch->capacity, batch->count + 1);
    fay_entry *entry = &batch->entries[batch->count++];
    *entry = (fay_entry){.at = (uint32_t)at, .size = (uint32_t)size};
    return entry;
}

static size_t append(fay_batch *batch, const void *bytes, size_t size, size_t spare)
{
    FAY_RESERVE(batch->bytes, batch->room, batch->size + size + spare + 1); /* never NULL */
    size_t at = batch->size;
    if (size > 0)
        memcpy(batch->bytes + at, bytes, size);
    batch->size += size;
    return at;
}

fay_entry *fay_batch_append(fay_batch *batch, const void *payload, size_t size)
{
    size_t at = append(batch, payload, size, batch->gap);
    if (batch->gap > 0)
        batch->bytes[batch->size++] = '\n';
    return fay_batch_push(batch, at, size);
}

void fay_batch_append_attrs(fay_batch *batch, const void *attrs, size_t size)
{
    assert(batch->count > 0);
    if (size == 0)
        return;
    size_t at = append(batch, attrs, size, 0);
    assert(batch->size <= UINT32_MAX);
    fay_entry *entry = &batch->entries[batch->count - 1];
    entry->attrs_at = (uint32_t)at;
    entry->attrs_size = (uint32_t)size;
}

fay_entry *fay_batch_copy(fay_batch *batch, const fay_batch *from, size_t index)
{
    assert(index < from->count && batch != from);
    const fay_entry *source = &from->entries[index];
    fay_entry *entry = fay_batch_append(batch, from->bytes + source->at, source->size);
    entry->root = source->root;
    entry->attempt = source->attempt;
    entry->backs = source->backs;
    entry->path = source->path;
    if (source->attrs_size > 0)
        fay_batch_append_attrs(batch, from->bytes + source->attrs_at, source->attrs_size);
    return entry;
}

bool fay_batch_contiguous(const fay_batch *batch, size_t at, size_t count, size_t *ret_size)
{
    assert(count > 0 && at + count <= batch->count);
    const fay_entry *entry = &batch->entries[at];
    for (size_t i = 1; i < count; i++) {
        if (entry[i].at != entry[i - 1].at + entry[i - 1].size + batch->gap)
            return false;
    }
    *ret_size = entry[count - 1].at + entry[count - 1].size + batch->gap - entry[0].at;
    return entry[0].at + *ret_size <= batch->size;
}

size_t fay_batch_weight(const fay_batch *batch, size_t at, size_t count)
{
    size_t weight = 0;
    for (size_t i = at; i < at + count; i++) {
        weight += batch->entries[i].size + batch->entries[i].attrs_size;
    }
    return weight;
}
