/* SPDX-License-Identifier: MIT */
/* The set of roots that are done. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flow/ranges.h"

static void any_order_ends_in_one_range(void **state)
{
    (void)state;
    static const uint64_t order[] = {3, 1, 0, 5, 2, 7, 6, 4};
    fay_ranges ranges = {0};
    for (size_t i = 0; i < FAY_COUNT(order); i++) {
        assert_false(fay_ranges_has(&ranges, order[i]));
        fay_ranges_add(&ranges, order[i], (order[i] + 1) * 10);
        assert_true(fay_ranges_has(&ranges, order[i]));
        for (size_t k = 1; k < ranges.count; k++) {
            assert_true(ranges.list[k - 1].to < ranges.list[k].from);
        }
    }
    assert_int_equal(ranges.count, 1);
    assert_int_equal(ranges.list[0].from, 0);
    assert_int_equal(ranges.list[0].to, 8);
    assert_int_equal(ranges.ends[0], 80);
    fay_ranges_deinit(&ranges);
}

static void the_position_is_that_of_the_last_root(void **state)
{
    (void)state;
    fay_ranges ranges = {0};
    fay_ranges_add(&ranges, 1, 20);
    fay_ranges_add(&ranges, 0, 10);
    assert_int_equal(ranges.ends[0], 20);
    fay_ranges_add_range(&ranges, (fay_range){4, 6}, 0); /* restored: its end is not known yet */
    fay_ranges_note_end(&ranges, 4, 50);
    assert_int_equal(ranges.ends[1], 0);
    fay_ranges_note_end(&ranges, 5, 60);
    fay_ranges_add(&ranges, 3, 40);
    fay_ranges_add(&ranges, 2, 30);
    assert_int_equal(ranges.count, 1);
    assert_int_equal(ranges.ends[0], 60);
    fay_ranges_deinit(&ranges);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_order_ends_in_one_range),
        cmocka_unit_test(the_position_is_that_of_the_last_root),
    };
    return cmocka_run_group_tests_name("ranges", tests, NULL, NULL);
}
