/* SPDX-License-Identifier: MIT */
/* Bytes that grow at the end and are consumed at the front. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"

static void what_goes_in_comes_out(void **state)
{
    (void)state;
    fay_buffer b = {0};
    for (int i = 0; i < 1000; i++) {
        fay_buffer_printf(&b, "%d;", i);
        if (i % 3 == 0)
            fay_buffer_consume(&b, 2);
    }
    assert_int_equal(strncmp(fay_buffer_text(&b) + fay_buffer_size(&b) - 8, "998;999;", 8), 0);
    fay_buffer_deinit(&b);
}

static void consuming_all_starts_again(void **state)
{
    (void)state;
    fay_buffer b = {0};
    fay_buffer_append_text(&b, "abc");
    fay_buffer_consume(&b, 3);
    assert_int_equal(fay_buffer_size(&b), 0);
    fay_buffer_append_text(&b, "d");
    assert_string_equal(fay_buffer_text(&b), "d");
    assert_int_equal(b.start, 0);
    fay_buffer_deinit(&b);
}

static void taken_memory_starts_with_the_data(void **state)
{
    (void)state;
    fay_buffer b = {0};
    fay_buffer_append_text(&b, "xxhello");
    fay_buffer_consume(&b, 2);
    size_t size;
    char *bytes = fay_buffer_take(&b, &size);
    assert_int_equal(size, 5);
    assert_memory_equal(bytes, "hello", 5);
    assert_null(b.bytes);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_goes_in_comes_out),
        cmocka_unit_test(consuming_all_starts_again),
        cmocka_unit_test(taken_memory_starts_with_the_data),
    };
    return cmocka_run_group_tests_name("buffer", tests, NULL, NULL);
}
