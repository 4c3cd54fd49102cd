/* SPDX-License-Identifier: MIT */
/* Durations and sizes as people write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/units.h"

static void durations_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        fay_ns expected;
    } cases[] = {{"0", 0},
                 {"3", 3 * FAY_SECOND},
                 {"100ms", 100 * FAY_MS},
                 {"1.5s", 1500 * FAY_MS},
                 {"2m", 120 * FAY_SECOND},
                 {"1h", 3600 * FAY_SECOND},
                 {"250us", FAY_MS / 4}};
    for (size_t i = 0; i < FAY_COUNT(cases); i++) {
        fay_ns got;
        assert_int_equal(fay_duration_parse(cases[i].text, &got), 0);
        assert_int_equal(got, cases[i].expected);
    }
}

static void sizes_are_read(void **state)
{
    (void)state;
    uint64_t size;
    assert_int_equal(fay_size_parse("1.5GiB", &size), 0);
    assert_int_equal(size, 3 * FAY_GIB / 2);
    assert_int_equal(fay_size_parse("10MB", &size), 0);
    assert_int_equal(size, 10000000);
    assert_int_equal(fay_size_parse("64K", &size), 0);
    assert_int_equal(size, 65536);
}

static void nonsense_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",    "-1",   " 1",  "1 s",   "abc",
                                      "1q",  "0x10", "inf", "1e400", "99999999999999999999d",
                                      "1..2"};
    for (size_t i = 0; i < FAY_COUNT(bad); i++) {
        uint64_t untouched = 77;
        assert_int_equal(fay_duration_parse(bad[i], &untouched), FAY_E_INVAL);
        assert_int_equal(fay_size_parse(bad[i], &untouched), FAY_E_INVAL);
        assert_int_equal(untouched, 77);
    }
}

static void they_are_written_short(void **state)
{
    (void)state;
    char text[FAY_UNITS_TEXT_MAX];
    assert_string_equal(fay_duration_text(75 * FAY_SECOND, text), "1m15s");
    assert_string_equal(fay_duration_text(15 * FAY_MS, text), "15ms");
    assert_string_equal(fay_duration_text(3200 * FAY_MS, text), "3.2s");
    assert_string_equal(fay_size_text(64 * FAY_MIB, text), "64MiB");
    assert_string_equal(fay_size_text(1536, text), "1.5KiB");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_are_read),
        cmocka_unit_test(sizes_are_read),
        cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(they_are_written_short),
    };
    return cmocka_run_group_tests_name("units", tests, NULL, NULL);
}
