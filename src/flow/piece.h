/* SPDX-License-Identifier: MIT */
/*
 * Pieces: results that wait - for the rest of their set, for their turn in an ordered stage, or for
 * their root to be complete - in the order in which they shall leave.
 *
 *     BATCH    Items [at, at + count) of a batch, with a mask of targets each, or one for all
 *     SPOOL    the Items of a spool; `counts` says how many of them go to each target
 *     LETTER   an Item for the dead letters, with its note
 */
#ifndef FAY_PIECE_H
#define FAY_PIECE_H

#include <bsd/sys/queue.h>

#include "base/base.h"
#include "flow/spool.h"
#include "wire/batch.h"

enum {
    FAY_TARGETS = 64
};

typedef enum fay_piece_kind {
    FAY_PIECE_BATCH,
    FAY_PIECE_SPOOL,
    FAY_PIECE_LETTER
} fay_piece_kind;

typedef struct fay_piece {
    TAILQ_ENTRY(fay_piece) link;
    fay_piece_kind kind;
    fay_batch *batch;  /* a reference of the piece's own */
    size_t at, count;  /* SPOOL: how many Items */
    uint64_t *targets; /* BATCH: per Item, NULL = `mask` for all */
    uint64_t mask;
    fay_spool *spool;
    uint64_t *counts; /* SPOOL: Items per target, FAY_TARGETS of them */
    size_t stage;     /* LETTER */
    uint8_t *note;
    size_t note_size;
    size_t weight; /* bytes in memory */
} fay_piece;

typedef TAILQ_HEAD(fay_pieces, fay_piece) fay_pieces;

/* A new piece at the end of the list, with a reference of its own: Items of a batch, to the targets
 * given (one each, copied), or if that is NULL all to `mask`. */
fay_piece *fay_pieces_add_batch(fay_pieces *pieces, fay_batch *batch, size_t at, size_t count,
                                const uint64_t *targets, uint64_t mask);
/* Likewise: the Item at `at`, which died in that stage, and a copy of its note (or of none). */
fay_piece *fay_pieces_add_letter(fay_pieces *pieces, fay_batch *batch, size_t at, size_t stage,
                                 const uint8_t *note, size_t note_size);
/* Removes the piece from its list and frees it. A spool in it must have been released before. */
void fay_pieces_remove(fay_pieces *pieces, fay_piece *piece);

#endif /* FAY_PIECE_H */
