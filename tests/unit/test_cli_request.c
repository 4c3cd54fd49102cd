/* SPDX-License-Identifier: MIT */
/* What the words behind `run` ask for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/request.h"

enum {
    WORDS_MAX = 32
};

typedef struct asked {
    fay_cli cli;
    char *text, *argv[WORDS_MAX];
    fay_request request;
    int result;
} asked;

/* Words are separated by blanks, and live as long as what was asked. */
static void ask(asked *a, const char *line)
{
    *a = (asked){.text = fay_strdup(line)};
    char *rest = a->text;
    a->cli.command = &fay_command_run;
    a->cli.args = (fay_args){.argv = a->argv, .own = fay_request_flags, .global = fay_global_flags};
    for (char *word; (word = strsep(&rest, " ")) != NULL;) {
        if (word[0] != '\0')
            a->argv[a->cli.args.argc++] = word;
    }
    a->result = fay_request_parse(&a->cli, &a->request);
}

static void answered(asked *a)
{
    fay_request_deinit(&a->request);
    free(a->text);
}

static void flags_words_and_command(void **state)
{
    (void)state;
    asked a;
    ask(&a, "-j 2-8 -q --joblog log --set a.retries=1 --set a.rate=2 --timeout 5s -- cat -n");
    assert_int_equal(a.result, 0);
    assert_int_equal(a.request.overrides.jobs_min, 2);
    assert_int_equal(a.request.overrides.jobs_max, 8);
    assert_int_equal(a.request.overrides.timeout, 5 * FAY_SECOND);
    assert_true(a.request.options.quiet);
    assert_string_equal(a.request.options.joblog, "log");
    assert_int_equal(a.request.sets_count, 2);
    assert_string_equal(a.request.sets[1], "a.rate=2");
    assert_null(a.request.file);
    assert_int_equal(a.request.words_count, 2);
    assert_string_equal(a.request.words[1], "-n");
    answered(&a);
}

static void a_pipeline_is_made_of_both(void **state)
{
    (void)state;
    asked a;
    ask(&a, "--retries forever --dead-letter none --set cat.timeout=7s -- cat :: tr a b");
    fay_config_errors errors = {0};
    FAY_CLEANUP(fay_pipeline_freep)
    fay_pipeline *pipeline = fay_request_pipeline(&a.request, &errors);
    assert_non_null(pipeline);
    assert_int_equal(pipeline->stages_count, 2);
    assert_int_equal(pipeline->stages[0].timeout, 7 * FAY_SECOND);
    assert_int_equal(pipeline->stages[1].retries, UINT64_MAX);
    assert_false(pipeline->sink.append);
    fay_config_errors_deinit(&errors);
    answered(&a);
}

/* What is retried was not lost: what its sink has already stays. */
static void a_retry_appends(void **state)
{
    (void)state;
    asked a;
    ask(&a, "--retry-dead dead.jsonl -o out -- cat");
    fay_config_errors errors = {0};
    FAY_CLEANUP(fay_pipeline_freep)
    fay_pipeline *pipeline = fay_request_pipeline(&a.request, &errors);
    assert_non_null(pipeline);
    assert_true(pipeline->sink.append);
    assert_string_equal(a.request.options.retry_dead, "dead.jsonl");
    fay_config_errors_deinit(&errors);
    answered(&a);
}

static void a_set_that_is_wrong_is_an_error_of_no_file(void **state)
{
    (void)state;
    asked a;
    ask(&a, "--set cat.timeuot=7s -- cat");
    fay_config_errors errors = {0};
    assert_null(fay_request_pipeline(&a.request, &errors));
    assert_int_equal(errors.count, 1);
    assert_int_equal(errors.items[0].line, 0);
    assert_non_null(strstr(errors.items[0].message, "timeuot"));
    fay_config_errors_deinit(&errors);
    answered(&a);
}

static void words_that_do_not_go_together_are_misuse(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "--",
        "p.yaml -- cat",
        "p.yaml q.yaml",
        "--retries many -- cat",
        "--retries 65535 -- cat",
        "--timeout soon -- cat",
        "--format xml -- cat",
        "--progress loud -- cat",
        "--mode line -- cat",
        "-j 0 -- cat",
        "--retry-dead d --dead-letter d -- cat",
    };
    for (size_t i = 0; i < FAY_COUNT(wrong); i++) {
        asked a;
        ask(&a, wrong[i]);
        assert_int_equal(a.result, FAY_CLI_STOP);
        assert_int_equal(a.cli.exit, FAY_EXIT_USAGE);
        answered(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flags_words_and_command),
        cmocka_unit_test(a_pipeline_is_made_of_both),
        cmocka_unit_test(a_retry_appends),
        cmocka_unit_test(a_set_that_is_wrong_is_an_error_of_no_file),
        cmocka_unit_test(words_that_do_not_go_together_are_misuse),
    };
    return cmocka_run_group_tests_name("cli_request", tests, NULL, NULL);
}
