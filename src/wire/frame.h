/* SPDX-License-Identifier: MIT */
/*
 * Frames: how messages follow one another on a stream between our processes.
 *
 *      0        4      5       6        8
 *     +--------+------+-------+--------+----------------+
 *     | size   | type | flags | worker | payload (size) |     little endian
 *     +--------+------+-------+--------+----------------+
 *
 * `size` counts the payload alone. The type decides the greatest size (message.def); a frame that
 * breaks it ends the link. Sans-IO: bytes in, frames out.
 */
#ifndef FAY_FRAME_H
#define FAY_FRAME_H

#include "base/base.h"
#include "base/buffer.h"
#include "base/limits.h"

#define FAY_PROTOCOL_VERSION 1u

typedef enum fay_message {
#define X(name, number, ways, payload_max, text) FAY_MESSAGE_##name = (number),
#include "wire/message.def"
#undef X
} fay_message;

enum {
    FAY_FRAME_HEADER = 8
};

typedef struct fay_frame {
    fay_message type;
    uint8_t flags;
    uint16_t worker;
    const uint8_t *payload; /* borrowed from the bytes it was found in */
    size_t size;
} fay_frame;

enum {
    FAY_FRAME_WHOLE = 0, /* *ret is the frame, and takes FAY_FRAME_HEADER + size bytes */
    FAY_FRAME_MORE = 1,  /* incomplete: *ret_needed is how many bytes are needed at least */
};

/* Finds the frame at the start of the bytes. FAY_E_PEER: unknown type, too large, or a flag (none
 * is defined yet). */
int fay_frame_parse(const uint8_t *bytes, size_t size, fay_frame *ret, size_t *ret_needed);

void fay_frame_header(uint8_t header[FAY_FRAME_HEADER], fay_message type, uint8_t flags,
                      uint16_t worker, size_t size);

/* Appends a header whose size is set by fay_frame_end(); returns where it stands. */
size_t fay_frame_begin(fay_buffer *out, fay_message type, uint8_t flags, uint16_t worker);
void fay_frame_end(fay_buffer *out, size_t begun);

const char *fay_message_name(fay_message type); /* "LEASE"; NULL for an unknown number */
size_t fay_message_max(fay_message type);

#endif /* FAY_FRAME_H */
