/* SPDX-License-Identifier: MIT */
/* SETUP: every field survives, no cut or wrong count is accepted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wire/setup.h"

static void all_fields_come_back(void **state)
{
    (void)state;
    char texts[][16] = {"7f3a", "score", "python3", "score.py", "A=b", "", "else"};
    fay_setup s = {.run = texts[0],
                   .stage = texts[1],
                   .mode = 3,
                   .emit = 1,
                   .argv = (char *[]){texts[2], texts[3], NULL},
                   .env = (char *[]){texts[4], NULL},
                   .item_max = 5,
                   .timeout = 6,
                   .stop_signal = 15,
                   .recycle_age = 9,
                   .memory_max = 10,
                   .whens = (char *[]){texts[5], texts[6], NULL},
                   .feeds = (uint64_t[]){2, UINT64_C(1) << 63},
                   .stages = 2,
                   .index = 1};
    fay_buffer out = {0};
    fay_setup_write(&s, &out);
    fay_setup t;
    for (size_t cut = 0; cut < fay_buffer_size(&out); cut++) {
        assert_int_equal(fay_setup_parse(fay_buffer_data(&out), cut, &t), FAY_E_PEER);
    }
    assert_int_equal(fay_setup_parse(fay_buffer_data(&out), fay_buffer_size(&out), &t), 0);
    assert_string_equal(t.run, "7f3a");
    assert_string_equal(t.node, "");
    assert_string_equal(t.argv[1], "score.py");
    assert_null(t.argv[2]);
    assert_string_equal(t.env[0], "A=b");
    assert_int_equal(t.mode, 3);
    assert_int_equal(t.item_max, 5);
    assert_int_equal(t.stop_signal, 15);
    assert_int_equal(t.recycle_age, 9);
    assert_int_equal(t.memory_max, 10);
    assert_string_equal(t.whens[1], "else");
    assert_int_equal(t.feeds[1], UINT64_C(1) << 63);
    assert_int_equal(t.index, 1);
    fay_setup_deinit(&t);
    fay_buffer_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_fields_come_back),
    };
    return cmocka_run_group_tests_name("setup", tests, NULL, NULL);
}
