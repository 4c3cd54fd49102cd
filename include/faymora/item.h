/* SPDX-License-Identifier: MIT */
/*
 * Items: what flows through a pipeline.
 *
 * An Item is a set of named attributes without a schema. The attribute "data" is its payload, any
 * bytes. Attributes under "fay." are the framework's status and read-only:
 *
 *     fay.id        string  "7", "7.2.1": the same for each try, and over resume
 *     fay.attempt   int     1 = the first try
 *     fay.stage     string  name of the stage that works on it
 *     fay.node      string  where
 *     fay.enqueued  int     when it was sent to the worker, milliseconds since 1970
 *     fay.parent    string  id of the Item it is a result of; empty for a source Item
 *     fay.pressure  int     of the stage, now: a fay_pressure
 *     fay.workers   int     of the stage, now
 *
 * Ownership: Items are reference counted. fay_item_new(), _copy() and _from_json() give a reference
 * that the caller drops with fay_item_unref() or hands to fay_emit_item(). What a getter lends
 * (text, bytes) lives as long as the Item.
 *
 * Threads: references may be taken and dropped on any thread; apart from that an Item is used by
 * one thread at a time.
 *
 * Types: a getter returns its fallback when the attribute is absent or of another type, with three
 * conveniences: fay_item_float() takes ints too, fay_item_bytes() takes strings too, and
 * fay_item_string() takes "data", whatever is in it, as a C string.
 */
#ifndef FAYMORA_ITEM_H
#define FAYMORA_ITEM_H

#include <faymora/base.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct fay_item fay_item;

typedef enum fay_type {
    FAY_NIL,
    FAY_BOOL,
    FAY_INT,
    FAY_FLOAT,
    FAY_STRING,
    FAY_BYTES,
    FAY_LIST, /* lists and maps are read and set as JSON */
    FAY_MAP
} fay_type;

/* ---- life ------------------------------------------------------------------------------------ */

/* A new Item whose payload is a copy of the bytes. NULL: out of memory. */
FAY_API fay_item *fay_item_new(const void *data, size_t len);

/* A new Item with the payload and the attributes of another, but without its "fay.*": what to begin
 * with when a result is to keep its Item's attributes. NULL: out of memory. */
FAY_API fay_item *fay_item_copy(const fay_item *item);

/* A new Item from a JSON object, whose members become attributes: "data" the payload (a string's
 * bytes, {"$base64": "..."} decoded, or another value's JSON text), "fay.*" is skipped. NULL with
 * `err` (may be NULL) set: no object, nested too deep, too many members. */
FAY_API fay_item *fay_item_from_json(const char *json, size_t len, fay_error *err);

/* The reverse, on one line: *json is NUL-terminated and to be free()d; `len` may be NULL. Bytes
 * that are not UTF-8 become {"$base64": "..."}. Returns FAY_OK. */
FAY_API int fay_item_to_json(const fay_item *item, char **json, size_t *len);

/* Takes one more reference; returns the Item. An Item given to process() may be kept that way. */
FAY_API fay_item *fay_item_ref(const fay_item *item);
/* Drops one; the last one frees the Item. NULL is ignored. */
FAY_API void fay_item_unref(fay_item *item);

/* ---- reading --------------------------------------------------------------------------------- */

/* The payload; `len` may be NULL. Never NULL, and not NUL-terminated. */
FAY_API const void *fay_item_data(const fay_item *item, size_t *len);

/* FAY_NIL when absent; "data" is FAY_BYTES. */
FAY_API fay_type fay_item_type(const fay_item *item, const char *name);

FAY_API const char *fay_item_string(const fay_item *item, const char *name, const char *fallback);
FAY_API int64_t fay_item_int(const fay_item *item, const char *name, int64_t fallback);
FAY_API double fay_item_float(const fay_item *item, const char *name, double fallback);
FAY_API bool fay_item_bool(const fay_item *item, const char *name, bool fallback);
/* NULL when absent or of another type; `len` may be NULL. */
FAY_API const void *fay_item_bytes(const fay_item *item, const char *name, size_t *len);

/* Any attribute as JSON text, lists and maps too; free() it. NULL when absent. */
FAY_API char *fay_item_get_json(const fay_item *item, const char *name);

/* Calls `fn` for "data" and for each attribute, without "fay.*", until it returns false. The Item
 * must not be changed meanwhile. */
typedef bool (*fay_attr_fn)(const char *name, fay_type type, void *ud);
FAY_API void fay_item_each(const fay_item *item, fay_attr_fn fn, void *ud);

/* What "fay.id" and "fay.attempt" give; "" and 0 for an Item that this process made. */
FAY_API const char *fay_item_id(const fay_item *item);
FAY_API unsigned fay_item_attempt(const fay_item *item);

/* ---- writing --------------------------------------------------------------------------------- */

/*
 * Setters copy what they are given and replace what was there. They work on Items that this process
 * made, else FAY_E_DENIED, as for a name under "fay.". FAY_E_INVAL: an empty name, one of more than
 * 256 bytes, a NULL value, no JSON, or another type for "data" than a string, bytes or JSON.
 * FAY_E_NORES: more than 4,096 attributes. Nothing has changed after a failure.
 */
FAY_API int fay_item_set_string(fay_item *item, const char *name, const char *value);
FAY_API int fay_item_set_int(fay_item *item, const char *name, int64_t value);
FAY_API int fay_item_set_float(fay_item *item, const char *name, double value);
FAY_API int fay_item_set_bool(fay_item *item, const char *name, bool value);
FAY_API int fay_item_set_bytes(fay_item *item, const char *name, const void *data, size_t len);
FAY_API int fay_item_set_json(fay_item *item, const char *name, const char *json);
/* FAY_E_NOTFOUND: it was not there. Removing "data" empties the payload. */
FAY_API int fay_item_remove(fay_item *item, const char *name);

#ifdef __cplusplus
}
#endif
#endif /* FAYMORA_ITEM_H */
