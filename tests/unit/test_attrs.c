/* SPDX-License-Identifier: MIT */
/* Attributes: JSON in, msgpack, JSON out; and what may not come in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "item/attrs.h"
#include "item/json.h"
#include "wire/msgpack.h"

/* JSON -> attrs -> JSON; "" when it is refused. The caller frees it. */
static char *round_trip(const char *json)
{
    fay_buffer attrs = {0}, text = {0};
    size_t size;
    if (fay_attrs_from_json(json, strlen(json), &attrs, NULL, NULL, NULL) == 0) {
        size = fay_buffer_size(&attrs);
        assert_int_equal(fay_attrs_check(attrs.bytes, size), 0);
        fay_attrs_to_json(attrs.bytes, size, &text);
    }
    (void)fay_buffer_text(&text);
    fay_buffer_deinit(&attrs);
    return fay_buffer_take(&text, &size);
}

static void expect(const char *json, const char *wanted)
{
    char *got = round_trip(json);
    assert_string_equal(got, wanted);
    free(got);
}

static void values_survive(void **state)
{
    (void)state;
    expect("{}", "{}");
    expect("{\"a\": 1, \"b\": -9223372036854775808, \"c\": 0.1, \"d\": 1.0, \"e\": 1e300}",
           "{\"a\":1,\"b\":-9223372036854775808,\"c\":0.1,\"d\":1.0,\"e\":1e+300}");
    expect("{\"a\":[1,[true,false,null],{\"b\":\"\\u00e9\\n\\\"\\u0000\"}]}",
           "{\"a\":[1,[true,false,null],{\"b\":\"\xc3\xa9\\n\\\"\\u0000\"}]}");
    expect("{\"b\":{\"$base64\":\"AP8=\"}}", "{\"b\":{\"$base64\":\"AP8=\"}}");
    expect("{\"b\":{\"$base64\":\"no\"}}", "{\"b\":{\"$base64\":\"no\"}}");
    expect("{\"n\":18446744073709551615}", "{\"n\":1.8446744073709552e+19}");
    expect("{\"fay.id\":\"7\",\"x\":2}", "{\"x\":2}");
    expect("[1]", "");
    expect("{\"a\":", "");
    expect("", "");
}

static void data_is_taken_out(void **state)
{
    (void)state;
    static const struct {
        const char *json, *data;
    } cases[] = {
        {"{\"data\":\"x\\ty\",\"k\":1}", "x\ty"},
        {"{\"data\":[1, {\"a\":null}],\"k\":1}", "[1,{\"a\":null}]"},
        {"{\"data\":{\"$base64\":\"aGk=\"},\"k\":1}", "hi"},
    };
    for (size_t i = 0; i < FAY_COUNT(cases); i++) {
        fay_buffer attrs = {0}, data = {0}, text = {0};
        bool has = false;
        assert_int_equal(
            fay_attrs_from_json(cases[i].json, strlen(cases[i].json), &attrs, &data, &has, NULL),
            0);
        assert_true(has);
        assert_string_equal(fay_buffer_text(&data), cases[i].data);
        fay_attrs_to_json(attrs.bytes, fay_buffer_size(&attrs), &text);
        assert_string_equal(fay_buffer_text(&text), "{\"k\":1}");
        fay_buffer_deinit(&attrs);
        fay_buffer_deinit(&data);
        fay_buffer_deinit(&text);
    }
    fay_buffer attrs = {0}, data = {0};
    bool has = true;
    assert_int_equal(fay_attrs_from_json("{}", 2, &attrs, &data, &has, NULL), 0);
    assert_false(has);
    assert_int_equal(fay_buffer_size(&attrs), 0);
}

static void limits_are_kept(void **state)
{
    (void)state;
    fay_buffer json = {0}, attrs = {0};
    fay_error err = {0};
    fay_buffer_append_text(&json, "{\"a\":");
    for (int i = 0; i < 15; i++)
        fay_buffer_append_text(&json, "[");
    for (int i = 0; i < 15; i++)
        fay_buffer_append_text(&json, "]");
    fay_buffer_append_text(&json, "}");
    const char *text = fay_buffer_text(&json);
    assert_int_equal(fay_attrs_from_json(text, strlen(text), &attrs, NULL, NULL, NULL), 0);
    assert_int_equal(fay_attrs_check(attrs.bytes, fay_buffer_size(&attrs)), 0);
    fay_buffer_clear(&attrs);

    fay_buffer_clear(&json);
    fay_buffer_append_text(&json, "{\"b\":");
    for (int i = 0; i < 16; i++)
        fay_buffer_append_text(&json, "[");
    for (int i = 0; i < 16; i++)
        fay_buffer_append_text(&json, "]");
    fay_buffer_append_text(&json, "}");
    text = fay_buffer_text(&json);
    assert_int_equal(fay_attrs_from_json(text, strlen(text), &attrs, NULL, NULL, &err),
                     FAY_E_INVAL);
    assert_non_null(strstr(err.message, "deeper"));

    fay_buffer_clear(&json);
    fay_buffer_append_text(&json, "{\"a\":[0");
    for (size_t i = 1; i < FAY_ATTRS_MAX; i++)
        fay_buffer_append_text(&json, ",0");
    fay_buffer_append_text(&json, "]}");
    text = fay_buffer_text(&json);
    assert_int_equal(fay_attrs_from_json(text, strlen(text), &attrs, NULL, NULL, &err),
                     FAY_E_INVAL);
    assert_non_null(strstr(err.message, "more than"));
    assert_int_equal(fay_buffer_size(&attrs), 0);
    fay_buffer_deinit(&json);
    fay_buffer_deinit(&attrs);
}

static void hostile_bytes_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
    } bad[] = {
        {"\xdd\xff\xff\xff\xff", 5}, /* a list of 2^32 - 1 */
        {"\xdf\xff\xff\xff\xff", 5}, /* a map of 2^32 - 1 */
        {"\x81\xa1"
         "a\xdd\xff\xff\xff\xff",
         8}, /* such a list as an attribute */
        {"\x81\xa1"
         "a\xdb\xff\xff\xff\xff",
         8},                 /* a string of 4 GiB */
        {"\x81\x01\x01", 3}, /* a number as name */
        {"\x81\xa1"
         "a\x81\x01\x01",
         6}, /* the same, nested */
        {"\x81\xa1"
         "a\xc1",
         4}, /* no msgpack */
        {"\x81\xa1"
         "a\xd4\x01\x01",
         6},                   /* ext */
        {"\x81\xa1\0\x01", 4}, /* a NUL in a name */
        {"\x80\x80", 2},       /* something behind */
        {"\x01", 1},
        {"\x82\xa1"
         "a\x01",
         4}, /* one of two */
    };
    for (size_t i = 0; i < FAY_COUNT(bad); i++)
        assert_int_equal(fay_attrs_check((const uint8_t *)bad[i].bytes, bad[i].size), FAY_E_PEER);
    assert_int_equal(fay_attrs_check(NULL, 0), 0);
    assert_int_equal(fay_attrs_check((const uint8_t *)"\x80", 1), 0);
}

static void text_for_arguments(void **state)
{
    (void)state;
    const char *json = "{\"s\":\"a b\",\"n\":7,\"l\":[1,\"x\"],\"z\":null}";
    fay_buffer attrs = {0}, text = {0};
    assert_int_equal(fay_attrs_from_json(json, strlen(json), &attrs, NULL, NULL, NULL), 0);
    size_t size = fay_buffer_size(&attrs);
    const char *names[] = {"s", "n", "l", "z"};
    for (size_t i = 0; i < FAY_COUNT(names); i++)
        assert_true(fay_attrs_text(attrs.bytes, size, names[i], &text));
    assert_string_equal(fay_buffer_text(&text), "a b7[1,\"x\"]null");
    assert_false(fay_attrs_text(attrs.bytes, size, "q", &text));

    fay_buffer_clear(&text);
    const char *item = "{\"user\":{\"name\":\"ann\",\"tags\":[\"a\",\"b\"]}}";
    const uint8_t *bytes = (const uint8_t *)item;
    assert_true(fay_json_member_text(bytes, strlen(item), "user.name", &text));
    assert_true(fay_json_member_text(bytes, strlen(item), "user.tags.1", &text));
    assert_true(fay_json_member_text(bytes, strlen(item), "user.tags", &text));
    assert_string_equal(fay_buffer_text(&text), "annb[\"a\",\"b\"]");
    assert_false(fay_json_member_text(bytes, strlen(item), "user.age", &text));
    assert_false(fay_json_member_text((const uint8_t *)"no", 2, "a", &text));
    fay_buffer_deinit(&attrs);
    fay_buffer_deinit(&text);
}

static void msgpack_items(void **state)
{
    (void)state;
    /* {"a": 1, 2: 3, "t": ext, "fay.x": 1, "f": 1.5f, "u": 2^64 - 1} */
    const char bytes[] = "\x86\xa1"
                         "a\x01\x02\x03\xa1t\xd4\x01\x01\xa5"
                         "fay.x\x01\xa1"
                         "f\xca\x3f\xc0\x00\x00"
                         "\xa1u\xcf\xff\xff\xff\xff\xff\xff\xff\xff";
    fay_buffer attrs = {0}, text = {0};
    assert_int_equal(fay_attrs_from_msgpack((const uint8_t *)bytes, sizeof bytes - 1, &attrs, NULL),
                     0);
    fay_attrs_to_json(attrs.bytes, fay_buffer_size(&attrs), &text);
    assert_string_equal(fay_buffer_text(&text), "{\"a\":1,\"f\":1.5,\"u\":1.8446744073709552e+19}");
    fay_buffer_clear(&attrs);
    assert_int_equal(fay_attrs_from_msgpack((const uint8_t *)"\x01", 1, &attrs, NULL), 0);
    assert_int_equal(fay_buffer_size(&attrs), 0);
    fay_buffer_deinit(&attrs);
    fay_buffer_deinit(&text);
}

static void json_text(void **state)
{
    (void)state;
    fay_buffer text = {0};
    fay_json_append_string(&text, "a\xff\x01\xed\xa0\x80", 6);
    assert_string_equal(fay_buffer_text(&text),
                        "\"a\xef\xbf\xbd\\u0001\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
    fay_buffer_clear(&text);
    fay_json_append_payload(&text, "\xff", 1);
    assert_string_equal(fay_buffer_text(&text), "{\"$base64\":\"/w==\"}");
    assert_true(fay_utf8_valid("0123456789\xf0\x9f\x90\x88", 14));
    assert_false(fay_utf8_valid("0123456789\xc0\x80", 12));
    assert_false(fay_utf8_valid("\xf4\x90\x80\x80", 4));
    assert_false(fay_utf8_valid("\xe2\x82", 2));
    fay_buffer_clear(&text);
    assert_int_equal(fay_base64_decode("aGVsbG8=", 8, &text), 0);
    assert_string_equal(fay_buffer_text(&text), "hello");
    assert_int_equal(fay_base64_decode("a=b=", 4, &text), FAY_E_INVAL);
    assert_int_equal(fay_base64_decode("abc", 3, &text), FAY_E_INVAL);
    fay_buffer_deinit(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_survive),     cmocka_unit_test(data_is_taken_out),
        cmocka_unit_test(limits_are_kept),    cmocka_unit_test(hostile_bytes_are_refused),
        cmocka_unit_test(text_for_arguments), cmocka_unit_test(msgpack_items),
        cmocka_unit_test(json_text),
    };
    return cmocka_run_group_tests_name("attrs", tests, NULL, NULL);
}
