/* SPDX-License-Identifier: MIT */
/* The heap of delayed Items. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/prng.h"
#include "flow/delays.h"

static void they_come_out_by_time_then_by_arrival(void **state)
{
    (void)state;
    fay_delays delays = {0};
    fay_prng prng;
    fay_prng_init(&prng, 3);
    for (int i = 0; i < 500; i++) {
        fay_batch *one = fay_batch_new();
        fay_batch_append(one, "x", 1)->root = (uint64_t)i;
        fay_delays_add(&delays, fay_prng_below(&prng, 50), 0, one);
    }
    fay_ns last = 0;
    uint64_t last_root = 0;
    while (delays.count > 0) {
        fay_ns due = fay_delays_due(&delays);
        fay_delay delay = fay_delays_take(&delays);
        assert_int_equal(delay.due, due);
        uint64_t root = delay.batch->entries[0].root;
        assert_true(due > last || (due == last && root >= last_root));
        last = due;
        last_root = root;
        fay_batch_unref(delay.batch);
    }
    assert_true(fay_delays_due(&delays) == FAY_NEVER);
    fay_delays_deinit(&delays);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_come_out_by_time_then_by_arrival),
    };
    return cmocka_run_group_tests_name("delays", tests, NULL, NULL);
}
