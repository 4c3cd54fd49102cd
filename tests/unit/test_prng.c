/* SPDX-License-Identifier: MIT */
/* The same seed, the same numbers, on every machine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/prng.h"

static void a_seed_decides_all(void **state)
{
    (void)state;
    fay_prng a;
    fay_prng b;
    fay_prng_init(&a, 7);
    fay_prng_init(&b, 7);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(fay_prng_next(&a), fay_prng_next(&b));
    }
    fay_prng_init(&b, 8);
    assert_int_not_equal(fay_prng_next(&a), fay_prng_next(&b));
}

static void bounds_are_kept(void **state)
{
    (void)state;
    fay_prng prng;
    fay_prng_init(&prng, 1);
    uint64_t seen[7] = {0};
    for (int i = 0; i < 7000; i++) {
        seen[fay_prng_below(&prng, 7)]++;
        double unit = fay_prng_unit(&prng);
        assert_true(unit >= 0 && unit < 1);
    }
    for (size_t i = 0; i < 7; i++) {
        assert_in_range(seen[i], 800, 1200);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_seed_decides_all),
        cmocka_unit_test(bounds_are_kept),
    };
    return cmocka_run_group_tests_name("prng", tests, NULL, NULL);
}
