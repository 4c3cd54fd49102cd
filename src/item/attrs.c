/* SPDX-License-Identifier: MIT */
#include "item/attrs.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "item/json.h"
#include "wire/msgpack.h"

static const char base64_key[] = "$base64";

static bool is_status(const char *name, size_t size)
{
    return size >= 4 && memcmp(name, "fay.", 4) == 0;
}

static bool is_data(const char *name, size_t size)
{
    return size == 4 && memcmp(name, "data", 4) == 0;
}

int fay_attrs_check(const uint8_t *attrs, size_t size)
{
    return size == 0 ? 0 : fay_msgpack_check(attrs, size);
}

/* ---- from JSON ------------------------------------------------------------------------------- */

/* What one conversion has used up. */
struct budget {
    size_t values;
    fay_error *err;
};

static int spend(struct budget *budget, size_t depth)
{
    if (depth > FAY_ATTRS_DEPTH_MAX) {
        return fay_fail_with(budget->err, FAY_E_INVAL, "attributes nest deeper than %zu",
                             FAY_ATTRS_DEPTH_MAX);
    }
    if (++budget->values > FAY_ATTRS_MAX)
        return fay_fail_with(budget->err, FAY_E_INVAL, "more than %zu attributes", FAY_ATTRS_MAX);
    return 0;
}

static int check_name(struct budget *budget, size_t size)
{
    if (size <= FAY_ATTR_NAME_MAX)
        return 0;
    return fay_fail_with(budget->err, FAY_E_INVAL, "an attribute's name is longer than %zu bytes",
                         FAY_ATTR_NAME_MAX);
}

/* {"$base64": "..."} and nothing else: bytes. */
static bool write_base64(const json_t *object, fay_buffer *out)
{
    const json_t *text = json_object_get(object, base64_key);
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer bytes = {0};
    if (json_object_size(object) != 1 || !json_is_string(text) ||
        fay_base64_decode(json_string_value(text), json_string_length(text), &bytes) != 0)
        return false;
    fay_msgpack_write_bytes(out, fay_buffer_data(&bytes), fay_buffer_size(&bytes));
    return true;
}

static int write_value(struct budget *budget, json_t *value, size_t depth, fay_buffer *out);

static int write_list(struct budget *budget, json_t *list, size_t depth, fay_buffer *out)
{
    size_t index;
    json_t *value;
    fay_msgpack_write_list(out, json_array_size(list));
    json_array_foreach(list, index, value)
    {
        int rc = write_value(budget, value, depth + 1, out);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int write_map(struct budget *budget, json_t *object, size_t depth, fay_buffer *out)
{
    const char *name;
    json_t *value;
    if (write_base64(object, out))
        return 0;
    fay_msgpack_write_map(out, json_object_size(object));
    json_object_foreach(object, name, value)
    {
        size_t size = strlen(name);
        int rc = check_name(budget, size);
        if (rc != 0)
            return rc;
        fay_msgpack_write_string(out, name, size);
        rc = write_value(budget, value, depth + 1, out);
        if (rc != 0)
            return rc;
    }
    return 0;
}

/* `depth` counts the lists and maps around the value, the attribute map itself included. */
static int write_value(struct budget *budget, json_t *value, size_t depth, fay_buffer *out)
{
    bool nests = json_is_array(value) || json_is_object(value);
    int rc = spend(budget, depth + (nests ? 1 : 0));
    if (rc != 0)
        return rc;
    switch (json_typeof(value)) {
    case JSON_OBJECT: return write_map(budget, value, depth, out);
    case JSON_ARRAY: return write_list(budget, value, depth, out);
    case JSON_STRING:
        fay_msgpack_write_string(out, json_string_value(value), json_string_length(value));
        break;
    case JSON_INTEGER: fay_msgpack_write_int(out, json_integer_value(value)); break;
    case JSON_REAL: fay_msgpack_write_float(out, json_real_value(value)); break;
    case JSON_TRUE: fay_msgpack_write_bool(out, true); break;
    case JSON_FALSE: fay_msgpack_write_bool(out, false); break;
    case JSON_NULL: fay_msgpack_write_nil(out); break;
    }
    return 0;
}

static void take_data(json_t *value, fay_buffer *ret_data)
{
    if (json_is_string(value)) {
        fay_buffer_append(ret_data, json_string_value(value), json_string_length(value));
        return;
    }
    const json_t *base64 = json_object_get(value, base64_key);
    if (json_object_size(value) == 1 && json_is_string(base64) &&
        fay_base64_decode(json_string_value(base64), json_string_length(base64), ret_data) == 0)
        return;
    fay_json_append_value(ret_data, value);
}

/* The members that become attributes, encoded one after another. */
static int write_members(struct budget *budget, json_t *object, bool skip_data, fay_buffer *out,
                         size_t *ret_count)
{
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value)
    {
        size_t size = strlen(name);
        if (is_status(name, size) || (skip_data && is_data(name, size)))
            continue;
        int rc = check_name(budget, size);
        if (rc != 0)
            return rc;
        fay_msgpack_write_string(out, name, size);
        rc = write_value(budget, value, 1, out);
        if (rc != 0)
            return rc;
        ++*ret_count;
    }
    return 0;
}

static void append_map(fay_buffer *attrs, size_t count, const fay_buffer *members)
{
    if (count == 0)
        return;
    fay_msgpack_write_map(attrs, count);
    fay_buffer_append(attrs, fay_buffer_data(members), fay_buffer_size(members));
}

int fay_attrs_from_object(struct json_t *object, fay_buffer *attrs, fay_buffer *ret_data,
                          bool *has_data, fay_error *err)
{
    if (!json_is_object(object))
        return fay_fail_with(err, FAY_E_INVAL, "not a JSON object");

    struct budget budget = {.err = err};
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer members = {0};
    size_t count = 0;
    int rc = write_members(&budget, object, ret_data != NULL, &members, &count);
    if (rc != 0)
        return rc;
    append_map(attrs, count, &members);

    json_t *data = ret_data != NULL ? json_object_get(object, "data") : NULL;
    if (data != NULL)
        take_data(data, ret_data);
    if (has_data != NULL)
        *has_data = data != NULL;
    return 0;
}

int fay_attrs_from_json(const char *json, size_t size, fay_buffer *attrs, fay_buffer *ret_data,
                        bool *has_data, fay_error *err)
{
    json_t *object = fay_json_load(json, size, err);
    if (object == NULL)
        return FAY_E_INVAL;
    int rc = fay_attrs_from_object(object, attrs, ret_data, has_data, err);
    json_decref(object);
    return rc;
}

int fay_attrs_value_from_json(const char *json, size_t size, fay_buffer *value, fay_error *err)
{
    json_t *read = fay_json_load(json, size, err);
    if (read == NULL)
        return FAY_E_INVAL;
    struct budget budget = {.err = err};
    size_t before = fay_buffer_size(value);
    int rc = write_value(&budget, read, 1, value);
    if (rc != 0)
        value->end = value->start + before;
    json_decref(read);
    return rc;
}

/* ---- from msgpack ---------------------------------------------------------------------------- */

int fay_attrs_from_msgpack(const uint8_t *value, size_t size, fay_buffer *attrs, fay_error *err)
{
    fay_msgpack_value map;
    size_t at = 0;
    if (fay_msgpack_read(value, size, &at, &map) != 0)
        return fay_fail_with(err, FAY_E_INVAL, "no msgpack");
    if (map.type != FAY_MSGPACK_MAP)
        return 0;

    FAY_CLEANUP(fay_buffer_deinit) fay_buffer members = {0};
    size_t count = 0;
    for (uint32_t i = 0; i < map.count; i++) {
        fay_msgpack_value name, what;
        size_t name_at = at, peek = 0;
        if (fay_msgpack_skip(value, size, &at) != 0)
            return fay_fail_with(err, FAY_E_INVAL, "no msgpack");
        size_t value_at = at;
        if (fay_msgpack_skip(value, size, &at) != 0)
            return fay_fail_with(err, FAY_E_INVAL, "no msgpack");
        (void)fay_msgpack_read(value + name_at, value_at - name_at, &peek, &name);
        peek = 0;
        (void)fay_msgpack_read(value + value_at, at - value_at, &peek, &what);
        if (name.type != FAY_MSGPACK_STRING || name.size > FAY_ATTR_NAME_MAX ||
            memchr(name.bytes, '\0', name.size) != NULL || what.type == FAY_MSGPACK_EXT ||
            is_status((const char *)name.bytes, name.size))
            continue;
        fay_buffer_append(&members, value + name_at, at - name_at);
        count++;
    }

    if (count == 0)
        return 0;
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer whole = {0};
    append_map(&whole, count, &members);
    if (fay_attrs_check(fay_buffer_data(&whole), fay_buffer_size(&whole)) != 0) {
        return fay_fail_with(err, FAY_E_INVAL,
                             "members that cannot be attributes: too deep or more than %zu",
                             FAY_ATTRS_MAX);
    }
    fay_buffer_append(attrs, fay_buffer_data(&whole), fay_buffer_size(&whole));
    return 0;
}

/* ---- to JSON --------------------------------------------------------------------------------- */

/* An encoded text and how far it was read. */
struct cursor {
    const uint8_t *bytes;
    size_t size, at;
};

static bool value_to_json(struct cursor *c, size_t depth, fay_buffer *out);

static bool members_to_json(struct cursor *c, const fay_msgpack_value *value, size_t depth,
                            fay_buffer *out)
{
    bool map = value->type == FAY_MSGPACK_MAP;
    fay_buffer_append(out, map ? "{" : "[", 1);
    for (uint32_t i = 0; i < value->count; i++) {
        fay_msgpack_value name;
        if (i > 0)
            fay_buffer_append(out, ",", 1);
        if (map) {
            if (fay_msgpack_read(c->bytes, c->size, &c->at, &name) != 0 ||
                name.type != FAY_MSGPACK_STRING)
                return false;
            fay_json_append_string(out, name.bytes, name.size);
            fay_buffer_append(out, ":", 1);
        }
        if (!value_to_json(c, depth + 1, out))
            return false;
    }
    fay_buffer_append(out, map ? "}" : "]", 1);
    return true;
}

/* false: the bytes are bad; what was appended is to be dropped. */
static bool value_to_json(struct cursor *c, size_t depth, fay_buffer *out)
{
    fay_msgpack_value value;
    if (depth > FAY_ATTRS_DEPTH_MAX + 1 || fay_msgpack_read(c->bytes, c->size, &c->at, &value) != 0)
        return false;
    switch (value.type) {
    case FAY_MSGPACK_NIL: fay_buffer_append_text(out, "null"); break;
    case FAY_MSGPACK_BOOL: fay_buffer_append_text(out, value.boolean ? "true" : "false"); break;
    case FAY_MSGPACK_INT: fay_buffer_printf(out, "%lld", (long long)value.integer); break;
    case FAY_MSGPACK_FLOAT: fay_json_append_float(out, value.real); break;
    case FAY_MSGPACK_STRING: fay_json_append_payload(out, value.bytes, value.size); break;
    case FAY_MSGPACK_BYTES: fay_json_append_base64(out, value.bytes, value.size); break;
    case FAY_MSGPACK_LIST:
    case FAY_MSGPACK_MAP: return members_to_json(c, &value, depth, out);
    case FAY_MSGPACK_EXT: return false;
    }
    return true;
}

static void to_json(const uint8_t *value, size_t size, const char *fallback, fay_buffer *json)
{
    struct cursor c = {.bytes = value, .size = size};
    size_t before = fay_buffer_size(json);
    if (!value_to_json(&c, 0, json)) {
        json->end = json->start + before;
        fay_buffer_append_text(json, fallback);
    }
}

void fay_attrs_value_to_json(const uint8_t *value, size_t size, fay_buffer *json)
{
    to_json(value, size, "null", json);
}

void fay_attrs_to_json(const uint8_t *attrs, size_t size, fay_buffer *json)
{
    to_json(attrs, size, "{}", json);
}

bool fay_attrs_text(const uint8_t *attrs, size_t size, const char *name, fay_buffer *text)
{
    size_t at;
    if (!fay_msgpack_find(attrs, size, name, strlen(name), &at))
        return false;
    fay_msgpack_value value;
    size_t behind = at;
    if (fay_msgpack_read(attrs, size, &behind, &value) == 0 && value.type == FAY_MSGPACK_STRING) {
        fay_buffer_append(text, value.bytes, value.size);
    } else {
        fay_attrs_value_to_json(attrs + at, size - at, text);
    }
    return true;
}

/* The member `name` (not terminated) of an object, or an element of a list by its number. */
static json_t *member(json_t *value, const char *name, size_t size)
{
    if (json_is_array(value)) {
        char *end;
        unsigned long index = strtoul(name, &end, 10);
        bool number = size > 0 && name[0] >= '0' && name[0] <= '9' && end == name + size;
        return number ? json_array_get(value, index) : NULL;
    }
    char key[FAY_ATTR_NAME_MAX + 1];
    if (size >= sizeof key)
        return NULL;
    memcpy(key, name, size);
    key[size] = '\0';
    return json_object_get(value, key);
}

bool fay_json_member_text(const uint8_t *json, size_t size, const char *path, fay_buffer *text)
{
    json_t *whole = fay_json_load((const char *)json, size, NULL);
    json_t *value = whole;
    const char *at = path;
    while (value != NULL) {
        size_t length = strcspn(at, ".");
        value = member(value, at, length);
        at += length;
        if (*at == '\0')
            break;
        at++;
    }
    if (json_is_string(value)) {
        fay_buffer_append(text, json_string_value(value), json_string_length(value));
    } else if (value != NULL) {
        fay_json_append_value(text, value);
    }
    json_decref(whole);
    return value != NULL;
}
