/* SPDX-License-Identifier: MIT */
/*
 * The encoded form of an Item's attributes: one msgpack map with string keys, without `data` (which
 * travels beside it) and without the framework's `fay.*`. Empty (size 0) means none. This is what
 * ledger, wire and journal carry; they never look inside.
 */
#ifndef FAY_ATTRS_H
#define FAY_ATTRS_H

#include "base/base.h"
#include "base/buffer.h"

struct json_t;

/* Checks bytes from outside: a map, string keys, limits.h kept, nothing behind. 0 or FAY_E_PEER. */
int fay_attrs_check(const uint8_t *attrs, size_t size);

/*
 * JSON text (an object) -> attrs appended to `attrs`. The member "data", if `ret_data` is not NULL,
 * is taken out: a string's bytes, or the JSON text of another value, appended to `ret_data`, and
 * *has_data is set. Names that begin with "fay." are skipped. FAY_E_INVAL with err set: not an
 * object, too deep, too many.
 */
int fay_attrs_from_json(const char *json, size_t size, fay_buffer *attrs, fay_buffer *ret_data,
                        bool *has_data, fay_error *err);

/* The same from an object that jansson has read already (a reply of a json worker). */
int fay_attrs_from_object(struct json_t *object, fay_buffer *attrs, fay_buffer *ret_data,
                          bool *has_data, fay_error *err);

/*
 * The same from one msgpack value (an Item in the format msgpack): of a map, the members with
 * string names become attributes; what attributes cannot be (ext values, longer names) is left out.
 * Another value gives none. FAY_E_INVAL with err set: too deep, too many, or no msgpack.
 */
int fay_attrs_from_msgpack(const uint8_t *value, size_t size, fay_buffer *attrs, fay_error *err);

/* Any JSON text -> one encoded value, appended. FAY_E_INVAL with err set, as above. */
int fay_attrs_value_from_json(const char *json, size_t size, fay_buffer *value, fay_error *err);

/* One encoded value (a slice of attrs) as JSON text, appended; "null" if the bytes are bad. */
void fay_attrs_value_to_json(const uint8_t *value, size_t size, fay_buffer *json);

/* attrs -> a JSON object, appended. Bytes become {"$base64": "..."}. */
void fay_attrs_to_json(const uint8_t *attrs, size_t size, fay_buffer *json);

/* One attribute as text for an argument ({@name}): strings raw, others as JSON. false = absent. */
bool fay_attrs_text(const uint8_t *attrs, size_t size, const char *name, fay_buffer *text);

/* One member of a JSON payload as text ({.field}, dots descend): strings raw, others as JSON. */
bool fay_json_member_text(const uint8_t *json, size_t size, const char *path, fay_buffer *text);

#endif /* FAY_ATTRS_H */
