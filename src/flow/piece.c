/* SPDX-License-Identifier: MIT */
#include "flow/piece.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static fay_piece *add(fay_pieces *pieces, fay_piece_kind kind, fay_batch *batch, size_t at,
                      size_t count)
{
    fay_piece *piece = fay_alloc(sizeof *piece);
    piece->kind = kind;
    piece->batch = fay_batch_ref(batch);
    piece->at = at;
    piece->count = count;
    /* Many small results are more entries than bytes. */
    piece->weight = fay_batch_weight(batch, at, count) + count * sizeof(fay_entry);
    TAILQ_INSERT_TAIL(pieces, piece, link);
    return piece;
}

fay_piece *fay_pieces_add_batch(fay_pieces *pieces, fay_batch *batch, size_t at, size_t count,
                                const uint64_t *targets, uint64_t mask)
{
    fay_piece *piece = add(pieces, FAY_PIECE_BATCH, batch, at, count);
    piece->mask = mask;
    if (targets != NULL) {
        piece->targets = fay_alloc(count * sizeof *targets);
        memcpy(piece->targets, targets, count * sizeof *targets);
    }
    return piece;
}

fay_piece *fay_pieces_add_letter(fay_pieces *pieces, fay_batch *batch, size_t at, size_t stage,
                                 const uint8_t *note, size_t note_size)
{
    fay_piece *piece = add(pieces, FAY_PIECE_LETTER, batch, at, 1);
    piece->stage = stage;
    piece->note_size = note_size;
    if (note_size > 0) {
        piece->note = fay_alloc(note_size);
        memcpy(piece->note, note, note_size);
    }
    return piece;
}

void fay_pieces_remove(fay_pieces *pieces, fay_piece *piece)
{
    assert(piece->spool == NULL);
    TAILQ_REMOVE(pieces, piece, link);
    fay_batch_unref(piece->batch);
    free(piece->targets);
    free(piece->counts);
    free(piece->note);
    free(piece);
}
