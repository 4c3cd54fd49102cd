/* SPDX-License-Identifier: MIT */
#include "base/buffer.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fay_buffer_deinit(fay_buffer *buffer)
{
    free(buffer->bytes);
    *buffer = (fay_buffer){0};
}

void fay_buffer_clear(fay_buffer *buffer)
{
    buffer->start = buffer->end = 0;
}

uint8_t *fay_buffer_reserve(fay_buffer *buffer, size_t size)
{
    if (buffer->capacity - buffer->end >= size && buffer->bytes != NULL)
        return buffer->bytes + buffer->end;

    size_t used = fay_buffer_size(buffer);
    if (buffer->start > 0 && used > 0) {
        assert(buffer->bytes != NULL);
        memmove(buffer->bytes, buffer->bytes + buffer->start, used);
    }
    buffer->start = 0;
    buffer->end = used;
    assert(size <= SIZE_MAX / 2 - used);
    FAY_RESERVE(buffer->bytes, buffer->capacity, FAY_MAX(used + size, (size_t)64));
    return buffer->bytes + buffer->end;
}

void fay_buffer_commit(fay_buffer *buffer, size_t size)
{
    assert(size <= buffer->capacity - buffer->end);
    buffer->end += size;
}

void fay_buffer_append(fay_buffer *buffer, const void *bytes, size_t size)
{
    if (size == 0)
        return;
    memcpy(fay_buffer_reserve(buffer, size), bytes, size);
    fay_buffer_commit(buffer, size);
}

void fay_buffer_append_text(fay_buffer *buffer, const char *text)
{
    fay_buffer_append(buffer, text, strlen(text));
}

void fay_buffer_printf(fay_buffer *buffer, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    assert(length >= 0);
    char *room = (char *)fay_buffer_reserve(buffer, (size_t)length + 1);
    (void)vsnprintf(room, (size_t)length + 1, format, again);
    va_end(again);
    fay_buffer_commit(buffer, (size_t)length);
}

void fay_buffer_consume(fay_buffer *buffer, size_t size)
{
    assert(size <= fay_buffer_size(buffer));
    buffer->start += size;
    if (buffer->start == buffer->end)
        fay_buffer_clear(buffer);
}

const char *fay_buffer_text(fay_buffer *buffer)
{
    *fay_buffer_reserve(buffer, 1) = '\0';
    return (const char *)buffer->bytes + buffer->start;
}

void *fay_buffer_take(fay_buffer *buffer, size_t *size)
{
    size_t used = fay_buffer_size(buffer);
    if (buffer->start > 0)
        memmove(buffer->bytes, buffer->bytes + buffer->start, used);
    void *bytes = buffer->bytes;
    *size = used;
    *buffer = (fay_buffer){0};
    return bytes;
}
