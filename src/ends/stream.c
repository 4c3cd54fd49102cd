/* SPDX-License-Identifier: MIT */
#include "ends/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loop/await.h"

struct fay_stream {
    int fd;
    bool owned;  /* closed with the stream */
    bool shared; /* may block: ask first */
    bool socket;
    bool fifo;        /* opened by us, perhaps before its first writer */
    fay_await *watch; /* NULL: it never blocks */
    void (*ready)(void *context);
    void *context;
};

static void on_ready(void *context, unsigned events)
{
    (void)events;
    fay_stream *stream = context;
    fay_await_want(stream->watch, 0); /* until somebody has read in vain again */
    stream->ready(stream->context);
}

static int reopen(int fd)
{
    FAY_CLEANUP(fay_freep) char *path = fay_printed("/proc/self/fd/%d", fd);
    return open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
}

fay_stream *fay_stream_new(uv_loop_t *loop, int fd, bool inherited, void (*ready)(void *context),
                           void *context)
{
    fay_stream *stream = fay_alloc(sizeof *stream);
    *stream = (fay_stream){.fd = fd, .owned = !inherited, .ready = ready, .context = context};
    struct stat stat;
    bool known = fstat(fd, &stat) == 0;
    stream->socket = known && S_ISSOCK(stat.st_mode);
    if (!inherited) {
        int flags = fcntl(fd, F_GETFL);
        (void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    } else if (known && S_ISFIFO(stat.st_mode) && (fd = reopen(fd)) >= 0) {
        stream->fd = fd;
        stream->owned = true;
    } else {
        stream->shared = !stream->socket;
    }
    stream->watch = fay_await_new(loop, stream->fd, on_ready, stream);
    return stream;
}

int fay_stream_open(uv_loop_t *loop, const char *path, void (*ready)(void *context), void *context,
                    fay_stream **ret, fay_error *err)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return fay_fail_errno(err, FAY_E_IO, errno, "cannot read %s", path);
    fay_stream *stream = fay_stream_new(loop, fd, false, ready, context);
    struct stat stat;
    stream->fifo = fstat(fd, &stat) == 0 && S_ISFIFO(stat.st_mode);
    *ret = stream;
    return 0;
}

static short asked(const fay_stream *stream, short events)
{
    struct pollfd asked = {.fd = stream->fd, .events = events};
    return (short)(poll(&asked, 1, 0) > 0 ? asked.revents : 0);
}

static int wait_for(fay_stream *stream)
{
    fay_await_want(stream->watch, FAY_AWAIT_READ);
    return FAY_STREAM_WAIT;
}

int fay_stream_read(fay_stream *stream, fay_intake *intake)
{
    if (stream->shared && stream->watch != NULL && asked(stream, POLLIN) == 0)
        return wait_for(stream);

    size_t room;
    uint8_t *to = fay_intake_room(intake, &room);
    ssize_t n;
    do {
        n = stream->socket ? recv(stream->fd, to, room, MSG_DONTWAIT) : read(stream->fd, to, room);
    } while (n < 0 && errno == EINTR);
    if (n > 0) {
        fay_buffer_commit(&intake->buffer, (size_t)n);
        stream->fifo = false; /* it has a writer, or had one */
        return FAY_STREAM_MORE;
    }
    if (n == 0 && stream->fifo && (asked(stream, 0) & POLLHUP) == 0)
        return wait_for(stream);
    if (n == 0)
        return FAY_STREAM_END;
    if (errno == EAGAIN)
        return wait_for(stream);
    /* A terminal or a peer that is gone ends a stream like any other. */
    return errno == EIO || errno == ECONNRESET ? FAY_STREAM_END : FAY_E_IO;
}

void fay_stream_free(fay_stream *stream)
{
    if (stream == NULL)
        return;
    fay_await_free(stream->watch);
    if (stream->owned)
        (void)close(stream->fd);
    free(stream);
}
