/* SPDX-License-Identifier: MIT */
/*
 * The worker SDK from the other side of its socket: what comes of Items. Each test forks a worker,
 * sends it frames and reads what it answers.
 */
#include "unit/test_sdk.h"

static void results_travel_as_runs(void **state)
{
    (void)state;
    struct worker w;
    begin(&w);
    lease(&w, 3, (const char *const[]){"x", "y", "z"});
    assert_string_equal(results(&w, 3), "0: x / y / z");
    lease(&w, 4, (const char *const[]){"x", "none", "two", "z"});
    assert_string_equal(results(&w, 4), "3: x / / a b / z");
    assert_int_equal(end(&w), 0);
}

static void failures_break_the_run(void **state)
{
    (void)state;
    struct worker w;
    begin(&w);
    lease(&w, 6, (const char *const[]){"x", "retry", "y", "poison", "weird", "huge"});
    assert_string_equal(results(&w, 1), "0: x");
    expect_verdict(&w, 1, FAY_VERDICT_RETRY, "try 2");
    assert_string_equal(results(&w, 1), "2: y");
    expect_verdict(&w, 3, FAY_VERDICT_POISON, "the worker refused the Item");
    expect_verdict(&w, 4, FAY_VERDICT_POISON, "process() gave 17, which is no verdict");
    expect_verdict(&w, 5, FAY_VERDICT_TOO_LARGE,
                   "a result of 1.9MiB is larger than max_item (1MiB)");
    assert_int_equal(end(&w), 0);
}

/* Reads parts until the RESULTS; all children in order, `size` bytes each. */
static void expect_parts(struct worker *w, uint64_t tag, size_t count, size_t size)
{
    size_t seen = 0;
    for (;;) {
        fay_part_frame part;
        fay_block_item child = {0};
        assert_true(next(w));
        if (w->frame.type == FAY_MESSAGE_RESULTS)
            break;
        assert_int_equal(w->frame.type, FAY_MESSAGE_PART);
        assert_int_equal(fay_part_parse(w->frame.payload, w->frame.size, &part), 0);
        assert_int_equal(part.tag, tag);
        assert_true(part.block.data_size <= FAY_MAX(FAY_FRAME_CHUNK_MAX, size));
        while (fay_block_next(&part.block, &child)) {
            assert_int_equal(child.size, size);
            assert_int_equal(child.data[0], 'a' + seen++ % 26);
        }
    }
    fay_results_frame r;
    assert_int_equal(fay_results_parse(w->frame.payload, w->frame.size, &r), 0);
    assert_int_equal(r.first_tag, tag);
    assert_int_equal(r.count, 1);
    assert_int_equal(seen + r.block.count, count);
}

static void large_sets_travel_in_parts(void **state)
{
    (void)state;
    struct worker w;
    begin(&w);
    lease(&w, 2, (const char *const[]){"x", "large"});
    assert_string_equal(results(&w, 1), "0: x");
    expect_parts(&w, 1, 10, 60000);
    lease_one(&w, "many");
    expect_parts(&w, 2, 100000, 1);
    assert_int_equal(end(&w), 0);
}

static void items_have_status_and_attributes(void **state)
{
    (void)state;
    struct worker w;
    fay_buffer payload = {0}, attrs = {0};
    begin(&w);
    fay_write8(&payload, FAY_HIGH);
    fay_write32(&payload, 3);
    fay_write32(&payload, 4);
    send_frame(&w, FAY_MESSAGE_STATUS, &payload);
    fay_buffer_clear(&payload);

    fay_batch *batch = fay_batch_new();
    assert_int_equal(fay_attrs_from_json("{\"k\":\"v\"}", 9, &attrs, NULL, NULL, NULL), 0);
    fay_entry *entry = fay_batch_append(batch, "show", 4);
    entry->root = 7;
    entry->attempt = 1;
    (void)fay_path_append(&entry->path, 2);
    fay_batch_append_attrs(batch, attrs.bytes, fay_buffer_size(&attrs));
    fay_write64(&payload, 0);
    fay_write64(&payload, 1000);
    fay_block_head(batch, 0, 1, true, NULL, &payload);
    fay_block_data(batch, 0, 1, &payload);
    send_frame(&w, FAY_MESSAGE_LEASE, &payload);
    assert_string_equal(results(&w, 1), "0: 7.2 2 stage 7 v 1 3");
    fay_results_frame r;
    fay_block_item child = {0};
    assert_int_equal(fay_results_parse(w.frame.payload, w.frame.size, &r), 0);
    assert_true(fay_block_next(&r.block, &child));
    assert_int_equal(child.attrs_size, 4);
    assert_memory_equal(child.attrs, "\x81\xa1n\x05", 4);
    assert_int_equal(end(&w), 0);
    fay_batch_unref(batch);
    fay_buffer_deinit(&payload);
    fay_buffer_deinit(&attrs);
}

static void kept_items_stay(void **state)
{
    (void)state;
    struct worker w;
    begin(&w);
    for (int i = 0; i < 40; i++) {
        char text[16], wanted[32];
        (void)snprintf(text, sizeof text, "keep %d", i);
        (void)snprintf(wanted, sizeof wanted, i > 0 ? "%d: keep %d" : "%d:", i, i - 1);
        lease_one(&w, text);
        assert_string_equal(results(&w, 1), wanted);
    }
    assert_int_equal(end(&w), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_travel_as_runs),
        cmocka_unit_test(failures_break_the_run),
        cmocka_unit_test(large_sets_travel_in_parts),
        cmocka_unit_test(items_have_status_and_attributes),
        cmocka_unit_test(kept_items_stay),
    };
    (void)alarm(50);
    return cmocka_run_group_tests_name("sdk", tests, NULL, NULL);
}
