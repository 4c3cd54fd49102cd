/* SPDX-License-Identifier: MIT */
/* The shape of a pipeline: each case is drawn, and what is wrong with it read as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "pipeline/graph.h"

static void on_report(void *context, size_t stage, const char *message, const char *hint)
{
    (void)hint;
    fay_buffer_printf(context, "%zu: %s\n", stage, message);
}

/* Stages a, b, c, ..; each is what it reads from: letters, '>' the source. "?" or "!" at its end:
 * it has a test, or is `when: else`. */
static fay_pipeline *draw(const char *const *inputs, size_t count)
{
    fay_pipeline *p = fay_pipeline_new();
    for (size_t i = 0; i < count; i++) {
        fay_stage_def *stage = fay_pipeline_add_stage(p);
        size_t length = strlen(inputs[i]);
        free(stage->name);
        stage->name = fay_printed("%c", (char)('a' + (int)(i % 26)));
        free(stage->inputs);
        stage->inputs = fay_alloc((length + 1) * sizeof *stage->inputs);
        stage->inputs_count = 0;
        for (const char *c = inputs[i]; *c != '\0'; c++) {
            if (*c == '?') {
                stage->when = fay_when_parse("x == 1", NULL);
            } else if (*c == '!') {
                stage->when_else = true;
            } else {
                stage->inputs[stage->inputs_count++] = *c == '>' ? FAY_INPUT_SOURCE : *c - 'a';
            }
        }
    }
    return p;
}

#define ASSERT_SHAPE(expected, ...)                                                                \
    assert_shape(expected, (const char *const[]){__VA_ARGS__},                                     \
                 FAY_COUNT(((const char *const[]){__VA_ARGS__})))
static void assert_shape(const char *expected, const char *const *inputs, size_t count)
{
    FAY_CLEANUP(fay_pipeline_freep) fay_pipeline *p = draw(inputs, count);
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer text = {0};
    fay_graph_check(p, on_report, &text);
    fay_graph_check_when(p, on_report, &text);
    assert_string_equal(fay_buffer_text(&text), expected);
}

static void chains_fans_and_merges_are_fine(void **state)
{
    (void)state;
    ASSERT_SHAPE("", ">", "a", "b");
    ASSERT_SHAPE("", ">", "a", "a", "bc");
    ASSERT_SHAPE("", ">b", ">"); /* a comes behind b */
    ASSERT_SHAPE("", "");        /* its inputs were refused: that is one error already */
}

static void cycles_are_found_once(void **state)
{
    (void)state;
    ASSERT_SHAPE("0: stage 'a' feeds itself\n", ">a");
    ASSERT_SHAPE("0: stages 'a', 'b' feed each other in a cycle\n", ">b", "a");
    ASSERT_SHAPE("0: stages 'a', 'b' feed each other in a cycle\n"
                 "2: stages 'c', 'd' feed each other in a cycle\n",
                 "b", "a", "d", "c");
    ASSERT_SHAPE("0: stage 'a' feeds itself\n"
                 "1: stage 'b' cannot be reached from the source\n",
                 "a", "a");
}

static void the_longest_way_is_bounded(void **state)
{
    (void)state;
    static const char *const chain[] = {">", "a", "b", "c", "d", "e", "f", "g", "h", "i", "j",
                                        "k", "l", "m", "n", "o", "p", "q", "r", "s", "t", "u"};
    _Static_assert(FAY_DEPTH_MAX == 20, "the chain is longer by two");
    assert_shape("", chain, FAY_DEPTH_MAX);
    assert_shape("20: stage 'u' is more than 20 stages behind the source\n", chain,
                 FAY_COUNT(chain));
}

static void an_else_goes_with_tests(void **state)
{
    (void)state;
    ASSERT_SHAPE("", ">?", ">!");
    ASSERT_SHAPE("", ">", "a?", "a!", "a");
    ASSERT_SHAPE("1: stage 'b' is when: else, but no other stage with its input has a test\n", ">?",
                 "a!");
    ASSERT_SHAPE("1: stage 'b' is a second when: else of its input\n"
                 "2: stage 'c' is a second when: else of its input\n",
                 ">?", ">!", ">!");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chains_fans_and_merges_are_fine),
        cmocka_unit_test(cycles_are_found_once),
        cmocka_unit_test(the_longest_way_is_bounded),
        cmocka_unit_test(an_else_goes_with_tests),
    };
    return cmocka_run_group_tests_name("graph", tests, NULL, NULL);
}
