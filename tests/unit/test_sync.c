/* SPDX-License-Identifier: MIT */
/* Syncs: told once, never well over a descriptor that was not synced. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "loop/sync.h"

typedef struct told {
    int times, fault;
} told;

static void on_done(void *context, int fault)
{
    told *t = context;
    t->times++;
    t->fault = fault;
}

/* In place of the C library's: which directory was synced last. */
int fsync(int fd);
static ino_t synced_directory;
int fsync(int fd)
{
    struct stat stat;
    if (fstat(fd, &stat) == 0 && S_ISDIR(stat.st_mode))
        synced_directory = stat.st_ino;
    return (int)syscall(SYS_fsync, fd);
}

static int run_sync(const int *fds, size_t count)
{
    uv_loop_t loop;
    told t = {0};
    assert_int_equal(uv_loop_init(&loop), 0);
    (void)fay_sync_start(&loop, fds, count, on_done, &t);
    assert_int_equal(t.times, 0);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(t.times, 1);
    assert_int_equal(uv_loop_close(&loop), 0);
    return t.fault;
}

static int new_file(void)
{
    int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "x", 1), 1);
    return fd;
}

static void files_are_synced(void **state)
{
    (void)state;
    int fds[] = {new_file(), new_file()};
    assert_int_equal(run_sync(fds, 2), 0);
    assert_int_equal(run_sync(fds, 0), 0);
    assert_int_equal(close(fds[0]) + close(fds[1]), 0);
}

static void what_cannot_be_synced_is_a_fault(void **state)
{
    (void)state;
    int ends[2];
    int fds[] = {new_file(), -1};
    assert_int_equal(run_sync(fds, 2), EBADF);
    fds[1] = 1000; /* closed */
    assert_int_equal(run_sync(fds, 2), EBADF);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(run_sync(ends, 1), EINVAL);
    assert_int_equal(close(fds[0]) + close(ends[0]) + close(ends[1]), 0);
}

/* The loop has its descriptors: only ours cannot be had. */
static void no_descriptor_is_a_fault(void **state)
{
    (void)state;
    uv_loop_t loop;
    told t = {0};
    struct rlimit limit, none;
    int fd = new_file();
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = limit;
    none.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    (void)fay_sync_start(&loop, &fd, 1, on_done, &t);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(t.times, 1);
    assert_int_not_equal(t.fault, 0);
    assert_int_equal(uv_loop_close(&loop), 0);
    assert_int_equal(close(fd), 0);
}

static void the_owner_may_be_gone(void **state)
{
    (void)state;
    uv_loop_t loop;
    told t = {0};
    int fd = new_file();
    assert_int_equal(uv_loop_init(&loop), 0);
    fay_sync_work *sync = fay_sync_start(&loop, &fd, 1, on_done, &t);
    assert_int_equal(close(fd), 0); /* it has one of its own */
    fay_sync_forget(sync);
    fay_sync_forget(NULL);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(t.times, 0);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void directories_are_synced(void **state)
{
    static const struct {
        const char *path, *directory;
    } cases[] = {{"/tmp/x", "/tmp"}, {"/x", "/"}, {"x", "."}, {"/usr/lib/x", "/usr/lib"}};
    (void)state;
    for (size_t i = 0; i < FAY_COUNT(cases); i++) {
        struct stat stat_of;
        synced_directory = 0;
        assert_int_equal(fay_sync_directory_of(cases[i].path), 0);
        assert_int_equal(stat(cases[i].directory, &stat_of), 0);
        assert_int_equal(synced_directory, stat_of.st_ino);
    }
    assert_int_equal(fay_sync_directory_of("/no/such/x"), ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_synced),
        cmocka_unit_test(what_cannot_be_synced_is_a_fault),
        cmocka_unit_test(no_descriptor_is_a_fault),
        cmocka_unit_test(the_owner_may_be_gone),
        cmocka_unit_test(directories_are_synced),
    };
    return cmocka_run_group_tests_name("sync", tests, NULL, NULL);
}
