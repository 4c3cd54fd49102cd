/* SPDX-License-Identifier: MIT */
/* A timer is due once, is put off, stopped, and let go at any moment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "loop/timer.h"

typedef struct fixture {
    uv_loop_t loop;
    fay_timer *timer;
    int calls;
    bool frees; /* itself, when it is due */
} fixture;

static void on_due(void *context)
{
    fixture *f = context;
    f->calls++;
    if (f->frees)
        fay_timer_free(FAY_STEAL(f->timer));
}

static int set_up(void **state)
{
    fixture *f = fay_alloc(sizeof *f);
    assert_int_equal(uv_loop_init(&f->loop), 0);
    f->timer = fay_timer_new(&f->loop, on_due, f);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    fay_timer_free(f->timer);
    (void)uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    free(f);
    return 0;
}

static void it_is_due_once(void **state)
{
    fixture *f = *state;
    assert_false(fay_timer_running(f->timer));
    fay_timer_start(f->timer, 1);
    assert_true(fay_timer_running(f->timer));
    (void)uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(f->calls, 1);
    assert_false(fay_timer_running(f->timer));
}

static void it_is_put_off_and_stopped(void **state)
{
    fixture *f = *state;
    fay_timer_start(f->timer, 3600000);
    fay_timer_start(f->timer, 0); /* anew: the hour does not count any more */
    (void)uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(f->calls, 1);
    fay_timer_start(f->timer, 3600000);
    fay_timer_stop(f->timer);
    assert_false(fay_timer_running(f->timer));
    (void)uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(f->calls, 1);
}

static void it_may_be_freed_within_its_call(void **state)
{
    fixture *f = *state;
    f->frees = true;
    fay_timer_start(f->timer, 0);
    (void)uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(f->calls, 1);
    assert_null(f->timer);
    fay_timer_free(NULL);
}

/* Parts of a millisecond from now, wherever in one that is. */
static void it_is_never_due_before_its_time(void **state)
{
    fixture *f = *state;
    for (fay_ns part = 0; part < 3 * FAY_MS; part += FAY_MS / 16) {
        fay_ns due = uv_hrtime() + part;
        fay_timer_at(f->timer, due);
        (void)uv_run(&f->loop, UV_RUN_DEFAULT);
        assert_true(uv_hrtime() >= due);
    }
    assert_int_equal(f->calls, 48);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_is_due_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_is_put_off_and_stopped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_may_be_freed_within_its_call, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_is_never_due_before_its_time, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("timer", tests, NULL, NULL);
}
