/* SPDX-License-Identifier: MIT */
/*
 * Numbers and byte strings as they lie in messages: little endian, fixed width; a byte string is a
 * u32 length and its bytes. The reader checks every bound: after a failure it is `bad`, gives zeros
 * and empty strings, and the caller asks once at the end (fay_reader_done).
 */
#ifndef FAY_CODEC_H
#define FAY_CODEC_H

#include <string.h>

#include "base/base.h"
#include "base/buffer.h"

static inline uint16_t fay_load16(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] | bytes[1] << 8);
}
static inline uint32_t fay_load32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}
static inline uint64_t fay_load64(const uint8_t *bytes)
{
    return (uint64_t)fay_load32(bytes) | (uint64_t)fay_load32(bytes + 4) << 32;
}
static inline void fay_store16(uint8_t *bytes, uint16_t value)
{
    bytes[0] = (uint8_t)value;
    bytes[1] = (uint8_t)(value >> 8);
}
static inline void fay_store32(uint8_t *bytes, uint32_t value)
{
    fay_store16(bytes, (uint16_t)value);
    fay_store16(bytes + 2, (uint16_t)(value >> 16));
}
static inline void fay_store64(uint8_t *bytes, uint64_t value)
{
    fay_store32(bytes, (uint32_t)value);
    fay_store32(bytes + 4, (uint32_t)(value >> 32));
}

typedef struct fay_reader {
    const uint8_t *at, *end;
    bool bad;
} fay_reader;

fay_reader fay_reader_of(const void *bytes, size_t size);
uint8_t fay_read8(fay_reader *reader);
uint16_t fay_read16(fay_reader *reader);
uint32_t fay_read32(fay_reader *reader);
uint64_t fay_read64(fay_reader *reader);
double fay_read_double(fay_reader *reader);
/* `size` bytes, borrowed; NULL and bad when there are fewer. */
const uint8_t *fay_read_raw(fay_reader *reader, size_t size);
/* A byte string of at most `max` bytes, borrowed. Never NULL. */
const uint8_t *fay_read_bytes(fay_reader *reader, size_t max, size_t *ret_size);
/* The same as a new C string without NULs inside; free() it. */
char *fay_read_text(fay_reader *reader, size_t max);
/* 0 when all was read and nothing was bad, else FAY_E_PEER. */
int fay_reader_done(const fay_reader *reader);

void fay_write8(fay_buffer *out, uint8_t value);
void fay_write16(fay_buffer *out, uint16_t value);
void fay_write32(fay_buffer *out, uint32_t value);
void fay_write64(fay_buffer *out, uint64_t value);
void fay_write_bytes(fay_buffer *out, const void *bytes, size_t size);
void fay_write_text(fay_buffer *out, const char *text); /* NULL is written as "" */

#endif /* FAY_CODEC_H */
