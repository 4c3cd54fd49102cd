/* SPDX-License-Identifier: MIT */
/* Templates: what each placeholder becomes, what is none, what is refused and where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "item/template.h"

static int expand(const char *word, const fay_template_values *values, fay_buffer *out)
{
    fay_error err = {0};
    FAY_CLEANUP(fay_template_freep) fay_template *t = fay_template_parse(word, &err);
    if (t == NULL)
        fail_msg("%s: %s", word, err.message);
    return fay_template_expand(t, values, out);
}

static fay_template_values values_of(const char *item)
{
    return (fay_template_values){.data = (const uint8_t *)item,
                                 .data_size = strlen(item),
                                 .id = "7.2",
                                 .node = "here",
                                 .attempt = 2,
                                 .sequence = 7,
                                 .slot = 3};
}

static void placeholders_become_what_they_say(void **state)
{
    (void)state;
    static const struct {
        const char *word, *item, *expected;
    } rows[] = {
        {"{}", "a.tar.gz", "a.tar.gz"},
        {"x{}y{}", "1", "x1y1"},
        {"{.}", "a.tar.gz", "a.tar"},
        {"{.}", "/a/b.c/d", "/a/b.c/d"},
        {"{.}", ".bashrc", ""},
        {"{.}", "a.", "a"},
        {"{/}", "/a/b.c/d", "d"},
        {"{/}", "a/b/", ""},
        {"{//}", "/a/b.c/d", "/a/b.c"},
        {"{//}", "a", "."},
        {"{//}", "/x", "/"},
        {"{//}", "/", "/"},
        {"{//}", "a/b/", "a"},
        {"{//}", "a//b", "a"},
        {"{//}", "", "."},
        {"{/.}", "in/a.tar.gz", "a.tar"},
        {"{#}/{%}", "", "7/3"},
        {"{id} {attempt} {node}", "", "7.2 2 here"},
        {"{@fay.id}", "", "7.2"},
        {"{.user.name}", "{\"user\":{\"name\":\"ann\"}}", "ann"},
        {"{}", "-rf", "-rf"},
        {"", "x", ""},
    };
    for (size_t i = 0; i < FAY_COUNT(rows); i++) {
        FAY_CLEANUP(fay_buffer_deinit) fay_buffer out = {0};
        fay_template_values values = values_of(rows[i].item);
        assert_int_equal(expand(rows[i].word, &values, &out), 0);
        assert_string_equal(fay_buffer_text(&out), rows[i].expected);
    }
}

static void braces_of_programs_stay(void **state)
{
    (void)state;
    static const struct {
        const char *word, *expected;
    } rows[] = {
        {"{print $1}", "{print $1}"},
        {"{a:{b:.c}}", "{a:{b:.c}}"},
        {"${HOME}/${#x}/${1}", "${HOME}/${#x}/${1}"},
        {"$x{", "$x{"},
        {"}}", "}}"},
        {"{{}}", "{}"},
        {"{{print}}", "{print}"},
        {"{a:{{b}}}", "{a:{b}}"},
        {"{{", "{"},
        {"{a,b}", "{a,b}"},
        {"{", "{"},
    };
    for (size_t i = 0; i < FAY_COUNT(rows); i++) {
        FAY_CLEANUP(fay_buffer_deinit) fay_buffer out = {0};
        fay_template_values values = values_of("ITEM");
        FAY_CLEANUP(fay_template_freep) fay_template *t = fay_template_parse(rows[i].word, NULL);
        assert_non_null(t);
        assert_false(fay_template_has_placeholders(t));
        assert_int_equal(fay_template_expand(t, &values, &out), 0);
        assert_string_equal(fay_buffer_text(&out), rows[i].expected);
    }
}

static void an_escape_around_a_placeholder_leaves_it(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer out = {0};
    fay_template_values values = values_of("x");
    assert_int_equal(expand("{{{}}}", &values, &out), 0);
    assert_string_equal(fay_buffer_text(&out), "{x}");
}

static void unknown_placeholders_are_refused_with_their_place(void **state)
{
    (void)state;
    static const struct {
        const char *word, *message;
        int column;
    } rows[] = {
        {"{foo}", "unknown placeholder {foo}", 1},
        {"ab{}{1}", "unknown placeholder {1}", 5},
        {"{print}", "unknown placeholder {print}", 1},
        {"{..}", "unknown placeholder {..}", 1},
        {"{@}", "unknown placeholder {@}", 1},
        {"{@fay.pressure}", "unknown placeholder {@fay.pressure}", 1},
    };
    for (size_t i = 0; i < FAY_COUNT(rows); i++) {
        fay_error err = {0};
        assert_null(fay_template_parse(rows[i].word, &err));
        assert_int_equal(err.status, FAY_E_CONFIG);
        assert_string_equal(err.message, rows[i].message);
        assert_int_equal(err.column, rows[i].column);
        assert_non_null(strstr(err.hint, "{{"));
    }
}

static void what_is_absent_is_said_and_left_empty(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer out = {0};
    fay_template_values values = values_of("{\"a\":1}");
    FAY_CLEANUP(fay_template_freep)
    fay_template *t = fay_template_parse("{.a}-{.b}-{@c}", NULL);
    assert_int_equal(fay_template_expand(t, &values, &out), FAY_TEMPLATE_ABSENT);
    assert_string_equal(fay_buffer_text(&out), "1--");
}

static void payload_bytes_are_not_text(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer out = {0};
    fay_template_values values = values_of("");
    values.data = (const uint8_t *)"a\0b";
    values.data_size = 3;
    assert_int_equal(expand("<{}>", &values, &out), 0);
    assert_int_equal(fay_buffer_size(&out), 5);
    assert_memory_equal(fay_buffer_data(&out), "<a\0b>", 5);
}

static void only_known_placeholders_are_found_in_shell_text(void **state)
{
    (void)state;
    size_t length = 0;
    assert_null(fay_template_find("f() { echo ${id} {print}; }", &length));
    const char *found = fay_template_find("echo ${x} '{.user}'", &length);
    assert_non_null(found);
    assert_int_equal(length, 7);
    assert_memory_equal(found, "{.user}", 7);
}

static void an_escaped_text_stands_for_itself(void **state)
{
    (void)state;
    static const char *const texts[] = {"",          "{}",      "}}{",  "{{{", "${x}",
                                        "a}}b{c}}}", "{a:{b}}", "{{}}", "}{",  "{foo}"};
    for (size_t i = 0; i < FAY_COUNT(texts); i++) {
        FAY_CLEANUP(fay_buffer_deinit) fay_buffer escaped = {0};
        FAY_CLEANUP(fay_buffer_deinit) fay_buffer out = {0};
        fay_template_values values = values_of("ITEM");
        fay_template_escape(texts[i], &escaped);
        assert_int_equal(expand(fay_buffer_text(&escaped), &values, &out), 0);
        assert_string_equal(fay_buffer_text(&out), texts[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(placeholders_become_what_they_say),
        cmocka_unit_test(braces_of_programs_stay),
        cmocka_unit_test(an_escape_around_a_placeholder_leaves_it),
        cmocka_unit_test(unknown_placeholders_are_refused_with_their_place),
        cmocka_unit_test(what_is_absent_is_said_and_left_empty),
        cmocka_unit_test(payload_bytes_are_not_text),
        cmocka_unit_test(only_known_placeholders_are_found_in_shell_text),
        cmocka_unit_test(an_escaped_text_stands_for_itself),
    };
    return cmocka_run_group_tests_name("template", tests, NULL, NULL);
}
