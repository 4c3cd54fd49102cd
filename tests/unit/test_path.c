/* SPDX-License-Identifier: MIT */
/* Paths below a root: packing, order, text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wire/path.h"

static fay_path path_of(const uint64_t *numbers, size_t count)
{
    fay_path path = {0};
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(fay_path_append(&path, numbers[i]), 0);
    }
    assert_int_equal(fay_path_check(path.bytes, path.size), 0);
    return path;
}

static void bytes_compare_as_paths(void **state)
{
    (void)state;
    static const uint64_t rising[] = {
        0, 1, 239, 240, 65535, 65536, UINT32_MAX, (uint64_t)UINT32_MAX + 1, UINT64_MAX};
    for (size_t i = 0; i < FAY_COUNT(rising); i++) {
        for (size_t k = 0; k < FAY_COUNT(rising); k++) {
            fay_path a = path_of(&rising[i], 1);
            fay_path b = path_of(&rising[k], 1);
            int order = fay_path_compare(&a, &b);
            assert_int_equal(order < 0, i < k);
            assert_int_equal(order == 0, i == k);
        }
    }
}

static void parents_come_before_children(void **state)
{
    (void)state;
    fay_path parent = path_of((uint64_t[]){2}, 1);
    fay_path child = path_of((uint64_t[]){2, 0}, 2);
    fay_path sibling = path_of((uint64_t[]){3}, 1);
    assert_true(fay_path_compare(&parent, &child) < 0);
    assert_true(fay_path_compare(&child, &sibling) < 0);
}

static void text_shows_all_numbers(void **state)
{
    (void)state;
    char text[FAY_PATH_TEXT_MAX];
    fay_path path = path_of((uint64_t[]){2, 1, 70000}, 3);
    assert_int_equal(fay_path_text(7, &path, false, text), strlen("7.2.1.70000"));
    assert_string_equal(text, "7.2.1.70000");
    (void)fay_path_text(7, &path, true, text);
    assert_string_equal(text, "7.2.1");
    fay_path none = {0};
    (void)fay_path_text(7, &none, true, text);
    assert_string_equal(text, "");
}

static void a_full_path_is_refused_unchanged(void **state)
{
    (void)state;
    fay_path path = {0};
    while (fay_path_append(&path, 1) == 0) {
    }
    assert_int_equal(path.size, FAY_PATH_MAX);
    fay_path before = path;
    assert_int_equal(fay_path_append(&path, UINT64_MAX), FAY_E_NORES);
    assert_memory_equal(&path, &before, sizeof path);
}

static void wrong_bytes_are_refused(void **state)
{
    (void)state;
    assert_int_equal(fay_path_check((const uint8_t[]){0xf3}, 1), FAY_E_PEER);
    assert_int_equal(fay_path_check((const uint8_t[]){0xf0, 1}, 2), FAY_E_PEER);
    assert_int_equal(fay_path_check((const uint8_t[]){5, 0xf0, 1, 2}, 4), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_compare_as_paths),
        cmocka_unit_test(parents_come_before_children),
        cmocka_unit_test(text_shows_all_numbers),
        cmocka_unit_test(a_full_path_is_refused_unchanged),
        cmocka_unit_test(wrong_bytes_are_refused),
    };
    return cmocka_run_group_tests_name("path", tests, NULL, NULL);
}
