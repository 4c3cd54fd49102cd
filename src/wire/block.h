/* SPDX-License-Identifier: MIT */
/*
 * A block: Items as they lie inside LEASE, RESULTS and PART. Decoded by hand, bounds first; what is
 * decoded points into the frame.
 *
 *     u32 count | u8 gap | u8 has | u16 0
 *     u32 length[count]
 *     has & IDS_DENSE     u64 root, u16 attempt, u8 path size, path       roots count up from there
 *     has & IDS           count x (u64 root, u16 attempt, u8 path size, path)
 *     has & ROUTES        u64 targets[count]                      bit n = stage n, 63 = sink
 *     has & ATTRS         u32 length[count], then the attributes
 *     data                count x (payload, gap bytes)
 *
 * LEASE    u64 first tag | u64 enqueued, ms since 1970 | block with ids
 *          The Items have the tags first, first + 1, ..; dense per link.
 * RESULTS  u64 first tag | u32 count | u64 useful ns | u8 counted | u32 children[count] if counted,
 *          else one each | block of all children, in order of tags
 * PART     u64 tag | block of children that come before those of the RESULTS of that tag
 */
#ifndef FAY_BLOCK_H
#define FAY_BLOCK_H

#include "base/base.h"
#include "base/buffer.h"
#include "wire/batch.h"

enum {
    FAY_BLOCK_IDS_DENSE = 1u,
    FAY_BLOCK_IDS = 2u,
    FAY_BLOCK_ROUTES = 4u,
    FAY_BLOCK_ATTRS = 8u,
};
#define FAY_TARGET_SINK_BIT 63
#define FAY_TARGET_SINK     (UINT64_C(1) << FAY_TARGET_SINK_BIT)

typedef struct fay_block {
    uint32_t count;
    uint8_t gap, has;
    const uint8_t *lengths, *ids, *routes, *attr_lengths, *attrs, *data;
    size_t data_size, attrs_size;
} fay_block;

typedef struct fay_lease_frame {
    uint64_t first_tag, enqueued_ms;
    fay_block block;
} fay_lease_frame;

typedef struct fay_results_frame {
    uint64_t first_tag, useful_ns;
    uint32_t count;
    const uint8_t *children; /* NULL = one each; else u32 each (fay_load32) */
    fay_block block;
} fay_results_frame;

typedef struct fay_part_frame {
    uint64_t tag;
    fay_block block;
} fay_part_frame;

/* 0, or FAY_E_PEER: every length, count and path in the payload has been checked. */
int fay_lease_parse(const uint8_t *payload, size_t size, fay_lease_frame *ret);
int fay_results_parse(const uint8_t *payload, size_t size, fay_results_frame *ret);
int fay_part_parse(const uint8_t *payload, size_t size, fay_part_frame *ret);

/* Walks the Items of a block that was parsed:
 *     fay_block_item item = {0};
 *     while (fay_block_next(&block, &item)) ...  */
typedef struct fay_block_item {
    uint32_t index; /* of the next one */
    const uint8_t *data, *attrs;
    size_t size, attrs_size;
    uint64_t root, targets; /* 0 where the block has none */
    uint16_t attempt;
    fay_path path;
    size_t data_at, attrs_at, ids_at;
} fay_block_item;
bool fay_block_next(const fay_block *block, fay_block_item *item);

/* A new batch with copies of the Items; `ids` are taken where the block has them. */
fay_batch *fay_block_batch(const fay_block *block);
/* The targets of its Items, one each; NULL if it has none. free() them. */
uint64_t *fay_block_targets(const fay_block *block);

/* Appends the block head (all but the data) of Items [at, at + count). `ids`: with root, attempt
 * (the next one: entry->attempt + 1) and path. `targets` (per Item) may be NULL. */
void fay_block_head(const fay_batch *batch, size_t at, size_t count, bool ids,
                    const uint64_t *targets, fay_buffer *out);
/* Appends the data of the same Items. */
void fay_block_data(const fay_batch *batch, size_t at, size_t count, fay_buffer *out);

#endif /* FAY_BLOCK_H */
