/* SPDX-License-Identifier: MIT */
/* A dead letter file: read, and replaced in one step while somebody else may be writing to it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/dead_file.h"

#define LETTER(id) "{\"id\":\"" id "\",\"stage\":\"s\",\"attempts\":1,\"item\":\"x\"}"

static int set_up(void **state)
{
    static char path[64];
    (void)snprintf(path, sizeof path, "/tmp/faymora-test-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    (void)close(fd);
    *state = path;
    return 0;
}

static int tear_down(void **state)
{
    (void)unlink(*state);
    return 0;
}

static void append(const char *path, const char *text)
{
    FILE *file = fopen(path, "ae");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void assert_holds(const char *path, const char *text)
{
    char bytes[1024];
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    bytes[fread(bytes, 1, sizeof bytes - 1, file)] = '\0';
    (void)fclose(file);
    assert_string_equal(bytes, text);
}

static void bad_lines_are_named_and_passed_over(void **state)
{
    append(*state, LETTER("1") "\n{torn\n" LETTER("2")); /* the last one without a newline */
    FAY_CLEANUP(fay_dead_file_close) fay_dead_file file = {0};
    fay_error err = {0};
    assert_int_equal(fay_dead_file_open(&file, *state, &err), 0);
    append(*state, "\n" LETTER("3") "\n"); /* came later: not of this reading */
    int expected[] = {0, FAY_E_INVAL, 0, FAY_DEAD_FILE_END};
    for (size_t i = 0; i < FAY_COUNT(expected); i++) {
        FAY_CLEANUP(fay_letter_deinit) fay_letter letter = {0};
        assert_int_equal(fay_dead_file_next(&file, &letter, &err), expected[i]);
        if (expected[i] == FAY_E_INVAL)
            assert_non_null(strstr(err.message, ":2: not a dead letter: "));
    }
}

static void what_was_appended_meanwhile_is_kept(void **state)
{
    append(*state, LETTER("1") "\n" LETTER("2") "\n");
    assert_int_equal(chmod(*state, 0640), 0);
    FAY_CLEANUP(fay_dead_file_close) fay_dead_file file = {0};
    fay_error err = {0};
    assert_int_equal(fay_dead_file_open(&file, *state, &err), 0);
    append(*state, LETTER("3") "\n");
    FILE *kept = tmpfile();
    assert_non_null(kept);
    assert_true(fputs(LETTER("2") "\n", kept) >= 0);
    assert_int_equal(fay_dead_file_rewrite(&file, kept, &err), 0);
    (void)fclose(kept);
    assert_holds(*state, LETTER("2") "\n" LETTER("3") "\n");
    struct stat info;
    assert_int_equal(stat(*state, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0640);
}

static void only_files_are_files(void **state)
{
    (void)state;
    fay_dead_file file = {0};
    fay_error err = {0};
    assert_int_equal(fay_dead_file_open(&file, "/tmp", &err), FAY_E_IO);
    assert_int_equal(fay_dead_file_open(&file, "/dev/null", &err), FAY_E_IO);
    assert_string_equal(err.message, "/dev/null: not a regular file");
    assert_int_equal(fay_dead_file_open(&file, "/nowhere/at/all", &err), FAY_E_IO);
    assert_string_equal(err.message, "/nowhere/at/all: cannot be read: No such file or directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(bad_lines_are_named_and_passed_over, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_appended_meanwhile_is_kept, set_up, tear_down),
        cmocka_unit_test(only_files_are_files),
    };
    return cmocka_run_group_tests_name("cli_dead", tests, NULL, NULL);
}
