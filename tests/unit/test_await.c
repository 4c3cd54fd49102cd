/* SPDX-License-Identifier: MIT */
/* A descriptor is waited for as it is, and let go at any moment. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "loop/await.h"

typedef struct fixture {
    uv_loop_t loop;
    fay_await *await;
    int pipe[2]; /* -1 = closed */
    unsigned events;
    int calls;
    bool frees; /* itself, when it is called */
} fixture;

static int set_up(void **state)
{
    fixture *f = fay_alloc(sizeof *f);
    assert_int_equal(uv_loop_init(&f->loop), 0);
    assert_int_equal(pipe2(f->pipe, O_CLOEXEC), 0);
    *state = f;
    return 0;
}

static void close_end(fixture *f, int end)
{
    if (f->pipe[end] >= 0)
        (void)close(f->pipe[end]);
    f->pipe[end] = -1;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    fay_await_free(f->await);
    close_end(f, 0);
    close_end(f, 1);
    (void)uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    free(f);
    return 0;
}

static void on_ready(void *context, unsigned events)
{
    fixture *f = context;
    f->calls++;
    f->events = events;
    if (f->frees)
        fay_await_free(FAY_STEAL(f->await));
}

static void wait_for(fixture *f, int end, unsigned events)
{
    f->await = fay_await_new(&f->loop, f->pipe[end], on_ready, f);
    assert_non_null(f->await);
    fay_await_want(f->await, events);
}

static void what_is_there_is_told_until_it_is_taken(void **state)
{
    fixture *f = *state;
    wait_for(f, 0, FAY_AWAIT_READ);
    (void)uv_run(&f->loop, UV_RUN_NOWAIT);
    assert_int_equal(f->calls, 0);
    assert_int_equal(write(f->pipe[1], "x", 1), 1);
    (void)uv_run(&f->loop, UV_RUN_ONCE);
    assert_int_equal(f->events, FAY_AWAIT_READ);
    (void)uv_run(&f->loop, UV_RUN_ONCE);
    assert_int_equal(f->calls, 2);
    fay_await_want(f->await, 0);
    (void)uv_run(&f->loop, UV_RUN_NOWAIT);
    assert_int_equal(f->calls, 2);
    assert_int_equal(fcntl(f->pipe[0], F_GETFL) & O_NONBLOCK, 0); /* it is as others left it */
}

static void a_hang_up_always_comes(void **state)
{
    fixture *f = *state;
    wait_for(f, 1, FAY_AWAIT_CLOSED);
    (void)uv_run(&f->loop, UV_RUN_NOWAIT);
    assert_int_equal(f->calls, 0); /* there is room, which nobody has asked for */
    fay_await_want(f->await, FAY_AWAIT_WRITE);
    (void)uv_run(&f->loop, UV_RUN_ONCE);
    assert_int_equal(f->events, FAY_AWAIT_WRITE);
    close_end(f, 0);
    fay_await_want(f->await, FAY_AWAIT_CLOSED);
    (void)uv_run(&f->loop, UV_RUN_ONCE);
    assert_int_equal(f->events, FAY_AWAIT_CLOSED);
}

static void it_may_be_freed_within_its_call(void **state)
{
    fixture *f = *state;
    f->frees = true;
    wait_for(f, 0, FAY_AWAIT_READ);
    close_end(f, 1);
    (void)uv_run(&f->loop, UV_RUN_DEFAULT); /* ends: nothing is waited for any more */
    assert_int_equal(f->calls, 1);
    assert_int_equal(fcntl(f->pipe[0], F_GETFD), FD_CLOEXEC); /* still open */
}

static void what_never_blocks_is_not_waited_for(void **state)
{
    fixture *f = *state;
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_null(fay_await_new(&f->loop, fd, on_ready, f));
    fay_await_want(NULL, FAY_AWAIT_READ);
    (void)close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_there_is_told_until_it_is_taken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_hang_up_always_comes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_may_be_freed_within_its_call, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_never_blocks_is_not_waited_for, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("await", tests, NULL, NULL);
}
