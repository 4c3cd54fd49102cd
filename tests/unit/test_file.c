/* SPDX-License-Identifier: MIT */
/* Files, whole. */
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

#include "host/file.h"

static void assert_path(const char *directory, const char *path, const char *expected)
{
    FAY_CLEANUP(fay_freep) char *joined = fay_file_path(directory, path);
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

static void what_the_kernel_tells_is_read(void **state)
{
    (void)state;
    char text[16];
    assert_true(fay_file_read("/proc/self/comm", text, sizeof text) > 0);
    assert_string_equal(text, "test_file\n");
    assert_int_equal(fay_file_read("/proc/self/comm", text, 5), 4);
    assert_string_equal(text, "test");
    assert_int_equal(fay_file_read("/nowhere", text, sizeof text), 0);
    assert_true(fay_file_number("/proc/meminfo", "MemTotal:") > 1000);
    assert_int_equal(fay_file_number("/proc/meminfo", "Total:"), 0); /* not amid a line */
    assert_int_equal(fay_file_number("/nowhere", "MemTotal:"), 0);
}

static void all_is_written_or_it_is_told(void **state)
{
    (void)state;
    int fd = memfd_create("text", MFD_CLOEXEC);
    char bytes[8] = "";
    assert_int_equal(fay_file_write(fd, "seven..", 7), 0);
    assert_int_equal(fay_file_write(fd, NULL, 0), 0);
    assert_int_equal(pread(fd, bytes, sizeof bytes, 0), 7);
    assert_string_equal(bytes, "seven..");
    (void)close(fd);
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    assert_int_equal(fay_file_write(full, "x", 1), FAY_E_IO);
    assert_int_equal(errno, ENOSPC);
    (void)close(full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_are_joined),
        cmocka_unit_test(what_the_kernel_tells_is_read),
        cmocka_unit_test(all_is_written_or_it_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
