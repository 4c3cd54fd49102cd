/* SPDX-License-Identifier: MIT */
/* The hash, by known answers: journals and dead letters of earlier versions have it in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/hash.h"

static void is_xxh64(void **state)
{
    (void)state;
    assert_int_equal(fay_hash64("", 0, 0), 0xef46db3751d8e999);
    assert_int_equal(fay_hash64("abc", 3, 0), 0x44bc2cf5ad770999);
    assert_int_equal(fay_hash64("", 0, 1), 0xd5afba1336a3be4b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(is_xxh64)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
