/* SPDX-License-Identifier: MIT */
/* Pipelines from command line words, and the flags that go over them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pipeline/inline.h"

enum {
    WORDS_MAX = 64
};

/* Words parted by spaces; a word in quotes cannot be said, and need not. */
static fay_pipeline *parse(const char *line, const fay_overrides *options, fay_error *err)
{
    FAY_CLEANUP(fay_freep) char *copy = fay_strdup(line);
    char *words[WORDS_MAX];
    size_t count = 0;
    char *rest = copy;
    for (char *word = strsep(&rest, " "); word != NULL; word = strsep(&rest, " ")) {
        if (word[0] == '\0')
            continue;
        assert_true(count < WORDS_MAX);
        words[count++] = word;
    }
    return fay_inline_parse(words, count, options, err);
}

static fay_pipeline *must(const char *line, const fay_overrides *options)
{
    fay_error err = {0};
    fay_pipeline *p = parse(line, options, &err);
    if (p == NULL)
        fail_msg("%s: %s", line, err.message);
    return p;
}

/* "name:mode:word,word -> name:.." */
static void shape(const fay_pipeline *p, fay_buffer *out)
{
    for (size_t i = 0; i < p->stages_count; i++) {
        const fay_stage_def *s = &p->stages[i];
        fay_buffer_printf(out, "%s%s:%s:", i > 0 ? " -> " : "", s->name, fay_mode_names[s->mode]);
        for (size_t k = 0; k < s->argc; k++) {
            fay_buffer_printf(out, "%s%s", k > 0 ? "," : "", s->argv[k]);
        }
        assert_int_equal(s->inputs_count, 1);
        assert_int_equal(s->inputs[0], (int)i - 1);
    }
}

static void words_become_stages(void **state)
{
    (void)state;
    static const struct {
        const char *line, *shape;
    } rows[] = {
        {"cat", "cat:lines:cat"},
        {"./slow {}", "slow:exec:./slow,{}"},
        {"jq -c .user :: ./score.py", "jq:lines:jq,-c,.user -> score-py:lines:./score.py"},
        {"cat :: cat :: /bin/cat", "cat:lines:cat -> cat-2:lines:cat -> cat-3:lines:/bin/cat"},
        {"echo x{} :: awk {{print}}", "echo:exec:echo,x{} -> awk:lines:awk,{print}"},
        {"echo {{}} {.}", "echo:exec:echo,{{}},{.}"},
        {"Foo_Bar.SH", "foo-bar-sh:lines:Foo_Bar.SH"},
        {"source", "source-2:lines:source"},
    };
    for (size_t i = 0; i < FAY_COUNT(rows); i++) {
        FAY_CLEANUP(fay_pipeline_freep) fay_pipeline *p = must(rows[i].line, NULL);
        FAY_CLEANUP(fay_buffer_deinit) fay_buffer text = {0};
        shape(p, &text);
        assert_string_equal(fay_buffer_text(&text), rows[i].shape);
        assert_int_equal(p->source.kind, FAY_SOURCE_STDIN);
        assert_null(p->path);
    }
}

static void items_stand_behind_three_colons(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_pipeline_freep)
    fay_pipeline *p = must("echo {} ::: -a :: --x ::: {}", NULL);
    assert_int_equal(p->stages_count, 1);
    assert_int_equal(p->source.kind, FAY_SOURCE_ITEMS);
    static const char *const items[] = {"-a", "::", "--x", ":::", "{}"};
    for (size_t i = 0; i < FAY_COUNT(items); i++) {
        assert_string_equal(p->source.files[i], items[i]);
    }
    assert_null(p->source.files[5]);

    FAY_CLEANUP(fay_pipeline_freep) fay_pipeline *none = must("cat :::", NULL);
    assert_int_equal(none->source.kind, FAY_SOURCE_ITEMS);
    assert_null(none->source.files[0]);
}

static void long_names_stay_unique(void **state)
{
    (void)state;
    const char *name = "abcdefghijklmnopqrstuvwxyz0123456789";
    FAY_CLEANUP(fay_freep) char *line = NULL;
    assert_true(asprintf(&line, "%s :: %s", name, name) > 0);
    FAY_CLEANUP(fay_pipeline_freep) fay_pipeline *p = must(line, NULL);
    assert_string_equal(p->stages[0].name, "abcdefghijklmnopqrstuvwxyz012345");
    assert_string_equal(p->stages[1].name, "abcdefghijklmnopqrstuvwxyz0123-2");
}

static void mistakes_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *line, *message;
    } rows[] = {
        {"", "stage 1 has no command"},
        {":: cat", "stage 1 has no command"},
        {"cat ::", "stage 2 has no command"},
        {"cat :: :: cat", "stage 2 has no command"},
        {"::: a b", "stage 1 has no command"},
        {"echo {foo}", "unknown placeholder {foo} in the command of 'echo'"},
        {"{} x", "the program of 'stage' cannot be a placeholder"},
    };
    for (size_t i = 0; i < FAY_COUNT(rows); i++) {
        fay_error err = {0};
        assert_null(parse(rows[i].line, NULL, &err));
        assert_int_equal(err.status, FAY_E_CONFIG);
        assert_string_equal(err.message, rows[i].message);
        assert_int_not_equal(err.hint[0], '\0');
    }
}

static void too_many_stages_are_refused(void **state)
{
    (void)state;
    char cat[] = "cat";
    char colons[] = "::";
    size_t count = 2 * FAY_STAGES_MAX + 1;
    FAY_CLEANUP(fay_freep) char **words = fay_alloc(count * sizeof *words);
    for (size_t i = 0; i < count; i++) {
        words[i] = i % 2 == 0 ? cat : colons;
    }
    fay_error err = {0};
    assert_null(fay_inline_parse(words, count, NULL, &err));
    assert_non_null(strstr(err.message, "more than"));
    assert_null(fay_inline_parse(words, 2 * FAY_DEPTH_MAX + 1, NULL, &err));
    assert_non_null(strstr(err.message, "stages behind the source"));
    FAY_CLEANUP(fay_pipeline_freep)
    fay_pipeline *p = fay_inline_parse(words, 2 * FAY_DEPTH_MAX - 1, NULL, &err);
    assert_non_null(p);
}

static void flags_apply_to_every_stage(void **state)
{
    (void)state;
    const fay_overrides options = {
        .jobs_given = true,
        .jobs_min = 3,
        .jobs_max = 3,
        .mode_given = true,
        .mode = FAY_MODE_BATCH,
        .format_given = true,
        .format = FAY_FORMAT_JSONL,
        .keep_order = true,
        .retries_given = true,
        .retries = 7,
        .timeout_given = true,
        .timeout = FAY_SECOND,
        .delay_given = true,
        .delay = 500 * FAY_MS,
        .input = "in*.txt",
        .output = "out",
        .dead_letter = "dead",
        .failures_max = "5%",
        .state = "st",
    };
    FAY_CLEANUP(fay_pipeline_freep) fay_pipeline *p = must("cat :: tac", &options);
    for (size_t i = 0; i < 2; i++) {
        const fay_stage_def *s = &p->stages[i];
        assert_int_equal(s->workers_min, 3);
        assert_int_equal(s->workers_max, 3);
        assert_int_equal(s->workers_start, 3);
        assert_true(s->workers_pinned);
        assert_int_equal(s->mode, FAY_MODE_BATCH);
        assert_int_equal(s->format, FAY_FORMAT_JSONL);
        assert_true(s->ordered);
        assert_int_equal(s->retries, 7);
        assert_int_equal(s->timeout, FAY_SECOND);
        assert_true(s->rate == 2);
    }
    assert_int_equal(p->source.kind, FAY_SOURCE_FILE);
    assert_string_equal(p->source.files[0], "in\\*.txt"); /* a name, not a pattern */
    assert_int_equal(p->source.format, FAY_FORMAT_JSONL);
    assert_int_equal(p->sink.kind, FAY_SINK_FILE);
    assert_string_equal(p->sink.file, "out");
    assert_string_equal(p->dead_letter, "dead");
    assert_true(p->failures_percent == 5);
    assert_string_equal(p->state, "st");
}

static void nul_is_the_source_alone(void **state)
{
    (void)state;
    const fay_overrides options = {.nul_given = true, .input = "-", .output = "-"};
    FAY_CLEANUP(fay_pipeline_freep) fay_pipeline *p = must("echo {}", &options);
    assert_int_equal(p->source.kind, FAY_SOURCE_STDIN);
    assert_int_equal(p->source.format, FAY_FORMAT_NUL);
    assert_int_equal(p->sink.kind, FAY_SINK_STDOUT);
    assert_int_equal(p->sink.format, FAY_FORMAT_LINES);
    assert_int_equal(p->stages[0].format, FAY_FORMAT_LINES);
}

static void flags_that_contradict_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        fay_overrides options;
        const char *message;
    } rows[] = {
        {"cat ::: x", {.input = "f"}, "::: and -a cannot both be the source"},
        {"cat ::: x", {.retry_dead = "f"}, "::: and --retry-dead cannot both be the source"},
        {"cat", {.input = "f", .retry_dead = "g"}, "-a and --retry-dead cannot both be the source"},
        {"cat", {.output = ""}, "the name of the file is empty"},
        {"cat",
         {.nul_given = true, .format_given = true, .format = FAY_FORMAT_JSONL},
         "-0 and --format jsonl contradict each other"},
        {"cat", {.failures_max = "x"}, "'failures' must be a whole number, not 'x'"},
        {"cat",
         {.retries_given = true, .retries = UINT64_MAX},
         "stage 'cat': retries: forever needs dead_letter: none to be said too"},
        {"echo {}",
         {.mode_given = true, .mode = FAY_MODE_LINES},
         "a placeholder in the command of 'echo' needs mode: exec"},
    };
    for (size_t i = 0; i < FAY_COUNT(rows); i++) {
        fay_error err = {0};
        assert_null(parse(rows[i].line, &rows[i].options, &err));
        assert_int_equal(err.status, FAY_E_CONFIG);
        assert_string_equal(err.message, rows[i].message);
    }
    const fay_overrides forever = {
        .retries_given = true, .retries = UINT64_MAX, .dead_letter = "none"};
    FAY_CLEANUP(fay_pipeline_freep) fay_pipeline *p = must("cat", &forever);
    assert_null(p->dead_letter);
}

static void dead_letters_are_a_source(void **state)
{
    (void)state;
    const fay_overrides options = {.retry_dead = "a-1.dead.jsonl"};
    FAY_CLEANUP(fay_pipeline_freep) fay_pipeline *p = must("cat", &options);
    assert_int_equal(p->source.kind, FAY_SOURCE_DEAD);
    assert_string_equal(p->source.files[0], "a-1.dead.jsonl");
}

static void jobs_are_a_number_or_a_range(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned min, max; /* max 0 = refused */
    } rows[] = {
        {"1", 1, 1},  {"1024", 1024, 1024}, {"2-8", 2, 8}, {"0-4", 0, 4},    {"3-3", 3, 3},
        {"0", 0, 0},  {"0-0", 0, 0},        {"8-2", 0, 0}, {"1025", 0, 0},   {"", 0, 0},
        {"-", 0, 0},  {"-4", 0, 0},         {"4-", 0, 0},  {"1-2-3", 0, 0},  {"x", 0, 0},
        {"4x", 0, 0}, {"+4", 0, 0},         {" 4", 0, 0},  {"999999", 0, 0},
    };
    for (size_t i = 0; i < FAY_COUNT(rows); i++) {
        fay_overrides options = {0};
        fay_error err = {0};
        int r = fay_jobs_parse(rows[i].text, &options, &err);
        assert_int_equal(r, rows[i].max == 0 ? FAY_E_INVAL : 0);
        assert_int_equal(options.jobs_given, rows[i].max != 0);
        assert_int_equal(options.jobs_min, rows[i].min);
        assert_int_equal(options.jobs_max, rows[i].max);
    }
    const fay_overrides range = {.jobs_given = true, .jobs_min = 2, .jobs_max = 8};
    FAY_CLEANUP(fay_pipeline_freep) fay_pipeline *p = must("cat", &range);
    assert_false(p->stages[0].workers_pinned);
    assert_int_equal(p->stages[0].workers_start, 2);
}

static void modes_have_names(void **state)
{
    (void)state;
    fay_mode_kind mode = FAY_MODE_EXEC;
    fay_error err = {0};
    assert_int_equal(fay_mode_parse("frames", &mode, NULL), 0);
    assert_int_equal(mode, FAY_MODE_FRAMES);
    assert_int_equal(fay_mode_parse("line", &mode, &err), FAY_E_NOTFOUND);
    assert_string_equal(err.hint, "did you mean 'lines'?");
    assert_int_equal(mode, FAY_MODE_FRAMES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_become_stages),
        cmocka_unit_test(items_stand_behind_three_colons),
        cmocka_unit_test(long_names_stay_unique),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(too_many_stages_are_refused),
        cmocka_unit_test(flags_apply_to_every_stage),
        cmocka_unit_test(nul_is_the_source_alone),
        cmocka_unit_test(flags_that_contradict_are_refused),
        cmocka_unit_test(dead_letters_are_a_source),
        cmocka_unit_test(jobs_are_a_number_or_a_range),
        cmocka_unit_test(modes_have_names),
    };
    return cmocka_run_group_tests_name("inline", tests, NULL, NULL);
}
