/* SPDX-License-Identifier: MIT */
/* Items on the wire: what is encoded is what is decoded, and nothing wrong is accepted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wire/block.h"
#include "wire/codec.h"

static fay_batch *three(uint8_t gap)
{
    fay_batch *batch = fay_batch_new();
    batch->gap = gap;
    static const char *const texts[] = {"one", "", "three"};
    for (size_t i = 0; i < 3; i++) {
        fay_entry *entry = fay_batch_append(batch, texts[i], strlen(texts[i]));
        entry->root = 7 + i;
        assert_int_equal(fay_path_append(&entry->path, 4), 0);
    }
    return batch;
}

static void lease_of(const fay_batch *batch, bool ids, const uint64_t *targets, fay_buffer *out)
{
    fay_write64(out, 100);
    fay_write64(out, 5);
    fay_block_head(batch, 0, batch->count, ids, targets, out);
    fay_block_data(batch, 0, batch->count, out);
}

static void check_same(const fay_batch *batch, const fay_block *block, bool ids)
{
    fay_block_item item = {0};
    assert_int_equal(block->count, batch->count);
    for (size_t i = 0; i < batch->count; i++) {
        const fay_entry *entry = &batch->entries[i];
        assert_true(fay_block_next(block, &item));
        assert_int_equal(item.size, entry->size);
        assert_memory_equal(item.data, batch->bytes + entry->at, entry->size);
        assert_int_equal(item.attrs_size, entry->attrs_size);
        if (!ids)
            continue;
        assert_int_equal(item.root, entry->root);
        assert_int_equal(item.attempt, entry->attempt + 1);
        assert_int_equal(fay_path_compare(&item.path, &entry->path), 0);
    }
    assert_false(fay_block_next(block, &item));
}

static void leases_come_back_as_they_went(void **state)
{
    (void)state;
    for (unsigned variant = 0; variant < 8; variant++) {
        FAY_CLEANUP(fay_batch_unrefp) fay_batch *batch = three(variant & 1u);
        if ((variant & 2u) != 0)
            batch->entries[1].root = 900; /* ids are no longer dense */
        if ((variant & 4u) != 0 && batch->gap == 0)
            fay_batch_append_attrs(batch, "\x81\xa1x\x01", 4);
        fay_buffer out = {0};
        lease_of(batch, true, NULL, &out);
        fay_lease_frame lease;
        assert_int_equal(fay_lease_parse(fay_buffer_data(&out), fay_buffer_size(&out), &lease), 0);
        assert_int_equal(lease.first_tag, 100);
        check_same(batch, &lease.block, true);
        FAY_CLEANUP(fay_batch_unrefp) fay_batch *copy = fay_block_batch(&lease.block);
        assert_int_equal(copy->count, 3);
        assert_int_equal(copy->entries[2].root, batch->entries[2].root);
        assert_int_equal(copy->entries[2].attrs_size, batch->entries[2].attrs_size);
        fay_buffer_deinit(&out);
    }
}

/* One that is tried for ever is never on its first try again. */
static void tries_beyond_what_can_be_counted_stay_there(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_batch_unrefp) fay_batch *batch = three(false);
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer out = {0};
    for (size_t i = 0; i < batch->count; i++) {
        batch->entries[i].attempt = UINT16_MAX;
    }
    lease_of(batch, true, NULL, &out);
    fay_lease_frame lease;
    fay_block_item item = {0};
    assert_int_equal(fay_lease_parse(fay_buffer_data(&out), fay_buffer_size(&out), &lease), 0);
    assert_true(fay_block_next(&lease.block, &item));
    assert_int_equal(item.attempt, UINT16_MAX);
}

static void targets_come_back_as_they_went(void **state)
{
    (void)state;
    static const uint64_t targets[] = {1, FAY_TARGET_SINK, 3};
    FAY_CLEANUP(fay_batch_unrefp) fay_batch *batch = three(1);
    for (int some = 0; some < 2; some++) {
        FAY_CLEANUP(fay_buffer_deinit) fay_buffer out = {0};
        fay_part_frame part;
        fay_write64(&out, 100);
        fay_block_head(batch, 0, 3, false, some ? targets : NULL, &out);
        fay_block_data(batch, 0, 3, &out);
        assert_int_equal(fay_part_parse(fay_buffer_data(&out), fay_buffer_size(&out), &part), 0);
        FAY_CLEANUP(fay_freep) uint64_t *read = fay_block_targets(&part.block);
        if (some) {
            assert_memory_equal(read, targets, sizeof targets);
        } else {
            assert_null(read);
        }
    }
}

static void every_cut_is_refused(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_batch_unrefp) fay_batch *batch = three(1);
    fay_buffer out = {0};
    lease_of(batch, true, (const uint64_t[]){1, 2, 3}, &out);
    fay_lease_frame lease;
    for (size_t cut = 0; cut < fay_buffer_size(&out); cut++) {
        assert_int_equal(fay_lease_parse(fay_buffer_data(&out), cut, &lease), FAY_E_PEER);
    }
    fay_buffer_deinit(&out);
}

static void results_count_their_children(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_batch_unrefp) fay_batch *batch = three(0);
    fay_buffer out = {0};
    fay_write64(&out, 1);
    fay_write32(&out, 2);
    fay_write64(&out, 9);
    fay_write8(&out, 1);
    fay_write32(&out, 1);
    fay_write32(&out, 2);
    fay_block_head(batch, 0, 3, false, NULL, &out);
    fay_block_data(batch, 0, 3, &out);
    fay_results_frame results;
    assert_int_equal(fay_results_parse(fay_buffer_data(&out), fay_buffer_size(&out), &results), 0);
    assert_int_equal(results.count, 2);
    assert_int_equal(fay_load32(results.children + 4), 2);
    out.bytes[out.start + 21] = 2; /* now it claims four children of three */
    assert_int_equal(fay_results_parse(fay_buffer_data(&out), fay_buffer_size(&out), &results),
                     FAY_E_PEER);
    fay_buffer_deinit(&out);
}

static void pieces_are_found_where_they_lie_together(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_batch_unrefp) fay_batch *batch = three(1);
    size_t size;
    assert_true(fay_batch_contiguous(batch, 0, 3, &size));
    assert_int_equal(size, 3 + 1 + 0 + 1 + 5 + 1);
    batch->entries[1].at = 0;
    assert_false(fay_batch_contiguous(batch, 0, 3, &size));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leases_come_back_as_they_went),
        cmocka_unit_test(tries_beyond_what_can_be_counted_stay_there),
        cmocka_unit_test(targets_come_back_as_they_went),
        cmocka_unit_test(every_cut_is_refused),
        cmocka_unit_test(results_count_their_children),
        cmocka_unit_test(pieces_are_found_where_they_lie_together),
    };
    return cmocka_run_group_tests_name("block", tests, NULL, NULL);
}
