/* SPDX-License-Identifier: MIT */
/*
 * The inside of a fay_item (faymora/item.h), for those who make Items out of frames.
 *
 *     frame bytes:  ... | payload | ... | attrs (msgpack) | ...      a fay_store, counted
 *                          ^                ^
 *     fay_item             '---- data       '---- attrs ---> decoded on first use: table, arena
 *
 * An Item that was received is a view: two pointers into the bytes it came in. As long as it has
 * one reference only (its receiver's) the next Item is put into the same object. The first one that
 * anyone else takes pins the store, so that what the Item points to, and what it lent, stays.
 *
 * An Item that was made here has everything in its arena, which only grows: replaced values stay
 * until the Item goes, and so does what a getter has lent.
 */
#ifndef FAY_ITEM_H
#define FAY_ITEM_H

#include <stdatomic.h>

#include <faymora/item.h>

#include "base/base.h"
#include "base/buffer.h"
#include "wire/path.h"

/* Counted bytes, of whose count any thread may take or drop one. */
typedef struct fay_store {
    atomic_uint refs;
    size_t size;
    uint8_t bytes[];
} fay_store;

fay_store *fay_store_new(size_t size); /* uninitialised */
fay_store *fay_store_ref(fay_store *store);
void fay_store_unref(fay_store *store); /* NULL is ignored */

/* What is true of all Items of a stage; counted likewise, since Items may be kept. */
typedef struct fay_item_status {
    atomic_uint refs;
    atomic_int pressure;
    atomic_uint workers;
    char *stage, *node;
} fay_item_status;

fay_item_status *fay_item_status_new(const char *stage, const char *node);
fay_item_status *fay_item_status_ref(fay_item_status *status);
void fay_item_status_unref(fay_item_status *status); /* NULL is ignored */

struct fay_item {
    fay_item *self; /* this, where only a const pointer is at hand */
    atomic_uint refs;
    atomic_bool pinned; /* holds references of `store` and `status` */
    bool made;          /* here: may be changed */
    bool decoded;       /* `table` is what `attrs` says */
    bool changed;       /* `table` is more than what `attrs` says */
    const uint8_t *data;
    size_t size;
    const uint8_t *attrs; /* encoded (attrs.h) */
    size_t attrs_size;
    fay_store *store;        /* of a view: where these lie */
    fay_item_status *status; /* NULL: made here */
    uint64_t root, enqueued_ms;
    uint16_t attempt;
    fay_path path;
    struct fay_attr *table;
    size_t count, capacity;
    struct fay_arena *arena; /* newest block first */
    char *id, *parent;       /* texts, once asked for */
};

/* An empty view with one reference; aborts when there is no memory. */
fay_item *fay_item_view_new(void);

/* Whether the caller's is the only reference, so that the object can be used again. */
bool fay_item_unshared(const fay_item *item);

/* Makes the view forget what it showed. It must be unshared. */
void fay_item_view_reset(fay_item *item);

/* Appends the encoded attributes; nothing when there are none. */
void fay_item_encode(const fay_item *item, fay_buffer *attrs);

#endif /* FAY_ITEM_H */
