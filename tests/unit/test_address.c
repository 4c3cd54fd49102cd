/* SPDX-License-Identifier: MIT */
/* Where a source or sink listens: what is taken, refused, and replaced. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "loop/address.h"
#include "support/scratch.h"

static int set_up(void **state)
{
    *state = fay_alloc(sizeof(scratch));
    scratch_enter(*state);
    return 0;
}

static int tear_down(void **state)
{
    scratch_leave(*state);
    free(*state);
    return 0;
}

static int unix_socket(const char *path, bool connects)
{
    struct sockaddr_un where = {.sun_family = AF_UNIX};
    (void)snprintf(where.sun_path, sizeof where.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    const struct sockaddr *address = (const struct sockaddr *)&where;
    int r = connects ? connect(fd, address, sizeof where) : bind(fd, address, sizeof where);
    assert_int_equal(r, 0);
    return fd;
}

static void a_unix_socket_takes_connections(void **state)
{
    (void)state;
    int fd = -1;
    FAY_CLEANUP(fay_freep) char *path = NULL;
    assert_int_equal(fay_address_listen("unix:in.sock", &fd, &path, NULL), 0);
    assert_string_equal(path, "in.sock");
    assert_int_equal(fay_address_accept(fd), -1); /* nobody is there, and it does not block */
    int theirs = unix_socket("in.sock", true);
    int ours = fay_address_accept(fd);
    assert_true(ours >= 0);
    assert_true((fcntl(ours, F_GETFL) & O_NONBLOCK) != 0);
    (void)close(ours);
    (void)close(theirs);
    (void)close(fd);
}

static void what_nobody_listens_on_is_replaced(void **state)
{
    (void)state;
    (void)close(unix_socket("old.sock", false)); /* the file stays */
    int fd = -1, second = -1;
    FAY_CLEANUP(fay_freep) char *path = NULL;
    FAY_CLEANUP(fay_freep) char *none = NULL;
    fay_error err = {0};
    assert_int_equal(fay_address_listen("unix:old.sock", &fd, &path, NULL), 0);
    /* But not one that is listened on. */
    assert_int_equal(fay_address_listen("unix:old.sock", &second, &none, &err), FAY_E_IO);
    assert_int_equal(err.sys_errno, EADDRINUSE);
    assert_null(none);
    (void)close(unix_socket("old.sock", true));
    (void)close(fd);
}

/* Connecting to it is refused, as to a socket that nobody listens on. */
static void what_is_no_socket_is_left_as_it_is(void **state)
{
    (void)state;
    int file = open("data", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_int_equal(write(file, "mine", 4), 4);
    (void)close(file);
    (void)close(unix_socket("old.sock", false));
    assert_int_equal(mkdir("directory", 0700), 0);
    assert_int_equal(mkfifo("fifo", 0600), 0);
    assert_int_equal(symlink("old.sock", "link"), 0);
    const char *const there[] = {"unix:data", "unix:directory", "unix:fifo", "unix:link"};
    for (size_t i = 0; i < FAY_COUNT(there); i++) {
        struct stat before, after;
        int fd = -1;
        char *path = NULL;
        fay_error err = {0};
        assert_int_equal(lstat(there[i] + 5, &before), 0);
        assert_int_equal(fay_address_listen(there[i], &fd, &path, &err), FAY_E_IO);
        assert_non_null(strstr(err.message, "is no socket"));
        assert_non_null(strstr(err.message, there[i]));
        assert_true(err.hint[0] != '\0');
        assert_int_equal(fd, -1);
        assert_null(path);
        assert_int_equal(lstat(there[i] + 5, &after), 0);
        assert_int_equal(before.st_ino, after.st_ino);
        assert_int_equal(before.st_size, after.st_size);
    }
}

static void of_tcp_only_loopback(void **state)
{
    (void)state;
    int fd = -1;
    FAY_CLEANUP(fay_freep) char *path = NULL;
    fay_error err = {0};
    assert_int_equal(fay_address_listen("tcp:127.0.0.1:0", &fd, &path, NULL), 0);
    assert_null(path); /* nothing to unlink */
    assert_int_equal(fay_address_accept(fd), -1);
    (void)close(fd);
    assert_int_equal(fay_address_listen("tcp:0.0.0.0:0", &fd, &path, &err), FAY_E_INVAL);
    assert_string_equal(err.message, "tcp:0.0.0.0:0 is no loopback address");
    assert_true(err.hint[0] != '\0');
}

static void what_is_no_address_is_refused(void **state)
{
    (void)state;
    char longest[256] = "unix:";
    memset(longest + 5, 'x', 108); /* one byte more than sun_path has for a text */
    const char *const wrong[] = {"", "in.sock", "unix:", "tcp:7000", "udp:127.0.0.1:7000", longest};
    for (size_t i = 0; i < FAY_COUNT(wrong); i++) {
        int fd = -1;
        char *path = NULL;
        fay_error err = {0};
        assert_int_equal(fay_address_listen(wrong[i], &fd, &path, &err), FAY_E_INVAL);
        assert_true(err.message[0] != '\0');
        assert_int_equal(fd, -1);
        assert_null(path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_unix_socket_takes_connections, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_nobody_listens_on_is_replaced, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_socket_is_left_as_it_is, set_up, tear_down),
        cmocka_unit_test_setup_teardown(of_tcp_only_loopback, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_address_is_refused, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
