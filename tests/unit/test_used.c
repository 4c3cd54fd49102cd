/* SPDX-License-Identifier: MIT */
/* What workers have used, as it goes over the wire. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wire/used.h"

static void what_is_written_is_read(void **state)
{
    (void)state;
    const fay_used used = {.busy = 1, .cpu = UINT64_MAX, .waited = 3, .bytes = 4};
    fay_used read;
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer payload = {0};
    fay_used_write(&used, &payload);
    assert_int_equal(fay_buffer_size(&payload), 32);
    assert_int_equal(fay_used_parse(fay_buffer_data(&payload), 32, &read), 0);
    assert_memory_equal(&used, &read, sizeof used);
}

static void what_is_none_is_refused(void **state)
{
    (void)state;
    const uint8_t bytes[40] = {0};
    fay_used read = {.busy = 7};
    assert_int_equal(fay_used_parse(bytes, 31, &read), FAY_E_PEER);
    assert_int_equal(fay_used_parse(bytes, 33, &read), FAY_E_PEER);
    assert_int_equal(fay_used_parse(NULL, 0, &read), FAY_E_PEER);
    assert_int_equal(read.busy, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(what_is_none_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
