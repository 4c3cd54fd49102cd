/* SPDX-License-Identifier: MIT */
/* What one worker holds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flow/leases.h"

static fay_leases ten(fay_batch *batch)
{
    fay_leases leases = {0};
    fay_leases_add(&leases, (fay_lease){.tag = 100, .batch = fay_batch_ref(batch), .count = 5});
    fay_leases_add(&leases,
                   (fay_lease){.tag = 200, .batch = fay_batch_ref(batch), .at = 5, .count = 5});
    return leases;
}

static void a_run_is_split_where_it_is_answered(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_batch_unrefp) fay_batch *batch = fay_batch_new();
    fay_leases leases = ten(batch);
    fay_lease middle = fay_leases_take(&leases, 102, 2);
    assert_int_equal(middle.at, 2);
    assert_int_equal(middle.count, 2);
    fay_batch_unref(middle.batch);
    assert_false(fay_leases_cover(&leases, 101, 2));
    assert_true(fay_leases_cover(&leases, 104, 1));
    assert_int_equal(leases.items, 8);
    fay_lease rest = fay_leases_take(&leases, 200, 9);
    assert_int_equal(rest.count, 5);
    fay_batch_unref(rest.batch);
    fay_leases_deinit(&leases);
    assert_int_equal(batch->refs, 1);
}

static void consecutive_leases_are_covered_as_one(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_batch_unrefp) fay_batch *batch = fay_batch_new();
    fay_leases leases = ten(batch);
    fay_leases_add(&leases, (fay_lease){.tag = 205, .batch = fay_batch_ref(batch), .count = 3});
    assert_true(fay_leases_cover(&leases, 200, 8));
    assert_false(fay_leases_cover(&leases, 200, 9));
    assert_false(fay_leases_cover(&leases, 99, 1));
    fay_leases_deinit(&leases);
    assert_int_equal(batch->refs, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_is_split_where_it_is_answered),
        cmocka_unit_test(consecutive_leases_are_covered_as_one),
    };
    return cmocka_run_group_tests_name("leases", tests, NULL, NULL);
}
