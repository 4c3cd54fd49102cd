/* SPDX-License-Identifier: MIT */
/* Open roots: found again, the oldest known, pages given back; groups. */
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

/* The last Item of the root is finished: which roots are done by that. */
static void finish(fay_roots *roots, uint64_t number, bool in_turn, const char *expected)
{
    char done[64] = "";
    size_t used = 0;
    fay_group *group;
    fay_roots_get(roots, number)->open = 0;
    if (fay_roots_finish(roots, number, in_turn, &group)) {
        for (size_t i = 0; i < (group != NULL ? group->count : 1); i++) {
            uint64_t root = group != NULL ? group->list[i] : number;
            used += (size_t)snprintf(done + used, sizeof done - used, "%d ", (int)root);
            fay_roots_close(roots, root);
        }
        if (group != NULL)
            fay_group_free(group);
    }
    assert_string_equal(done, expected);
}

static void open_some(fay_roots *roots, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        (void)fay_roots_open(roots, i, 0);
    }
}

static void a_group_is_done_with_its_last_root(void **state)
{
    (void)state;
    fay_roots roots = {0};
    open_some(&roots, 200);
    (void)fay_roots_tie(&roots, 150, 1);
    (void)fay_roots_tie(&roots, 3, 3);
    (void)fay_roots_tie(&roots, 2, 70);
    finish(&roots, 70, false, "");
    finish(&roots, 3, false, "3 ");
    (void)fay_roots_tie(&roots, 1, 2); /* one of them, by way of two that are open */
    (void)fay_roots_tie(&roots, 2, 150);
    finish(&roots, 1, false, "");
    finish(&roots, 150, false, "");
    assert_int_equal(roots.waiting, 3);
    finish(&roots, 2, false, "1 2 70 150 ");
    assert_int_equal(roots.waiting, 0);
    assert_int_equal(roots.open, 195);
    (void)fay_roots_tie(&roots, 10, 190);
    fay_roots_deinit(&roots);
}

static void in_turn_later_ones_wait_too(void **state)
{
    (void)state;
    fay_roots roots = {0};
    open_some(&roots, 6);
    finish(&roots, 0, true, "0 ");
    (void)fay_roots_tie(&roots, 1, 4);
    (void)fay_roots_tie(&roots, 3, 5);
    finish(&roots, 1, true, "");
    finish(&roots, 2, true, "");
    finish(&roots, 3, true, "");
    finish(&roots, 4, true, "");
    finish(&roots, 5, true, "1 2 3 4 5 ");
    assert_int_equal(roots.open, 0);
    fay_roots_deinit(&roots);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_lags_keeps_one_page),
        cmocka_unit_test(a_group_is_done_with_its_last_root),
        cmocka_unit_test(in_turn_later_ones_wait_too),
    };
    return cmocka_run_group_tests_name("roots", tests, NULL, NULL);
}
