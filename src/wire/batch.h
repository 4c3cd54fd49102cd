/* SPDX-License-Identifier: MIT */
/*
 * A batch: Items in memory as they travel, and the one way in which our processes hold them.
 *
 *     entries:  [ root 7 | at, size | attrs | attempt | path ] [ root 8 ... ] ...
 *                            |
 *     bytes:    ....payload\n payload\n ....attrs....
 *
 * An Item is an entry that points into the batch's bytes, so that moving thousands of them costs
 * one allocation and no copy. `gap` is how many bytes lie behind each payload: 1 (a newline) for
 * Items that came as lines, so that they can be passed on as text without touching them; else 0.
 *
 * Counted, not thread safe. Entries and bytes do not change once the batch is shared, but for
 * `attempt` and `backs`, which the ledger keeps.
 */
#ifndef FAY_BATCH_H
#define FAY_BATCH_H

#include "base/base.h"
#include "wire/path.h"

typedef struct fay_entry {
    uint64_t root;     /* number of the source Item */
    uint32_t at, size; /* payload */
    uint32_t attrs_at; /* encoded attributes (item/attrs.h); size 0 = none */
    uint32_t attrs_size;
    uint16_t attempt; /* tries that counted so far */
    uint8_t backs;    /* how often it was given back unasked; up to FAY_GIVE_BACKS_MAX */
    fay_path path;    /* below the root */
} fay_entry;

typedef struct fay_batch {
    uint32_t refs;
    uint8_t gap;
    size_t count, capacity; /* entries */
    fay_entry *entries;
    uint8_t *bytes; /* less than 4 GiB */
    size_t size, room;
} fay_batch;

fay_batch *fay_batch_new(void);
fay_batch *fay_batch_ref(fay_batch *batch);
void fay_batch_unref(fay_batch *batch);
void fay_batch_unrefp(fay_batch **batch); /* for FAY_CLEANUP */

/* Room for `count` more entries and `size` more bytes, so that appends do not move them. */
void fay_batch_reserve(fay_batch *batch, size_t count, size_t size);
/* An entry whose payload lies in the bytes already. */
fay_entry *fay_batch_push(fay_batch *batch, size_t at, size_t size);
/* Copies a payload (and a newline if gap is 1) and makes its entry. */
fay_entry *fay_batch_append(fay_batch *batch, const void *payload, size_t size);
/* Copies attributes behind the last entry's payload. With gap 0 only. */
void fay_batch_append_attrs(fay_batch *batch, const void *attrs, size_t size);
/* Copies one entry of another batch: payload, attributes, root, path, attempt. */
fay_entry *fay_batch_copy(fay_batch *batch, const fay_batch *from, size_t index);

/* Whether the payloads of [at, at + count) lie in one piece, `gap` bytes apart; if so, *ret_size is
 * the size of the piece (with the last gap) that begins at the first payload. */
bool fay_batch_contiguous(const fay_batch *batch, size_t at, size_t count, size_t *ret_size);

/* Bytes of payload and attributes of [at, at + count). */
size_t fay_batch_weight(const fay_batch *batch, size_t at, size_t count);

#endif /* FAY_BATCH_H */
