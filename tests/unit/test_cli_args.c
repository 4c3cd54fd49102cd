/* SPDX-License-Identifier: MIT */
/* The command line's words: read as transcripts of what is met. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/shell.h"
#include "cli/args.h"

static const fay_flag own[] = {{"jobs", 'j', 'j', "N", ""},      {"null", '0', '0', NULL, ""},
                               {"timeout", 0, 't', "D", ""},     {"output", 'o', 'o', "F", ""},
                               {"keep-order", 0, 'k', NULL, ""}, {0}};
static const fay_flag global[] = {{"quiet", 'q', 'q', NULL, ""}, {"timeout", 0, 'T', "D", ""}, {0}};

/* "j=4 word:p.yaml | a b", or the error. */
static void assert_words(const char *command_line, const char *expected)
{
    FAY_CLEANUP(fay_freep) char *copy = fay_strdup(command_line);
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer met = {0};
    char *argv[32];
    fay_args args = {.argv = argv, .own = own, .global = global};
    char *rest = copy;
    for (char *word; (word = strsep(&rest, " ")) != NULL;) {
        if (word[0] != '\0')
            argv[args.argc++] = word;
    }
    fay_error err = {0};
    int r;
    while ((r = fay_args_next(&args, &err)) > 0) {
        if (r == FAY_ARGS_WORD)
            fay_buffer_printf(&met, "word:%s ", args.value);
        else
            fay_buffer_printf(&met, "%s%c%s%s ", args.global_flag ? "global:" : "", args.key,
                              args.value != NULL ? "=" : "", args.value != NULL ? args.value : "");
    }
    if (r < 0)
        fay_buffer_printf(&met, "! %s%s%s", err.message, err.hint[0] != '\0' ? "; " : "", err.hint);
    if (r == 0 && args.dashes) {
        fay_buffer_append_text(&met, "|");
        for (; args.at < args.argc; args.at++) {
            fay_buffer_printf(&met, " %s", args.argv[args.at]);
        }
    }
    assert_string_equal(fay_buffer_text(&met), expected);
}

static void flags_and_words_may_be_mixed(void **state)
{
    (void)state;
    assert_words("-j 4 p.yaml --keep-order --output=x", "j=4 word:p.yaml k o=x ");
    assert_words("-j4 -0q -qo- -", "j=4 0 global:q global:q o=- word:- ");
    assert_words("-j=4 --output -", "j=4 o=- ");
    assert_words("", "");
}

static void behind_the_dashes_nothing_is_looked_at(void **state)
{
    (void)state;
    assert_words("-q -- grep -v --nonsense -- x", "global:q | grep -v --nonsense -- x");
    assert_words("--", "|");
}

static void a_signed_number_is_a_word_where_numbers_are_taken(void **state)
{
    (void)state;
    char weight[] = "-1.5", half[] = "-.5", flag[] = "-q", plus[] = "+2";
    char *words[] = {weight, half, plus, flag};
    fay_args args = {.argv = words, .argc = 4, .own = own, .global = global, .numbers = true};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(fay_args_next(&args, NULL), FAY_ARGS_WORD);
        assert_string_equal(args.value, words[i]);
    }
    assert_int_equal(fay_args_next(&args, NULL), FAY_ARGS_FLAG);
    args = (fay_args){.argv = words, .argc = 1, .own = own, .global = global};
    assert_int_equal(fay_args_next(&args, NULL), FAY_E_INVAL);
}

static void a_verbs_own_flag_hides_the_global_one(void **state)
{
    (void)state;
    assert_words("--timeout 5s --quiet", "t=5s global:q ");
}

static void what_is_wrong_is_said(void **state)
{
    (void)state;
    assert_words("--outptu x", "! unknown flag '--outptu'; did you mean '--output'?");
    assert_words("--zzz=1", "! unknown flag '--zzz'");
    assert_words("-j4 -x", "j=4 ! unknown flag '-x'");
    assert_words("-0x", "0 ! unknown flag '-x'");
    assert_words("--keep-order=yes", "! '--keep-order' takes no value");
    assert_words("--jobs", "! '--jobs' needs a value: N");
    assert_words("-j", "! '--jobs' needs a value: N");
    assert_words("-o --keep-order", "! '--output' needs a value: F");
    assert_words("-o -- x", "! '--output' needs a value: F");
    assert_words("--detach", "! '--detach' is not in this version");
}

static void numbers_are_numbers(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", "-1", "+1", " 1", "1x", "0x1", "1.5", "11", "99999999999999999999999"};
    uint64_t number = 77;
    fay_error err = {0};
    for (size_t i = 0; i < FAY_COUNT(bad); i++) {
        assert_int_equal(fay_args_number("--n", bad[i], 0, 10, &err, &number), FAY_E_INVAL);
        assert_int_equal(number, 77);
    }
    assert_int_equal(fay_args_number("--n", "10", 0, 10, &err, &number), 0);
    assert_int_equal(number, 10);
    assert_int_equal(fay_args_number("--n", "many", 1, 10, &err, &number), FAY_E_INVAL);
    assert_string_equal(err.message, "'--n' takes a number from 1 to 10, not 'many'");
}

static void a_command_can_be_pasted_into_a_shell(void **state)
{
    (void)state;
    char command[] = "echo 'a b' $X", dashes[] = "--", shell[] = "sh", empty[] = "", item[] = "{}";
    char *words[] = {dashes, shell, command, empty, item};
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer text = {0};
    fay_shell_join(words, FAY_COUNT(words), &text);
    assert_string_equal(fay_buffer_text(&text), "-- sh 'echo '\\''a b'\\'' $X' '' '{}'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flags_and_words_may_be_mixed),
        cmocka_unit_test(behind_the_dashes_nothing_is_looked_at),
        cmocka_unit_test(a_signed_number_is_a_word_where_numbers_are_taken),
        cmocka_unit_test(a_verbs_own_flag_hides_the_global_one),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(numbers_are_numbers),
        cmocka_unit_test(a_command_can_be_pasted_into_a_shell),
    };
    return cmocka_run_group_tests_name("cli_args", tests, NULL, NULL);
}
