/* SPDX-License-Identifier: MIT */
/* What a worker has in hand: answered at the front, in the middle, from the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "worker/held.h"

static void held_items_are_answered_once(void **state)
{
    (void)state;
    fay_held held = {0};
    uint64_t first = 0;
    assert_int_equal(fay_held_push(&held, 10, 100, NULL), 0);
    assert_int_equal(fay_held_push(&held, 110, 5, NULL), 0);
    assert_int_equal(fay_held_push(&held, 110, 1, NULL), FAY_E_PEER);
    assert_int_equal(fay_held_answer(&held, 50, 3), 0);
    assert_int_equal(fay_held_answer(&held, 52, 1), FAY_E_PEER);
    assert_int_equal(fay_held_answer(&held, 108, 4), 0); /* over two runs */
    assert_int_equal(held.items, 98);
    assert_int_equal(fay_held_give_back(&held, 100, &first), 3);
    assert_int_equal(first, 112);
    assert_int_equal(fay_held_give_back(&held, 5, &first), 5);
    assert_int_equal(first, 103);
    const fay_held_run *run;
    uint32_t at;
    assert_int_equal(fay_held_take(&held, 1000, &run, &at), 40);
    assert_int_equal(run->first + at, 10);
    assert_true(fay_held_oldest(&held, &first));
    assert_int_equal(first, 53);
    assert_int_equal(fay_held_take(&held, 1000, &run, &at), 50);
    assert_int_equal(held.items, 0);
    assert_false(fay_held_oldest(&held, &first));
    fay_held_deinit(&held);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(held_items_are_answered_once),
    };
    return cmocka_run_group_tests_name("held", tests, NULL, NULL);
}
