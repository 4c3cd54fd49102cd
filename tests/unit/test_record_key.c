/* SPDX-License-Identifier: MIT */
/* Record keys: what one has signed is known as its, and nothing else is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pki/record_key.h"

static void what_is_signed_verifies(void **state)
{
    (void)state;
    static const char text[] = "I am here";
    FAY_CLEANUP(fay_record_key_deinit) fay_record_key a = {0};
    FAY_CLEANUP(fay_record_key_deinit) fay_record_key b = {0};
    uint8_t signature[FAY_RECORD_SIGNATURE_SIZE];
    fay_record_key_make(&a);
    fay_record_key_make(&b);
    fay_record_key_sign(&a, text, sizeof text, signature);
    assert_true(fay_record_key_verify(a.public_key, text, sizeof text, signature));
    assert_false(fay_record_key_verify(b.public_key, text, sizeof text, signature));
    assert_false(fay_record_key_verify(a.public_key, text, sizeof text - 1, signature));
    signature[5] ^= 1;
    assert_false(fay_record_key_verify(a.public_key, text, sizeof text, signature));
}

static void what_is_no_key_verifies_nothing(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_record_key_deinit) fay_record_key a = {0};
    uint8_t signature[FAY_RECORD_SIGNATURE_SIZE];
    uint8_t none[FAY_RECORD_KEY_SIZE];
    fay_record_key_make(&a);
    fay_record_key_sign(&a, "x", 1, signature);
    memset(none, 0xff, sizeof none);
    assert_false(fay_record_key_verify(none, "x", 1, signature));
}

static void nothing_is_signed_too(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_record_key_deinit) fay_record_key a = {0};
    uint8_t signature[FAY_RECORD_SIGNATURE_SIZE];
    fay_record_key_make(&a);
    fay_record_key_sign(&a, "", 0, signature);
    assert_true(fay_record_key_verify(a.public_key, "", 0, signature));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_signed_verifies),
        cmocka_unit_test(what_is_no_key_verifies_nothing),
        cmocka_unit_test(nothing_is_signed_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
