/* SPDX-License-Identifier: MIT */
/*
 * JSON, as text that is written piece by piece. Reading is jansson's; writing its trees first would
 * cost an allocation for every value, so what we write goes straight into a buffer.
 *
 * Bytes that are no text (not UTF-8) are said as {"$base64": "..."}: JSON has no other way, and a
 * reader that does not know it still sees that there is something.
 */
#ifndef FAY_JSON_H
#define FAY_JSON_H

#include "base/base.h"
#include "base/buffer.h"

struct json_t;

/* Whether the bytes are UTF-8 (RFC 3629: shortest form, no surrogates). */
bool fay_utf8_valid(const void *bytes, size_t size);

/* A string with its quotes. Bytes that are not UTF-8 become U+FFFD, one each. */
void fay_json_append_string(fay_buffer *out, const void *bytes, size_t size);

/* A string if the bytes are UTF-8, else {"$base64": "..."}. */
void fay_json_append_payload(fay_buffer *out, const void *bytes, size_t size);

/* {"$base64": "..."}, whatever the bytes are. */
void fay_json_append_base64(fay_buffer *out, const void *bytes, size_t size);

/* The shortest decimal that reads back as the same number, with a point or an exponent, so that it
 * stays a float; null for what JSON cannot say (infinities, NaN). */
void fay_json_append_float(fay_buffer *out, double value);

/* The text of a value that jansson holds, on one line. */
void fay_json_append_value(fay_buffer *out, struct json_t *value);

/*
 * Reads one JSON value of any type; free it with json_decref(). NULL with err set: no JSON
 * (FAY_E_INVAL); nested more than 2,048 deep, or more than 262,144 values, which would cost far
 * more memory than the text (FAY_E_NORES). An integer beyond 64 bits makes all integers of the text
 * floats.
 */
struct json_t *fay_json_load(const char *text, size_t size, fay_error *err);

/* Base64 (RFC 4648) with padding. */
void fay_base64_append(fay_buffer *out, const void *bytes, size_t size);
/* The other way round; 0, or FAY_E_INVAL with nothing appended. */
int fay_base64_decode(const char *text, size_t size, fay_buffer *out);

#endif /* FAY_JSON_H */
