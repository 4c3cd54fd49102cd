/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/limits.h"
#include "item/attrs.h"
#include "item/item_table.h"

static int may_set(const fay_item *item, const char *name)
{
    if (!item->made || fay_item_name_is_status(name))
        return FAY_E_DENIED;
    return name[0] != '\0' && strlen(name) <= FAY_ATTR_NAME_MAX ? 0 : FAY_E_INVAL;
}

static int set_data(fay_item *item, const void *data, size_t size)
{
    const char *copy = fay_item_arena_copy(item, data, size);
    if (copy == NULL)
        return FAY_E_NOMEM;
    item->data = (const uint8_t *)copy;
    item->size = size;
    return FAY_OK;
}

/* Takes a value whose bytes lie in the arena already, and finds its place. */
static int put(fay_item *item, const char *name, struct fay_attr value)
{
    struct fay_attr *attr = fay_item_find(item, name);
    if (attr == NULL) {
        if (item->count == FAY_ATTRS_MAX)
            return FAY_E_NORES;
        value.name_size = strlen(name);
        value.name = fay_item_arena_copy(item, name, value.name_size);
        if (value.name == NULL || !fay_item_table_grow(item))
            return FAY_E_NOMEM;
        attr = &item->table[item->count++];
    } else {
        value.name = attr->name;
        value.name_size = attr->name_size;
    }
    *attr = value;
    item->changed = true;
    return FAY_OK;
}

/* "data" has no other type than bytes. */
static int set_scalar(fay_item *item, const char *name, struct fay_attr value)
{
    int rc = may_set(item, name);
    if (rc == 0 && fay_item_name_is_data(name))
        rc = FAY_E_INVAL;
    return rc == 0 ? put(item, name, value) : rc;
}

static int set_copy(fay_item *item, const char *name, fay_type type, const void *bytes, size_t size)
{
    int rc = bytes != NULL || size == 0 ? may_set(item, name) : FAY_E_INVAL;
    if (rc != 0)
        return rc;
    if (size > FAY_ITEM_MAX)
        return FAY_E_INVAL;
    if (fay_item_name_is_data(name))
        return set_data(item, bytes, size);
    const char *copy = fay_item_arena_copy(item, bytes, size);
    if (copy == NULL)
        return FAY_E_NOMEM;
    return put(item, name,
               (struct fay_attr){.type = type, .bytes = (const uint8_t *)copy, .size = size});
}

int fay_item_set_string(fay_item *item, const char *name, const char *value)
{
    return value != NULL ? set_copy(item, name, FAY_STRING, value, strlen(value)) : FAY_E_INVAL;
}

int fay_item_set_int(fay_item *item, const char *name, int64_t value)
{
    return set_scalar(item, name, (struct fay_attr){.type = FAY_INT, .integer = value});
}

int fay_item_set_float(fay_item *item, const char *name, double value)
{
    return set_scalar(item, name, (struct fay_attr){.type = FAY_FLOAT, .real = value});
}

int fay_item_set_bool(fay_item *item, const char *name, bool value)
{
    return set_scalar(item, name, (struct fay_attr){.type = FAY_BOOL, .integer = value});
}

int fay_item_set_bytes(fay_item *item, const char *name, const void *data, size_t len)
{
    return set_copy(item, name, FAY_BYTES, data, len);
}

/* The payload that fay_item_from_json() would make of it. */
static int set_data_json(fay_item *item, const char *json)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer text = {0};
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer attrs = {0};
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer data = {0};
    fay_buffer_append_text(&text, "{\"data\":");
    fay_buffer_append_text(&text, json);
    fay_buffer_append_text(&text, "}");
    bool has_data;
    int rc = fay_attrs_from_json((const char *)fay_buffer_data(&text), fay_buffer_size(&text),
                                 &attrs, &data, &has_data, NULL);
    size_t size = fay_buffer_size(&data);
    if (rc != 0 || !has_data || fay_buffer_size(&attrs) > 0)
        return FAY_E_INVAL;
    return set_data(item, size > 0 ? fay_buffer_data(&data) : NULL, size);
}

int fay_item_set_json(fay_item *item, const char *name, const char *json)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer value = {0};
    int rc = json != NULL ? may_set(item, name) : FAY_E_INVAL;
    if (rc != 0)
        return rc;
    if (fay_item_name_is_data(name))
        return set_data_json(item, json);
    if (fay_attrs_value_from_json(json, strlen(json), &value, NULL) != 0)
        return FAY_E_INVAL;

    size_t size = fay_buffer_size(&value);
    const char *copy = fay_item_arena_copy(item, fay_buffer_data(&value), size);
    struct fay_attr attr = {.type = FAY_NIL};
    if (copy == NULL || !fay_attr_from_msgpack(item, &attr, (const uint8_t *)copy, size))
        return FAY_E_NOMEM;
    return put(item, name, attr);
}

int fay_item_remove(fay_item *item, const char *name)
{
    int rc = may_set(item, name);
    if (rc != 0)
        return rc;
    if (fay_item_name_is_data(name))
        return set_data(item, NULL, 0);
    struct fay_attr *attr = fay_item_find(item, name);
    if (attr == NULL)
        return FAY_E_NOTFOUND;
    size_t behind = item->count - (size_t)(attr - item->table) - 1;
    memmove(attr, attr + 1, behind * sizeof *attr);
    item->count--;
    item->changed = true;
    return FAY_OK;
}
