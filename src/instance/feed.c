/* SPDX-License-Identifier: MIT */
/*
 * Workers that live for many Items: what they are given goes to their stdin as far as the pipe
 * takes it, what they print goes to the mode as it lies, and when they exit the rest of it first.
 *
 * frames workers have a link instead, on descriptor 3; their stdout goes where their stderr goes.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "instance/worker.h"
#include "wire/codec.h"

enum {
    PIPE_SIZE = 256 * 1024, /* fewer wake-ups */
    READ_SIZE = 256 * 1024,
    BUFFERING_PTY = 1,
};
#define BROKEN_AFTER (500 * FAY_MS) /* an exit that explains it comes before that */

/* A worker that has closed a stream is about to exit, or wrong. */
static void broken(fay_worker *w, const char *error)
{
    if (w->broken_at != FAY_NEVER || (w->retiring && fay_mode_owed(w->mode) == 0))
        return;
    w->broken = error;
    w->broken_at = fay_now() + BROKEN_AFTER;
    fay_tick_by(w->instance, w->broken_at);
}

/* ---- what it prints ------------------------------------------------------------------------- */

/* The Items that its answers belong to cannot be told any more: neither those that are held back
 * here, nor those that were passed on. */
static void breach(fay_worker *w)
{
    char message[FAY_ERROR_TEXT_MAX];
    (void)snprintf(message, sizeof message,
                   "stage '%s': a worker %s: in mode lines it prints exactly one line for each",
                   w->instance->setup.stage, fay_mode_error(w->mode));
    fay_stage_breach(w->instance, message,
                     "mode batch, exec or json is for workers that print more or fewer (a filter); "
                     "a banner belongs on stderr; lines written so far may belong to other Items "
                     "than it seems");
    fay_worker_kill(w, FAY_DOWN_GARBAGE, fay_mode_error(w->mode));
}

/* It was told to go, or has nothing in hand and was told that no more comes: but a line that a
 * lines worker prints of its own accord is one too many even then. */
static bool is_unasked(const fay_worker *w)
{
    if (w->kill == FAY_DOWN_GARBAGE || w->kill == FAY_DOWN_RECYCLED)
        return true;
    bool told = w->killed || w->stop_step > 0;
    return w->retiring && fay_mode_held(w->mode) == 0 &&
           (told || w->instance->setup.mode != FAY_MODE_LINES);
}

/* `status`: as from waitpid, of a worker that has ended and will print no more; NULL = it may. */
static void process(fay_worker *w, const int *status)
{
    fay_instance *in = w->instance;
    if (is_unasked(w)) {
        fay_buffer_clear(&w->out);
        return;
    }
    fay_output output = {.bytes = fay_buffer_data(&w->out),
                         .size = fay_buffer_size(&w->out),
                         .final = status != NULL,
                         .well = status != NULL && *status == 0 && w->waits};
    fay_ns now = fay_now();
    w->sign = now;
    int rc = fay_mode_output(w->mode, &output, now, &in->replies);
    fay_worker_reply(w);
    fay_buffer_consume(&w->out, output.used);
    if (rc == FAY_MODE_REFUSED) { /* the Item at fault has its verdict; the others go back */
        fay_worker_kill(w, FAY_DOWN_RECYCLED, fay_mode_error(w->mode));
    } else if (rc == FAY_MODE_BREACH) {
        breach(w);
    } else if (rc < 0) {
        fay_worker_kill(w, FAY_DOWN_GARBAGE, fay_mode_error(w->mode));
    }
}

/* One read. Returns what read() does; a pty whose other end is gone is at its end. */
static ssize_t read_output(fay_worker *w)
{
    uint8_t *room = fay_buffer_reserve(&w->out, READ_SIZE);
    ssize_t n = read(w->output->fd, room, READ_SIZE);
    if (n < 0 && errno == EIO)
        n = 0;
    if (n > 0)
        fay_buffer_commit(&w->out, (size_t)n);
    return n;
}

static void on_output(void *context)
{
    fay_worker *w = context;
    fay_instance *in = w->instance;
    if (in->choked) {
        w->choked = true;
        fay_watch_set(w->output, 0);
        return;
    }
    ssize_t n = read_output(w);
    if (n < 0)
        return;
    if (n == 0) {
        fay_watch_close(&w->output);
        broken(w, "closed its standard output while it should answer");
        return;
    }
    process(w, NULL);
    fay_feed_write(w); /* json: an answer makes room for a request */
    fay_worker_answered(w);
}

void fay_feed_resume(fay_worker *w)
{
    if (!w->choked)
        return;
    w->choked = false;
    if (w->output != NULL)
        fay_watch_set(w->output, UV_READABLE);
    if (w->link != NULL)
        fay_link_pause(w->link, false);
}

/* ---- what it is given ----------------------------------------------------------------------- */

/* Nobody reads its stdin any more. What is left in the pipe tells whether anybody ever has. */
static void close_unread(fay_worker *w)
{
    int unread = 0;
    if (w->input == NULL)
        return;
    (void)ioctl(w->input->fd, FIONREAD, &unread);
    w->untouched = (uint64_t)unread == w->written && !w->killed;
    fay_watch_close(&w->input);
}

/* The worker has closed its stdin. What lies in the pipe then it can never read; else it may still
 * answer what it has, but gets no more. */
static void on_input_closed(fay_worker *w)
{
    int unread = 0;
    if (fay_mode_held(w->mode) == 0)
        return; /* it is about to exit; else the next Item finds it out */
    if (ioctl(w->input->fd, FIONREAD, &unread) == 0 && unread > 0) {
        broken(w, "closed its standard input while it had Items to come");
    } else {
        if (w->instance->setup.mode == FAY_MODE_LINES)
            fay_watch_close(&w->input); /* by its own will: what it prints still counts at once */
        fay_worker_retire(w, FAY_DOWN_RECYCLED);
    }
}

/* Unless it has left before, by its own will: that is no end that we have given it. */
static void end_input(fay_worker *w)
{
    struct pollfd fd = {.fd = w->input->fd};
    if (poll(&fd, 1, 0) == 0)
        fay_mode_input_ended(w->mode);
    fay_watch_close(&w->input);
}

static void on_input(void *context)
{
    fay_worker *w = context;
    if (w->input->events == 0) { /* an error, which is that */
        on_input_closed(w);
    } else {
        fay_feed_write(w);
    }
}

void fay_feed_write(fay_worker *w)
{
    bool lines = w->instance->setup.mode == FAY_MODE_LINES;
    while (w->input != NULL) {
        size_t size;
        const uint8_t *bytes = fay_mode_input(w->mode, &size);
        if (size == 0) {
            fay_watch_set(w->input, UV_DISCONNECT);
            if (w->ends || (w->retiring && lines && fay_mode_owed(w->mode) == 0))
                end_input(w);
            return;
        }
        ssize_t n = write(w->input->fd, bytes, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN) {
            fay_watch_set(w->input, UV_WRITABLE);
            return;
        }
        if (n < 0) {
            close_unread(w);
            broken(w, "closed its standard input while it had Items to come");
            return;
        }
        w->written += (size_t)n;
        fay_mode_wrote(w->mode, (size_t)n, fay_now());
    }
}

void fay_feed_end(fay_worker *w, bool waits)
{
    w->ends = true;
    w->waits = waits;
    fay_feed_write(w);
}

/* ---- frames --------------------------------------------------------------------------------- */

/* The next one would fare no better. */
static void cannot_start(fay_worker *w, fay_text why, const char *hint)
{
    const fay_setup *s = &w->instance->setup;
    char message[FAY_ERROR_TEXT_MAX];
    (void)snprintf(message, sizeof message, "cannot start stage '%s': %s%.*s", s->stage,
                   s->argv[0] != NULL ? s->argv[0] : s->module, (int)why.size, why.bytes);
    fay_stage_failed(w->instance, message, hint);
    fay_worker_kill(w, FAY_DOWN_START_FAILED, message);
}

static void on_hello(fay_worker *w, const fay_frame *frame)
{
    if (frame->size >= 4 && fay_load32(frame->payload) == FAY_PROTOCOL_VERSION) {
        w->greeted = true;
    } else {
        cannot_start(w, fay_text_from(" speaks another protocol version"),
                     "link it with the libfaymora-worker of this installation");
    }
}

static void on_up(fay_worker *w, const fay_frame *frame)
{
    if (w->greeted && !w->up && frame->size == 12) {
        fay_worker_ready(w);
    } else {
        fay_worker_kill(w, FAY_DOWN_GARBAGE, "sent an UP that is none");
    }
}

/* The worker's class or its init() refuses. */
static void on_failed(fay_worker *w, const fay_frame *frame)
{
    fay_failed failed;
    if (fay_failed_parse(frame->payload, frame->size, &failed) != 0) {
        fay_worker_kill(w, FAY_DOWN_GARBAGE, "sent a FAILED that is none");
        return;
    }
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer text = {0};
    fay_buffer_printf(&text, ": %.*s", (int)failed.message.size, failed.message.bytes);
    FAY_CLEANUP(fay_freep) char *hint = fay_strndup(failed.hint.bytes, failed.hint.size);
    cannot_start(w, fay_text_from(fay_buffer_text(&text)), hint);
}

static int on_frame(void *context, const fay_frame *frame)
{
    fay_worker *w = context;
    if (w->kill == FAY_DOWN_GARBAGE || w->kill == FAY_DOWN_START_FAILED)
        return 0;
    if (frame->type == FAY_MESSAGE_HELLO) {
        on_hello(w, frame);
        return 0;
    }
    if (frame->type == FAY_MESSAGE_UP) {
        on_up(w, frame);
        return 0;
    }
    if (frame->type == FAY_MESSAGE_FAILED) {
        on_failed(w, frame);
        return 0;
    }
    fay_ns now = fay_now();
    w->sign = now;
    int rc = fay_mode_frame(w->mode, frame, now, &w->instance->replies);
    fay_worker_reply(w);
    if (rc < 0)
        fay_worker_kill(w, FAY_DOWN_GARBAGE, fay_mode_error(w->mode));
    return 0;
}

static void on_batch(void *context)
{
    fay_worker *w = context;
    if (w->instance->choked) {
        w->choked = true;
        fay_link_pause(w->link, true);
    }
    fay_worker_answered(w);
}

/* The end of what it printed. Without a good exit its last line counts only if it is whole. */
static void last_output(fay_worker *w, int status)
{
    bool well = status == 0;
    if (!fay_mode_holds_back(w->mode)) {
        if (well && fay_buffer_size(&w->out) > 0)
            process(w, &status);
        return;
    }
    size_t size = fay_buffer_size(&w->out);
    const uint8_t *start = fay_buffer_data(&w->out);
    const uint8_t *newline = size > 0 ? memrchr(start, '\n', size) : NULL;
    if (!well)
        w->out.end -= newline != NULL ? (size_t)(start + size - newline - 1) : size;
    bool by_itself = WIFEXITED(status) && !w->killed && w->kill == FAY_DOWN_RETIRED;
    if (by_itself || fay_mode_owed(w->mode) == 0) /* else it is known what it died of */
        process(w, &status);
}

/* Reaps the process and gives its end, when both it and its streams have ended. */
static void ended(fay_worker *w)
{
    int status = 0;
    fay_child_signal(&w->child, SIGKILL); /* what it has left in its group; it is a zombie itself */
    if (!fay_child_reap(&w->child, &status, NULL))
        return;
    w->running = false;
    fay_watch_close(&w->pid);
    close_unread(w);
    fay_tick_sweep(w->instance);
    size_t total = 0;
    while (w->output != NULL && total < FAY_LEFT_MAX) {
        ssize_t n = read_output(w);
        if (n <= 0)
            break;
        total += (size_t)n;
        process(w, NULL);
    }
    if (w->link == NULL)
        last_output(w, status);
    fay_worker_down(w, status);
}

static void on_link_closed(void *context, int why)
{
    fay_worker *w = context;
    w->link = NULL;
    if (why == FAY_E_PEER)
        fay_worker_kill(w, FAY_DOWN_GARBAGE, "sent what is no message");
    if (w->pid != NULL && w->pid->events == 0) { /* it was waited for */
        ended(w);
        return;
    }
    broken(w, "closed its connection");
}

static void on_exit_seen(void *context)
{
    fay_worker *w = context;
    if (w->link != NULL && w->broken_at == FAY_NEVER) { /* what it sent last is still to be read */
        fay_child_signal(&w->child, SIGKILL);
        fay_watch_set(w->pid, 0);
        w->broken = "exited";
        w->broken_at = fay_now() + BROKEN_AFTER;
        fay_tick_by(w->instance, w->broken_at);
        fay_feed_resume(w);
        return;
    }
    ended(w);
}

void fay_feed_overdue(fay_worker *w)
{
    w->broken_at = FAY_NEVER;
    if (w->pid != NULL && w->pid->events == 0) { /* somebody holds its connection open */
        ended(w);
    } else {
        fay_worker_kill(w, FAY_DOWN_GARBAGE, w->broken);
    }
}

/* ---- start ---------------------------------------------------------------------------------- */

/* The descriptors of a worker-to-be: ours, and those that it gets. */
typedef struct ends {
    int ours_in, ours_out;
    int fds[FAY_SPAWN_FDS_MAX];
} ends;

/* A terminal that passes bytes on as they are: programs print line by line to it. */
static int open_terminal(int *ret_read, int *ret_write)
{
    struct termios raw = {0};
    cfmakeraw(&raw);
    if (openpty(ret_read, ret_write, NULL, &raw, NULL) != 0)
        return errno;
    (void)fcntl(*ret_read, F_SETFD, FD_CLOEXEC);
    (void)fcntl(*ret_write, F_SETFD, FD_CLOEXEC);
    return 0;
}

static int open_streams(const fay_instance *in, ends *e)
{
    if (in->setup.mode == FAY_MODE_FRAMES) {
        int pair[2];
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
            return errno;
        e->ours_in = pair[0];
        e->fds[3] = pair[1];
        return 0;
    }
    int error = fay_watch_pipe(PIPE_SIZE, &e->fds[0], &e->ours_in);
    if (error == 0) {
        error = in->setup.buffering == BUFFERING_PTY
                    ? open_terminal(&e->ours_out, &e->fds[1])
                    : fay_watch_pipe(PIPE_SIZE, &e->ours_out, &e->fds[1]);
    }
    return error;
}

static void close_end(int fd)
{
    if (fd >= 0)
        (void)close(fd);
}

static const fay_link_events worker_link = {
    .frame = on_frame, .batch = on_batch, .closed = on_link_closed};

static void watch_streams(fay_worker *w, const ends *e)
{
    fay_instance *in = w->instance;
    w->running = true;
    w->pid = fay_watch_open(&in->loop, w->child.pidfd, UV_READABLE, on_exit_seen, w);
    if (in->setup.mode != FAY_MODE_FRAMES) {
        w->input = fay_watch_open(&in->loop, e->ours_in, 0, on_input, w);
        w->output = fay_watch_open(&in->loop, e->ours_out, UV_READABLE, on_output, w);
        return;
    }
    w->link = fay_link_open(&in->loop, e->ours_in, &worker_link, w);
    fay_link_untimed(w->link);
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer setup = {0};
    fay_setup_write(&in->setup, &setup);
    fay_link_send(w->link, FAY_MESSAGE_SETUP, 0, fay_buffer_data(&setup), fay_buffer_size(&setup));
}

int fay_feed_start(fay_worker *w)
{
    fay_instance *in = w->instance;
    ends e = {.ours_in = -1, .ours_out = -1, .fds = {-1, -1, -1, -1}};
    int error = open_streams(in, &e);
    if (error == 0)
        error = fay_errors_open(w, &e.fds[2]);
    bool frames = in->setup.mode == FAY_MODE_FRAMES;
    fay_spawn spawn = {.file = in->file,
                       .argv = in->argv,
                       .env = (const char *const *)w->env,
                       .cwd = in->setup.cwd,
                       .fds = {e.fds[0], frames ? e.fds[2] : e.fds[1], e.fds[2], e.fds[3]},
                       .death_signal = SIGKILL};
    if (error == 0)
        (void)fay_spawn_start(&spawn, &w->child, &error);
    for (size_t i = 0; i < FAY_SPAWN_FDS_MAX; i++) {
        close_end(e.fds[i]);
    }
    if (error != 0) {
        close_end(e.ours_in);
        close_end(e.ours_out);
        return error;
    }
    watch_streams(w, &e);
    return 0;
}
