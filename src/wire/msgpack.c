/* SPDX-License-Identifier: MIT */
#include "wire/msgpack.h"

#include <assert.h>
#include <msgpack/pack.h>
#include <string.h>

#include "base/limits.h"

/* What follows a first byte. */
struct head {
    fay_msgpack_type type;
    enum {
        PLAIN,
        UNSIGNED,
        SIGNED,
        REAL,
        TRUTH
    } means;
    uint8_t width; /* bytes of the number that follows: a length, a count or the value itself */
    uint8_t fixed; /* that number, where width is 0 */
    uint8_t extra; /* ext: the byte of its type */
};

/* Bytes 0xc0 to 0xdf; the others say all in their bits. */
static const struct head heads[32] = {
    [0x00] = {.type = FAY_MSGPACK_NIL},
    [0x01] = {.type = FAY_MSGPACK_EXT, .width = UINT8_MAX}, /* 0xc1 is never used */
    [0x02] = {.type = FAY_MSGPACK_BOOL, .fixed = 0, .means = TRUTH},
    [0x03] = {.type = FAY_MSGPACK_BOOL, .fixed = 1, .means = TRUTH},
    [0x04] = {.type = FAY_MSGPACK_BYTES, .width = 1},
    [0x05] = {.type = FAY_MSGPACK_BYTES, .width = 2},
    [0x06] = {.type = FAY_MSGPACK_BYTES, .width = 4},
    [0x07] = {.type = FAY_MSGPACK_EXT, .width = 1, .extra = 1},
    [0x08] = {.type = FAY_MSGPACK_EXT, .width = 2, .extra = 1},
    [0x09] = {.type = FAY_MSGPACK_EXT, .width = 4, .extra = 1},
    [0x0a] = {.type = FAY_MSGPACK_FLOAT, .width = 4, .means = REAL},
    [0x0b] = {.type = FAY_MSGPACK_FLOAT, .width = 8, .means = REAL},
    [0x0c] = {.type = FAY_MSGPACK_INT, .width = 1, .means = UNSIGNED},
    [0x0d] = {.type = FAY_MSGPACK_INT, .width = 2, .means = UNSIGNED},
    [0x0e] = {.type = FAY_MSGPACK_INT, .width = 4, .means = UNSIGNED},
    [0x0f] = {.type = FAY_MSGPACK_INT, .width = 8, .means = UNSIGNED},
    [0x10] = {.type = FAY_MSGPACK_INT, .width = 1, .means = SIGNED},
    [0x11] = {.type = FAY_MSGPACK_INT, .width = 2, .means = SIGNED},
    [0x12] = {.type = FAY_MSGPACK_INT, .width = 4, .means = SIGNED},
    [0x13] = {.type = FAY_MSGPACK_INT, .width = 8, .means = SIGNED},
    [0x14] = {.type = FAY_MSGPACK_EXT, .fixed = 1, .extra = 1},
    [0x15] = {.type = FAY_MSGPACK_EXT, .fixed = 2, .extra = 1},
    [0x16] = {.type = FAY_MSGPACK_EXT, .fixed = 4, .extra = 1},
    [0x17] = {.type = FAY_MSGPACK_EXT, .fixed = 8, .extra = 1},
    [0x18] = {.type = FAY_MSGPACK_EXT, .fixed = 16, .extra = 1},
    [0x19] = {.type = FAY_MSGPACK_STRING, .width = 1},
    [0x1a] = {.type = FAY_MSGPACK_STRING, .width = 2},
    [0x1b] = {.type = FAY_MSGPACK_STRING, .width = 4},
    [0x1c] = {.type = FAY_MSGPACK_LIST, .width = 2},
    [0x1d] = {.type = FAY_MSGPACK_LIST, .width = 4},
    [0x1e] = {.type = FAY_MSGPACK_MAP, .width = 2},
    [0x1f] = {.type = FAY_MSGPACK_MAP, .width = 4},
};

static struct head head_of(uint8_t first)
{
    if (first <= 0x7f)
        return (struct head){.type = FAY_MSGPACK_INT, .fixed = first, .means = UNSIGNED};
    if (first <= 0x8f)
        return (struct head){.type = FAY_MSGPACK_MAP, .fixed = first & 0x0f};
    if (first <= 0x9f)
        return (struct head){.type = FAY_MSGPACK_LIST, .fixed = first & 0x0f};
    if (first <= 0xbf)
        return (struct head){.type = FAY_MSGPACK_STRING, .fixed = first & 0x1f};
    if (first <= 0xdf)
        return heads[first - 0xc0];
    return (struct head){.type = FAY_MSGPACK_INT, .fixed = first, .means = SIGNED};
}

/* Numbers are most significant byte first. */
static uint64_t big_endian(const uint8_t *bytes, size_t width)
{
    uint64_t number = 0;
    for (size_t i = 0; i < width; i++) {
        number = number << 8 | bytes[i];
    }
    return number;
}

static int64_t extend_sign(uint64_t number, size_t width)
{
    switch (width) {
    case 0:
    case 1: return (int8_t)number;
    case 2: return (int16_t)number;
    case 4: return (int32_t)number;
    default: return (int64_t)number;
    }
}

static double real_of(uint64_t number, size_t width)
{
    if (width == 4) {
        uint32_t bits = (uint32_t)number;
        float value;
        memcpy(&value, &bits, sizeof value);
        return (double)value;
    }
    double value;
    memcpy(&value, &number, sizeof value);
    return value;
}

static bool has_bytes(fay_msgpack_type type)
{
    return type == FAY_MSGPACK_STRING || type == FAY_MSGPACK_BYTES || type == FAY_MSGPACK_EXT;
}

static void set_value(fay_msgpack_value *value, struct head head, uint64_t number)
{
    value->type = head.type;
    switch (head.means) {
    case PLAIN: value->count = has_bytes(head.type) ? 0 : (uint32_t)number; break;
    case SIGNED: value->integer = extend_sign(number, head.width); break;
    case REAL: value->real = real_of(number, head.width); break;
    case TRUTH: value->boolean = number != 0; break;
    case UNSIGNED:
        value->integer = (int64_t)number;
        if (number > (uint64_t)INT64_MAX) {
            value->type = FAY_MSGPACK_FLOAT;
            value->integer = 0;
            value->real = (double)number;
        }
        break;
    }
}

/* As fay_msgpack_read(); *ret_needed is the least number of bytes from `at` on. */
static int read_value(const uint8_t *bytes, size_t size, size_t *at, fay_msgpack_value *ret,
                      size_t *ret_needed)
{
    size_t left = size - *at;
    *ret_needed = 1;
    if (left == 0)
        return FAY_MSGPACK_MORE;
    struct head head = head_of(bytes[*at]);
    if (head.width == UINT8_MAX)
        return FAY_E_PEER;
    size_t used = 1 + (size_t)head.width + head.extra;
    *ret_needed = used;
    if (left < used)
        return FAY_MSGPACK_MORE;

    uint64_t number = head.width == 0 ? head.fixed : big_endian(bytes + *at + 1, head.width);
    size_t payload = has_bytes(head.type) ? (size_t)number : 0;
    *ret_needed = used + payload;
    if (left - used < payload)
        return FAY_MSGPACK_MORE;

    fay_msgpack_value value = {.bytes = bytes + *at + used, .size = payload};
    set_value(&value, head, number);
    *at += used + payload;
    *ret = value;
    return FAY_MSGPACK_WHOLE;
}

int fay_msgpack_read(const uint8_t *bytes, size_t size, size_t *at, fay_msgpack_value *ret)
{
    size_t needed;
    assert(*at <= size);
    return read_value(bytes, size, at, ret, &needed);
}

int fay_msgpack_scan_step(const uint8_t *bytes, size_t size, fay_msgpack_scan *scan)
{
    while (scan->pending > 0) {
        fay_msgpack_value value;
        size_t needed;
        int rc = read_value(bytes, size, &scan->at, &value, &needed);
        if (rc < 0)
            return rc;
        if (rc == FAY_MSGPACK_MORE)
            return scan->at + needed + (scan->pending - 1) > scan->max ? FAY_E_NORES : rc;
        scan->pending--;
        if (value.type == FAY_MSGPACK_LIST) {
            scan->pending += value.count;
        } else if (value.type == FAY_MSGPACK_MAP) {
            scan->pending += 2 * (uint64_t)value.count;
        }
        if (scan->at + scan->pending > scan->max)
            return FAY_E_NORES;
    }
    return FAY_MSGPACK_WHOLE;
}

int fay_msgpack_skip(const uint8_t *bytes, size_t size, size_t *at)
{
    fay_msgpack_scan scan = {.at = *at, .pending = 1, .max = UINT64_MAX};
    int rc = fay_msgpack_scan_step(bytes, size, &scan);
    if (rc == FAY_MSGPACK_WHOLE)
        *at = scan.at;
    return rc;
}

/* The cursor of a check, and how many values may still come. */
struct check {
    const uint8_t *bytes;
    size_t size, at;
    size_t values_left;
};

static bool name_is_good(const fay_msgpack_value *name)
{
    return name->type == FAY_MSGPACK_STRING && name->size <= FAY_ATTR_NAME_MAX &&
           memchr(name->bytes, '\0', name->size) == NULL;
}

static bool check_value(struct check *c, size_t depth)
{
    fay_msgpack_value value;
    if (c->values_left == 0 || fay_msgpack_read(c->bytes, c->size, &c->at, &value) != 0)
        return false;
    c->values_left--;
    bool map = value.type == FAY_MSGPACK_MAP;
    if (value.type == FAY_MSGPACK_EXT)
        return false;
    if (!map && value.type != FAY_MSGPACK_LIST)
        return true;
    if (depth == FAY_ATTRS_DEPTH_MAX || value.count > c->size - c->at)
        return false;
    for (uint32_t i = 0; i < value.count; i++) {
        fay_msgpack_value name;
        if (map &&
            (fay_msgpack_read(c->bytes, c->size, &c->at, &name) != 0 || !name_is_good(&name)))
            return false;
        if (!check_value(c, depth + 1))
            return false;
    }
    return true;
}

int fay_msgpack_check(const uint8_t *bytes, size_t size)
{
    /* One more than the attributes: the outermost map is a value, too. */
    struct check c = {.bytes = bytes, .size = size, .values_left = FAY_ATTRS_MAX + 1};
    fay_msgpack_value map;
    size_t at = 0;
    if (fay_msgpack_read(bytes, size, &at, &map) != 0 || map.type != FAY_MSGPACK_MAP)
        return FAY_E_PEER;
    return check_value(&c, 0) && c.at == size ? 0 : FAY_E_PEER;
}

bool fay_msgpack_find(const uint8_t *bytes, size_t size, const char *name, size_t name_size,
                      size_t *ret_at)
{
    fay_msgpack_value map;
    size_t at = 0;
    if (size == 0 || fay_msgpack_read(bytes, size, &at, &map) != 0 || map.type != FAY_MSGPACK_MAP)
        return false;
    for (uint32_t i = 0; i < map.count; i++) {
        fay_msgpack_value key;
        if (fay_msgpack_read(bytes, size, &at, &key) != 0 || key.type != FAY_MSGPACK_STRING)
            return false;
        size_t value_at = at;
        if (fay_msgpack_skip(bytes, size, &at) != 0)
            return false;
        if (key.size == name_size && memcmp(key.bytes, name, name_size) == 0) {
            if (ret_at != NULL)
                *ret_at = value_at;
            return true;
        }
    }
    return false;
}

/* ---- writing --------------------------------------------------------------------------------- */

static int append(void *out, const char *bytes, size_t size)
{
    fay_buffer_append(out, bytes, size);
    return 0;
}

/* Cannot fail: append() does not. */
static msgpack_packer packer(fay_buffer *out)
{
    msgpack_packer p;
    msgpack_packer_init(&p, out, append);
    return p;
}

void fay_msgpack_write_nil(fay_buffer *out)
{
    msgpack_packer p = packer(out);
    (void)msgpack_pack_nil(&p);
}

void fay_msgpack_write_bool(fay_buffer *out, bool value)
{
    msgpack_packer p = packer(out);
    (void)(value ? msgpack_pack_true(&p) : msgpack_pack_false(&p));
}

void fay_msgpack_write_int(fay_buffer *out, int64_t value)
{
    msgpack_packer p = packer(out);
    (void)msgpack_pack_int64(&p, value);
}

void fay_msgpack_write_float(fay_buffer *out, double value)
{
    msgpack_packer p = packer(out);
    (void)msgpack_pack_double(&p, value);
}

void fay_msgpack_write_string(fay_buffer *out, const void *bytes, size_t size)
{
    assert(size <= UINT32_MAX);
    msgpack_packer p = packer(out);
    (void)msgpack_pack_str(&p, size);
    fay_buffer_append(out, bytes, size);
}

void fay_msgpack_write_bytes(fay_buffer *out, const void *bytes, size_t size)
{
    assert(size <= UINT32_MAX);
    msgpack_packer p = packer(out);
    (void)msgpack_pack_bin(&p, size);
    fay_buffer_append(out, bytes, size);
}

void fay_msgpack_write_list(fay_buffer *out, size_t count)
{
    assert(count <= UINT32_MAX);
    msgpack_packer p = packer(out);
    (void)msgpack_pack_array(&p, count);
}

void fay_msgpack_write_map(fay_buffer *out, size_t count)
{
    assert(count <= UINT32_MAX);
    msgpack_packer p = packer(out);
    (void)msgpack_pack_map(&p, count);
}
