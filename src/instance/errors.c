/* SPDX-License-Identifier: MIT */
/*
 * What workers say on stderr: passed on to ours a line at a time, so that lines of several workers
 * do not mix, and the end of it kept for the news of a failure.
 *
 * Our stderr is shared with others, so it cannot be made non-blocking; it is asked before each
 * write. What it does not take waits here, and past a bound the workers wait, as they would have
 * if they had written there themselves. The link never waits for a terminal.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "instance/worker.h"

enum {
    PIECE = 4096,
    WAITING_MAX = 64 * 1024,
    DRAIN_MAX = 256 * 1024
};
#define RETRY_NS (20 * FAY_MS)

/* Whole lines up to what a pipe takes in one piece. */
static size_t piece_of(const fay_buffer *lines)
{
    size_t size = FAY_MIN(fay_buffer_size(lines), (size_t)PIECE);
    const uint8_t *start = fay_buffer_data(lines);
    const uint8_t *end = size < fay_buffer_size(lines) ? memrchr(start, '\n', size) : NULL;
    return end != NULL ? (size_t)(end - start) + 1 : size;
}

static void set_reading(fay_instance *in, bool reading)
{
    for (size_t i = 0; i < in->workers_count; i++) {
        if (in->workers[i] != NULL && in->workers[i]->errors != NULL)
            fay_watch_set(in->workers[i]->errors, reading ? UV_READABLE : 0);
    }
}

void fay_errors_write(fay_instance *in)
{
    bool was_full = fay_buffer_size(&in->errors) > WAITING_MAX;
    in->errors_at = FAY_NEVER;
    while (fay_buffer_size(&in->errors) > 0) {
        struct pollfd fd = {.fd = STDERR_FILENO, .events = POLLOUT};
        if (poll(&fd, 1, 0) == 0) {
            in->errors_at = fay_now() + RETRY_NS;
            fay_tick_by(in, in->errors_at);
            break;
        }
        ssize_t n = write(STDERR_FILENO, fay_buffer_data(&in->errors), piece_of(&in->errors));
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (n <= 0) {
            fay_buffer_clear(&in->errors); /* nobody listens */
            break;
        }
        fay_buffer_consume(&in->errors, (size_t)n);
    }
    bool full = fay_buffer_size(&in->errors) > WAITING_MAX;
    if (full != was_full || full)
        set_reading(in, !full);
    if (fay_buffer_size(&in->errors) == 0 && in->errors.capacity > WAITING_MAX)
        fay_buffer_deinit(&in->errors);
}

static void pass_line(fay_worker *w, const uint8_t *line, size_t size)
{
    fay_instance *in = w->instance;
    if (in->setup.tag != 0)
        fay_buffer_printf(&in->errors, "%s/%u| ", in->setup.stage, w->number + 1u);
    fay_buffer_append(&in->errors, line, size);
}

void fay_errors_flush(fay_worker *w)
{
    size_t size = fay_buffer_size(&w->line);
    if (size == 0)
        return;
    pass_line(w, fay_buffer_data(&w->line), size);
    if (w->instance->setup.tag != 0)
        fay_buffer_append(&w->instance->errors, "\n", 1);
    fay_buffer_deinit(&w->line);
    fay_errors_write(w->instance);
}

static void keep_tail(fay_worker *w, const uint8_t *bytes, size_t size)
{
    fay_buffer_append(&w->tail, bytes, size);
    if (fay_buffer_size(&w->tail) > 2 * FAY_STDERR_TAIL_MAX)
        fay_buffer_consume(&w->tail, fay_buffer_size(&w->tail) - FAY_STDERR_TAIL_MAX);
}

static void take(fay_worker *w, const uint8_t *bytes, size_t size)
{
    keep_tail(w, bytes, size);
    fay_buffer_append(&w->line, bytes, size);
    for (;;) {
        const uint8_t *start = fay_buffer_data(&w->line);
        size_t left = fay_buffer_size(&w->line);
        const uint8_t *end = left > 0 ? memchr(start, '\n', left) : NULL;
        if (end == NULL)
            break;
        pass_line(w, start, (size_t)(end - start) + 1);
        fay_buffer_consume(&w->line, (size_t)(end - start) + 1);
    }
    if (fay_buffer_size(&w->line) > FAY_STDERR_LINE_MAX)
        fay_errors_flush(w);
    if (fay_buffer_size(&w->instance->errors) > 0)
        fay_errors_write(w->instance);
}

void fay_errors_drain(fay_worker *w)
{
    uint8_t bytes[PIECE];
    size_t total = 0;
    while (w->errors != NULL && total < DRAIN_MAX) {
        ssize_t n = read(w->errors->fd, bytes, sizeof bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return; /* EAGAIN */
        if (n == 0) {
            fay_watch_close(&w->errors);
            return;
        }
        take(w, bytes, (size_t)n);
        total += (size_t)n;
        if ((size_t)n < sizeof bytes)
            return;
    }
}

static void on_errors(void *context)
{
    fay_errors_drain(context);
}

int fay_errors_open(fay_worker *w, int *ret_end)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return errno;
    w->errors = fay_watch_open(&w->instance->loop, ends[0], UV_READABLE, on_errors, w);
    *ret_end = ends[1];
    return 0;
}
