/* SPDX-License-Identifier: MIT */
#include "item/when.h"

#include <math.h>
#include <string.h>

#include "item/when_node.h"
#include "wire/msgpack.h"

/* The Item that is looked at. */
struct subject {
    const uint8_t *attrs, *data;
    size_t attrs_size, data_size;
};

/* NIL also stands for what is not there: `name == null` is true of both. */
struct value {
    enum {
        NIL,
        BOOL,
        INT,
        FLOAT,
        TEXT,
        BYTES,
        OTHER
    } type;
    int64_t integer; /* INT, BOOL */
    double real;
    const uint8_t *bytes; /* TEXT, BYTES */
    size_t size;
};

static struct value read_value(const uint8_t *attrs, size_t size, size_t at)
{
    fay_msgpack_value read;
    if (fay_msgpack_read(attrs, size, &at, &read) != 0)
        return (struct value){.type = NIL};
    struct value value = {
        .integer = read.integer, .real = read.real, .bytes = read.bytes, .size = read.size};
    switch (read.type) {
    case FAY_MSGPACK_NIL: value.type = NIL; break;
    case FAY_MSGPACK_BOOL:
        value.type = BOOL;
        value.integer = read.boolean;
        break;
    case FAY_MSGPACK_INT: value.type = INT; break;
    case FAY_MSGPACK_FLOAT: value.type = FLOAT; break;
    case FAY_MSGPACK_STRING: value.type = TEXT; break;
    case FAY_MSGPACK_BYTES: value.type = BYTES; break;
    case FAY_MSGPACK_LIST:
    case FAY_MSGPACK_MAP:
    case FAY_MSGPACK_EXT: value.type = OTHER; break;
    }
    return value;
}

/* An attribute of that very name first, then the members that its dots name. */
static struct value look_up(const struct subject *s, const char *name, size_t name_size)
{
    const uint8_t *map = s->attrs;
    size_t size = s->attrs_size;
    for (;;) {
        size_t at;
        if (fay_msgpack_find(map, size, name, name_size, &at))
            return read_value(map, size, at);
        const char *dot = memchr(name, '.', name_size);
        if (dot == NULL || !fay_msgpack_find(map, size, name, (size_t)(dot - name), &at))
            return (struct value){.type = NIL};
        name_size -= (size_t)(dot - name) + 1;
        name = dot + 1;
        map += at;
        size -= at;
    }
}

static struct value term(const fay_when *when, uint32_t index, const struct subject *s)
{
    const struct fay_when_node *node = &when->nodes[index];
    struct value value = {.type = NIL, .integer = node->integer, .real = node->real};
    switch (node->kind) {
    case FAY_WHEN_NAME: return look_up(s, node->text, node->size);
    case FAY_WHEN_DATA:
        value.type = TEXT;
        value.bytes = s->data;
        value.size = s->data_size;
        break;
    case FAY_WHEN_TEXT:
        value.type = TEXT;
        value.bytes = (const uint8_t *)node->text;
        value.size = node->size;
        break;
    case FAY_WHEN_INT: value.type = INT; break;
    case FAY_WHEN_FLOAT: value.type = FLOAT; break;
    case FAY_WHEN_BOOL: value.type = BOOL; break;
    case FAY_WHEN_NIL:
    case FAY_WHEN_OR:
    case FAY_WHEN_AND:
    case FAY_WHEN_NOT:
    case FAY_WHEN_EQUAL:
    case FAY_WHEN_UNEQUAL:
    case FAY_WHEN_LESS:
    case FAY_WHEN_AT_MOST:
    case FAY_WHEN_MORE:
    case FAY_WHEN_AT_LEAST:
    case FAY_WHEN_GLOB:
    case FAY_WHEN_IN:
    case FAY_WHEN_TRUTH: break;
    }
    return value;
}

static bool is_number(const struct value *value)
{
    return value->type == INT || value->type == FLOAT;
}

static int compare_bytes(const struct value *a, const struct value *b)
{
    size_t size = FAY_MIN(a->size, b->size);
    int order = size > 0 ? memcmp(a->bytes, b->bytes, size) : 0;
    return order != 0 ? order : (a->size > b->size) - (a->size < b->size);
}

/* *ret_order < 0, 0, > 0; false: the two have no order. A long double holds every int and float. */
static bool compare(const struct value *a, const struct value *b, int *ret_order)
{
    if (is_number(a) && is_number(b)) {
        long double x = a->type == INT ? (long double)a->integer : (long double)a->real;
        long double y = b->type == INT ? (long double)b->integer : (long double)b->real;
        *ret_order = (x > y) - (x < y);
        return !isnan(x) && !isnan(y);
    }
    if (a->type != b->type || (a->type != TEXT && a->type != BYTES))
        return false;
    *ret_order = compare_bytes(a, b);
    return true;
}

static bool equal(const struct value *a, const struct value *b)
{
    int order;
    if (a->type == b->type && (a->type == NIL || a->type == BOOL))
        return a->type == NIL || a->integer == b->integer;
    return compare(a, b, &order) && order == 0;
}

/* [abc], [a-z], [!a] at pattern[0] against one byte; *ret_size is the set's, 0 if it never ends. */
static bool in_set(const uint8_t *pattern, size_t size, uint8_t byte, size_t *ret_size)
{
    size_t at = 1;
    bool negated = at < size && (pattern[at] == '!' || pattern[at] == '^');
    bool found = false;
    at += negated ? 1 : 0;
    for (size_t first = at; at < size; at++) {
        if (pattern[at] == ']' && at > first) {
            *ret_size = at + 1;
            return found != negated;
        }
        uint8_t low = pattern[at], high = low;
        if (at + 2 < size && pattern[at + 1] == '-' && pattern[at + 2] != ']') {
            high = pattern[at + 2];
            at += 2;
        }
        found = found || (byte >= low && byte <= high);
    }
    *ret_size = 0;
    return false;
}

/* Whether the pattern's first element is met by a byte; *ret_size is the element's. */
static bool meets(const uint8_t *pattern, size_t size, uint8_t byte, size_t *ret_size)
{
    *ret_size = 1;
    if (pattern[0] == '?')
        return true;
    if (pattern[0] == '[') {
        bool in = in_set(pattern, size, byte, ret_size);
        if (*ret_size > 0)
            return in;
        *ret_size = 1; /* no set: a bracket */
    }
    if (pattern[0] == '\\' && size > 1) {
        *ret_size = 2;
        return pattern[1] == byte;
    }
    return pattern[0] == byte;
}

/* On a mismatch the last `*` takes one byte more; earlier ones need never be asked again. */
static bool matches(const struct value *text, const struct value *pattern)
{
    size_t at = 0, p = 0, star_at = 0, star_p = SIZE_MAX;
    while (at < text->size) {
        size_t element;
        if (p < pattern->size && pattern->bytes[p] == '*') {
            star_p = ++p;
            star_at = at;
        } else if (p < pattern->size &&
                   meets(pattern->bytes + p, pattern->size - p, text->bytes[at], &element)) {
            p += element;
            at++;
        } else if (star_p != SIZE_MAX) {
            p = star_p;
            at = ++star_at;
        } else {
            return false;
        }
    }
    while (p < pattern->size && pattern->bytes[p] == '*') {
        p++;
    }
    return p == pattern->size;
}

static bool in_list(const fay_when *when, const struct value *value, uint32_t index,
                    const struct subject *s)
{
    for (; index != FAY_WHEN_NONE; index = when->nodes[index].right) {
        struct value element = term(when, index, s);
        if (equal(value, &element))
            return true;
    }
    return false;
}

static bool is_true(const struct value *value)
{
    return value->type != NIL && (value->type != BOOL || value->integer != 0);
}

/* A test that compares two terms, or asks one. */
static bool test_terms(const fay_when *when, const struct fay_when_node *node,
                       const struct subject *s)
{
    struct value a = term(when, node->left, s);
    if (node->kind == FAY_WHEN_TRUTH)
        return is_true(&a);
    if (node->kind == FAY_WHEN_IN)
        return in_list(when, &a, node->right, s);

    struct value b = term(when, node->right, s);
    if (node->kind == FAY_WHEN_EQUAL || node->kind == FAY_WHEN_UNEQUAL)
        return equal(&a, &b) == (node->kind == FAY_WHEN_EQUAL);
    if (node->kind == FAY_WHEN_GLOB)
        return a.type == TEXT && b.type == TEXT && matches(&a, &b);

    int order;
    if (!compare(&a, &b, &order))
        return false;
    if (order == 0)
        return node->kind == FAY_WHEN_AT_MOST || node->kind == FAY_WHEN_AT_LEAST;
    bool less = node->kind == FAY_WHEN_LESS || node->kind == FAY_WHEN_AT_MOST;
    return (order < 0) == less;
}

/* Recursive: over `or` and `and` of one level as deep as they are many; FAY_WHEN_MAX bounds it. */
static bool test(const fay_when *when, uint32_t index, const struct subject *s)
{
    const struct fay_when_node *node = &when->nodes[index];
    if (node->kind == FAY_WHEN_OR)
        return test(when, node->left, s) || test(when, node->right, s);
    if (node->kind == FAY_WHEN_AND)
        return test(when, node->left, s) && test(when, node->right, s);
    if (node->kind == FAY_WHEN_NOT)
        return !test(when, node->left, s);
    return test_terms(when, node, s);
}

bool fay_when_test(const fay_when *when, const uint8_t *attrs, size_t attrs_size,
                   const uint8_t *data, size_t data_size)
{
    const struct subject s = {
        .attrs = attrs, .data = data, .attrs_size = attrs_size, .data_size = data_size};
    return test(when, when->root, &s);
}
