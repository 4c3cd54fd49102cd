/* SPDX-License-Identifier: MIT */
#include "loop/timer.h"

#include <assert.h>
#include <stdlib.h>

struct fay_timer {
    uv_timer_t timer;
    void (*due)(void *context);
    void *context;
};

static void free_timer(uv_handle_t *handle)
{
    free(handle->data);
}

static void on_timer(uv_timer_t *handle)
{
    fay_timer *timer = handle->data;
    timer->due(timer->context);
}

fay_timer *fay_timer_new(uv_loop_t *loop, void (*due)(void *context), void *context)
{
    fay_timer *timer = fay_alloc(sizeof *timer);
    timer->due = due;
    timer->context = context;
    int r = uv_timer_init(loop, &timer->timer);
    assert(r == 0);
    timer->timer.data = timer;
    return timer;
}

void fay_timer_start(fay_timer *timer, uint64_t after_ms)
{
    /* libuv counts from when the loop woke up, which may be a while ago. */
    uv_update_time(timer->timer.loop);
    int r = uv_timer_start(&timer->timer, on_timer, after_ms, 0);
    assert(r == 0);
}

void fay_timer_at(fay_timer *timer, fay_ns due)
{
    uv_loop_t *loop = timer->timer.loop;
    uv_update_time(loop);
    /* The loop's time is the whole milliseconds of the same clock: it may be one behind. */
    uint64_t now = uv_now(loop), at = due / FAY_MS + (due % FAY_MS > 0 ? 1 : 0);
    int r = uv_timer_start(&timer->timer, on_timer, at > now ? at - now : 0, 0);
    assert(r == 0);
}

void fay_timer_stop(fay_timer *timer)
{
    (void)uv_timer_stop(&timer->timer);
}

bool fay_timer_running(const fay_timer *timer)
{
    return uv_is_active((const uv_handle_t *)&timer->timer) != 0;
}

void fay_timer_free(fay_timer *timer)
{
    if (timer != NULL)
        uv_close((uv_handle_t *)&timer->timer, free_timer);
}
