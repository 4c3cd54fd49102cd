/* SPDX-License-Identifier: MIT */
/* Dead letters: what is written comes back the same, and what is not a letter is refused. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "item/attrs.h"
#include "letters/letter.h"
#include "pipeline/inline.h"

#define EXAMPLE                                                                                    \
    "{\"id\":\"7.2\",\"stage\":\"score\",\"attempts\":3,\"node\":\"a\",\"exit\":1,"                \
    "\"error\":\"bad \\\"thing\\\"\",\"stderr\":\"line\\nline\","                                  \
    "\"pipeline\":\"/abs/p.yaml\",\"hash\":\"0123456789abcdef\",\"attrs\":{},"                     \
    "\"item\":\"hello\"}"

/* The line of EXAMPLE, read. */
static fay_letter example(void)
{
    fay_letter letter = {0};
    fay_error err = {0};
    if (fay_letter_parse(EXAMPLE, strlen(EXAMPLE), &letter, &err) != 0)
        fail_msg("%s", err.message);
    return letter;
}

static void replace(char **field, const char *text)
{
    free(*field);
    *field = text != NULL ? fay_strdup(text) : NULL;
}

static void write_then_parse(const fay_letter *letter, fay_letter *ret)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer line = {0};
    fay_error err = {0};
    fay_letter_write(letter, &line);
    size_t size = fay_buffer_size(&line);
    const char *text = fay_buffer_text(&line);
    assert_int_equal(text[size - 1], '\n');
    assert_null(memchr(text, '\n', size - 1));
    if (fay_letter_parse(text, size - 1, ret, &err) != 0)
        fail_msg("%s: %s", text, err.message);
}

static void a_letter_is_one_line_that_people_can_read(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer line = {0};
    FAY_CLEANUP(fay_letter_deinit) fay_letter letter = example();
    fay_letter_write(&letter, &line);
    assert_string_equal(fay_buffer_text(&line), EXAMPLE "\n");
}

static void all_of_it_is_read(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_letter_deinit) fay_letter letter = example();
    assert_string_equal(letter.id, "7.2");
    assert_string_equal(letter.stage, "score");
    assert_string_equal(letter.node, "a");
    assert_string_equal(letter.error, "bad \"thing\"");
    assert_string_equal(letter.stderr_tail, "line\nline");
    assert_string_equal(letter.pipeline, "/abs/p.yaml");
    assert_string_equal(letter.hash, "0123456789abcdef");
    assert_null(letter.argv);
    assert_int_equal(letter.attempts, 3);
    assert_int_equal(letter.exit, 1);
    assert_int_equal(letter.signal, 0);
    assert_int_equal(letter.attrs_size, 0);
    assert_int_equal(letter.item_size, 5);
    assert_memory_equal(letter.item, "hello", 5);
}

static void bytes_that_are_no_text_come_back_too(void **state)
{
    (void)state;
    static const uint8_t item[] = {0xff, 0x00, '\n', 0x80};
    FAY_CLEANUP(fay_letter_deinit) fay_letter letter = example(), back = {0};
    replace(&letter.pipeline, NULL);
    letter.argv = fay_alloc(3 * sizeof *letter.argv);
    letter.argv[0] = fay_strdup("--");
    letter.argv[1] = fay_strdup("\xff{}");
    free(letter.item);
    letter.item = fay_alloc(sizeof item);
    letter.item_size = sizeof item;
    memcpy(letter.item, item, sizeof item);
    letter.exit = -1;
    letter.signal = SIGKILL;

    write_then_parse(&letter, &back);
    assert_null(back.pipeline);
    assert_string_equal(back.argv[0], "--");
    assert_string_equal(back.argv[1], "\xff{}");
    assert_null(back.argv[2]);
    assert_int_equal(back.exit, -1);
    assert_int_equal(back.signal, SIGKILL);
    assert_int_equal(back.item_size, sizeof item);
    assert_memory_equal(back.item, item, sizeof item);
}

static void attributes_keep_their_types(void **state)
{
    (void)state;
    static const char json[] = "{\"kind\":\"jpg\",\"size\":12,\"ratio\":0.5,\"tags\":[\"a\",null]}";
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer attrs = {0}, text = {0};
    FAY_CLEANUP(fay_letter_deinit) fay_letter letter = example(), back = {0};
    assert_int_equal(fay_attrs_from_json(json, strlen(json), &attrs, NULL, NULL, NULL), 0);
    letter.attrs = fay_buffer_take(&attrs, &letter.attrs_size);
    letter.signal = SIGRTMIN + 1; /* has no name */

    write_then_parse(&letter, &back);
    fay_attrs_to_json(back.attrs, back.attrs_size, &text);
    assert_string_equal(fay_buffer_text(&text), json);
    assert_int_equal(back.signal, SIGRTMIN + 1);
}

static void an_empty_item_and_empty_texts_are_fine(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_letter_deinit) fay_letter letter = example(), back = {0};
    replace(&letter.node, NULL);
    replace(&letter.error, NULL);
    replace(&letter.hash, NULL);
    replace(&letter.stderr_tail, NULL);
    replace(&letter.pipeline, NULL);
    letter.exit = 0;
    letter.item_size = 0;
    write_then_parse(&letter, &back);
    assert_int_equal(back.exit, 0);
    assert_int_equal(back.item_size, 0);
    assert_non_null(back.item);
    assert_string_equal(back.error, "");
    assert_null(back.pipeline);
    assert_null(back.argv);
}

static void what_is_no_letter_is_refused_by_the_member(void **state)
{
    (void)state;
    static const struct {
        const char *line, *says;
    } cases[] = {
        {"", ""},
        {"7", "not a JSON object"},
        {"{}", "'id' is missing"},
        {"{\"id\":7}", "'id' must be a string"},
        {"{\"id\":\"7\",\"stage\":\"\"}", "'stage' is not the name"},
        {"{\"id\":\"7\",\"stage\":\"s\"}", "'attempts' is missing"},
        {"{\"id\":\"7\",\"stage\":\"s\",\"attempts\":-1}", "'attempts' is out of range"},
        {"{\"id\":\"7\",\"stage\":\"s\",\"attempts\":1.5}", "'attempts' must be an integer"},
        {"{\"id\":\"7\",\"stage\":\"s\",\"attempts\":1,\"exit\":256}", "'exit' is out of range"},
        {"{\"id\":\"7\",\"stage\":\"s\",\"attempts\":1,\"signal\":\"OUCH\"}", "'signal' is not"},
        {"{\"id\":\"7\",\"stage\":\"s\",\"attempts\":1,\"argv\":[]}", "'argv' must be a list"},
        {"{\"id\":\"7\",\"stage\":\"s\",\"attempts\":1,\"argv\":[7]}", "'argv' must be a string"},
        {"{\"id\":\"7\",\"stage\":\"s\",\"attempts\":1,\"argv\":[\"a\\u0000b\"]}", "'argv' has"},
        {"{\"id\":\"7\",\"stage\":\"s\",\"attempts\":1,\"attrs\":[]}", "'attrs' must be"},
        {"{\"id\":\"7\",\"stage\":\"s\",\"attempts\":1,\"attrs\":{\"data\":1}}", "'attrs' may not"},
        {"{\"id\":\"7\",\"stage\":\"s\",\"attempts\":1,\"attrs\":{}}", "'item' or"},
        {"{\"id\":\"7\",\"stage\":\"s\",\"attempts\":1,\"item\":1}", "'item' must be a string"},
        {"{\"id\":\"7\",\"stage\":\"s\",\"attempts\":1,\"item_b64\":\"!\"}", "'item_b64' is not"},
        {"{\"id\":\"7\",\"stage\":\"s\",\"attempts\":1,\"item\":\"\",\"item_b64\":\"\"}", "one of"},
    };
    for (size_t i = 0; i < FAY_COUNT(cases); i++) {
        fay_error err = {0};
        fay_letter letter = {.attempts = 77};
        int r = fay_letter_parse(cases[i].line, strlen(cases[i].line), &letter, &err);
        assert_int_equal(r, FAY_E_INVAL);
        assert_int_equal(letter.attempts, 77); /* untouched */
        if (strstr(err.message, cases[i].says) == NULL)
            fail_msg("%s: '%s' is not in '%s'", cases[i].line, cases[i].says, err.message);
    }
}

static void hash_of(const char *program, char hash[FAY_LETTER_HASH_SIZE])
{
    FAY_CLEANUP(fay_freep) char *word = fay_strdup(program);
    char *words[] = {word};
    fay_error err = {0};
    FAY_CLEANUP(fay_pipeline_freep)
    fay_pipeline *pipeline = fay_inline_parse(words, 1, NULL, &err);
    assert_non_null(pipeline);
    fay_letter_hash(pipeline, hash);
}

static void the_hash_tells_pipelines_apart(void **state)
{
    (void)state;
    char one[FAY_LETTER_HASH_SIZE], again[FAY_LETTER_HASH_SIZE], other[FAY_LETTER_HASH_SIZE];
    hash_of("cat", one);
    hash_of("cat", again);
    hash_of("tac", other);
    assert_int_equal(strspn(one, "0123456789abcdef"), 16);
    assert_string_equal(one, again);
    assert_string_not_equal(one, other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_letter_is_one_line_that_people_can_read),
        cmocka_unit_test(all_of_it_is_read),
        cmocka_unit_test(bytes_that_are_no_text_come_back_too),
        cmocka_unit_test(attributes_keep_their_types),
        cmocka_unit_test(an_empty_item_and_empty_texts_are_fine),
        cmocka_unit_test(what_is_no_letter_is_refused_by_the_member),
        cmocka_unit_test(the_hash_tells_pipelines_apart),
    };
    return cmocka_run_group_tests_name("letter", tests, NULL, NULL);
}
