/* SPDX-License-Identifier: MIT */
/* Small texts of a run. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "loop/text.h"

static void assert_path(const char *directory, const char *path, const char *expected)
{
    FAY_CLEANUP(fay_freep) char *joined = fay_run_path(directory, path);
    assert_string_equal(joined, expected);
}

static void paths_are_joined(void **state)
{
    (void)state;
    assert_path("a", "b", "a/b");
    assert_path("a/", "b", "a/b");
    assert_path("/", "b", "/b");
    assert_path("a", "/b", "/b");
    assert_path("", "b", "b");
}

static void assert_named(const char *text, const char *expected)
{
    FAY_CLEANUP(fay_freep) char *named = fay_run_named(text, "thumbs", "7f3a");
    assert_string_equal(named, expected);
}

static void names_are_filled_in(void **state)
{
    (void)state;
    assert_named("{name}-{run}.dead.jsonl", "thumbs-7f3a.dead.jsonl");
    assert_named("{run}{run}", "7f3a7f3a");
    assert_named("{nam}{}{name", "{nam}{}{name");
    assert_named("", "");
}

static void all_is_written_or_it_is_told(void **state)
{
    (void)state;
    int fd = memfd_create("text", MFD_CLOEXEC);
    char bytes[8] = "";
    assert_int_equal(fay_run_write_all(fd, "seven..", 7), 0);
    assert_int_equal(fay_run_write_all(fd, NULL, 0), 0);
    assert_int_equal(pread(fd, bytes, sizeof bytes, 0), 7);
    assert_string_equal(bytes, "seven..");
    (void)close(fd);
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    assert_int_equal(fay_run_write_all(full, "x", 1), FAY_E_IO);
    assert_int_equal(errno, ENOSPC);
    (void)close(full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_are_joined),
        cmocka_unit_test(names_are_filled_in),
        cmocka_unit_test(all_is_written_or_it_is_told),
    };
    return cmocka_run_group_tests_name("run_text", tests, NULL, NULL);
}
