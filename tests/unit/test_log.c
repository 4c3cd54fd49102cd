/* SPDX-License-Identifier: MIT */
/* The log: what is said comes out as one line, in JSON whatever the texts are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

static char said[16384];
static int real, file;

static void begin(bool json)
{
    fay_log_setup(FAY_INFO, json);
    file = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    real = dup(STDERR_FILENO);
    assert_true(file >= 0 && real >= 0);
    assert_int_equal(dup2(file, STDERR_FILENO), STDERR_FILENO);
}

static const char *end(void)
{
    assert_int_equal(dup2(real, STDERR_FILENO), STDERR_FILENO);
    ssize_t n = pread(file, said, sizeof said - 1, 0);
    assert_true(n >= 0);
    said[n] = '\0';
    assert_int_equal(close(real) + close(file), 0);
    return said;
}

static void text_is_said_as_it_is(void **state)
{
    (void)state;
    begin(false);
    fay_log(FAY_DEBUG, "not.wanted", "a=1");
    fay_log(FAY_WARN, "hook.failed", "command=%s status=\"%s\"", "sh", "exit 1");
    assert_string_equal(end(), "faymora: warn hook.failed command=sh status=\"exit 1\"\n");
}

/* As fay_log() is called: two texts, the first one quoted or not. */
static void check(const char *format, const char *a, const char *b)
{
    begin(true);
    if (format[0] == 'q') {
        fay_log(FAY_WARN, "x", "a=\"%s\" b_c=\"%s\"", a, b);
    } else {
        fay_log(FAY_WARN, "x", "a=%s b_c=%s", a, b);
    }
    json_t *json = json_loads(end(), 0, NULL);
    assert_non_null(json);
    assert_int_equal(json_object_size(json), 4);
    assert_string_equal(json_string_value(json_object_get(json, "level")), "warn");
    assert_string_equal(json_string_value(json_object_get(json, "a")), a);
    assert_string_equal(json_string_value(json_object_get(json, "b_c")), b);
    json_decref(json);
}

static void json_holds_any_text(void **state)
{
    static const char *const texts[] = {"",      "plain", "two words",   "say \"no\" twice",
                                        "\"",    "\"\"",  "back\\slash", "line\nline\t\x01",
                                        "a = b", "x\" y", "1=2"};
    (void)state;
    for (size_t i = 0; i < FAY_COUNT(texts); i++) {
        for (size_t k = 0; k < FAY_COUNT(texts); k++) {
            check("quoted", texts[i], texts[k]);
        }
    }
    check("open", "/usr/bin/x", "12");
    check("open", "/a directory/x", "12");
}

static void json_is_utf8_whatever_the_texts_are(void **state)
{
    static const struct {
        const char *text, *said;
    } cases[] = {{"\xff", "\uFFFD"},
                 {"caf\xc3\xa9", "caf\xc3\xa9"},
                 {"\xc3", "\uFFFD"},
                 {"a\xc3\xa9\xff\xfe z", "a\xc3\xa9\uFFFD\uFFFD z"},
                 {"\xed\xa0\x80", "\uFFFD\uFFFD\uFFFD"}};
    (void)state;
    for (size_t i = 0; i < FAY_COUNT(cases); i++) {
        begin(true);
        fay_log(FAY_WARN, "x", "path=\"%s\" b=1", cases[i].text);
        json_t *json = json_loads(end(), 0, NULL); /* it takes nothing but UTF-8 */
        assert_non_null(json);
        assert_string_equal(json_string_value(json_object_get(json, "path")), cases[i].said);
        assert_string_equal(json_string_value(json_object_get(json, "b")), "1");
        json_decref(json);
    }
}

static void long_texts_are_cut_and_still_json(void **state)
{
    static const char bytes[] = {'a', '"', '\\', '\x01', ' ', '\xff'};
    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++) {
        char text[3000];
        memset(text, bytes[i], sizeof text - 1);
        text[sizeof text - 1] = '\0';
        begin(true);
        fay_log(FAY_ERROR, "x", "a=\"%s\" b=1", text);
        json_t *json = json_loads(end(), 0, NULL);
        assert_non_null(json);
        const char *a = json_string_value(json_object_get(json, "a"));
        bool same = bytes[i] == '\xff' || strncmp(a, text, strlen(a)) == 0;
        assert_true(strlen(a) > 1000 && same);
        json_decref(json);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_said_as_it_is),
        cmocka_unit_test(json_holds_any_text),
        cmocka_unit_test(json_is_utf8_whatever_the_texts_are),
        cmocka_unit_test(long_texts_are_cut_and_still_json),
    };
    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
