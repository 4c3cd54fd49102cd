/* SPDX-License-Identifier: MIT */
#include "sdk/children.h"

#include <assert.h>
#include <string.h>

#include "base/limits.h"
#include "wire/block.h"
#include "wire/codec.h"

void fay_children_deinit(fay_children *children)
{
    fay_buffer_deinit(&children->lengths);
    fay_buffer_deinit(&children->data);
    fay_buffer_deinit(&children->attr_lengths);
    fay_buffer_deinit(&children->attrs);
    *children = (fay_children){0};
}

static void add_attrs(fay_children *children, const fay_buffer *attrs)
{
    size_t size = attrs != NULL ? fay_buffer_size(attrs) : 0;
    if (size > 0 && !children->has_attrs) {
        size_t before = 4 * (size_t)children->count;
        memset(fay_buffer_reserve(&children->attr_lengths, before), 0, before);
        fay_buffer_commit(&children->attr_lengths, before);
        children->has_attrs = true;
    }
    if (!children->has_attrs)
        return;
    fay_write32(&children->attr_lengths, (uint32_t)size);
    if (size > 0)
        fay_buffer_append(&children->attrs, fay_buffer_data(attrs), size);
}

void fay_children_add(fay_children *children, const void *data, size_t size,
                      const fay_buffer *attrs)
{
    assert(size <= UINT32_MAX && children->count < UINT32_MAX);
    if (attrs != NULL || children->has_attrs)
        add_attrs(children, attrs);
    fay_store32(fay_buffer_reserve(&children->lengths, 4), (uint32_t)size);
    fay_buffer_commit(&children->lengths, 4);
    fay_buffer_append(&children->data, data, size);
    children->count++;
}

static void append_all(fay_buffer *to, const fay_buffer *from)
{
    size_t size = fay_buffer_size(from);
    if (size > 0)
        fay_buffer_append(to, fay_buffer_data(from), size);
}

void fay_children_add_all(fay_children *children, const fay_children *from)
{
    assert(children->count <= UINT32_MAX - from->count);
    if (children->has_attrs || from->has_attrs) {
        fay_buffer *lengths = &children->attr_lengths;
        size_t before = children->has_attrs ? 0 : 4 * (size_t)children->count;
        size_t behind = from->has_attrs ? 0 : 4 * (size_t)from->count;
        memset(fay_buffer_reserve(lengths, before), 0, before);
        fay_buffer_commit(lengths, before);
        append_all(lengths, &from->attr_lengths);
        memset(fay_buffer_reserve(lengths, behind), 0, behind);
        fay_buffer_commit(lengths, behind);
        append_all(&children->attrs, &from->attrs);
        children->has_attrs = true;
    }
    append_all(&children->lengths, &from->lengths);
    append_all(&children->data, &from->data);
    children->count += from->count;
}

fay_mark fay_children_mark(const fay_children *children)
{
    return (fay_mark){.count = children->count,
                      .data = fay_buffer_size(&children->data),
                      .attrs = fay_buffer_size(&children->attrs)};
}

static void cut(fay_buffer *buffer, size_t size)
{
    assert(size <= fay_buffer_size(buffer));
    buffer->end = buffer->start + size;
}

void fay_children_cut(fay_children *children, fay_mark mark)
{
    if (children->count == mark.count)
        return;
    cut(&children->lengths, 4 * (size_t)mark.count);
    cut(&children->data, mark.data);
    cut(&children->attrs, mark.attrs);
    if (children->has_attrs)
        cut(&children->attr_lengths, 4 * (size_t)mark.count);
    children->count = mark.count;
    children->has_attrs = children->has_attrs && mark.count > 0;
}

static void take(fay_buffer *from, size_t size, fay_buffer *out)
{
    if (size == 0)
        return;
    fay_buffer_append(out, fay_buffer_data(from), size);
    fay_buffer_consume(from, size);
}

void fay_children_take(fay_children *children, fay_mark mark, fay_buffer *out)
{
    assert(mark.count <= FAY_BLOCK_ITEMS_MAX && mark.count <= children->count);
    bool attrs = children->has_attrs && mark.attrs > 0;
    uint8_t *head = fay_buffer_reserve(out, 8);
    fay_store32(head, mark.count);
    head[4] = 0; /* gap */
    head[5] = attrs ? FAY_BLOCK_ATTRS : 0;
    head[6] = head[7] = 0;
    fay_buffer_commit(out, 8);
    take(&children->lengths, 4 * (size_t)mark.count, out);
    if (attrs) {
        take(&children->attr_lengths, 4 * (size_t)mark.count, out);
    } else if (children->has_attrs && mark.count > 0) {
        fay_buffer_consume(&children->attr_lengths, 4 * (size_t)mark.count);
    }
    take(&children->attrs, mark.attrs, out);
    take(&children->data, mark.data, out);
    children->count -= mark.count;
    children->has_attrs = children->has_attrs && children->count > 0;
}

fay_mark fay_children_some(const fay_children *children, size_t weight)
{
    fay_mark mark = {0};
    while (mark.count < children->count && mark.count < FAY_BLOCK_ITEMS_MAX) {
        size_t at = 4 * (size_t)mark.count;
        size_t data = fay_load32(fay_buffer_data(&children->lengths) + at);
        size_t attrs =
            children->has_attrs ? fay_load32(fay_buffer_data(&children->attr_lengths) + at) : 0;
        if (mark.count > 0 && mark.data + mark.attrs + data + attrs > weight)
            break;
        mark.count++;
        mark.data += data;
        mark.attrs += attrs;
    }
    return mark;
}

static void trim(fay_buffer *buffer)
{
    if (buffer->capacity > 2 * FAY_FRAME_BATCH_MAX)
        fay_buffer_deinit(buffer);
}

void fay_children_trim(fay_children *children)
{
    assert(children->count == 0);
    trim(&children->lengths);
    trim(&children->data);
    trim(&children->attr_lengths);
    trim(&children->attrs);
}
