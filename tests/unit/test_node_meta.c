/* SPDX-License-Identifier: MIT */
/* What a Node says of itself: written and read again; and what is none. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "base/texts.h"
#include "node/meta.h"

static fay_node_meta some(void)
{
    fay_node_meta meta = {.agent = true,
                          .draining = true,
                          .holder = true,
                          .strategy = FAY_VERTICAL,
                          .weight = -1.5,
                          .cores = 7.25,
                          .memory = 1 << 30,
                          .disk = 5,
                          .reason = fay_strdup("kernel update")};
    fay_texts_push(&meta.tags, fay_strdup("gpu"));
    fay_texts_push(&meta.tags, fay_strdup("big"));
    return meta;
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    fay_node_meta meta = some(), read = {0};
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer bytes = {0};
    assert_int_equal(fay_node_meta_write(&meta, &bytes, NULL), 0);
    assert_int_equal(fay_node_meta_parse(fay_buffer_data(&bytes), fay_buffer_size(&bytes), &read),
                     0);
    assert_true(read.agent && read.draining && read.holder);
    assert_int_equal(read.strategy, FAY_VERTICAL);
    assert_true(fabs(read.weight + 1.5) < 1e-9 && fabs(read.cores - 7.25) < 1e-9);
    assert_int_equal(read.memory, 1 << 30);
    assert_int_equal(read.disk, 5);
    assert_string_equal(read.reason, "kernel update");
    assert_string_equal(read.tags[1], "big");
    fay_node_meta_deinit(&meta);
    fay_node_meta_deinit(&read);
}

static void what_is_cut_or_none_is_refused(void **state)
{
    (void)state;
    fay_node_meta meta = some(), read = {0};
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer bytes = {0};
    assert_int_equal(fay_node_meta_write(&meta, &bytes, NULL), 0);
    size_t size = fay_buffer_size(&bytes);
    for (size_t cut = 0; cut < size; cut++) {
        assert_int_equal(fay_node_meta_parse(fay_buffer_data(&bytes), cut, &read), FAY_E_PEER);
    }
    fay_buffer_append(&bytes, "x", 1);
    assert_int_equal(fay_node_meta_parse(fay_buffer_data(&bytes), size + 1, &read), FAY_E_PEER);
    bytes.bytes[bytes.start] = 2; /* another version */
    assert_int_equal(fay_node_meta_parse(fay_buffer_data(&bytes), size, &read), FAY_E_PEER);
    fay_node_meta_deinit(&meta);
}

static void weights_are_numbers(void **state)
{
    (void)state;
    fay_node_meta meta = some(), read = {0};
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer bytes = {0};
    meta.weight = (double)NAN;
    assert_false(fay_weight_valid(meta.weight));
    assert_false(fay_weight_valid((double)INFINITY));
    assert_true(fay_weight_valid(0) && fay_weight_valid(-FAY_WEIGHT_MAX));
    assert_false(fay_weight_valid(FAY_WEIGHT_MAX * 2));
    assert_int_equal(fay_node_meta_write(&meta, &bytes, NULL), 0);
    assert_int_equal(fay_node_meta_parse(fay_buffer_data(&bytes), fay_buffer_size(&bytes), &read),
                     FAY_E_PEER);
    fay_node_meta_deinit(&meta);
}

static void what_is_too_long_is_said(void **state)
{
    (void)state;
    fay_error err = {0};
    fay_node_meta meta = some();
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer bytes = {0};
    char tag[201] = "";
    memset(tag, 'x', sizeof tag - 1);
    for (int i = 0; i < 3; i++) {
        fay_texts_push(&meta.tags, fay_strdup(tag));
    }
    assert_int_equal(fay_node_meta_write(&meta, &bytes, &err), FAY_E_INVAL);
    assert_string_equal(err.hint, "fewer or shorter tags");
    assert_int_equal(fay_buffer_size(&bytes), 0);
    for (size_t i = 0; i < FAY_TAGS_MAX; i++) {
        fay_texts_push(&meta.tags, fay_strdup("t"));
    }
    assert_int_equal(fay_node_meta_write(&meta, &bytes, &err), FAY_E_INVAL);
    fay_node_meta_deinit(&meta);
}

static void strategies_have_words(void **state)
{
    (void)state;
    fay_strategy strategy = FAY_HORIZONTAL;
    assert_true(fay_strategy_parse("vertical", &strategy));
    assert_int_equal(strategy, FAY_VERTICAL);
    assert_string_equal(fay_strategy_word(FAY_HORIZONTAL), "horizontal");
    assert_false(fay_strategy_parse("diagonal", &strategy));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read), cmocka_unit_test(what_is_cut_or_none_is_refused),
        cmocka_unit_test(weights_are_numbers),     cmocka_unit_test(what_is_too_long_is_said),
        cmocka_unit_test(strategies_have_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
