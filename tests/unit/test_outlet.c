/* SPDX-License-Identifier: MIT */
/* An outlet never blocks, says when there is room again, and leaves others' descriptors alone. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "loop/outlet.h"

typedef struct fixture {
    uv_loop_t loop;
    fay_outlet *outlet;
    int ours, theirs; /* what is written to, who reads it; -1 = closed */
    int ready, closed;
} fixture;

static int set_up(void **state)
{
    (void)signal(SIGPIPE, SIG_IGN);
    fixture *f = fay_alloc(sizeof *f);
    f->ours = f->theirs = -1;
    assert_int_equal(uv_loop_init(&f->loop), 0);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    fay_outlet_free(f->outlet);
    fay_outlet_free(NULL);
    (void)uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    if (f->ours >= 0)
        (void)close(f->ours);
    if (f->theirs >= 0)
        (void)close(f->theirs);
    free(f);
    return 0;
}

static void on_ready(void *context, bool closed)
{
    fixture *f = context;
    f->ready++;
    f->closed += closed ? 1 : 0;
}

static void open_pipe(fixture *f)
{
    int pair[2];
    assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
    f->theirs = pair[0];
    f->ours = pair[1];
}

static void open_outlet(fixture *f, bool inherited)
{
    f->outlet = fay_outlet_new(&f->loop, f->ours, inherited, on_ready, f);
    assert_non_null(f->outlet);
    if (!inherited)
        f->ours = -1; /* it is the outlet's now */
}

/* Writes until it takes no more; the bytes it took. */
static size_t fill(fixture *f)
{
    static const char zeros[65536] = {0};
    size_t all = 0;
    for (;;) {
        ssize_t n = fay_outlet_write(f->outlet, zeros, sizeof zeros);
        assert_true(n >= 0);
        if (n == 0)
            return all;
        all += (size_t)n;
    }
}

static void drain(fixture *f, size_t size)
{
    static char bytes[65536];
    while (size > 0) {
        ssize_t n = read(f->theirs, bytes, FAY_MIN(size, sizeof bytes));
        assert_true(n > 0);
        size -= (size_t)n;
    }
}

static void wait_ready(fixture *f)
{
    int before = f->ready;
    while (f->ready == before) {
        (void)uv_run(&f->loop, UV_RUN_ONCE);
    }
}

static void it_takes_what_there_is_room_for(fixture *f)
{
    size_t size = fill(f);
    assert_true(size > 0);
    assert_int_equal(f->ready, 0);
    drain(f, size);
    wait_ready(f);
    assert_int_equal(f->closed, 0);
    assert_int_equal(fay_outlet_write(f->outlet, "abc", 3), 3);
    char bytes[4] = {0};
    assert_int_equal(read(f->theirs, bytes, 3), 3);
    assert_string_equal(bytes, "abc");
}

static void a_pipe_of_its_own(void **state)
{
    fixture *f = *state;
    open_pipe(f);
    open_outlet(f, false);
    it_takes_what_there_is_room_for(f);
    fay_outlet_free(FAY_STEAL(f->outlet));
    char byte;
    assert_int_equal(read(f->theirs, &byte, 1), 0); /* closed with the outlet */
}

/* The shell's pipe: the next command writes to it too, and must not meet EAGAIN. */
static void a_pipe_that_others_share(void **state)
{
    fixture *f = *state;
    open_pipe(f);
    open_outlet(f, true);
    it_takes_what_there_is_room_for(f);
    assert_int_equal(fcntl(f->ours, F_GETFL) & O_NONBLOCK, 0);
    fay_outlet_free(FAY_STEAL(f->outlet));
    assert_int_equal(write(f->ours, "x", 1), 1); /* still open */
}

static void a_socket_that_others_share(void **state)
{
    fixture *f = *state;
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    f->ours = pair[0];
    f->theirs = pair[1];
    open_outlet(f, true);
    it_takes_what_there_is_room_for(f);
    assert_int_equal(fcntl(f->ours, F_GETFL) & O_NONBLOCK, 0);
    (void)close(f->theirs);
    f->theirs = -1;
    (void)signal(SIGPIPE, SIG_DFL); /* it would end this test */
    assert_int_equal(fay_outlet_write(f->outlet, "x", 1), -1);
    assert_int_equal(errno, EPIPE);
}

static void a_file_takes_all(void **state)
{
    fixture *f = *state;
    FILE *file = tmpfile();
    assert_non_null(file);
    f->ours = dup(fileno(file));
    open_outlet(f, true);
    FAY_CLEANUP(fay_freep) char *bytes = fay_alloc(1000000);
    assert_int_equal(fay_outlet_write(f->outlet, bytes, 1000000), 1000000);
    assert_int_equal(lseek(f->ours, 0, SEEK_END), 1000000);
    assert_int_equal(f->ready, 0);
    (void)fclose(file);
}

static void a_reader_that_goes_is_told_of(void **state)
{
    fixture *f = *state;
    open_pipe(f);
    open_outlet(f, true);
    assert_int_equal(fay_outlet_write(f->outlet, "x", 1), 1); /* nothing waits for room */
    (void)close(f->theirs);
    f->theirs = -1;
    wait_ready(f);
    assert_int_equal(f->closed, 1);
    assert_int_equal(fay_outlet_write(f->outlet, "x", 1), -1);
    assert_int_equal(errno, EPIPE);
}

static void a_reader_that_was_never_there(void **state)
{
    fixture *f = *state;
    open_pipe(f);
    (void)close(f->theirs);
    f->theirs = -1;
    open_outlet(f, true);
    assert_int_equal(fay_outlet_write(f->outlet, "x", 1), -1);
    assert_int_equal(errno, EPIPE);
}

static void a_full_pipe_whose_reader_goes(void **state)
{
    fixture *f = *state;
    open_pipe(f);
    open_outlet(f, false);
    (void)fill(f);
    (void)close(f->theirs);
    f->theirs = -1;
    wait_ready(f);
    assert_int_equal(f->closed, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_pipe_of_its_own, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_pipe_that_others_share, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_socket_that_others_share, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_takes_all, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_reader_that_goes_is_told_of, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_reader_that_was_never_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_pipe_whose_reader_goes, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("outlet", tests, NULL, NULL);
}
