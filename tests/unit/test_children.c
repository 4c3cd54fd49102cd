/* SPDX-License-Identifier: MIT */
/* Results on their way out: what is taken is a block that reads back, and a cut leaves no trace. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "base/prng.h"
#include "sdk/children.h"
#include "wire/block.h"
#include "wire/codec.h"

static void add(fay_children *children, const char *data, const char *attrs)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer encoded = {0};
    if (attrs != NULL)
        fay_buffer_append_text(&encoded, attrs);
    fay_children_add(children, data, strlen(data), attrs != NULL ? &encoded : NULL);
}

/* Takes what lies before the mark, reads it as the owner does, and tells it: "a b{attrs} ." with a
 * point for an empty child. */
static const char *taken(fay_children *children, fay_mark mark)
{
    static char text[1024];
    int used = 0;
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer payload = {0};
    fay_write64(&payload, 1); /* tag: a PART is a block behind it */
    fay_children_take(children, mark, &payload);
    fay_part_frame part;
    assert_int_equal(fay_part_parse(fay_buffer_data(&payload), fay_buffer_size(&payload), &part),
                     0);
    assert_int_equal(part.block.count, mark.count);
    text[0] = '\0';
    fay_block_item item = {0};
    while (fay_block_next(&part.block, &item)) {
        used += snprintf(text + used, sizeof text - (size_t)used, "%s%.*s%s%.*s%s",
                         used > 0 ? " " : "", item.size > 0 ? (int)item.size : 1,
                         item.size > 0 ? (const char *)item.data : ".",
                         item.attrs_size > 0 ? "{" : "", (int)item.attrs_size,
                         (const char *)item.attrs, item.attrs_size > 0 ? "}" : "");
    }
    return text;
}

static const char *all(fay_children *children)
{
    return taken(children, fay_children_mark(children));
}

static void a_block_reads_back(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_children_deinit) fay_children children = {0};
    assert_string_equal(all(&children), "");
    add(&children, "one", NULL);
    add(&children, "", NULL);
    add(&children, "three", NULL);
    assert_string_equal(all(&children), "one . three");
    assert_int_equal(children.count, 0);
    assert_string_equal(all(&children), "");
}

/* From the first attributes on there is a column of them, also for those before. */
static void attributes_may_begin_anywhere(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_children_deinit) fay_children children = {0};
    add(&children, "a", NULL);
    add(&children, "b", "");
    add(&children, "c", "xy");
    add(&children, "d", NULL);
    add(&children, "e", "z");
    fay_mark two = {.count = 2, .data = 2};
    assert_string_equal(taken(&children, two), "a b");
    assert_string_equal(all(&children), "c{xy} d e{z}");
    add(&children, "f", NULL); /* a new set has no such column */
    assert_string_equal(all(&children), "f");
}

static void what_is_behind_a_mark_is_cut_off(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_children_deinit) fay_children children = {0};
    add(&children, "kept", NULL);
    fay_mark mark = fay_children_mark(&children);
    add(&children, "failed", "attrs");
    add(&children, "too", NULL);
    fay_children_cut(&children, mark);
    assert_int_equal(children.count, 1);
    add(&children, "next", "n");
    fay_children_cut(&children, fay_children_mark(&children)); /* nothing is behind it */
    assert_string_equal(all(&children), "kept next{n}");

    mark = fay_children_mark(&children);
    add(&children, "only", "attrs");
    fay_children_cut(&children, mark);
    assert_int_equal(children.count, 0);
    add(&children, "plain", NULL);
    assert_string_equal(all(&children), "plain");
}

static void sets_are_joined_with_and_without_attributes(void **state)
{
    (void)state;
    static const struct {
        const char *mine, *others, *joined;
    } rows[] = {
        {NULL, NULL, "a b"}, {"x", NULL, "a{x} b"}, {NULL, "y", "a b{y}"}, {"x", "y", "a{x} b{y}"}};
    for (size_t i = 0; i < FAY_COUNT(rows); i++) {
        FAY_CLEANUP(fay_children_deinit) fay_children children = {0};
        FAY_CLEANUP(fay_children_deinit) fay_children from = {0};
        add(&children, "a", rows[i].mine);
        add(&from, "b", rows[i].others);
        fay_children_add_all(&children, &from);
        assert_int_equal(from.count, 1); /* it is copied */
        assert_string_equal(all(&children), rows[i].joined);
        fay_children_add_all(&children, &from);
        fay_children_add_all(&children, &(fay_children){0});
        assert_string_equal(all(&children), rows[i].others != NULL ? "b{y}" : "b");
    }
}

static void some_are_as_many_as_weigh_so_much(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_children_deinit) fay_children children = {0};
    assert_int_equal(fay_children_some(&children, 100).count, 0);
    add(&children, "12345", NULL);
    add(&children, "123", "12");
    add(&children, "", NULL);
    add(&children, "1", NULL);
    assert_int_equal(fay_children_some(&children, 0).count, 1); /* one in any case */
    assert_int_equal(fay_children_some(&children, 9).count, 1);
    fay_mark mark = fay_children_some(&children, 10); /* attributes weigh too; empty ones do not */
    assert_int_equal(mark.count, 3);
    assert_int_equal(mark.data, 8);
    assert_int_equal(mark.attrs, 2);
    assert_int_equal(fay_children_some(&children, SIZE_MAX).count, 4);
    assert_string_equal(taken(&children, mark), "12345 123{12} .");
    assert_string_equal(all(&children), "1");
}

static void a_block_has_a_bound_of_items(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_children_deinit) fay_children children = {0};
    for (size_t i = 0; i < FAY_BLOCK_ITEMS_MAX + 5; i++) {
        fay_children_add(&children, "", 0, NULL);
    }
    fay_mark mark = fay_children_some(&children, SIZE_MAX);
    assert_int_equal(mark.count, FAY_BLOCK_ITEMS_MAX);
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer payload = {0};
    fay_children_take(&children, mark, &payload);
    assert_int_equal(children.count, 5);
}

static void the_memory_of_a_large_set_is_given_back(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_children_deinit) fay_children children = {0};
    FAY_CLEANUP(fay_freep) char *large = fay_alloc(4 * FAY_FRAME_BATCH_MAX);
    fay_children_add(&children, large, 4 * FAY_FRAME_BATCH_MAX, NULL);
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer payload = {0};
    fay_children_take(&children, fay_children_mark(&children), &payload);
    assert_true(children.data.capacity >= 4 * FAY_FRAME_BATCH_MAX);
    fay_children_trim(&children);
    assert_int_equal(children.data.capacity, 0);

    add(&children, "small", NULL);
    assert_string_equal(all(&children), "small");
    size_t capacity = children.data.capacity;
    fay_children_trim(&children); /* what every set needs stays */
    assert_int_equal(children.data.capacity, capacity);
}

/* Any sequence of adds, cuts and takes gives the children that were added and not cut, in order:
 * the n-th has n as its data, and attributes if n says so. */
static void nothing_is_lost_between_the_columns(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_children_deinit) fay_children children = {0};
    fay_prng prng;
    fay_prng_init(&prng, 5);
    unsigned written = 0, read = 0;
    for (int i = 0; i < 2000; i++) {
        fay_mark mark = fay_children_mark(&children);
        unsigned count = (unsigned)fay_prng_below(&prng, 5);
        for (unsigned k = 0; k < count; k++) {
            char data[16];
            (void)snprintf(data, sizeof data, "%u", written + k);
            add(&children, data, (written + k) % 3 == 0 ? data : NULL);
        }
        if (fay_prng_below(&prng, 4) == 0) {
            fay_children_cut(&children, mark); /* the Item has failed */
        } else {
            written += count;
        }
        if (fay_prng_below(&prng, 3) > 0)
            continue;
        fay_mark some = fay_children_some(&children, fay_prng_below(&prng, 40));
        FAY_CLEANUP(fay_buffer_deinit) fay_buffer payload = {0};
        fay_write64(&payload, 1);
        fay_children_take(&children, some, &payload);
        fay_part_frame part;
        assert_int_equal(
            fay_part_parse(fay_buffer_data(&payload), fay_buffer_size(&payload), &part), 0);
        fay_block_item item = {0};
        while (fay_block_next(&part.block, &item)) {
            char data[16];
            int size = snprintf(data, sizeof data, "%u", read);
            assert_int_equal(item.size, size);
            assert_memory_equal(item.data, data, item.size);
            assert_int_equal(item.attrs_size, read % 3 == 0 ? size : 0);
            assert_memory_equal(item.attrs, data, item.attrs_size);
            read++;
        }
    }
    assert_int_equal(read + children.count, written);
    assert_true(read > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_block_reads_back),
        cmocka_unit_test(attributes_may_begin_anywhere),
        cmocka_unit_test(what_is_behind_a_mark_is_cut_off),
        cmocka_unit_test(sets_are_joined_with_and_without_attributes),
        cmocka_unit_test(some_are_as_many_as_weigh_so_much),
        cmocka_unit_test(a_block_has_a_bound_of_items),
        cmocka_unit_test(the_memory_of_a_large_set_is_given_back),
        cmocka_unit_test(nothing_is_lost_between_the_columns),
    };
    return cmocka_run_group_tests_name("children", tests, NULL, NULL);
}
