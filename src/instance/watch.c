/* SPDX-License-Identifier: MIT */
#include "instance/watch.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static void on_poll(uv_poll_t *poll, int status, int events)
{
    fay_watch *watch = poll->data;
    if (status < 0)
        watch->events = 0; /* libuv has stopped it; the error shows when the descriptor is used */
    (void)events;
    watch->ready(watch->context);
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

fay_watch *fay_watch_open(uv_loop_t *loop, int fd, int events, void (*ready)(void *context),
                          void *context)
{
    fay_watch *watch = fay_alloc(sizeof *watch);
    *watch = (fay_watch){.fd = fd, .ready = ready, .context = context};
    int rc = uv_poll_init(loop, &watch->poll, fd);
    assert(rc == 0);
    watch->poll.data = watch;
    fay_watch_set(watch, events);
    return watch;
}

void fay_watch_set(fay_watch *watch, int events)
{
    if (watch->events == events)
        return;
    watch->events = events;
    if (events != 0) {
        (void)uv_poll_start(&watch->poll, events, on_poll);
    } else {
        (void)uv_poll_stop(&watch->poll);
    }
}

void fay_watch_close(fay_watch **watch)
{
    if (*watch == NULL)
        return;
    int fd = (*watch)->fd;
    uv_close((uv_handle_t *)&(*watch)->poll, on_closed);
    (void)close(fd);
    *watch = NULL;
}

int fay_watch_pipe(int size, int *ret_read, int *ret_write)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0)
        return errno;
    if (size > 0)
        (void)fcntl(fds[0], F_SETPIPE_SZ, size);
    *ret_read = fds[0];
    *ret_write = fds[1];
    return 0;
}
