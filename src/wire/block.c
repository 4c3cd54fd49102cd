/* SPDX-License-Identifier: MIT */
#include "wire/block.h"

#include <assert.h>
#include <string.h>

#include "base/limits.h"
#include "wire/codec.h"

enum {
    ID_SIZE = 8 + 2 + 1
}; /* root, attempt, path size */

/* Sum of the u32 at `lengths`, each with `gap` bytes more. */
static size_t sum(const uint8_t *lengths, size_t count, size_t gap)
{
    size_t total = gap * count;
    for (size_t i = 0; i < count; i++) {
        total += fay_load32(lengths + 4 * i);
    }
    return total;
}

static void read_id(fay_reader *r)
{
    (void)fay_read_raw(r, ID_SIZE - 1);
    size_t size = fay_read8(r);
    const uint8_t *path = fay_read_raw(r, size);
    if (path == NULL || fay_path_check(path, size) != 0)
        r->bad = true;
}

static void read_ids(fay_reader *r, fay_block *block)
{
    block->ids = r->at;
    size_t ids = (block->has & FAY_BLOCK_IDS_DENSE) != 0 ? 1 : block->count;
    for (size_t i = 0; i < ids && !r->bad; i++) {
        read_id(r);
    }
}

static int read_block(fay_reader *r, fay_block *ret)
{
    fay_block block = {.count = fay_read32(r)};
    block.gap = fay_read8(r);
    block.has = fay_read8(r);
    uint16_t zero = fay_read16(r);
    if (block.count > FAY_BLOCK_ITEMS_MAX || block.gap > 1 || block.has > 15 || zero != 0)
        return FAY_E_PEER;

    size_t count = block.count;
    block.lengths = fay_read_raw(r, 4 * count);
    if ((block.has & (FAY_BLOCK_IDS_DENSE | FAY_BLOCK_IDS)) != 0)
        read_ids(r, &block);
    if ((block.has & FAY_BLOCK_ROUTES) != 0)
        block.routes = fay_read_raw(r, 8 * count);
    if ((block.has & FAY_BLOCK_ATTRS) != 0)
        block.attr_lengths = fay_read_raw(r, 4 * count);
    if (r->bad)
        return FAY_E_PEER;

    block.attrs_size = block.attr_lengths != NULL ? sum(block.attr_lengths, count, 0) : 0;
    block.attrs = fay_read_raw(r, block.attrs_size);
    block.data_size = sum(block.lengths, count, block.gap);
    block.data = fay_read_raw(r, block.data_size);
    if (fay_reader_done(r) != 0)
        return FAY_E_PEER;
    *ret = block;
    return 0;
}

int fay_lease_parse(const uint8_t *payload, size_t size, fay_lease_frame *ret)
{
    fay_reader r = fay_reader_of(payload, size);
    fay_lease_frame lease = {.first_tag = fay_read64(&r)};
    lease.enqueued_ms = fay_read64(&r);
    int rc = read_block(&r, &lease.block);
    if (rc != 0 || lease.block.count == 0)
        return FAY_E_PEER;
    *ret = lease;
    return 0;
}

int fay_results_parse(const uint8_t *payload, size_t size, fay_results_frame *ret)
{
    fay_reader r = fay_reader_of(payload, size);
    fay_results_frame results = {.first_tag = fay_read64(&r)};
    results.count = fay_read32(&r);
    results.useful_ns = fay_read64(&r);
    bool counted = fay_read8(&r) != 0;
    if (results.count == 0 || results.count > FAY_BLOCK_ITEMS_MAX)
        return FAY_E_PEER;
    if (counted)
        results.children = fay_read_raw(&r, 4 * (size_t)results.count);
    if (r.bad || read_block(&r, &results.block) != 0)
        return FAY_E_PEER;
    size_t children = counted ? sum(results.children, results.count, 0) : results.count;
    if (children != results.block.count)
        return FAY_E_PEER;
    *ret = results;
    return 0;
}

int fay_part_parse(const uint8_t *payload, size_t size, fay_part_frame *ret)
{
    fay_reader r = fay_reader_of(payload, size);
    fay_part_frame part = {.tag = fay_read64(&r)};
    if (read_block(&r, &part.block) != 0)
        return FAY_E_PEER;
    *ret = part;
    return 0;
}

static void next_id(const fay_block *block, fay_block_item *item)
{
    const uint8_t *id = block->ids + item->ids_at;
    bool dense = (block->has & FAY_BLOCK_IDS_DENSE) != 0;
    item->root = fay_load64(id) + (dense ? item->index : 0);
    item->attempt = fay_load16(id + 8);
    item->path.size = id[10];
    memcpy(item->path.bytes, id + ID_SIZE, item->path.size);
    if (!dense)
        item->ids_at += ID_SIZE + (size_t)item->path.size;
}

bool fay_block_next(const fay_block *block, fay_block_item *item)
{
    if (item->index == block->count)
        return false;
    size_t i = item->index;
    item->size = fay_load32(block->lengths + 4 * i);
    item->data = block->data + item->data_at;
    item->data_at += item->size + block->gap;
    if (block->attr_lengths != NULL) {
        item->attrs_size = fay_load32(block->attr_lengths + 4 * i);
        item->attrs = block->attrs + item->attrs_at;
        item->attrs_at += item->attrs_size;
    }
    if (block->ids != NULL)
        next_id(block, item);
    if (block->routes != NULL)
        item->targets = fay_load64(block->routes + 8 * i);
    item->index++;
    return true;
}

fay_batch *fay_block_batch(const fay_block *block)
{
    fay_batch *batch = fay_batch_new();
    batch->gap = block->gap;
    fay_batch_reserve(batch, block->count, block->data_size + block->attrs_size);
    if (block->data_size > 0)
        memcpy(batch->bytes, block->data, block->data_size);
    batch->size = block->data_size;
    if (block->attrs_size > 0)
        memcpy(batch->bytes + block->data_size, block->attrs, block->attrs_size);
    batch->size += block->attrs_size;

    if (block->ids == NULL && block->attrs_size == 0) { /* the hot way: lengths only */
        size_t at = 0;
        for (size_t i = 0; i < block->count; i++) {
            uint32_t size = fay_load32(block->lengths + 4 * i);
            batch->entries[i] = (fay_entry){.at = (uint32_t)at, .size = size};
            at += size + block->gap;
        }
        batch->count = block->count;
        return batch;
    }
    fay_block_item item = {0};
    while (fay_block_next(block, &item)) {
        fay_entry *entry = fay_batch_push(batch, (size_t)(item.data - block->data), item.size);
        entry->root = item.root;
        entry->attempt = item.attempt;
        entry->path = item.path;
        if (item.attrs_size > 0) {
            entry->attrs_at = (uint32_t)(block->data_size + (size_t)(item.attrs - block->attrs));
            entry->attrs_size = (uint32_t)item.attrs_size;
        }
    }
    return batch;
}

uint64_t *fay_block_targets(const fay_block *block)
{
    if (block->routes == NULL)
        return NULL;
    uint64_t *targets = fay_alloc(block->count * sizeof *targets);
    for (size_t i = 0; i < block->count; i++) {
        targets[i] = fay_load64(block->routes + 8 * i);
    }
    return targets;
}

static bool dense(const fay_entry *entry, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (entry[i].root != entry[0].root + i || entry[i].attempt != entry[0].attempt ||
            entry[i].path.size != entry[0].path.size ||
            memcmp(entry[i].path.bytes, entry[0].path.bytes, entry[0].path.size) != 0)
            return false;
    }
    return true;
}

static void write_id(const fay_entry *entry, fay_buffer *out)
{
    unsigned attempt = FAY_MIN(entry->attempt + 1u, (unsigned)UINT16_MAX); /* `forever` is long */
    fay_write64(out, entry->root);
    fay_write16(out, (uint16_t)attempt);
    fay_write8(out, entry->path.size);
    fay_buffer_append(out, entry->path.bytes, entry->path.size);
}

static void write_ids(const fay_entry *entry, size_t count, uint8_t has, fay_buffer *out)
{
    size_t ids = (has & FAY_BLOCK_IDS_DENSE) != 0 ? 1 : count;
    for (size_t i = 0; i < ids; i++) {
        write_id(&entry[i], out);
    }
}

static void write_attrs(const fay_batch *batch, const fay_entry *entry, size_t count,
                        fay_buffer *out)
{
    for (size_t i = 0; i < count; i++) {
        fay_write32(out, entry[i].attrs_size);
    }
    for (size_t i = 0; i < count; i++) {
        if (entry[i].attrs_size > 0)
            fay_buffer_append(out, batch->bytes + entry[i].attrs_at, entry[i].attrs_size);
    }
}

static bool any_attrs(const fay_entry *entry, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (entry[i].attrs_size > 0)
            return true;
    }
    return false;
}

void fay_block_head(const fay_batch *batch, size_t at, size_t count, bool ids,
                    const uint64_t *targets, fay_buffer *out)
{
    assert(count <= FAY_BLOCK_ITEMS_MAX && at + count <= batch->count);
    const fay_entry *entry = count > 0 ? &batch->entries[at] : NULL;
    uint8_t has = 0;
    if (ids && count > 0)
        has |= dense(entry, count) ? FAY_BLOCK_IDS_DENSE : FAY_BLOCK_IDS;
    if (targets != NULL)
        has |= FAY_BLOCK_ROUTES;
    if (any_attrs(entry, count))
        has |= FAY_BLOCK_ATTRS;

    fay_write32(out, (uint32_t)count);
    fay_write8(out, batch->gap);
    fay_write8(out, has);
    fay_write16(out, 0);
    uint8_t *lengths = fay_buffer_reserve(out, 4 * count);
    for (size_t i = 0; i < count; i++) {
        fay_store32(lengths + 4 * i, entry[i].size);
    }
    fay_buffer_commit(out, 4 * count);
    if ((has & (FAY_BLOCK_IDS_DENSE | FAY_BLOCK_IDS)) != 0)
        write_ids(entry, count, has, out);
    for (size_t i = 0; targets != NULL && i < count; i++) {
        fay_write64(out, targets[i]);
    }
    if ((has & FAY_BLOCK_ATTRS) != 0)
        write_attrs(batch, entry, count, out);
}

void fay_block_data(const fay_batch *batch, size_t at, size_t count, fay_buffer *out)
{
    size_t size;
    if (count == 0)
        return;
    if (fay_batch_contiguous(batch, at, count, &size)) {
        fay_buffer_append(out, batch->bytes + batch->entries[at].at, size);
        return;
    }
    for (size_t i = at; i < at + count; i++) {
        fay_buffer_append(out, batch->bytes + batch->entries[i].at, batch->entries[i].size);
        if (batch->gap > 0)
            fay_buffer_append(out, "\n", 1);
    }
}
