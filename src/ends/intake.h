/* SPDX-License-Identifier: MIT */
/*
 * An intake: a stream's bytes go in, batches of whole Items come out.
 *
 *     read() --> [ cut already | Items, a part of one | room ]      one buffer, used over and over
 *                                |
 *                                '--> batch: one copy of as many Items as are wanted
 *
 * The copy is what lets a batch be as large as its Items: the ledger keeps a batch for as long as
 * one of its Items is unfinished. Lines are cut by memchr and keep their newline (gap 1), so that
 * they can go on to a worker or the sink as one piece of text.
 */
#ifndef FAY_INTAKE_H
#define FAY_INTAKE_H

#include "base/base.h"
#include "base/buffer.h"
#include "item/format.h"
#include "wire/batch.h"

#define FAY_INTAKE_READ (256 * FAY_KIB)
/* A position is an offset; above it a source may say in which file. */
#define FAY_INTAKE_OFFSET_BITS 48
#define FAY_INTAKE_OFFSET_MASK ((UINT64_C(1) << FAY_INTAKE_OFFSET_BITS) - 1)

/* Items from a source. */
typedef struct fay_chunk {
    fay_batch *batch;     /* the receiver's to release; roots are not set */
    const uint64_t *ends; /* per Item, the source's position behind it; valid until the next pull */
    int stage;            /* the stage that they enter, or -1: where the source feeds */
} fay_chunk;

typedef struct fay_intake {
    fay_format framing; /* how Items lie in the stream */
    fay_format format;  /* what they are: decides about attributes */
    bool strip;         /* the \r of \r\n */
    bool told;          /* that an Item has no attributes although it looks as if it had */
    uint64_t item_max;
    fay_buffer buffer;
    size_t scanned;    /* how far the search for the end of the first Item came */
    uint64_t position; /* of the stream: where the buffer's data begin */
    uint64_t *ends;
    size_t ends_capacity;
} fay_intake;

void fay_intake_init(fay_intake *intake, fay_format format, bool strip, uint64_t item_max);
void fay_intake_deinit(fay_intake *intake);

/* Where up to *ret_size bytes may be read to; fay_buffer_commit() on the buffer says how many. */
uint8_t *fay_intake_room(fay_intake *intake, size_t *ret_size);

enum {
    FAY_INTAKE_EMPTY = 1 /* no whole Item is there */
};
/*
 * Cuts up to `items` Items of about `bytes` bytes (at least one, if one is there). `final`: no more
 * bytes will come. 0, FAY_INTAKE_EMPTY, or an error with err set: an Item above item_max, or bytes
 * that are not of the format; Items before it have been given.
 */
int fay_intake_cut(fay_intake *intake, bool final, uint64_t items, uint64_t bytes, fay_chunk *ret,
                   fay_error *err);

/* Appends the attributes that this payload states in its format, to the last entry of the batch.
 * FAY_E_INVAL with err set: a line of jsonl begins like an object and is none, or one that is too
 * deep or too large for attributes; it has none then. */
int fay_intake_attrs(fay_format format, fay_batch *batch, const uint8_t *payload, size_t size,
                     fay_error *err);

#endif /* FAY_INTAKE_H */
