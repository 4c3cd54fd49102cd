/* SPDX-License-Identifier: MIT */
/* `when` tests, as a table of what is true of one Item. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "item/when.h"

static bool test(const char *text)
{
    static const char json[] = "{\"kind\":\"jpg\",\"size\":12,\"ratio\":0.5,\"ok\":true,"
                               "\"off\":false,"
                               "\"none\":null,\"a\":{\"b\":{\"c\":7}},\"x.y\":1,"
                               "\"big\":9007199254740993,"
                               "\"list\":[1],\"raw\":{\"$base64\":\"anBn\"}}";
    fay_buffer attrs = {0};
    assert_int_equal(fay_attrs_from_json(json, sizeof json - 1, &attrs, NULL, NULL, NULL), 0);
    fay_error err = {0};
    fay_when *when = fay_when_parse(text, &err);
    if (when == NULL)
        fail_msg("%s: %s at %d", text, err.message, err.column);
    bool result =
        fay_when_test(when, attrs.bytes, fay_buffer_size(&attrs), (const uint8_t *)"hello.txt", 9);
    fay_when_free(when);
    fay_buffer_deinit(&attrs);
    return result;
}

static void truths(void **state)
{
    (void)state;
    static const char *const yes[] = {
        "kind == \"jpg\"",
        "kind=='jpg'",
        "size > 11 && size < 13",
        "size == 12.0",
        "ratio <= 0.5",
        "ok",
        "!off",
        "not none",
        "not absent",
        "absent == null",
        "none == null",
        "kind != 'png'",
        "absent != 'x'",
        "a.b.c == 7",
        "x.y == 1",
        "kind in ['png', \"jpg\"]",
        "size in [1, 12]",
        "data ~ '*.txt'",
        "data ~ 'h?l[k-m]o*'",
        "data ~ '*[!a]xt'",
        "kind ~ 'jp\\\\g'",
        "not (ok and off)",
        "off or ok and ok",
        "list",
        "data",
        "'text'",
        "-1 < 0",
        "big > 9007199254740992",
        "size >= 12",
        "kind < 'jpz'",
        "!(size != 12)",
        "data == 'hello.txt'",
        "'a\\'b' == \"a'b\"",
        "raw == raw",
        "1e3 == 1000",
    };
    static const char *const no[] = {
        "off",          "none",         "absent",
        "kind == 12",   "size == '12'", "kind < 5",
        "kind > 5",     "ok == 1",      "a.b.d",
        "a.c",          "kind in []",   "size in ['12']",
        "data ~ 'x*'",  "kind ~ 'jp'",  "size ~ '12'",
        "off || none",  "ok and off",   "big == 9007199254740992",
        "list == list", "kind == raw",  "absent < 1",
        "absent > 1",   "null",         "false",
        "not ok",       "!ok",
    };
    for (size_t i = 0; i < FAY_COUNT(yes); i++) {
        if (!test(yes[i]))
            fail_msg("should be true: %s", yes[i]);
    }
    for (size_t i = 0; i < FAY_COUNT(no); i++) {
        if (test(no[i]))
            fail_msg("should be false: %s", no[i]);
    }
}

static void errors_have_a_column(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int column;
        const char *message;
    } cases[] = {
        {"", 1, "missing"},         {"kind = 'x'", 6, "'=='"},        {"kind == ", 9, "missing"},
        {"(a", 3, "')'"},           {"a b", 3, "end here"},           {"a == 'x", 6, "quote"},
        {"kind in 'x'", 9, "list"}, {"kind in ['a' 'b']", 14, "','"}, {"a && && b", 6, "missing"},
        {"1x == 1", 1, "number"},   {"fay.id == '1'", 1, "status"},   {"a == #", 6, "not part"},
        {"and", 1, "missing"},      {"0x10 == 16", 1, "number"},
    };
    for (size_t i = 0; i < FAY_COUNT(cases); i++) {
        fay_error err = {0};
        assert_null(fay_when_parse(cases[i].text, &err));
        assert_int_equal(err.status, FAY_E_CONFIG);
        if (err.column != cases[i].column || strstr(err.message, cases[i].message) == NULL)
            fail_msg("%s: got %d: %s", cases[i].text, err.column, err.message);
    }
    char deep[400];
    memset(deep, '(', sizeof deep);
    deep[sizeof deep - 1] = '\0';
    assert_null(fay_when_parse(deep, NULL));
    assert_null(fay_when_parse("a ==", NULL));
}

static void no_attributes(void **state)
{
    (void)state;
    fay_when *when = fay_when_parse("kind == 'x' or data == ''", NULL);
    assert_true(fay_when_test(when, NULL, 0, NULL, 0));
    assert_false(
        fay_when_test(when, (const uint8_t *)"\xdf\xff\xff\xff\xff", 5, (const uint8_t *)"a", 1));
    fay_when_free(when);
    fay_when_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(truths),
        cmocka_unit_test(errors_have_a_column),
        cmocka_unit_test(no_attributes),
    };
    return cmocka_run_group_tests_name("when", tests, NULL, NULL);
}
