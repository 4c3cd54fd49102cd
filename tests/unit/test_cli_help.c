/* SPDX-License-Identifier: MIT */
/* Help and completion come from the tables of flags; here the tables themselves are looked at. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/cli.h"

static void each_flag_is_there_once(void **state)
{
    (void)state;
    for (size_t c = 0; fay_commands[c] != NULL; c++) {
        const fay_flag *flags = fay_commands[c]->flags;
        for (const fay_flag *a = flags; a != NULL && a->key != 0; a++) {
            if (fay_commands[c] == &fay_command_run) /* others may have it already */
                assert_false(fay_args_is_later(a->name));
            for (const fay_flag *b = a + 1; b->key != 0; b++) {
                assert_string_not_equal(a->name, b->name);
                assert_int_not_equal(a->key, b->key);
                assert_true(a->letter == 0 || a->letter != b->letter);
            }
        }
    }
}

static void help_begins_with_examples_and_fits_the_screen(void **state)
{
    (void)state;
    for (size_t c = 0; fay_commands[c] != NULL; c++) {
        FAY_CLEANUP(fay_buffer_deinit) fay_buffer text = {0};
        fay_help_command(fay_commands[c], &text);
        const char *help = fay_buffer_text(&text);
        assert_non_null(strstr(help, "\n\nExamples\n"));
        assert_true(strstr(help, "Examples\n") < strstr(help, "Usage\n"));
        for (const char *line = help; *line != '\0';) {
            size_t length = strcspn(line, "\n");
            if (length > 100)
                fail_msg("%s: %.*s", fay_commands[c]->name, (int)length, line);
            line += length + (line[length] != '\0' ? 1 : 0);
        }
    }
}

static void run_has_every_flag_of_its_contract(void **state)
{
    (void)state;
    static const char *const names[] = {
        "mode",     "input",      "output", "format",   "keep-order",  "retries",
        "timeout",  "delay",      "tag",    "state",    "dead-letter", "max-failures",
        "resume",   "retry-dead", "joblog", "results",  "events",      "explain",
        "progress", "dry-run",    "set",    "deadline", "jobs"};
    for (size_t i = 0; i < FAY_COUNT(names); i++) {
        bool found = false;
        for (const fay_flag *flag = fay_command_run.flags; flag->key != 0; flag++)
            found = found || strcmp(flag->name, names[i]) == 0;
        if (!found)
            fail_msg("--%s is missing", names[i]);
    }
}

/* The packaged script is what `faymora completion bash` prints. */
static void the_packaged_completion_is_up_to_date(void **state)
{
    (void)state;
    const char *source = getenv("FAYMORA_SOURCE");
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer path = {0}, text = {0}, file = {0};
    fay_buffer_printf(&path, "%s/packaging/completion/faymora.bash", source != NULL ? source : ".");
    FILE *stream = fopen(fay_buffer_text(&path), "re");
    assert_non_null(stream);
    size_t n;
    do {
        n = fread(fay_buffer_reserve(&file, 4096), 1, 4096, stream);
        fay_buffer_commit(&file, n);
    } while (n > 0);
    (void)fclose(stream);
    fay_completion_bash(&text);
    assert_string_equal(fay_buffer_text(&text), fay_buffer_text(&file));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_flag_is_there_once),
        cmocka_unit_test(help_begins_with_examples_and_fits_the_screen),
        cmocka_unit_test(run_has_every_flag_of_its_contract),
        cmocka_unit_test(the_packaged_completion_is_up_to_date),
    };
    return cmocka_run_group_tests_name("cli_help", tests, NULL, NULL);
}
