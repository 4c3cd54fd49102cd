/* SPDX-License-Identifier: MIT */
/* Files without a name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "host/unlinked.h"

static size_t entries(const char *path)
{
    size_t count = 0;
    DIR *directory = opendir(path);
    assert_non_null(directory);
    while (readdir(directory) != NULL) {
        count++;
    }
    (void)closedir(directory);
    return count - 2;
}

static void it_is_where_it_should_and_has_no_name(void **state)
{
    (void)state;
    char asked[] = "/tmp/fay-unlinked-XXXXXX", tmp[] = "/tmp/fay-unlinked-XXXXXX";
    assert_non_null(mkdtemp(asked));
    assert_non_null(mkdtemp(tmp));
    assert_int_equal(setenv("TMPDIR", tmp, 1), 0);
    const char *const directories[] = {asked, NULL, ""};
    for (size_t i = 0; i < FAY_COUNT(directories); i++) {
        struct stat is, of;
        int fd = fay_host_unlinked(directories[i]);
        assert_true(fd >= 0);
        assert_int_equal(fstat(fd, &is), 0);
        assert_int_equal(stat(i == 0 ? asked : tmp, &of), 0);
        assert_int_equal(is.st_dev, of.st_dev);
        assert_int_equal(is.st_nlink, 0);
        assert_int_equal(is.st_mode & 0777, 0600);
        assert_int_equal(write(fd, "x", 1), 1);
        assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
        assert_int_equal(entries(asked) + entries(tmp), 0);
        assert_int_equal(close(fd), 0);
    }
    assert_int_equal(rmdir(asked) + rmdir(tmp), 0);
    assert_int_equal(fay_host_unlinked(NULL), -1); /* TMPDIR is gone */
    assert_int_equal(errno, ENOENT);
    assert_int_equal(unsetenv("TMPDIR"), 0);
    int fd = fay_host_unlinked(NULL);
    assert_true(fd >= 0);
    assert_int_equal(close(fd), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_where_it_should_and_has_no_name),
    };
    return cmocka_run_group_tests_name("unlinked", tests, NULL, NULL);
}
