/* SPDX-License-Identifier: MIT */
/*
 * msgpack, read without trust. The project's only code that knows its bytes.
 *
 * libmsgpack's unpacker believes counts: five bytes that announce an array of 2^32 - 1 make it
 * allocate 8 GB before it finds that there is no array. So nothing is unpacked into a tree here.
 * A reader walks over the bytes, value by value, and allocates nothing; every length is compared
 * with the bytes that are left, and fay_msgpack_check() bounds depth and number once for what came
 * from outside. Writing goes through libmsgpack's packer, which has no such trap.
 *
 * The reader is safe on any bytes, checked or not.
 */
#ifndef FAY_MSGPACK_H
#define FAY_MSGPACK_H

#include "base/base.h"
#include "base/buffer.h"

typedef enum fay_msgpack_type {
    FAY_MSGPACK_NIL,
    FAY_MSGPACK_BOOL,
    FAY_MSGPACK_INT,
    FAY_MSGPACK_FLOAT, /* also an integer beyond INT64_MAX */
    FAY_MSGPACK_STRING,
    FAY_MSGPACK_BYTES,
    FAY_MSGPACK_LIST,
    FAY_MSGPACK_MAP,
    FAY_MSGPACK_EXT, /* not an attribute's type */
} fay_msgpack_type;

typedef struct fay_msgpack_value {
    fay_msgpack_type type;
    bool boolean;
    int64_t integer;
    double real;
    const uint8_t *bytes; /* STRING, BYTES, EXT: borrowed */
    size_t size;
    uint32_t count; /* LIST: elements, MAP: pairs; they follow */
} fay_msgpack_value;

enum {
    FAY_MSGPACK_WHOLE = 0,
    FAY_MSGPACK_MORE = 1, /* the bytes end inside a value */
};

/*
 * Reads the value at bytes[*at] and moves *at behind it; of a list or a map behind its head, to its
 * first element or key. Returns FAY_MSGPACK_WHOLE, FAY_MSGPACK_MORE or FAY_E_PEER (no msgpack); *at
 * and *ret are untouched in the latter two.
 */
int fay_msgpack_read(const uint8_t *bytes, size_t size, size_t *at, fay_msgpack_value *ret);

/* Moves *at over a whole value with all that is in it. Returns as fay_msgpack_read(). */
int fay_msgpack_skip(const uint8_t *bytes, size_t size, size_t *at);

/* A search for the end of a value that can go on when more bytes have come; it begins with
 * {.pending = 1, .max = N}. FAY_E_NORES as soon as the value must be larger than `max`. */
typedef struct fay_msgpack_scan {
    size_t at;
    uint64_t pending; /* values still to be seen; each takes a byte at least */
    uint64_t max;
} fay_msgpack_scan;
int fay_msgpack_scan_step(const uint8_t *bytes, size_t size, fay_msgpack_scan *scan);

/*
 * 0 if the bytes are one map with string keys and nothing behind it, within limits.h (attributes,
 * depth, names), without ext values; else FAY_E_PEER.
 */
int fay_msgpack_check(const uint8_t *bytes, size_t size);

/* Finds a key in the map that begins at bytes[0]; false when absent or when this is no map. The
 * first one counts. *ret_at (may be NULL) is where the value begins. */
bool fay_msgpack_find(const uint8_t *bytes, size_t size, const char *name, size_t name_size,
                      size_t *ret_at);

void fay_msgpack_write_nil(fay_buffer *out);
void fay_msgpack_write_bool(fay_buffer *out, bool value);
void fay_msgpack_write_int(fay_buffer *out, int64_t value);
void fay_msgpack_write_float(fay_buffer *out, double value);
void fay_msgpack_write_string(fay_buffer *out, const void *bytes, size_t size);
void fay_msgpack_write_bytes(fay_buffer *out, const void *bytes, size_t size);
void fay_msgpack_write_list(fay_buffer *out, size_t count); /* the elements follow */
void fay_msgpack_write_map(fay_buffer *out, size_t count);  /* count x (key, value) follow */

#endif /* FAY_MSGPACK_H */
