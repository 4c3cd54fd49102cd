/* SPDX-License-Identifier: MIT */
/*
 * A set of root numbers as sorted, separate ranges [from, to): which source Items are done. While a
 * run goes on there is about one range per Item that lags behind, so the list stays as short as the
 * window. Each range remembers the source's position behind its last root, because the position of
 * the first, gap-free range is where a resumed run starts to read.
 */
#ifndef FAY_RANGES_H
#define FAY_RANGES_H

#include "flow/flow.h"

typedef struct fay_ranges {
    fay_range *list;
    uint64_t *ends; /* position behind list[i].to - 1 */
    size_t count, capacity, ends_capacity;
} fay_ranges;

void fay_ranges_deinit(fay_ranges *ranges); /* empty and usable again */
/* Adds a root, or a range that is not empty, with the source's position behind it. None of it may
 * be in the set already: no root is acked twice. Joins what it touches. */
void fay_ranges_add(fay_ranges *ranges, uint64_t root, uint64_t end);
void fay_ranges_add_range(fay_ranges *ranges, fay_range range, uint64_t end);
bool fay_ranges_has(const fay_ranges *ranges, uint64_t root);
/* The source was read again past a root that is in the set: its position is known now. */
void fay_ranges_note_end(fay_ranges *ranges, uint64_t root, uint64_t end);
void fay_ranges_copy(fay_ranges *to, const fay_ranges *from); /* what `to` held is gone */
void fay_ranges_clear(fay_ranges *ranges);                    /* keeps the memory */

#endif /* FAY_RANGES_H */
