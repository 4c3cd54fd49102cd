/* SPDX-License-Identifier: MIT */
#include "flow/ranges.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void fay_ranges_deinit(fay_ranges *ranges)
{
    free(ranges->list);
    free(ranges->ends);
    *ranges = (fay_ranges){0};
}

void fay_ranges_clear(fay_ranges *ranges)
{
    ranges->count = 0;
}

/* Index of the first range that ends behind `root`. Most roots belong at the end: look there first.
 */
static size_t find(const fay_ranges *ranges, uint64_t root)
{
    if (ranges->count == 0 || ranges->list[ranges->count - 1].to <= root)
        return ranges->count;
    size_t low = 0;
    size_t high = ranges->count - 1;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ranges->list[middle].to <= root) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

bool fay_ranges_has(const fay_ranges *ranges, uint64_t root)
{
    size_t i = find(ranges, root);
    return i < ranges->count && ranges->list[i].from <= root;
}

static void insert(fay_ranges *ranges, size_t i, fay_range range, uint64_t end)
{
    FAY_RESERVE(ranges->list, ranges->capacity, ranges->count + 1);
    FAY_RESERVE(ranges->ends, ranges->ends_capacity, ranges->count + 1);
    size_t tail = ranges->count - i;
    if (tail > 0) {
        memmove(&ranges->list[i + 1], &ranges->list[i], tail * sizeof *ranges->list);
        memmove(&ranges->ends[i + 1], &ranges->ends[i], tail * sizeof *ranges->ends);
    }
    ranges->list[i] = range;
    ranges->ends[i] = end;
    ranges->count++;
}

static void erase(fay_ranges *ranges, size_t i)
{
    size_t tail = ranges->count - i - 1;
    if (tail > 0) {
        memmove(&ranges->list[i], &ranges->list[i + 1], tail * sizeof *ranges->list);
        memmove(&ranges->ends[i], &ranges->ends[i + 1], tail * sizeof *ranges->ends);
    }
    ranges->count--;
}

void fay_ranges_add_range(fay_ranges *ranges, fay_range range, uint64_t end)
{
    assert(range.from < range.to);
    size_t i = find(ranges, range.from);
    assert(i == ranges->count || ranges->list[i].from >= range.to); /* apart from all there is */
    bool joins_left = i > 0 && ranges->list[i - 1].to == range.from;
    bool joins_right = i < ranges->count && ranges->list[i].from == range.to;
    if (joins_left && joins_right) {
        ranges->list[i - 1].to = ranges->list[i].to;
        ranges->ends[i - 1] = ranges->ends[i];
        erase(ranges, i);
    } else if (joins_left) {
        ranges->list[i - 1].to = range.to;
        ranges->ends[i - 1] = end;
    } else if (joins_right) {
        ranges->list[i].from = range.from;
    } else {
        insert(ranges, i, range, end);
    }
}

void fay_ranges_add(fay_ranges *ranges, uint64_t root, uint64_t end)
{
    fay_ranges_add_range(ranges, (fay_range){root, root + 1}, end);
}

void fay_ranges_note_end(fay_ranges *ranges, uint64_t root, uint64_t end)
{
    size_t i = find(ranges, root);
    assert(i < ranges->count && ranges->list[i].from <= root);
    if (ranges->list[i].to == root + 1)
        ranges->ends[i] = end;
}

void fay_ranges_copy(fay_ranges *to, const fay_ranges *from)
{
    FAY_RESERVE(to->list, to->capacity, from->count);
    FAY_RESERVE(to->ends, to->ends_capacity, from->count);
    if (from->count > 0) {
        memcpy(to->list, from->list, from->count * sizeof *to->list);
        memcpy(to->ends, from->ends, from->count * sizeof *to->ends);
    }
    to->count = from->count;
}
