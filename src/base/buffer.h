/* SPDX-License-Identifier: MIT */
/*
 * Bytes that grow: appended at the end, consumed at the front.
 *
 *     bytes:   | consumed | data ............ | room ...... |
 *              0        start                end        capacity
 *
 * Consuming moves `start` only; reserving moves the data to the front when that makes the room.
 */
#ifndef FAY_BUFFER_H
#define FAY_BUFFER_H

#include "base/base.h"

typedef struct fay_buffer {
    uint8_t *bytes;
    size_t start, end, capacity;
} fay_buffer;

static inline const uint8_t *fay_buffer_data(const fay_buffer *b)
{
    return b->start > 0 ? b->bytes + b->start : b->bytes; /* bytes may be NULL */
}
static inline size_t fay_buffer_size(const fay_buffer *b)
{
    return b->end - b->start;
}

void fay_buffer_deinit(fay_buffer *buffer); /* frees; the buffer is empty and usable again */
void fay_buffer_clear(fay_buffer *buffer);  /* drops the data, keeps the memory */

/* Where at least `size` bytes may be written; fay_buffer_commit() says how many were. */
uint8_t *fay_buffer_reserve(fay_buffer *buffer, size_t size);
void fay_buffer_commit(fay_buffer *buffer, size_t size);

void fay_buffer_append(fay_buffer *buffer, const void *bytes, size_t size);
void fay_buffer_append_text(fay_buffer *buffer, const char *text);
void fay_buffer_printf(fay_buffer *buffer, const char *format, ...) FAY_PRINTF(2, 3);
void fay_buffer_consume(fay_buffer *buffer, size_t size);

/* Appends a NUL that is not counted in the size, and gives the data as a C string. */
const char *fay_buffer_text(fay_buffer *buffer);

/* Hands the memory over: the data starts at the pointer that is returned; free() it. */
void *fay_buffer_take(fay_buffer *buffer, size_t *size);

#endif /* FAY_BUFFER_H */
