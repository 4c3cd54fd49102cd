/* SPDX-License-Identifier: MIT */
/* Items in a batch: where their bytes lie, what a copy keeps, and when the memory goes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wire/batch.h"

static void assert_item(const fay_batch *batch, size_t index, const char *payload)
{
    assert_true(index < batch->count);
    const fay_entry *entry = &batch->entries[index];
    assert_int_equal(entry->size, strlen(payload));
    assert_memory_equal(batch->bytes + entry->at, payload, entry->size);
}

static void lines_lie_behind_one_another(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_batch_unrefp) fay_batch *batch = fay_batch_new();
    batch->gap = 1;
    (void)fay_batch_append(batch, "one", 3);
    (void)fay_batch_append(batch, "", 0);
    (void)fay_batch_append(batch, "three", 5);
    assert_int_equal(batch->count, 3);
    assert_item(batch, 0, "one");
    assert_item(batch, 1, "");
    assert_item(batch, 2, "three");

    size_t size = 0;
    assert_true(fay_batch_contiguous(batch, 0, 3, &size));
    assert_int_equal(size, 11);
    assert_memory_equal(batch->bytes + batch->entries[0].at, "one\n\nthree\n", size);
    assert_true(fay_batch_contiguous(batch, 1, 2, &size));
    assert_int_equal(size, 7);
    assert_int_equal(fay_batch_weight(batch, 0, 3), 8);
    assert_int_equal(fay_batch_weight(batch, 1, 1), 0);
    assert_int_equal(fay_batch_weight(batch, 2, 0), 0);
}

static void attributes_part_payloads(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_batch_unrefp) fay_batch *batch = fay_batch_new();
    (void)fay_batch_append(batch, "ab", 2);
    fay_batch_append_attrs(batch, "", 0); /* none at all */
    (void)fay_batch_append(batch, "cd", 2);
    fay_batch_append_attrs(batch, "xyz", 3);
    (void)fay_batch_append(batch, "ef", 2);
    assert_int_equal(batch->entries[0].attrs_size, 0);
    assert_int_equal(batch->entries[1].attrs_size, 3);
    assert_memory_equal(batch->bytes + batch->entries[1].attrs_at, "xyz", 3);
    size_t size = 99;
    assert_true(fay_batch_contiguous(batch, 0, 2, &size));
    assert_int_equal(size, 4);
    assert_false(fay_batch_contiguous(batch, 1, 2, &size));
    assert_true(fay_batch_contiguous(batch, 2, 1, &size));
    assert_int_equal(size, 2);
    assert_int_equal(fay_batch_weight(batch, 0, 3), 9);
}

/* The last line of a file may have no newline: then its piece is no text of lines. */
static void a_piece_ends_within_the_bytes(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_batch_unrefp) fay_batch *batch = fay_batch_new();
    batch->gap = 1;
    fay_batch_reserve(batch, 2, 5);
    memcpy(batch->bytes, "ab\ncd", 5);
    batch->size = 5;
    (void)fay_batch_push(batch, 0, 2);
    (void)fay_batch_push(batch, 3, 2);
    size_t size;
    assert_true(fay_batch_contiguous(batch, 0, 1, &size));
    assert_false(fay_batch_contiguous(batch, 0, 2, &size));
    assert_false(fay_batch_contiguous(batch, 1, 1, &size));

    FAY_CLEANUP(fay_batch_unrefp) fay_batch *swapped = fay_batch_new();
    fay_batch_reserve(swapped, 2, 4);
    memcpy(swapped->bytes, "abcd", 4);
    swapped->size = 4;
    (void)fay_batch_push(swapped, 2, 2);
    (void)fay_batch_push(swapped, 0, 2);
    assert_false(fay_batch_contiguous(swapped, 0, 2, &size));
}

static void a_copy_is_the_same_item_elsewhere(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_batch_unrefp) fay_batch *from = fay_batch_new();
    (void)fay_batch_append(from, "other", 5);
    fay_entry *entry = fay_batch_append(from, "item", 4);
    entry->root = UINT64_MAX - 1;
    entry->attempt = 3;
    assert_int_equal(fay_path_append(&entry->path, 70000), 0);
    fay_batch_append_attrs(from, "attrs", 5);

    fay_batch *copy = fay_batch_new();
    (void)fay_batch_append(copy, "before", 6);
    const fay_entry *made = fay_batch_copy(copy, from, 1);
    assert_ptr_equal(made, &copy->entries[1]);
    assert_item(copy, 1, "item");
    assert_true(made->root == UINT64_MAX - 1);
    assert_int_equal(made->attempt, 3);
    assert_int_equal(fay_path_compare(&made->path, &from->entries[1].path), 0);
    assert_int_equal(made->attrs_size, 5);
    assert_memory_equal(copy->bytes + made->attrs_at, "attrs", 5);
    copy->bytes[made->at] = 'I'; /* memory of its own */
    assert_item(from, 1, "item");
    fay_batch_unref(copy);

    FAY_CLEANUP(fay_batch_unrefp) fay_batch *lines = fay_batch_new();
    lines->gap = 1;
    (void)fay_batch_copy(lines, from, 0);
    size_t size;
    assert_true(fay_batch_contiguous(lines, 0, 1, &size));
    assert_memory_equal(lines->bytes, "other\n", size);
}

static void room_that_was_reserved_does_not_move(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_batch_unrefp) fay_batch *batch = fay_batch_new();
    batch->gap = 1;
    fay_batch_reserve(batch, 100, 400);
    const fay_entry *entries = batch->entries;
    const uint8_t *bytes = batch->bytes;
    for (int i = 0; i < 100; i++) {
        (void)fay_batch_append(batch, "abc", 3);
    }
    assert_ptr_equal(batch->entries, entries);
    assert_ptr_equal(batch->bytes, bytes);

    FAY_CLEANUP(fay_batch_unrefp) fay_batch *empty = fay_batch_new();
    fay_batch_reserve(empty, 1, 0);
    assert_non_null(empty->bytes); /* an empty Item points somewhere */
    (void)fay_batch_push(empty, 0, 0);
    assert_item(empty, 0, "");
}

static void the_last_reference_frees(void **state)
{
    (void)state;
    fay_batch *batch = fay_batch_new();
    (void)fay_batch_append(batch, "kept", 4);
    fay_batch *second = fay_batch_ref(batch);
    assert_ptr_equal(second, batch);
    assert_int_equal(batch->refs, 2);
    fay_batch_unrefp(&batch);
    assert_null(batch);
    assert_item(second, 0, "kept"); /* a sanitizer would tell if it were gone */
    assert_int_equal(second->refs, 1);
    fay_batch_unref(second);
    fay_batch_unref(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_lie_behind_one_another),
        cmocka_unit_test(attributes_part_payloads),
        cmocka_unit_test(a_piece_ends_within_the_bytes),
        cmocka_unit_test(a_copy_is_the_same_item_elsewhere),
        cmocka_unit_test(room_that_was_reserved_does_not_move),
        cmocka_unit_test(the_last_reference_frees),
    };
    return cmocka_run_group_tests_name("batch", tests, NULL, NULL);
}
