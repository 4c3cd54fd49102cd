/* SPDX-License-Identifier: MIT */
/*
 * A uv_poll handle and our own recv and sendmsg, rather than uv_stream: what is to be written lies
 * in several places (what was kept, header, head, data) and shall go in one call without being
 * copied first, and what is read shall lie in one piece, because frames are handed out as they lie.
 *
 *     frame callback ... frame callback, batch callback      poll phase: one read, all its frames
 *     prepare                                                before the next wait: one write
 *
 * The prepare handle is active only while something waits to be written, the timer fires at most
 * twice a second: an idle link costs next to nothing, and gives its memory back.
 */
#include "net/link.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    READ_MIN = 64 * 1024, /* room for a read; grows to READ_MAX while reads fill it */
    READ_MAX = 1024 * 1024,
    SEND_DIRECT = 16 * 1024,  /* frames from here on are not copied */
    SEND_CORKED = 256 * 1024, /* small frames that may wait for the end of the wake-up */
    SOCKET_BUFFER = 1024 * 1024,
    HANDLES = 3,
};

struct fay_link {
    uv_poll_t poll;
    uv_prepare_t prepare;
    uv_timer_t timer;
    int fd;
    unsigned handles; /* not closed yet */
    const fay_link_events *events;
    void *context;
    fay_buffer in, out;
    size_t read_size;
    uint64_t sent_ms, heard_ms;
    unsigned spared; /* in a row */
    bool closing;    /* nothing is called any more */
    bool blocked;    /* the socket takes nothing: wait until it is writable */
    bool broken;     /* writing failed: the peer is gone, what it sent may still be read */
    bool paused, untimed, full;
};

static void on_poll(uv_poll_t *handle, int status, int events);

static void watch(fay_link *link)
{
    int events = (link->paused ? 0 : UV_READABLE) | (link->blocked ? UV_WRITABLE : 0);
    if (link->closing)
        return;
    if (events != 0) {
        (void)uv_poll_start(&link->poll, events, on_poll);
    } else {
        (void)uv_poll_stop(&link->poll);
    }
}

static void on_handle_closed(uv_handle_t *handle)
{
    fay_link *link = handle->data;
    if (--link->handles > 0)
        return;
    (void)close(link->fd);
    fay_buffer_deinit(&link->in);
    fay_buffer_deinit(&link->out);
    free(link);
}

static void shut(fay_link *link)
{
    link->closing = true;
    uv_close((uv_handle_t *)&link->poll, on_handle_closed);
    uv_close((uv_handle_t *)&link->prepare, on_handle_closed);
    uv_close((uv_handle_t *)&link->timer, on_handle_closed);
}

static void finish(fay_link *link, int why)
{
    if (link->closing)
        return;
    shut(link);
    link->events->closed(link->context, why);
}

/* ---- writing -------------------------------------------------------------------------------- */

static void on_timer(uv_timer_t *timer);

/* Until something is to be done if neither end says a word. */
static uint64_t quiet_for(const fay_link *link)
{
    uint64_t now = uv_now(link->timer.loop), heard = now - link->heard_ms;
    uint64_t wait = FAY_LINK_PING_MS - FAY_MIN(now - link->sent_ms, FAY_LINK_PING_MS - 1);
    if (!link->paused && heard < FAY_LINK_SILENCE_MS)
        wait = FAY_MIN(wait, FAY_LINK_SILENCE_MS - heard);
    return wait;
}

/* Something has been sent: a link with traffic wakes nobody up for a ping that is not due. What was
 * to be done at once still is. */
static void postpone(fay_link *link)
{
    uv_timer_t *timer = &link->timer;
    if (link->untimed || link->closing || uv_timer_get_due_in(timer) == 0)
        return;
    (void)uv_timer_start(timer, on_timer, quiet_for(link), 0);
}

/* The peer takes nothing more. Reading finds the end, behind what it had sent before. */
static void break_off(fay_link *link)
{
    link->broken = true;
    link->blocked = false;
    fay_buffer_deinit(&link->out);
    if (link->paused)
        (void)uv_timer_start(&link->timer, on_timer, 0, 0);
    watch(link);
}

/* Writes the pieces as far as the socket takes them now. */
static size_t write_pieces(fay_link *link, struct iovec *pieces, size_t count)
{
    size_t total = 0;
    while (count > 0) {
        const struct msghdr message = {.msg_iov = pieces, .msg_iovlen = count};
        ssize_t sent = sendmsg(link->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && errno != EAGAIN) {
            break_off(link);
            return total;
        }
        if (sent < 0) {
            link->blocked = true;
            watch(link);
            return total;
        }
        link->sent_ms = uv_now(link->timer.loop);
        postpone(link);
        total += (size_t)sent;
        for (size_t left = (size_t)sent; count > 0;) {
            size_t step = FAY_MIN(left, pieces->iov_len);
            pieces->iov_base = (uint8_t *)pieces->iov_base + step;
            pieces->iov_len -= step;
            left -= step;
            if (pieces->iov_len > 0)
                break;
            pieces++;
            count--;
        }
    }
    return total;
}

static void on_drained(fay_link *link)
{
    if (!link->full || fay_buffer_size(&link->out) > FAY_LINK_KEPT_LOW)
        return;
    link->full = false;
    if (link->events->drained != NULL && !link->closing)
        link->events->drained(link->context);
}

static void flush(fay_link *link)
{
    size_t size = fay_buffer_size(&link->out);
    if (size == 0 || link->blocked || link->broken)
        return;
    struct iovec piece = {.iov_base = link->out.bytes + link->out.start, .iov_len = size};
    size_t sent = write_pieces(link, &piece, 1);
    if (link->broken)
        return;
    fay_buffer_consume(&link->out, sent);
    if (fay_buffer_size(&link->out) == 0 && link->out.capacity > 2 * (size_t)SEND_CORKED)
        fay_buffer_deinit(&link->out);
}

static void on_prepare(uv_prepare_t *prepare)
{
    fay_link *link = prepare->data;
    (void)uv_prepare_stop(prepare);
    flush(link);
}

static void cork(fay_link *link)
{
    if (link->blocked) {
        link->full = link->full || fay_buffer_size(&link->out) > FAY_LINK_KEPT_LOW;
    } else if (fay_buffer_size(&link->out) >= SEND_CORKED) {
        flush(link);
    } else {
        (void)uv_prepare_start(&link->prepare, on_prepare);
    }
}

// NOLINTNEXTLINE(readability-function-size): two pieces are two pointers and two sizes
void fay_link_send2(fay_link *link, fay_message type, uint16_t worker, const void *head,
                    size_t head_size, const void *data, size_t data_size)
{
    if (link->closing || link->broken)
        return;
    uint8_t header[FAY_FRAME_HEADER];
    fay_frame_header(header, type, 0, worker, head_size + data_size);
    size_t kept = fay_buffer_size(&link->out), sent = 0;
    if (head_size + data_size >= SEND_DIRECT && !link->blocked) {
        /* iovec takes pointers without const; sendmsg only reads */
        struct iovec pieces[] = {
            {.iov_base = link->out.bytes + link->out.start, .iov_len = kept},
            {.iov_base = header, .iov_len = sizeof header},
            {.iov_base = (void *)(uintptr_t)head, .iov_len = head_size}, // NOLINT
            {.iov_base = (void *)(uintptr_t)data, .iov_len = data_size}, // NOLINT
        };
        size_t first = kept == 0 ? 1 : 0;
        sent = write_pieces(link, pieces + first, FAY_COUNT(pieces) - first);
        if (link->broken)
            return;
    }
    size_t used = FAY_MIN(sent, kept);
    fay_buffer_consume(&link->out, used);
    sent -= used;
    const struct {
        const void *bytes;
        size_t size;
    } rest[] = {{header, sizeof header}, {head, head_size}, {data, data_size}};
    for (size_t i = 0; i < FAY_COUNT(rest); i++) {
        size_t gone = FAY_MIN(sent, rest[i].size);
        sent -= gone;
        if (gone < rest[i].size) {
            fay_buffer_append(&link->out, (const uint8_t *)rest[i].bytes + gone,
                              rest[i].size - gone);
        }
    }
    if (fay_buffer_size(&link->out) > 0)
        cork(link);
}

void fay_link_send(fay_link *link, fay_message type, uint16_t worker, const void *payload,
                   size_t size)
{
    fay_link_send2(link, type, worker, payload, size, NULL, 0);
}

void fay_link_forward(fay_link *link, const fay_frame *frame, uint16_t worker)
{
    fay_link_send2(link, frame->type, worker, frame->payload, frame->size, NULL, 0);
}

void fay_link_breathe(fay_link *link)
{
    uv_update_time(link->timer.loop);
    uint64_t now = uv_now(link->timer.loop);
    link->heard_ms = FAY_MAX(link->heard_ms, now - FAY_MIN(now, FAY_LINK_PING_MS));
    if (now - link->sent_ms < FAY_LINK_PING_MS)
        return;
    fay_link_send(link, FAY_MESSAGE_PING, 0, NULL, 0);
    if (!link->closing)
        flush(link);
}

size_t fay_link_backlog(const fay_link *link)
{
    return fay_buffer_size(&link->out);
}

/* ---- reading -------------------------------------------------------------------------------- */

/* Hands out all whole frames. false: the link is closing. */
static bool give_frames(fay_link *link)
{
    size_t needed = 0;
    while (!link->closing && !link->paused) {
        fay_frame frame;
        int rc = fay_frame_parse(fay_buffer_data(&link->in), fay_buffer_size(&link->in), &frame,
                                 &needed);
        if (rc == FAY_FRAME_MORE)
            break;
        if (rc == FAY_FRAME_WHOLE && frame.type != FAY_MESSAGE_PING)
            rc = link->events->frame(link->context, &frame);
        if (rc < 0) {
            finish(link, rc);
            return false;
        }
        if (!link->closing)
            fay_buffer_consume(&link->in, FAY_FRAME_HEADER + frame.size);
    }
    return !link->closing;
}

static void on_readable(fay_link *link)
{
    uint8_t *room = fay_buffer_reserve(&link->in, link->read_size);
    size_t size = FAY_MIN(link->in.capacity - link->in.end, (size_t)READ_MAX);
    ssize_t got = recv(link->fd, room, size, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        finish(link, got == 0 || errno == ECONNRESET ? 0 : FAY_E_IO);
        return;
    }
    fay_buffer_commit(&link->in, (size_t)got);
    link->heard_ms = uv_now(link->timer.loop);
    link->spared = 0;
    if ((size_t)got >= link->read_size)
        link->read_size = FAY_MIN(link->read_size * 2, (size_t)READ_MAX);
    if (give_frames(link) && link->events->batch != NULL)
        link->events->batch(link->context);
}

static bool something_to_read(const fay_link *link)
{
    struct pollfd fd = {.fd = link->fd, .events = POLLIN};
    return poll(&fd, 1, 0) > 0;
}

static void on_poll(uv_poll_t *handle, int status, int events)
{
    fay_link *link = handle->data;
    if (status < 0) { /* an error is pending, behind what is to be read; libuv has stopped */
        if (link->paused)
            break_off(link);
        while (!link->closing && !link->paused && something_to_read(link)) {
            on_readable(link);
        }
        return;
    }
    if ((events & UV_WRITABLE) != 0 && link->blocked) {
        link->blocked = false;
        flush(link);
        if (!link->blocked)
            watch(link);
        on_drained(link);
    }
    if ((events & UV_READABLE) != 0 && !link->closing && !link->paused)
        on_readable(link);
}

void fay_link_pause(fay_link *link, bool paused)
{
    if (link->closing || link->paused == paused)
        return;
    link->paused = paused;
    link->heard_ms = uv_now(link->timer.loop);
    if (paused || fay_buffer_size(&link->in) == 0) {
        watch(link);
        return;
    }
    (void)uv_timer_start(&link->timer, on_timer, 0, 0); /* not from within the caller */
    watch(link);
}

/* ---- life ----------------------------------------------------------------------------------- */

static void free_idle_memory(fay_link *link)
{
    if (fay_buffer_size(&link->in) == 0)
        fay_buffer_deinit(&link->in);
    if (fay_buffer_size(&link->out) == 0)
        fay_buffer_deinit(&link->out);
    link->read_size = READ_MIN;
}

/* On a machine that is full of work a peer may not get to say a word for seconds. */
static bool spare(fay_link *link)
{
    const fay_link_events *events = link->events;
    if (events->spares == NULL || link->spared >= FAY_LINK_SPARED_MAX)
        return false;
    link->spared++;
    return events->spares(link->context);
}

static void on_timer(uv_timer_t *timer)
{
    fay_link *link = timer->data;
    uint64_t now = uv_now(timer->loop);
    if (link->broken && link->paused) {
        finish(link, 0);
        return;
    }
    if (!link->paused && fay_buffer_size(&link->in) > 0) { /* held back by a pause */
        if (!give_frames(link))
            return;
        if (link->events->batch != NULL)
            link->events->batch(link->context);
        if (link->closing)
            return;
    }
    if (link->untimed)
        return;
    /* After a stop of our own its bytes may be here, unread: that is no silence. */
    if (!link->paused && now - link->heard_ms >= FAY_LINK_SILENCE_MS && !something_to_read(link)) {
        if (!spare(link)) {
            finish(link, FAY_E_TIMEOUT);
            return;
        }
        link->heard_ms = now;
    }
    if (now - link->sent_ms >= FAY_LINK_PING_MS) {
        if (now - link->heard_ms >= FAY_LINK_PING_MS / 2)
            free_idle_memory(link);
        if (!link->blocked)
            fay_link_send(link, FAY_MESSAGE_PING, 0, NULL, 0);
        link->sent_ms = now;
    }
    if (!link->closing)
        (void)uv_timer_start(timer, on_timer, quiet_for(link), 0);
}

void fay_link_untimed(fay_link *link)
{
    link->untimed = true;
    (void)uv_timer_stop(&link->timer);
}

fay_link *fay_link_open(uv_loop_t *loop, int fd, const fay_link_events *events, void *context)
{
    fay_link *link = fay_alloc(sizeof *link);
    *link = (fay_link){.fd = fd, .events = events, .context = context, .handles = HANDLES};
    link->read_size = READ_MIN;
    (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    int size =
        SOCKET_BUFFER; /* the first needs a privilege, the second is cut to what is allowed */
    if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) != 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    int rc = uv_poll_init(loop, &link->poll, fd); /* makes it non-blocking */
    assert(rc == 0);
    (void)uv_prepare_init(loop, &link->prepare);
    (void)uv_timer_init(loop, &link->timer);
    link->poll.data = link->prepare.data = link->timer.data = link;
    uv_update_time(loop);
    link->sent_ms = link->heard_ms = uv_now(loop);
    (void)uv_timer_start(&link->timer, on_timer, FAY_LINK_PING_MS, 0);
    watch(link);
    return link;
}

void fay_link_close(fay_link *link)
{
    if (link->closing)
        return;
    flush(link);
    shut(link);
}
