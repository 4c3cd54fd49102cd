/* SPDX-License-Identifier: MIT */
#include "loop/outlet.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loop/await.h"

enum {
    SHARED_WRITE_MAX = 4096 /* a pipe that is writable takes as much (PIPE_BUF) */
};

struct fay_outlet {
    int fd;
    bool owned, shared, socket;
    bool broken;      /* there was no reader when it was opened */
    fay_await *watch; /* NULL: it never blocks */
    fay_outlet_ready *ready;
    void *context;
};

static void on_ready(void *context, unsigned events)
{
    fay_outlet *outlet = context;
    bool closed = (events & FAY_AWAIT_CLOSED) != 0;
    /* While nothing waits for room, only the reader's end is of interest. */
    fay_await_want(outlet->watch, closed ? 0 : FAY_AWAIT_CLOSED);
    outlet->ready(outlet->context, closed);
}

static int reopen(int fd)
{
    FAY_CLEANUP(fay_freep) char *path = fay_printed("/proc/self/fd/%d", fd);
    return open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
}

fay_outlet *fay_outlet_new(uv_loop_t *loop, int fd, bool inherited, fay_outlet_ready *ready,
                           void *context)
{
    fay_outlet *outlet = fay_alloc(sizeof *outlet);
    *outlet = (fay_outlet){.fd = fd, .owned = !inherited, .ready = ready, .context = context};
    struct stat stat;
    bool known = fstat(fd, &stat) == 0;
    outlet->socket = known && S_ISSOCK(stat.st_mode);
    if (!inherited) {
        int flags = fcntl(fd, F_GETFL);
        (void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    } else if (known && S_ISFIFO(stat.st_mode)) {
        int own = reopen(fd);
        outlet->broken = own < 0 && errno == ENXIO;
        outlet->shared = own < 0;
        outlet->owned = own >= 0;
        outlet->fd = own >= 0 ? own : fd;
    } else {
        outlet->shared = !outlet->socket;
    }
    outlet->watch = fay_await_new(loop, outlet->fd, on_ready, outlet);
    fay_await_want(outlet->watch, FAY_AWAIT_CLOSED);
    return outlet;
}

static ssize_t wait_for(fay_outlet *outlet)
{
    fay_await_want(outlet->watch, FAY_AWAIT_WRITE | FAY_AWAIT_CLOSED);
    return 0;
}

ssize_t fay_outlet_write(fay_outlet *outlet, const void *bytes, size_t size)
{
    if (outlet->broken) {
        errno = EPIPE;
        return -1;
    }
    if (outlet->shared && outlet->watch != NULL) {
        struct pollfd asked = {.fd = outlet->fd, .events = POLLOUT};
        if (poll(&asked, 1, 0) <= 0)
            return wait_for(outlet);
        size = FAY_MIN(size, (size_t)SHARED_WRITE_MAX);
    }
    ssize_t n;
    do {
        n = outlet->socket ? send(outlet->fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL)
                           : write(outlet->fd, bytes, size);
    } while (n < 0 && errno == EINTR);
    if (n < 0 && errno == EAGAIN)
        return wait_for(outlet);
    if (n < 0 && errno == ECONNRESET)
        errno = EPIPE;
    return n;
}

void fay_outlet_wait(const fay_outlet *outlet, int ms)
{
    struct pollfd asked = {.fd = outlet->fd, .events = POLLOUT};
    (void)poll(&asked, 1, ms);
}

void fay_outlet_free(fay_outlet *outlet)
{
    if (outlet == NULL)
        return;
    fay_await_free(outlet->watch);
    if (outlet->owned)
        (void)close(outlet->fd);
    free(outlet);
}
