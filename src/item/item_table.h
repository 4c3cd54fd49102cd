/* SPDX-License-Identifier: MIT */
/*
 * The decoded attributes of an Item: a table of names and values whose texts lie in an arena.
 * Shared by item.c, which reads, and item_set.c, which writes.
 */
#ifndef FAY_ITEM_TABLE_H
#define FAY_ITEM_TABLE_H

#include "item/item.h"

/* One decoded attribute. */
struct fay_attr {
    const char *name; /* NUL-terminated */
    size_t name_size;
    fay_type type;
    int64_t integer; /* INT, BOOL */
    double real;
    const uint8_t *bytes; /* STRING (NUL-terminated), BYTES; LIST, MAP: encoded */
    size_t size;
};

/* Room that stays where it is as long as the Item lives; NULL = out of memory. */
void *fay_item_arena(fay_item *item, size_t size);
/* A copy with a NUL behind it. */
char *fay_item_arena_copy(fay_item *item, const void *bytes, size_t size);
/* Frees all blocks, or all but one of ordinary size. */
void fay_item_arena_free(fay_item *item, bool keep_one);

/* Fills the table from the encoded attributes, if that has not been done. */
void fay_item_decode(const fay_item *item);
struct fay_attr *fay_item_find(const fay_item *item, const char *name);
/* Room in the table for one more; false = out of memory. */
bool fay_item_table_grow(fay_item *item);
/* Makes an attribute's value of an encoded one. Texts are copied, the rest points into `bytes`.
 * false: no msgpack, or out of memory. */
bool fay_attr_from_msgpack(fay_item *item, struct fay_attr *attr, const uint8_t *bytes,
                           size_t size);

bool fay_item_name_is_status(const char *name);
bool fay_item_name_is_data(const char *name);

#endif /* FAY_ITEM_TABLE_H */
