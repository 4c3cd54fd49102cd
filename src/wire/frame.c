/* SPDX-License-Identifier: MIT */
#include "wire/frame.h"

#include <assert.h>
#include <string.h>

#include "wire/codec.h"

static const struct {
    const char *name;
    size_t max;
} messages[] = {
#define X(name, number, ways, payload_max, text) [number] = {#name, (payload_max)},
#include "wire/message.def"
#undef X
};

const char *fay_message_name(fay_message type)
{
    return (size_t)type < FAY_COUNT(messages) ? messages[type].name : NULL;
}

size_t fay_message_max(fay_message type)
{
    assert(fay_message_name(type) != NULL);
    return messages[type].max;
}

int fay_frame_parse(const uint8_t *bytes, size_t size, fay_frame *ret, size_t *ret_needed)
{
    *ret_needed = FAY_FRAME_HEADER;
    if (size < FAY_FRAME_HEADER)
        return FAY_FRAME_MORE;

    size_t payload = fay_load32(bytes);
    fay_message type = (fay_message)bytes[4];
    if (fay_message_name(type) == NULL || payload > fay_message_max(type) || bytes[5] != 0)
        return FAY_E_PEER;
    *ret_needed = FAY_FRAME_HEADER + payload;
    if (size < *ret_needed)
        return FAY_FRAME_MORE;

    *ret = (fay_frame){.type = type,
                       .flags = bytes[5],
                       .worker = fay_load16(bytes + 6),
                       .payload = bytes + FAY_FRAME_HEADER,
                       .size = payload};
    return FAY_FRAME_WHOLE;
}

void fay_frame_header(uint8_t header[FAY_FRAME_HEADER], fay_message type, uint8_t flags,
                      uint16_t worker, size_t size)
{
    assert(size <= fay_message_max(type));
    fay_store32(header, (uint32_t)size);
    header[4] = (uint8_t)type;
    header[5] = flags;
    fay_store16(header + 6, worker);
}

size_t fay_frame_begin(fay_buffer *out, fay_message type, uint8_t flags, uint16_t worker)
{
    size_t begun = fay_buffer_size(out);
    uint8_t *header = fay_buffer_reserve(out, FAY_FRAME_HEADER);
    fay_frame_header(header, type, flags, worker, 0);
    fay_buffer_commit(out, FAY_FRAME_HEADER);
    return begun;
}

void fay_frame_end(fay_buffer *out, size_t begun)
{
    uint8_t *header = out->bytes + out->start + begun;
    size_t size = fay_buffer_size(out) - begun - FAY_FRAME_HEADER;
    assert(size <= fay_message_max((fay_message)header[4]));
    fay_store32(header, (uint32_t)size);
}
