/* SPDX-License-Identifier: MIT */
#include "item/json.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/utf8.h"

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* How many of the bytes, from the first on, are plain ASCII; eight at a time. */
static size_t ascii_run(const uint8_t *bytes, size_t size)
{
    size_t at = 0;
    uint64_t word;
    for (; size - at >= sizeof word; at += sizeof word) {
        memcpy(&word, bytes + at, sizeof word);
        if ((word & UINT64_C(0x8080808080808080)) != 0)
            break;
    }
    while (at < size && bytes[at] < 0x80) {
        at++;
    }
    return at;
}

bool fay_utf8_valid(const void *bytes, size_t size)
{
    const uint8_t *text = bytes;
    for (size_t at = 0; at < size;) {
        at += ascii_run(text + at, size - at);
        if (at == size)
            return true;
        size_t character = fay_utf8_character(text + at, size - at);
        if (character == 0)
            return false;
        at += character;
    }
    return true;
}

static void append_escape(fay_buffer *out, uint8_t byte)
{
    switch (byte) {
    case '"': fay_buffer_append(out, "\\\"", 2); break;
    case '\\': fay_buffer_append(out, "\\\\", 2); break;
    case '\n': fay_buffer_append(out, "\\n", 2); break;
    case '\r': fay_buffer_append(out, "\\r", 2); break;
    case '\t': fay_buffer_append(out, "\\t", 2); break;
    case '\b': fay_buffer_append(out, "\\b", 2); break;
    case '\f': fay_buffer_append(out, "\\f", 2); break;
    default: fay_buffer_printf(out, "\\u%04x", (unsigned)byte); break;
    }
}

/* How many bytes, from the first on, stand for themselves. */
static size_t plain_run(const uint8_t *text, size_t size)
{
    size_t at = 0;
    while (at < size) {
        uint8_t byte = text[at];
        if (byte < 0x20 || byte == '"' || byte == '\\')
            break;
        size_t character = fay_utf8_character(text + at, size - at);
        if (character == 0)
            break;
        at += character;
    }
    return at;
}

void fay_json_append_string(fay_buffer *out, const void *bytes, size_t size)
{
    const uint8_t *text = bytes;
    (void)fay_buffer_reserve(out, size + 2);
    fay_buffer_append(out, "\"", 1);
    for (size_t at = 0; at < size;) {
        size_t plain = plain_run(text + at, size - at);
        fay_buffer_append(out, text + at, plain);
        at += plain;
        if (at == size)
            break;
        if (text[at] < 0x80) {
            append_escape(out, text[at]);
        } else {
            fay_buffer_append_text(out, FAY_UTF8_REPLACEMENT);
        }
        at++;
    }
    fay_buffer_append(out, "\"", 1);
}

void fay_base64_append(fay_buffer *out, const void *bytes, size_t size)
{
    const uint8_t *in = bytes;
    size_t length = (size + 2) / 3 * 4;
    uint8_t *text = fay_buffer_reserve(out, length);
    for (size_t at = 0; at < size; at += 3, text += 4) {
        uint32_t triple = (uint32_t)in[at] << 16;
        triple |= at + 1 < size ? (uint32_t)in[at + 1] << 8 : 0;
        triple |= at + 2 < size ? (uint32_t)in[at + 2] : 0;
        text[0] = (uint8_t)base64_digits[triple >> 18];
        text[1] = (uint8_t)base64_digits[triple >> 12 & 63];
        text[2] = (uint8_t)(at + 1 < size ? base64_digits[triple >> 6 & 63] : '=');
        text[3] = (uint8_t)(at + 2 < size ? base64_digits[triple & 63] : '=');
    }
    fay_buffer_commit(out, length);
}

static int digit_value(char digit)
{
    const char *found = digit != '\0' ? strchr(base64_digits, digit) : NULL;
    return found != NULL ? (int)(found - base64_digits) : -1;
}

int fay_base64_decode(const char *text, size_t size, fay_buffer *out)
{
    if (size % 4 != 0)
        return FAY_E_INVAL;
    size_t padding = 0;
    while (padding < 2 && padding < size && text[size - 1 - padding] == '=') {
        padding++;
    }
    uint8_t *bytes = fay_buffer_reserve(out, size / 4 * 3);
    for (size_t at = 0; at < size; at += 4, bytes += 3) {
        uint32_t triple = 0;
        for (size_t i = at; i < at + 4; i++) {
            int value = i >= size - padding ? 0 : digit_value(text[i]);
            if (value < 0)
                return FAY_E_INVAL;
            triple = triple << 6 | (uint32_t)value;
        }
        bytes[0] = (uint8_t)(triple >> 16);
        bytes[1] = (uint8_t)(triple >> 8);
        bytes[2] = (uint8_t)triple;
    }
    fay_buffer_commit(out, size / 4 * 3 - padding);
    return 0;
}

void fay_json_append_base64(fay_buffer *out, const void *bytes, size_t size)
{
    fay_buffer_append_text(out, "{\"$base64\":\"");
    fay_base64_append(out, bytes, size);
    fay_buffer_append_text(out, "\"}");
}

void fay_json_append_payload(fay_buffer *out, const void *bytes, size_t size)
{
    if (fay_utf8_valid(bytes, size)) {
        fay_json_append_string(out, bytes, size);
    } else {
        fay_json_append_base64(out, bytes, size);
    }
}

void fay_json_append_float(fay_buffer *out, double value)
{
    if (!isfinite(value)) {
        fay_buffer_append_text(out, "null");
        return;
    }
    char text[32];
    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    for (char *c = text; *c != '\0'; c++) { /* the locale's point is not JSON's */
        if (*c == ',')
            *c = '.';
    }
    fay_buffer_append_text(out, text);
    if (strpbrk(text, ".e") == NULL)
        fay_buffer_append_text(out, ".0");
}

static void append_list(fay_buffer *out, json_t *list)
{
    fay_buffer_append(out, "[", 1);
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (i > 0)
            fay_buffer_append(out, ",", 1);
        fay_json_append_value(out, json_array_get(list, i));
    }
    fay_buffer_append(out, "]", 1);
}

static void append_object(fay_buffer *out, json_t *object)
{
    const char *key;
    json_t *value;
    const char *comma = "";
    fay_buffer_append(out, "{", 1);
    json_object_foreach(object, key, value)
    {
        fay_buffer_append_text(out, comma);
        fay_json_append_string(out, key, strlen(key));
        fay_buffer_append(out, ":", 1);
        fay_json_append_value(out, value);
        comma = ",";
    }
    fay_buffer_append(out, "}", 1);
}

/* Recursive, but no deeper than jansson reads (2,048). */
void fay_json_append_value(fay_buffer *out, struct json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT: append_object(out, value); break;
    case JSON_ARRAY: append_list(out, value); break;
    case JSON_STRING:
        fay_json_append_string(out, json_string_value(value), json_string_length(value));
        break;
    case JSON_INTEGER:
        fay_buffer_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        break;
    case JSON_REAL: fay_json_append_float(out, json_real_value(value)); break;
    case JSON_TRUE: fay_buffer_append_text(out, "true"); break;
    case JSON_FALSE: fay_buffer_append_text(out, "false"); break;
    case JSON_NULL: fay_buffer_append_text(out, "null"); break;
    }
}

/* An upper bound of how many values the text has, from what stands outside its strings. */
static size_t count_values(const char *text, size_t size)
{
    size_t count = 1;
    bool quoted = false;
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        if (c == '"') {
            quoted = !quoted;
        } else if (quoted && c == '\\') {
            i++;
        } else if (!quoted && (c == ',' || c == '[' || c == '{')) {
            count++;
        }
    }
    return count;
}

struct json_t *fay_json_load(const char *text, size_t size, fay_error *err)
{
    const size_t flags = JSON_DECODE_ANY | JSON_ALLOW_NUL;
    json_error_t error;
    if (size > FAY_JSON_VALUES_MAX && count_values(text, size) > FAY_JSON_VALUES_MAX) {
        (void)fay_fail_with(err, FAY_E_NORES, "more than %zu JSON values", FAY_JSON_VALUES_MAX);
        return NULL;
    }
    json_t *value = json_loadb(size > 0 ? text : "", size, flags, &error);
    if (value == NULL && json_error_code(&error) == json_error_numeric_overflow)
        value = json_loadb(text, size, flags | JSON_DECODE_INT_AS_REAL, &error);
    if (value == NULL && json_error_code(&error) == json_error_stack_overflow) {
        (void)fay_fail_with(err, FAY_E_NORES, "JSON nested more than %d deep",
                            JSON_PARSER_MAX_DEPTH);
    } else if (value == NULL) {
        (void)fay_fail_with(err, FAY_E_INVAL, "no JSON, at byte %d: %s", error.position,
                            error.text);
    }
    return value;
}
