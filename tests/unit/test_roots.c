/* SPDX-License-Identifier: MIT */
/* Open roots: found again, the oldest known, pages given back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flow/roots.h"

static void one_that_lags_keeps_one_page(void **state)
{
    (void)state;
    fay_roots roots = {0};
    enum {
        MANY = 100000
    };
    for (uint64_t i = 0; i < MANY; i++) {
        (void)fay_roots_open(&roots, i, i * 2);
        if (i == 5)
            continue;
        assert_int_equal(fay_roots_get(&roots, i)->end, i * 2);
        fay_roots_get(&roots, i)->open = 0;
        fay_roots_close(&roots, i);
    }
    assert_int_equal(roots.open, 1);
    assert_true(HASH_COUNT(roots.pages) <= 2);
    fay_roots_get(&roots, 5)->open = 0;
    fay_roots_close(&roots, 5);
    assert_int_equal(roots.open, 0);
    assert_true(HASH_COUNT(roots.pages) <= 1); /* more of the newest may be opened */
    fay_roots_deinit(&roots);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_lags_keeps_one_page),
    };
    return cmocka_run_group_tests_name("roots", tests, NULL, NULL);
}
