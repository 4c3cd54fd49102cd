/* SPDX-License-Identifier: MIT */
/*
 * Results on their way out: the children of one or several Items, in the columns of a block
 * (wire/block.h), so that writing the block is copying four pieces.
 *
 *     lengths       | 5 | 3 | 9 |          a mark remembers a place in all columns: what is behind
 *     data          |.....|...|.........|  it belongs to the Item in hand, is cut off if that fails
 *     attr lengths  | 0 | 7 | 0 |          empty until the first child with attributes
 *     attrs         |.......|
 */
#ifndef FAY_CHILDREN_H
#define FAY_CHILDREN_H

#include "base/base.h"
#include "base/buffer.h"

typedef struct fay_children {
    fay_buffer lengths, data, attr_lengths, attrs;
    uint32_t count;
    bool has_attrs;
} fay_children;

typedef struct fay_mark {
    uint32_t count;
    size_t data, attrs; /* bytes before the mark */
} fay_mark;

void fay_children_deinit(fay_children *children);
void fay_children_add(fay_children *children, const void *data, size_t size,
                      const fay_buffer *attrs);
/* Adds all that another one has. */
void fay_children_add_all(fay_children *children, const fay_children *from);

fay_mark fay_children_mark(const fay_children *children);
/* Drops what lies behind the mark. */
void fay_children_cut(fay_children *children, fay_mark mark);
/* Appends what lies before the mark as a block, and drops it. */
void fay_children_take(fay_children *children, fay_mark mark, fay_buffer *out);

/* A mark behind as many children as weigh at most `weight` bytes, but behind one at least. */
fay_mark fay_children_some(const fay_children *children, size_t weight);

/* Gives back the memory of an unusually large set. It must be empty. */
void fay_children_trim(fay_children *children);

#endif /* FAY_CHILDREN_H */
