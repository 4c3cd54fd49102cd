/* SPDX-License-Identifier: MIT */
/* Preambles: each target is read as it was written, and no byte may be another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/preamble.h"

static fay_preamble to(fay_target target)
{
    fay_preamble preamble = {.target = target};
    if (target == FAY_TARGET_PROCESS)
        memcpy(preamble.process.bytes, "0123456789abcdef", FAY_NODE_ID_SIZE);
    return preamble;
}

static void it_lies_as_documented(void **state)
{
    (void)state;
    fay_preamble preamble = to(FAY_TARGET_PROCESS);
    uint8_t bytes[FAY_PREAMBLE_SIZE];
    fay_preamble_write(&preamble, bytes);
    assert_memory_equal(bytes,
                        "faymora\1\2\0\0\0\0\0\0\0"
                        "0123456789abcdef",
                        sizeof bytes);
    preamble = to(FAY_TARGET_NODE);
    fay_preamble_write(&preamble, bytes);
    assert_memory_equal(bytes, "faymora\1\1", 9);
}

static void every_target_is_read_as_written(void **state)
{
    (void)state;
    for (int target = FAY_TARGET_NODE; target <= FAY_TARGET_JOIN; target++) {
        fay_preamble preamble = to((fay_target)target);
        fay_preamble read;
        uint8_t bytes[FAY_PREAMBLE_SIZE];
        fay_preamble_write(&preamble, bytes);
        assert_int_equal(fay_preamble_parse(bytes, &read), 0);
        assert_int_equal(read.target, target);
        assert_true(fay_node_id_same(&read.process, &preamble.process));
    }
}

static void no_byte_may_be_another(void **state)
{
    (void)state;
    for (int target = FAY_TARGET_NODE; target <= FAY_TARGET_JOIN; target++) {
        fay_preamble preamble = to((fay_target)target);
        uint8_t bytes[FAY_PREAMBLE_SIZE];
        fay_preamble_write(&preamble, bytes);
        size_t fixed = target == FAY_TARGET_PROCESS ? 16 : FAY_PREAMBLE_SIZE;
        for (size_t i = 0; i < fixed; i++) {
            fay_preamble read = {.target = FAY_TARGET_JOIN};
            bytes[i] ^= 0x80;
            assert_int_equal(fay_preamble_parse(bytes, &read), FAY_E_PEER);
            assert_int_equal(read.target, FAY_TARGET_JOIN);
            bytes[i] ^= 0x80;
        }
    }
}

static void targets_that_are_none_are_refused(void **state)
{
    (void)state;
    fay_preamble preamble = to(FAY_TARGET_NODE);
    uint8_t bytes[FAY_PREAMBLE_SIZE];
    fay_preamble_write(&preamble, bytes);
    bytes[8] = 0;
    assert_int_equal(fay_preamble_parse(bytes, &preamble), FAY_E_PEER);
    bytes[8] = 4;
    assert_int_equal(fay_preamble_parse(bytes, &preamble), FAY_E_PEER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_lies_as_documented),
        cmocka_unit_test(every_target_is_read_as_written),
        cmocka_unit_test(no_byte_may_be_another),
        cmocka_unit_test(targets_that_are_none_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
