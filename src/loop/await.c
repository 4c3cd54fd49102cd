/* SPDX-License-Identifier: MIT */
#include "loop/await.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

struct fay_await {
    uv_poll_t poll;
    int epoll, fd;
    unsigned wanted;
    fay_await_ready *ready;
    void *context;
};

static void free_await(uv_handle_t *handle)
{
    fay_await *await = handle->data;
    (void)close(await->epoll);
    free(await);
}

static void on_poll(uv_poll_t *handle, int status, int events)
{
    (void)status;
    (void)events;
    fay_await *await = handle->data;
    struct epoll_event event;
    if (epoll_wait(await->epoll, &event, 1, 0) != 1)
        return;
    unsigned now = 0;
    if ((event.events & EPOLLIN) != 0)
        now |= FAY_AWAIT_READ;
    if ((event.events & EPOLLOUT) != 0)
        now |= FAY_AWAIT_WRITE;
    if ((event.events & (EPOLLERR | EPOLLHUP)) != 0)
        now |= FAY_AWAIT_CLOSED;
    await->ready(await->context, now);
}

fay_await *fay_await_new(uv_loop_t *loop, int fd, fay_await_ready *ready, void *context)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = 0};
    if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
        if (epoll >= 0)
            (void)close(epoll);
        return NULL;
    }
    fay_await *await = fay_alloc(sizeof *await);
    *await = (fay_await){.epoll = epoll, .fd = fd, .ready = ready, .context = context};
    int r = uv_poll_init(loop, &await->poll, epoll);
    assert(r == 0);
    await->poll.data = await;
    return await;
}

void fay_await_want(fay_await *await, unsigned events)
{
    if (await == NULL || await->wanted == events)
        return;
    struct epoll_event event = {.events = 0};
    if ((events & FAY_AWAIT_READ) != 0)
        event.events |= EPOLLIN;
    if ((events & FAY_AWAIT_WRITE) != 0)
        event.events |= EPOLLOUT;
    int r = epoll_ctl(await->epoll, EPOLL_CTL_MOD, await->fd, &event);
    assert(r == 0);
    if (events == 0) { /* a hang-up would be reported for ever */
        r = uv_poll_stop(&await->poll);
    } else if (await->wanted == 0) {
        r = uv_poll_start(&await->poll, UV_READABLE, on_poll);
    }
    assert(r == 0);
    await->wanted = events;
}

void fay_await_free(fay_await *await)
{
    if (await == NULL)
        return;
    (void)uv_poll_stop(&await->poll);
    /* Out of the set, as the caller may close the descriptor before the loop closes the set. */
    (void)epoll_ctl(await->epoll, EPOLL_CTL_DEL, await->fd, NULL);
    uv_close((uv_handle_t *)&await->poll, free_await);
}
