/* SPDX-License-Identifier: MIT */
#include "item/format.h"

#include <assert.h>
#include <string.h>

#include "wire/msgpack.h"

static const char *const names[] = {
#define X(name, number, text) [name] = (text),
    FAY_FORMATS(X)
#undef X
};

enum {
    NETSTRING_DIGITS_MAX = 10, /* of a length; item_max has no more */
    U32_HEADER = 4,
};

const char *fay_format_name(fay_format format)
{
    assert((size_t)format < FAY_COUNT(names));
    return names[format];
}

int fay_format_parse(const char *name, fay_format *ret_format)
{
    for (size_t i = 0; i < FAY_COUNT(names); i++) {
        if (strcmp(names[i], name) == 0) {
            *ret_format = (fay_format)i;
            return 0;
        }
    }
    return FAY_E_NOTFOUND;
}

/* What all splitters are given; `scanned` is never NULL. */
struct split {
    const uint8_t *bytes;
    size_t size;
    bool final;
    uint64_t item_max;
    size_t *scanned;
    fay_slice *ret;
};

/* Items that end at a byte: lines and nul. */
static int split_at(const struct split *s, uint8_t delimiter, bool crlf_strip)
{
    assert(*s->scanned <= s->size);
    const uint8_t *from = s->bytes + *s->scanned;
    const uint8_t *found = memchr(from, delimiter, s->size - *s->scanned);
    if (found == NULL && !s->final) {
        *s->scanned = s->size;
        return s->size - (crlf_strip ? 1 : 0) > s->item_max ? FAY_E_NORES : FAY_SPLIT_MORE;
    }
    size_t next = found != NULL ? (size_t)(found - s->bytes) + 1 : s->size;
    size_t length = found != NULL ? next - 1 : s->size;
    if (crlf_strip && length > 0 && s->bytes[length - 1] == '\r')
        length--;
    if (length > s->item_max)
        return FAY_E_NORES;
    *s->ret = (fay_slice){.at = 0, .length = length, .next = next};
    return FAY_SPLIT_ITEM;
}

/* An Item whose head of `head` bytes has said its length; `tail` bytes end it. */
static int split_counted(const struct split *s, size_t head, uint64_t length, size_t tail)
{
    if (length > s->item_max)
        return FAY_E_NORES;
    if (s->size - head < length + tail)
        return FAY_SPLIT_MORE;
    *s->ret =
        (fay_slice){.at = head, .length = (size_t)length, .next = head + (size_t)length + tail};
    return FAY_SPLIT_ITEM;
}

static int split_netstring(const struct split *s)
{
    uint64_t length = 0;
    size_t at = 0;
    for (; at < s->size && s->bytes[at] >= '0' && s->bytes[at] <= '9'; at++) {
        if (at == NETSTRING_DIGITS_MAX || (at == 1 && s->bytes[0] == '0'))
            return FAY_E_PEER;
        length = length * 10 + (uint64_t)(s->bytes[at] - '0');
        if (length > s->item_max)
            return FAY_E_NORES;
    }
    if (at == s->size)
        return FAY_SPLIT_MORE;
    if (at == 0 || s->bytes[at] != ':')
        return FAY_E_PEER;
    int rc = split_counted(s, at + 1, length, 1);
    return rc == FAY_SPLIT_ITEM && s->bytes[s->ret->next - 1] != ',' ? FAY_E_PEER : rc;
}

static int split_u32be(const struct split *s)
{
    if (s->size < U32_HEADER)
        return FAY_SPLIT_MORE;
    uint64_t length = (uint64_t)s->bytes[0] << 24 | (uint64_t)s->bytes[1] << 16 |
                      (uint64_t)s->bytes[2] << 8 | (uint64_t)s->bytes[3];
    return split_counted(s, U32_HEADER, length, 0);
}

/*
 * The search goes on where it stopped: `scanned` holds the offset (low half) and how many values
 * are still open (high half). Where they do not fit the search begins again.
 */
static int split_msgpack(const struct split *s)
{
    const bool halves = sizeof(size_t) >= 8;
    const unsigned half = sizeof(size_t) * 4;
    const uint64_t low = (UINT64_C(1) << half) - 1;
    fay_msgpack_scan scan = {.pending = 1, .max = s->item_max};
    if (halves && *s->scanned != 0) {
        scan.at = *s->scanned & low;
        scan.pending = (uint64_t)*s->scanned >> half;
    }

    int rc = fay_msgpack_scan_step(s->bytes, s->size, &scan);
    if (rc < 0)
        return rc;
    if (rc == FAY_MSGPACK_MORE) {
        if (halves && scan.at <= low && scan.pending <= low)
            *s->scanned = (size_t)(scan.pending << half | scan.at);
        return FAY_SPLIT_MORE;
    }
    *s->ret = (fay_slice){.at = 0, .length = scan.at, .next = scan.at};
    return FAY_SPLIT_ITEM;
}

static int split(fay_format format, const struct split *s, bool crlf_strip)
{
    switch (format) {
    case FAY_FORMAT_LINES:
    case FAY_FORMAT_JSONL: return split_at(s, '\n', crlf_strip);
    case FAY_FORMAT_NUL: return split_at(s, '\0', false);
    case FAY_FORMAT_NETSTRING: return split_netstring(s);
    case FAY_FORMAT_U32BE: return split_u32be(s);
    case FAY_FORMAT_MSGPACK: return split_msgpack(s);
    }
    return FAY_E_INVAL;
}

/* Eight parameters, and all it takes are values: a struct would only be filled in to be read once.
 * NOLINTNEXTLINE(readability-function-size) */
int fay_split(fay_format format, const uint8_t *bytes, size_t size, bool final, bool crlf_strip,
              uint64_t item_max, size_t *scanned, /* NOLINT(readability-non-const-parameter) */
              fay_slice *ret)
{
    size_t nowhere = 0;
    struct split s = {.bytes = bytes,
                      .size = size,
                      .final = final,
                      .item_max = item_max,
                      .scanned = scanned != NULL ? scanned : &nowhere,
                      .ret = ret};
    if (size == 0)
        return FAY_SPLIT_MORE;
    int rc = split(format, &s, crlf_strip);
    if (rc == FAY_SPLIT_ITEM)
        *s.scanned = 0;
    return rc == FAY_SPLIT_MORE && final ? FAY_E_PEER : rc;
}

static int join_at(const void *payload, size_t length, char delimiter, fay_buffer *out)
{
    if (length > 0 && memchr(payload, delimiter, length) != NULL)
        return FAY_E_INVAL;
    uint8_t *room = fay_buffer_reserve(out, length + 1);
    if (length > 0)
        memcpy(room, payload, length);
    room[length] = (uint8_t)delimiter;
    fay_buffer_commit(out, length + 1);
    return 0;
}

static int join_u32be(const void *payload, size_t length, fay_buffer *out)
{
    if (length > UINT32_MAX)
        return FAY_E_INVAL;
    const uint8_t header[U32_HEADER] = {(uint8_t)(length >> 24), (uint8_t)(length >> 16),
                                        (uint8_t)(length >> 8), (uint8_t)length};
    fay_buffer_append(out, header, sizeof header);
    fay_buffer_append(out, payload, length);
    return 0;
}

int fay_join(fay_format format, const void *payload, size_t length, fay_buffer *out)
{
    size_t end = 0;
    switch (format) {
    case FAY_FORMAT_LINES:
    case FAY_FORMAT_JSONL: return join_at(payload, length, '\n', out);
    case FAY_FORMAT_NUL: return join_at(payload, length, '\0', out);
    case FAY_FORMAT_U32BE: return join_u32be(payload, length, out);
    case FAY_FORMAT_NETSTRING:
        fay_buffer_printf(out, "%zu:", length);
        fay_buffer_append(out, payload, length);
        fay_buffer_append(out, ",", 1);
        return 0;
    case FAY_FORMAT_MSGPACK:
        if (length == 0 || fay_msgpack_skip(payload, length, &end) != 0 || end != length)
            return FAY_E_INVAL;
        fay_buffer_append(out, payload, length);
        return 0;
    }
    return FAY_E_INVAL;
}
