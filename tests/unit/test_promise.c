/* SPDX-License-Identifier: MIT */
/* What is promised, and that --state is refused exactly where the owner's death is not promised. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pipeline/promise.h"
#include "support/pipelines.h"

static fay_pipeline *parse(const char *more)
{
    FAY_CLEANUP(fay_freep)
    char *yaml = fay_printed("faymora: 1\nstages: [{name: s, run: [cat]}]\n%s\n", more);
    return pipeline_of(yaml);
}

/* "results+ worker- source-": what the sentences are about, and whether they hold. */
static char *outline(const fay_sentences *sentences)
{
    fay_buffer text = {0};
    for (size_t i = 0; i < sentences->count; i++) {
        assert_true(sentences->items[i].text[0] != '\0');
        fay_buffer_printf(&text, "%s%s%s", i > 0 ? " " : "", sentences->items[i].about,
                          sentences->items[i].kept ? "+" : "-");
    }
    char *copy = fay_strdup(fay_buffer_text(&text));
    fay_buffer_deinit(&text);
    return copy;
}

static void what_is_kept(void **state)
{
    (void)state;
    static const struct {
        const char *yaml;
        fay_plan_facts facts;
        const char *outline;
    } rows[] = {
        {"", {false, false}, "results+ worker- source- sink-"},
        {"", {true, false}, "results+ worker- sink- owner-"},
        {"", {true, true}, "results+ worker- owner-"},
        {"spool: true\nstate: .fm", {false, true}, "results+ worker- owner+"},
        {"source: {file: x}\nsink: {file: y}\nstate: .fm", {0}, "results+ worker- owner+"},
        {"source: {file: x}\nsink: {exec: [cat]}\nstate: .fm",
         {0},
         "results+ worker- sink- owner+"},
        {"source: {exec: [ls]}\nsink: null\nspool: true", {0}, "results+ worker- source- owner-"},
        {"source: {dir: x}\nsink: {file: y, rotate: {age: 1h}}", {0}, "results+ worker- sink-"},
        {"source: {listen: \"unix:/s\"}\nsink: {listen: \"unix:/t\"}",
         {0},
         "results+ worker- source- sink-"},
    };
    for (size_t i = 0; i < FAY_COUNT(rows); i++) {
        FAY_CLEANUP(fay_pipeline_freep) fay_pipeline *p = parse(rows[i].yaml);
        FAY_CLEANUP(fay_sentences_deinit) fay_sentences promises = {0};
        fay_pipeline_promises(p, &rows[i].facts, &promises);
        FAY_CLEANUP(fay_freep) char *text = outline(&promises);
        assert_string_equal(text, rows[i].outline);
        bool speaks_of_owner = strstr(text, "owner") != NULL;
        int r = fay_pipeline_check_state(p, rows[i].facts.stdin_is_file, NULL);
        assert_int_equal(r == 0, speaks_of_owner);
    }
}

static void warnings_name_their_stage(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_pipeline_freep)
    fay_pipeline *p = parse("dead_letter: none\nsource: {generate: {}}");
    p->stages[0].on_error = FAY_ON_ERROR_DROP;
    FAY_CLEANUP(fay_sentences_deinit) fay_sentences warnings = {0};
    fay_pipeline_warnings(p, &warnings);
    assert_int_equal(warnings.count, 3);
    assert_string_equal(warnings.items[0].about, "s");
    assert_null(warnings.items[1].about);
    assert_null(warnings.items[2].about);
    fay_sentences_deinit(&warnings);
    assert_int_equal(warnings.count, 0);

    p->stages[0].on_error = FAY_ON_ERROR_STOP;
    p->run_time = FAY_SECOND; /* it ends after all */
    fay_pipeline_warnings(p, &warnings);
    assert_int_equal(warnings.count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_kept),
        cmocka_unit_test(warnings_name_their_stage),
    };
    return cmocka_run_group_tests_name("promise", tests, NULL, NULL);
}
