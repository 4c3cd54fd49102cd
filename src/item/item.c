/* SPDX-License-Identifier: MIT */
#include "item/item.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "item/attrs.h"
#include "item/item_table.h"
#include "item/json.h"
#include "wire/msgpack.h"

/* ---- counted bytes --------------------------------------------------------------------------- */

fay_store *fay_store_new(size_t size)
{
    fay_store *store = fay_realloc(NULL, sizeof *store + size);
    atomic_init(&store->refs, 1);
    store->size = size;
    return store;
}

fay_store *fay_store_ref(fay_store *store)
{
    (void)atomic_fetch_add_explicit(&store->refs, 1, memory_order_relaxed);
    return store;
}

void fay_store_unref(fay_store *store)
{
    if (store != NULL && atomic_fetch_sub_explicit(&store->refs, 1, memory_order_acq_rel) == 1)
        free(store);
}

fay_item_status *fay_item_status_new(const char *stage, const char *node)
{
    fay_item_status *status = fay_alloc(sizeof *status);
    atomic_init(&status->refs, 1);
    atomic_init(&status->pressure, 0);
    atomic_init(&status->workers, 0);
    status->stage = fay_strdup(stage);
    status->node = fay_strdup(node);
    return status;
}

fay_item_status *fay_item_status_ref(fay_item_status *status)
{
    (void)atomic_fetch_add_explicit(&status->refs, 1, memory_order_relaxed);
    return status;
}

void fay_item_status_unref(fay_item_status *status)
{
    if (status == NULL || atomic_fetch_sub_explicit(&status->refs, 1, memory_order_acq_rel) != 1)
        return;
    free(status->stage);
    free(status->node);
    free(status);
}

/* ---- life ------------------------------------------------------------------------------------ */

static fay_item *new_item(void)
{
    fay_item *item = calloc(1, sizeof *item);
    if (item == NULL)
        return NULL;
    item->self = item;
    item->data = (const uint8_t *)"";
    atomic_init(&item->refs, 1);
    return item;
}

fay_item *fay_item_view_new(void)
{
    fay_item *item = new_item();
    return item != NULL ? item : fay_alloc(SIZE_MAX); /* which says so and aborts */
}

bool fay_item_unshared(const fay_item *item)
{
    return atomic_load_explicit(&item->refs, memory_order_acquire) == 1;
}

static void forget(fay_item *item, bool keep_room)
{
    if (item->arena != NULL)
        fay_item_arena_free(item, keep_room);
    if (atomic_exchange_explicit(&item->pinned, false, memory_order_acq_rel)) {
        fay_store_unref(item->store);
        fay_item_status_unref(item->status);
    }
    item->decoded = item->changed = false;
    item->count = 0;
    item->id = item->parent = NULL;
}

void fay_item_view_reset(fay_item *item)
{
    assert(!item->made && fay_item_unshared(item));
    if (item->decoded || item->arena != NULL ||
        atomic_load_explicit(&item->pinned, memory_order_relaxed))
        forget(item, true);
}

fay_item *fay_item_new(const void *data, size_t len)
{
    fay_item *item = new_item();
    if (item == NULL)
        return NULL;
    item->made = true;
    if (len > 0) {
        item->data = (const uint8_t *)fay_item_arena_copy(item, data, len);
        item->size = len;
    }
    if (item->data == NULL) {
        fay_item_unref(item);
        return NULL;
    }
    return item;
}

/* A made Item's attributes, encoded; they become its arena's. */
static bool set_encoded(fay_item *item, const fay_buffer *attrs)
{
    size_t size = fay_buffer_size(attrs);
    if (size == 0)
        return true;
    item->attrs = (const uint8_t *)fay_item_arena_copy(item, fay_buffer_data(attrs), size);
    item->attrs_size = item->attrs != NULL ? size : 0;
    return item->attrs != NULL;
}

fay_item *fay_item_copy(const fay_item *item)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer attrs = {0};
    fay_item *copy = fay_item_new(item->data, item->size);
    if (copy == NULL)
        return NULL;
    fay_item_encode(item, &attrs);
    if (!set_encoded(copy, &attrs)) {
        fay_item_unref(copy);
        return NULL;
    }
    return copy;
}

fay_item *fay_item_from_json(const char *json, size_t len, fay_error *err)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer attrs = {0};
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer data = {0};
    if (fay_attrs_from_json(json, len, &attrs, &data, NULL, err) != 0)
        return NULL;
    size_t size = fay_buffer_size(&data);
    fay_item *item = fay_item_new(size > 0 ? fay_buffer_data(&data) : NULL, size);
    if (item != NULL && set_encoded(item, &attrs))
        return item;
    fay_item_unref(item);
    (void)fay_fail_with(err, FAY_E_NOMEM, "out of memory");
    return NULL;
}

fay_item *fay_item_ref(const fay_item *item)
{
    fay_item *self = item->self;
    /* Whoever received the Item holds the store while it lends the Item without a reference. */
    if (self->store != NULL &&
        !atomic_exchange_explicit(&self->pinned, true, memory_order_acq_rel)) {
        (void)fay_store_ref(self->store);
        (void)fay_item_status_ref(self->status);
    }
    unsigned before = atomic_fetch_add_explicit(&self->refs, 1, memory_order_relaxed);
    assert(before > 0 && before < UINT32_MAX);
    return self;
}

void fay_item_unref(fay_item *item)
{
    if (item == NULL || atomic_fetch_sub_explicit(&item->refs, 1, memory_order_acq_rel) != 1)
        return;
    forget(item, false);
    free(item->table);
    free(item);
}

/* ---- status ---------------------------------------------------------------------------------- */

static const char *id_text(const fay_item *item, bool parent)
{
    fay_item *self = item->self;
    char **kept = parent ? &self->parent : &self->id;
    char text[FAY_PATH_TEXT_MAX];
    if (*kept == NULL) {
        size_t size = fay_path_text(item->root, &item->path, parent, text);
        *kept = fay_item_arena_copy(self, text, size);
    }
    return *kept != NULL ? *kept : "";
}

static struct fay_attr text_attr(const char *text)
{
    return (struct fay_attr){
        .type = FAY_STRING, .bytes = (const uint8_t *)text, .size = strlen(text)};
}

static struct fay_attr int_attr(int64_t value)
{
    return (struct fay_attr){.type = FAY_INT, .integer = value};
}

/* An attribute under "fay."; NIL when there is none. */
static struct fay_attr status_attr(const fay_item *item, const char *name)
{
    const fay_item_status *status = item->status;
    name += strlen("fay.");
    if (status == NULL)
        return (struct fay_attr){.type = FAY_NIL};
    if (strcmp(name, "id") == 0)
        return text_attr(id_text(item, false));
    if (strcmp(name, "attempt") == 0)
        return int_attr(item->attempt);
    if (strcmp(name, "stage") == 0)
        return text_attr(status->stage);
    if (strcmp(name, "node") == 0)
        return text_attr(status->node);
    if (strcmp(name, "enqueued") == 0)
        return int_attr((int64_t)item->enqueued_ms);
    if (strcmp(name, "parent") == 0)
        return text_attr(id_text(item, true));
    if (strcmp(name, "pressure") == 0)
        return int_attr(atomic_load_explicit(&status->pressure, memory_order_relaxed));
    if (strcmp(name, "workers") == 0)
        return int_attr(atomic_load_explicit(&status->workers, memory_order_relaxed));
    return (struct fay_attr){.type = FAY_NIL};
}

const char *fay_item_id(const fay_item *item)
{
    return item->status != NULL ? id_text(item, false) : "";
}

unsigned fay_item_attempt(const fay_item *item)
{
    return item->status != NULL ? item->attempt : 0;
}

/* ---- reading --------------------------------------------------------------------------------- */

/* Any attribute. false: absent. */
static bool get(const fay_item *item, const char *name, struct fay_attr *ret)
{
    if (fay_item_name_is_data(name)) {
        *ret = (struct fay_attr){.type = FAY_BYTES, .bytes = item->data, .size = item->size};
        return true;
    }
    if (fay_item_name_is_status(name)) {
        *ret = status_attr(item, name);
        return ret->type != FAY_NIL;
    }
    const struct fay_attr *attr = fay_item_find(item, name);
    if (attr == NULL)
        return false;
    *ret = *attr;
    return true;
}

const void *fay_item_data(const fay_item *item, size_t *len)
{
    if (len != NULL)
        *len = item->size;
    return item->data;
}

fay_type fay_item_type(const fay_item *item, const char *name)
{
    struct fay_attr attr;
    return get(item, name, &attr) ? attr.type : FAY_NIL;
}

const char *fay_item_string(const fay_item *item, const char *name, const char *fallback)
{
    struct fay_attr attr;
    if (fay_item_name_is_data(name)) {
        const char *copy = fay_item_arena_copy(item->self, item->data, item->size);
        return copy != NULL ? copy : fallback;
    }
    if (!get(item, name, &attr) || attr.type != FAY_STRING)
        return fallback;
    return (const char *)attr.bytes;
}

int64_t fay_item_int(const fay_item *item, const char *name, int64_t fallback)
{
    struct fay_attr attr;
    return get(item, name, &attr) && attr.type == FAY_INT ? attr.integer : fallback;
}

double fay_item_float(const fay_item *item, const char *name, double fallback)
{
    struct fay_attr attr;
    if (!get(item, name, &attr))
        return fallback;
    if (attr.type == FAY_INT)
        return (double)attr.integer;
    return attr.type == FAY_FLOAT ? attr.real : fallback;
}

bool fay_item_bool(const fay_item *item, const char *name, bool fallback)
{
    struct fay_attr attr;
    return get(item, name, &attr) && attr.type == FAY_BOOL ? attr.integer != 0 : fallback;
}

const void *fay_item_bytes(const fay_item *item, const char *name, size_t *len)
{
    struct fay_attr attr;
    if (!get(item, name, &attr) || (attr.type != FAY_BYTES && attr.type != FAY_STRING))
        return NULL;
    if (len != NULL)
        *len = attr.size;
    return attr.bytes;
}

void fay_item_each(const fay_item *item, fay_attr_fn fn, void *ud)
{
    fay_item_decode(item);
    if (!fn("data", FAY_BYTES, ud))
        return;
    for (size_t i = 0; i < item->count; i++) {
        if (!fn(item->table[i].name, item->table[i].type, ud))
            return;
    }
}

/* ---- JSON and the wire ----------------------------------------------------------------------- */

static void write_attr(const struct fay_attr *attr, fay_buffer *out)
{
    switch (attr->type) {
    case FAY_NIL: fay_msgpack_write_nil(out); break;
    case FAY_BOOL: fay_msgpack_write_bool(out, attr->integer != 0); break;
    case FAY_INT: fay_msgpack_write_int(out, attr->integer); break;
    case FAY_FLOAT: fay_msgpack_write_float(out, attr->real); break;
    case FAY_STRING: fay_msgpack_write_string(out, attr->bytes, attr->size); break;
    case FAY_BYTES: fay_msgpack_write_bytes(out, attr->bytes, attr->size); break;
    case FAY_LIST:
    case FAY_MAP: fay_buffer_append(out, attr->bytes, attr->size); break;
    }
}

void fay_item_encode(const fay_item *item, fay_buffer *attrs)
{
    if (!item->changed) {
        fay_buffer_append(attrs, item->attrs, item->attrs_size);
        return;
    }
    if (item->count == 0)
        return;
    fay_msgpack_write_map(attrs, item->count);
    for (size_t i = 0; i < item->count; i++) {
        const struct fay_attr *attr = &item->table[i];
        fay_msgpack_write_string(attrs, attr->name, attr->name_size);
        write_attr(attr, attrs);
    }
}

int fay_item_to_json(const fay_item *item, char **json, size_t *len)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer attrs = {0};
    fay_buffer text = {0};
    size_t size;
    fay_item_encode(item, &attrs);
    fay_buffer_append_text(&text, "{\"data\":");
    fay_json_append_payload(&text, item->data, item->size);
    if (fay_buffer_size(&attrs) > 0) {
        FAY_CLEANUP(fay_buffer_deinit) fay_buffer members = {0};
        fay_attrs_to_json(fay_buffer_data(&attrs), fay_buffer_size(&attrs), &members);
        fay_buffer_append(&text, ",", 1); /* "{" + members + "}" without its first byte */
        fay_buffer_append(&text, fay_buffer_data(&members) + 1, fay_buffer_size(&members) - 1);
    } else {
        fay_buffer_append(&text, "}", 1);
    }
    (void)fay_buffer_text(&text);
    *json = fay_buffer_take(&text, &size);
    if (len != NULL)
        *len = size;
    return FAY_OK;
}

char *fay_item_get_json(const fay_item *item, const char *name)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer encoded = {0};
    fay_buffer text = {0};
    struct fay_attr attr;
    size_t size;
    if (!get(item, name, &attr))
        return NULL;
    if (fay_item_name_is_data(name)) {
        fay_json_append_payload(&text, item->data, item->size);
    } else {
        write_attr(&attr, &encoded);
        fay_attrs_value_to_json(fay_buffer_data(&encoded), fay_buffer_size(&encoded), &text);
    }
    (void)fay_buffer_text(&text);
    return fay_buffer_take(&text, &size);
}
