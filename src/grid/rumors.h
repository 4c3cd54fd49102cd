/* SPDX-License-Identifier: MIT */
/*
 * What all shall hear once: said by one Node, passed on by everybody who has not heard it.
 *
 *     RUMOR  u8 4 | origin 16 | u64 boot | u64 n | bytes payload | signature 64
 *
 *     small   RUMOR --------> to all links but the one that it came from: flooded
 *     large   IHAVE --------> likewise;  <-------- GRAFT, by who has not heard it; RUMOR -------->
 *
 * A large one crosses each link once at most, and takes a round trip more a hop. If the first one
 * that has it does not send it in time, the next one is asked.
 *
 * It is known again by who said it and when: ids are kept for params.seen, and not more than
 * params.seen_max; what it said is kept as long, so that it can be asked for, up to
 * FAY_GRID_RUMORS_BYTES in all. What is older is forgotten first.
 *
 * Owner records and accusations are no rumors: the table tells them from what is known.
 */
#ifndef FAY_GRID_RUMORS_H
#define FAY_GRID_RUMORS_H

#include "base/hash.h"

#include "base/buffer.h"
#include "grid/params.h"
#include "grid/record.h"
#include "wire/codec.h"

enum {
    FAY_RUMOR_SOURCES = 8, /* links that have offered it, remembered */
    FAY_RUMOR_ID_SIZE = FAY_NODE_ID_SIZE + 8 + 8,
};

typedef struct fay_rumor_id {
    fay_node_id origin;
    uint64_t boot, n;
} fay_rumor_id;

typedef struct fay_rumor_said { /* a statement; borrowed */
    fay_rumor_id id;
    fay_grid_bytes payload;
    uint8_t signature[FAY_SIGNATURE_SIZE];
    fay_grid_bytes statement;
} fay_rumor_said;

void fay_rumor_id_write(const fay_rumor_id *id, fay_buffer *out);
int fay_rumor_id_read(fay_reader *reader, fay_rumor_id *ret); /* 0 or FAY_E_PEER */
void fay_rumor_write(const fay_rumor_said *said, fay_buffer *out);
void fay_rumor_signed(const fay_rumor_said *said, fay_buffer *out);
int fay_rumor_parse(const uint8_t *bytes, size_t size, fay_rumor_said *ret); /* 0 or FAY_E_PEER */

/* One that was heard, or offered and not heard yet. */
typedef struct fay_rumor {
    fay_rumor_id id;
    bool heard;
    uint8_t *statement; /* NULL: not heard, or forgotten */
    size_t size;
    fay_ns at;                           /* heard, or first offered */
    fay_ns graft_due;                    /* the next source is asked; FAY_NEVER */
    uint64_t sources[FAY_RUMOR_SOURCES]; /* links that have not been asked */
    size_t sources_count;
    UT_hash_handle hh;
} fay_rumor;

typedef struct fay_rumors {
    const fay_grid_params *params; /* borrowed */
    fay_rumor *table;              /* uthash; the oldest first */
    size_t bytes;                  /* of statements */
    size_t offered;                /* not heard yet */
} fay_rumors;

void fay_rumors_init(fay_rumors *rumors, const fay_grid_params *params);
void fay_rumors_deinit(fay_rumors *rumors);

bool fay_rumors_heard(const fay_rumors *rumors, const fay_rumor_id *id);
/* The statement; NULL = not heard, or forgotten. */
const fay_rumor *fay_rumors_get(const fay_rumors *rumors, const fay_rumor_id *id);

/* Heard, and its signature is good. False if it was heard before. The statement is copied. */
bool fay_rumors_hear(fay_rumors *rumors, fay_ns now, const fay_rumor_said *said);
/* A link has it: it is asked by the next fay_rumors_graft(), or if others fail. */
void fay_rumors_offer(fay_rumors *rumors, fay_ns now, const fay_rumor_id *id, uint64_t link);
/* Whom to ask for what, now; false = nobody for nothing. */
bool fay_rumors_graft(fay_rumors *rumors, fay_ns now, fay_rumor_id *ret_id, uint64_t *ret_link);

/* Forgets what is old. */
void fay_rumors_age(fay_rumors *rumors, fay_ns now);
fay_ns fay_rumors_due(const fay_rumors *rumors);

#endif /* FAY_GRID_RUMORS_H */
