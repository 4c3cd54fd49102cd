/* SPDX-License-Identifier: MIT */
/*
 * Messages between Nodes: one byte that says which, then the payload. How they are framed in a
 * stream is the driver's affair.
 *
 *     HEARTBEAT  u8 flags (1 = wished) | u64 hash | u64 crl | bytes status
 *     BUNDLES    until the end: a member, as one knows it:
 *                    u16 size | owner record | u32 gone | u8 n | n x accusation
 *                    gone: 0 = believed alive, else seconds since it is gone, + 1
 *     DIGEST     256 x u64
 *     VERSIONS   32 bytes: bit n = bucket n differs | until the end, of those buckets:
 *                    id 16 | u64 boot | u32 inc | u32 seq | u8 gone
 *     WANT       until the end: id 16
 *     REDIRECT   until the end: text address
 *     RELAY      id 16
 *     RUMOR      the statement (rumors.h)
 *     IHAVE, GRAFT   origin 16 | u64 boot | u64 n
 *
 * A bundle is all that one knows of a member, so that an accusation never comes without the record
 * of the life that it is about.
 */
#ifndef FAY_GRID_MESSAGE_H
#define FAY_GRID_MESSAGE_H

#include "base/base.h"
#include "base/buffer.h"
#include "base/limits.h"
#include "grid/members.h"
#include "wire/codec.h"

typedef enum fay_grid_message {
#define X(name, number, payload_max, text) FAY_GRID_##name = (number),
#include "grid/message.def"
#undef X
} fay_grid_message;

const char *fay_grid_message_name(unsigned kind); /* "HEARTBEAT"; NULL for an unknown number */
size_t fay_grid_message_max(unsigned kind);       /* of the payload */

typedef struct fay_heartbeat {
    bool wished;
    uint64_t hash;
    uint64_t crl;          /* the number of the CRL that it goes by; 0 = none */
    fay_grid_bytes status; /* of the driver, for neighbours; borrowed */
} fay_heartbeat;

typedef struct fay_bundle {
    fay_grid_record record; /* borrowed bytes */
    bool gone;
    fay_ns age; /* since it is gone */
    fay_grid_accusation accusations[FAY_GRID_ACCUSERS_MAX];
    size_t count;
} fay_bundle;

typedef struct fay_member_version {
    fay_node_id id;
    uint64_t boot;
    uint32_t inc, seq;
    bool gone;
} fay_member_version;

enum {
    FAY_VERSION_SIZE = FAY_NODE_ID_SIZE + 8 + 4 + 4 + 1,
    FAY_BUCKET_BITS = FAY_MEMBERS_BUCKETS / 8,
};

void fay_heartbeat_write(const fay_heartbeat *heartbeat, fay_buffer *out);
int fay_heartbeat_read(fay_reader *reader, fay_heartbeat *ret);

/* A member that has a record. */
void fay_bundle_write(const fay_grid_member *member, fay_ns now, fay_buffer *out);
/* 0 or FAY_E_PEER; accusations of anybody but the record's Node are refused. */
int fay_bundle_read(fay_reader *reader, fay_bundle *ret);

/* Of a stub as well. */
void fay_member_version_write(const fay_grid_member *member, bool gone, fay_buffer *out);
int fay_member_version_read(fay_reader *reader, fay_member_version *ret);

int fay_id_read(fay_reader *reader, fay_node_id *ret);
static inline bool fay_reader_more(const fay_reader *reader)
{
    return !reader->bad && reader->at < reader->end;
}

#endif /* FAY_GRID_MESSAGE_H */
