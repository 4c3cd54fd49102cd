/* SPDX-License-Identifier: MIT */
/* Results that wait: their order, what a piece has of its own, and what it gives back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flow/piece.h"

static fay_batch *three(void)
{
    fay_batch *batch = fay_batch_new();
    (void)fay_batch_append(batch, "a", 1);
    (void)fay_batch_append(batch, "bb", 2);
    (void)fay_batch_append(batch, "ccc", 3);
    return batch;
}

static void they_leave_in_the_order_they_came(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_batch_unrefp) fay_batch *batch = three();
    fay_pieces pieces;
    TAILQ_INIT(&pieces);
    (void)fay_pieces_add_batch(&pieces, batch, 0, 1, NULL, 5);
    fay_piece *letter = fay_pieces_add_letter(&pieces, batch, 1, 7, NULL, 0);
    (void)fay_pieces_add_batch(&pieces, batch, 2, 1, NULL, 1);
    assert_int_equal(batch->refs, 4);

    size_t i = 0;
    const fay_piece *piece = NULL;
    TAILQ_FOREACH (piece, &pieces, link) {
        assert_int_equal(piece->kind, i == 1 ? FAY_PIECE_LETTER : FAY_PIECE_BATCH);
        assert_int_equal(piece->at, i++);
        assert_int_equal(piece->count, 1);
    }
    assert_int_equal(i, 3);

    fay_pieces_remove(&pieces, letter); /* from the middle */
    assert_int_equal(batch->refs, 3);
    assert_int_equal(TAILQ_FIRST(&pieces)->mask, 5);
    assert_int_equal(TAILQ_NEXT(TAILQ_FIRST(&pieces), link)->mask, 1);
    while (!TAILQ_EMPTY(&pieces)) {
        fay_pieces_remove(&pieces, TAILQ_FIRST(&pieces));
    }
    assert_int_equal(batch->refs, 1);
}

static void a_piece_keeps_its_batch_and_its_targets(void **state)
{
    (void)state;
    fay_batch *batch = three();
    fay_pieces pieces;
    TAILQ_INIT(&pieces);
    uint64_t targets[] = {1, UINT64_C(1) << 63, 3};
    fay_piece *piece = fay_pieces_add_batch(&pieces, batch, 0, 3, targets, 0);
    memset(targets, 0, sizeof targets);
    fay_batch_unref(batch); /* the piece has a reference of its own */
    assert_int_equal(piece->batch->refs, 1);
    assert_int_equal(piece->batch->entries[2].size, 3);
    assert_int_equal(piece->targets[0], 1);
    assert_true(piece->targets[1] == UINT64_C(1) << 63);
    assert_int_equal(piece->targets[2], 3);
    fay_pieces_remove(&pieces, piece);
    assert_true(TAILQ_EMPTY(&pieces));
}

static void a_letter_keeps_its_note(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_batch_unrefp) fay_batch *batch = three();
    fay_pieces pieces;
    TAILQ_INIT(&pieces);
    uint8_t note[] = {0, 255, 10};
    fay_piece *letter = fay_pieces_add_letter(&pieces, batch, 2, 63, note, sizeof note);
    note[1] = 0;
    assert_int_equal(letter->stage, 63);
    assert_int_equal(letter->note_size, 3);
    assert_memory_equal(letter->note, "\x00\xff\x0a", 3);
    fay_pieces_remove(&pieces, letter);

    letter = fay_pieces_add_letter(&pieces, batch, 0, 0, NULL, 0);
    assert_null(letter->note);
    assert_int_equal(letter->note_size, 0);
    fay_pieces_remove(&pieces, letter);
}

/* What is held in memory is bounded by weight: many empty results must weigh something too. */
static void small_results_weigh_more_than_their_bytes(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_batch_unrefp) fay_batch *batch = fay_batch_new();
    for (int i = 0; i < 1000; i++) {
        (void)fay_batch_append(batch, "", 0);
    }
    (void)fay_batch_append(batch, "0123456789", 10);
    fay_pieces pieces;
    TAILQ_INIT(&pieces);
    const fay_piece *empty = fay_pieces_add_batch(&pieces, batch, 0, 1000, NULL, 1);
    assert_true(empty->weight >= 1000 * sizeof(fay_entry));
    size_t one = fay_pieces_add_batch(&pieces, batch, 0, 1, NULL, 1)->weight;
    assert_int_equal(fay_pieces_add_batch(&pieces, batch, 1000, 1, NULL, 1)->weight, one + 10);
    while (!TAILQ_EMPTY(&pieces)) {
        fay_pieces_remove(&pieces, TAILQ_FIRST(&pieces));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_leave_in_the_order_they_came),
        cmocka_unit_test(a_piece_keeps_its_batch_and_its_targets),
        cmocka_unit_test(a_letter_keeps_its_note),
        cmocka_unit_test(small_results_weigh_more_than_their_bytes),
    };
    return cmocka_run_group_tests_name("piece", tests, NULL, NULL);
}
