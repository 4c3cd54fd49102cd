/* SPDX-License-Identifier: MIT */
#include "wire/codec.h"

#include <assert.h>

fay_reader fay_reader_of(const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    return (fay_reader){.at = at, .end = size > 0 ? at + size : at};
}

const uint8_t *fay_read_raw(fay_reader *reader, size_t size)
{
    if (reader->bad || (size_t)(reader->end - reader->at) < size) {
        reader->bad = true;
        return NULL;
    }
    const uint8_t *bytes = reader->at;
    reader->at = size > 0 ? reader->at + size : reader->at;
    return bytes;
}

uint8_t fay_read8(fay_reader *reader)
{
    const uint8_t *bytes = fay_read_raw(reader, 1);
    return bytes != NULL ? *bytes : 0;
}

uint16_t fay_read16(fay_reader *reader)
{
    const uint8_t *bytes = fay_read_raw(reader, 2);
    return bytes != NULL ? fay_load16(bytes) : 0;
}

uint32_t fay_read32(fay_reader *reader)
{
    const uint8_t *bytes = fay_read_raw(reader, 4);
    return bytes != NULL ? fay_load32(bytes) : 0;
}

uint64_t fay_read64(fay_reader *reader)
{
    const uint8_t *bytes = fay_read_raw(reader, 8);
    return bytes != NULL ? fay_load64(bytes) : 0;
}

double fay_read_double(fay_reader *reader)
{
    uint64_t bits = fay_read64(reader);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

const uint8_t *fay_read_bytes(fay_reader *reader, size_t max, size_t *ret_size)
{
    static const uint8_t nothing[1];
    size_t size = fay_read32(reader);
    const uint8_t *bytes = NULL;
    if (size > max) {
        reader->bad = true;
    } else {
        bytes = fay_read_raw(reader, size);
    }
    *ret_size = bytes != NULL ? size : 0;
    return bytes != NULL ? bytes : nothing;
}

char *fay_read_text(fay_reader *reader, size_t max)
{
    size_t size;
    const uint8_t *bytes = fay_read_bytes(reader, max, &size);
    if (size > 0 && memchr(bytes, '\0', size) != NULL) {
        reader->bad = true;
        size = 0;
    }
    return fay_strndup((const char *)bytes, size);
}

int fay_reader_done(const fay_reader *reader)
{
    return !reader->bad && reader->at == reader->end ? 0 : FAY_E_PEER;
}

void fay_write8(fay_buffer *out, uint8_t value)
{
    fay_buffer_append(out, &value, 1);
}

void fay_write16(fay_buffer *out, uint16_t value)
{
    uint8_t bytes[2];
    fay_store16(bytes, value);
    fay_buffer_append(out, bytes, sizeof bytes);
}

void fay_write32(fay_buffer *out, uint32_t value)
{
    uint8_t bytes[4];
    fay_store32(bytes, value);
    fay_buffer_append(out, bytes, sizeof bytes);
}

void fay_write64(fay_buffer *out, uint64_t value)
{
    uint8_t bytes[8];
    fay_store64(bytes, value);
    fay_buffer_append(out, bytes, sizeof bytes);
}

void fay_write_bytes(fay_buffer *out, const void *bytes, size_t size)
{
    assert(size <= UINT32_MAX);
    fay_write32(out, (uint32_t)size);
    fay_buffer_append(out, bytes, size);
}

void fay_write_text(fay_buffer *out, const char *text)
{
    fay_write_bytes(out, text, text != NULL ? strlen(text) : 0);
}
