/* SPDX-License-Identifier: MIT */
#include "item/item_table.h"

#include <stdlib.h>
#include <string.h>

#include "wire/msgpack.h"

enum {
    ARENA_BLOCK = 512
};

struct fay_arena {
    struct fay_arena *older;
    size_t used, size;
    uint8_t bytes[];
};

void *fay_item_arena(fay_item *item, size_t size)
{
    struct fay_arena *arena = item->arena;
    if (arena == NULL || arena->size - arena->used < size) {
        size_t room = FAY_MAX(size, (size_t)ARENA_BLOCK);
        arena = room < SIZE_MAX / 2 ? malloc(sizeof *arena + room) : NULL;
        if (arena == NULL)
            return NULL;
        *arena = (struct fay_arena){.older = item->arena, .size = room};
        item->arena = arena;
    }
    void *bytes = arena->bytes + arena->used;
    arena->used += size;
    return bytes;
}

char *fay_item_arena_copy(fay_item *item, const void *bytes, size_t size)
{
    char *copy = size < SIZE_MAX ? fay_item_arena(item, size + 1) : NULL;
    if (copy == NULL)
        return NULL;
    if (size > 0)
        memcpy(copy, bytes, size);
    copy[size] = '\0';
    return copy;
}

void fay_item_arena_free(fay_item *item, bool keep_one)
{
    struct fay_arena *arena = item->arena, *kept = NULL;
    while (arena != NULL) {
        struct fay_arena *older = arena->older;
        if (keep_one && kept == NULL && arena->size == ARENA_BLOCK) {
            kept = arena;
            kept->used = 0;
            kept->older = NULL;
        } else {
            free(arena);
        }
        arena = older;
    }
    item->arena = kept;
}

bool fay_item_name_is_status(const char *name)
{
    return strncmp(name, "fay.", 4) == 0;
}

bool fay_item_name_is_data(const char *name)
{
    return strcmp(name, "data") == 0;
}

bool fay_item_table_grow(fay_item *item)
{
    if (item->count < item->capacity)
        return true;
    size_t capacity = FAY_MAX(item->capacity * 2, (size_t)8);
    struct fay_attr *table = realloc(item->table, capacity * sizeof *table);
    if (table == NULL)
        return false;
    item->table = table;
    item->capacity = capacity;
    return true;
}

bool fay_attr_from_msgpack(fay_item *item, struct fay_attr *attr, const uint8_t *bytes, size_t size)
{
    fay_msgpack_value value;
    size_t at = 0;
    if (fay_msgpack_read(bytes, size, &at, &value) != 0)
        return false;
    attr->integer = value.integer;
    attr->real = value.real;
    attr->bytes = value.bytes;
    attr->size = value.size;
    switch (value.type) {
    case FAY_MSGPACK_EXT: return false;
    case FAY_MSGPACK_NIL: attr->type = FAY_NIL; break;
    case FAY_MSGPACK_INT: attr->type = FAY_INT; break;
    case FAY_MSGPACK_FLOAT: attr->type = FAY_FLOAT; break;
    case FAY_MSGPACK_BYTES: attr->type = FAY_BYTES; break;
    case FAY_MSGPACK_BOOL:
        attr->type = FAY_BOOL;
        attr->integer = value.boolean;
        break;
    case FAY_MSGPACK_STRING:
        attr->type = FAY_STRING;
        attr->bytes = (uint8_t *)fay_item_arena_copy(item, value.bytes, value.size);
        return attr->bytes != NULL;
    case FAY_MSGPACK_LIST:
    case FAY_MSGPACK_MAP:
        attr->type = value.type == FAY_MSGPACK_LIST ? FAY_LIST : FAY_MAP;
        attr->bytes = bytes;
        attr->size = size;
        break;
    }
    return true;
}

/* One name and value at *at. */
static bool decode_one(fay_item *item, size_t *at)
{
    fay_msgpack_value name;
    size_t end;
    if (fay_msgpack_read(item->attrs, item->attrs_size, at, &name) != 0 ||
        name.type != FAY_MSGPACK_STRING || !fay_item_table_grow(item))
        return false;
    end = *at;
    struct fay_attr attr = {.name_size = name.size};
    attr.name = fay_item_arena_copy(item, name.bytes, name.size);
    if (attr.name == NULL || fay_msgpack_skip(item->attrs, item->attrs_size, &end) != 0 ||
        !fay_attr_from_msgpack(item, &attr, item->attrs + *at, end - *at))
        return false;
    item->table[item->count++] = attr;
    *at = end;
    return true;
}

void fay_item_decode(const fay_item *item)
{
    if (item->decoded)
        return;
    fay_item *self = item->self;
    fay_msgpack_value map;
    size_t at = 0;
    self->decoded = true;
    if (self->attrs_size == 0 || fay_msgpack_read(self->attrs, self->attrs_size, &at, &map) != 0 ||
        map.type != FAY_MSGPACK_MAP)
        return;
    for (uint32_t i = 0; i < map.count && decode_one(self, &at); i++) {
    }
}

struct fay_attr *fay_item_find(const fay_item *item, const char *name)
{
    size_t size = strlen(name);
    fay_item_decode(item);
    for (size_t i = 0; i < item->count; i++) {
        struct fay_attr *attr = &item->table[i];
        if (attr->name_size == size && memcmp(attr->name, name, size) == 0)
            return attr;
    }
    return NULL;
}
