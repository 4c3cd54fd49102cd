/* SPDX-License-Identifier: MIT */
/*
 * Where an Item stands below its source Item: the numbers of "7.2.1" behind the root (here 2, 1),
 * packed so that comparing bytes compares paths, a parent before its children.
 *
 *     0 .. 239          one byte
 *     240 .. 65,535     0xf0, then 2 bytes, most significant first
 *     .. 2^32 - 1       0xf1, then 4 bytes
 *     .. 2^64 - 1       0xf2, then 8 bytes
 *
 * The longest path is FAY_PATH_MAX bytes; an Item whose child would pass it cannot have children.
 */
#ifndef FAY_PATH_H
#define FAY_PATH_H

#include "base/base.h"
#include "base/limits.h"

typedef struct fay_path {
    uint8_t size;
    uint8_t bytes[FAY_PATH_MAX];
} fay_path;

/* Appends one number. FAY_E_NORES when it does not fit: nothing has changed then. */
int fay_path_append(fay_path *path, uint64_t number);

/* < 0, 0, > 0, in the order in which children leave an ordered stage. */
int fay_path_compare(const fay_path *a, const fay_path *b);

/* 0, or FAY_E_PEER if the bytes are no path. */
int fay_path_check(const uint8_t *bytes, size_t size);

enum {
    FAY_PATH_TEXT_MAX = 24 + (int)FAY_PATH_MAX * 4
};
/* "7.2.1", NUL-terminated; returns its length. With `parent`, without the last number ("" if none).
 */
size_t fay_path_text(uint64_t root, const fay_path *path, bool parent,
                     char text[FAY_PATH_TEXT_MAX]);

#endif /* FAY_PATH_H */
