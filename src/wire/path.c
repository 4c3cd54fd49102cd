/* SPDX-License-Identifier: MIT */
#include "wire/path.h"

#include <stdio.h>
#include <string.h>

enum {
    BYTE_MAX = 0xef,
    WIDE_2 = 0xf0,
    WIDE_4 = 0xf1,
    WIDE_8 = 0xf2
};

/* Bytes that follow a first byte; -1 for one that begins nothing. */
static int width(uint8_t first)
{
    switch (first) {
    case WIDE_2: return 2;
    case WIDE_4: return 4;
    case WIDE_8: return 8;
    default: return first <= BYTE_MAX ? 0 : -1;
    }
}

int fay_path_append(fay_path *path, uint64_t number)
{
    uint8_t first = (uint8_t)(number <= BYTE_MAX     ? number
                              : number <= UINT16_MAX ? (uint64_t)WIDE_2
                              : number <= UINT32_MAX ? (uint64_t)WIDE_4
                                                     : (uint64_t)WIDE_8);
    size_t more = (size_t)width(first);
    if (path->size + 1 + more > FAY_PATH_MAX)
        return FAY_E_NORES;
    path->bytes[path->size++] = first;
    for (size_t i = more; i-- > 0;) {
        path->bytes[path->size++] = (uint8_t)(number >> (8 * i));
    }
    return 0;
}

int fay_path_compare(const fay_path *a, const fay_path *b)
{
    int order = memcmp(a->bytes, b->bytes, FAY_MIN(a->size, b->size));
    return order != 0 ? order : (int)a->size - (int)b->size;
}

int fay_path_check(const uint8_t *bytes, size_t size)
{
    if (size > FAY_PATH_MAX)
        return FAY_E_PEER;
    for (size_t at = 0; at < size;) {
        int more = width(bytes[at]);
        if (more < 0 || size - at < (size_t)more + 1)
            return FAY_E_PEER;
        at += (size_t)more + 1;
    }
    return 0;
}

size_t fay_path_text(uint64_t root, const fay_path *path, bool parent, char text[FAY_PATH_TEXT_MAX])
{
    int used = snprintf(text, FAY_PATH_TEXT_MAX, "%llu", (unsigned long long)root);
    if (parent && path->size == 0)
        used = 0;
    for (size_t at = 0; at < path->size;) {
        size_t more = (size_t)width(path->bytes[at]);
        uint64_t number = more == 0 ? path->bytes[at] : 0;
        for (size_t i = 1; i <= more; i++) {
            number = number << 8 | path->bytes[at + i];
        }
        at += more + 1;
        if (parent && at == path->size)
            break;
        used += snprintf(text + used, (size_t)(FAY_PATH_TEXT_MAX - used), ".%llu",
                         (unsigned long long)number);
    }
    text[used] = '\0';
    return (size_t)used;
}
