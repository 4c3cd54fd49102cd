/* SPDX-License-Identifier: MIT */
/*
 * exec and batch: a process for each try.
 *
 *     next --> start --> reads output, holds it --> exit --+-- good: send it, in parts --> next
 *                             '-- too much, too long: kill-'-- else: verdict -----------> next
 *
 * A process has ended when its pidfd says so: what it has printed is in the pipe then, and what it
 * left running is killed with its group, so nothing else can add to it.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/units.h"
#include "instance/worker.h"
#include "item/format.h"

enum {
    READ_SIZE = 64 * 1024,
    EXIT_WITHIN_MS = 1,
    EMIT_WHOLE = 1,
};

static void send_output(fay_worker *w);

/* ---- while it runs -------------------------------------------------------------------------- */

/* Kills the process for what it did; the verdict says it. */
static void stop_try(fay_worker *w, bool too_large, const char *error)
{
    if (w->failed != NULL || w->timed_out)
        return;
    w->too_large = too_large;
    (void)snprintf(w->error, sizeof w->error, "%s", error);
    w->failed = w->error;
    if (w->running) /* else it is reaped, and its number may be somebody else's */
        fay_child_signal(&w->child, SIGKILL);
}

void fay_try_timed_out(fay_worker *w)
{
    if (w->failed == NULL && w->running) {
        w->timed_out = true;
        fay_child_signal(&w->child, SIGKILL);
    }
}

void fay_try_over_memory(fay_worker *w, const char *error)
{
    if (w->failed != NULL || w->timed_out)
        return;
    w->over_memory = true;
    stop_try(w, false, error);
}

static void check_limits(fay_worker *w, const uint8_t *bytes, size_t size)
{
    const fay_setup *s = &w->instance->setup;
    char text[FAY_UNITS_TEXT_MAX], error[128];
    uint64_t total = fay_held_output_size(&w->held);
    const uint8_t *newline = NULL;
    if (s->emit != EMIT_WHOLE && s->format <= FAY_FORMAT_JSONL)
        newline = memrchr(bytes, '\n', size);
    w->line_size = newline != NULL ? (uint64_t)(bytes + size - newline - 1) : w->line_size + size;
    bool whole = s->emit == EMIT_WHOLE || s->format <= FAY_FORMAT_JSONL;
    if (s->output_max > 0 && total > s->output_max) {
        (void)snprintf(error, sizeof error, "printed more than max_output (%s)",
                       fay_size_text(s->output_max, text));
        stop_try(w, true, error);
    } else if (whole && w->line_size > s->item_max) {
        (void)snprintf(error, sizeof error, "printed an Item of more than max_item (%s)",
                       fay_size_text(s->item_max, text));
        stop_try(w, true, error);
    }
}

static void cannot_keep(fay_worker *w, int fault)
{
    char error[256], why[128];
    (void)snprintf(error, sizeof error, "cannot keep its output: %s",
                   strerror_r(fault, why, sizeof why));
    stop_try(w, false, error);
}

/* One read; what read() returns. */
static ssize_t read_output(fay_worker *w)
{
    uint8_t *room = fay_buffer_reserve(&w->held.memory, READ_SIZE);
    ssize_t n = read(w->output->fd, room, READ_SIZE);
    if (n <= 0 || w->failed != NULL)
        return n;
    fay_buffer_commit(&w->held.memory, (size_t)n);
    check_limits(w, room, (size_t)n);
    if (fay_held_output_added(&w->held) != 0)
        cannot_keep(w, errno);
    return n;
}

static void on_exit_seen(void *context);

static void on_output(void *context)
{
    fay_worker *w = context;
    if (read_output(w) != 0)
        return;
    fay_watch_close(&w->output);
    /* A process that exits closes its files a moment before it can be reaped: waiting for that
     * here saves a round through the loop for nearly every Item. */
    struct pollfd fd = {.fd = w->pid->fd, .events = POLLIN};
    if (poll(&fd, 1, EXIT_WITHIN_MS) > 0)
        on_exit_seen(w);
}

static void on_input(void *context)
{
    fay_worker *w = context;
    for (;;) {
        size_t size;
        const uint8_t *bytes = fay_mode_input(w->mode, &size);
        ssize_t n = size > 0 ? write(w->input->fd, bytes, size) : 0;
        if (n < 0 && errno == EAGAIN) {
            fay_watch_set(w->input, UV_WRITABLE);
            return;
        }
        if (n <= 0) { /* all is written, or it wants no more: its exit says what that means */
            fay_watch_close(&w->input);
            return;
        }
        fay_mode_wrote(w->mode, (size_t)n, fay_now());
    }
}

/* ---- its end -------------------------------------------------------------------------------- */

/* The timeout is that of one Item: a batch has as many. */
static void broken_batch(fay_worker *w, int status)
{
    char each[FAY_UNITS_TEXT_MAX];
    if (w->timed_out) {
        w->kill = FAY_DOWN_TIMEOUT;
        (void)snprintf(w->error, sizeof w->error,
                       "took longer than timeout (%s for each of %zu Items)",
                       fay_duration_text(w->instance->setup.timeout, each), fay_mode_held(w->mode));
    } else if (w->failed != NULL) {
        w->kill = w->over_memory ? FAY_DOWN_OOM : FAY_DOWN_GARBAGE;
    }
    w->retiring = false;
    fay_worker_down(w, status);
}

static void judge(fay_worker *w, int start_errno, int status)
{
    fay_instance *in = w->instance;
    bool killed = w->kill != FAY_DOWN_RETIRED || start_errno != 0;
    if (killed || status != 0)
        fay_errors_drain(w);
    size_t tail = FAY_MIN(fay_buffer_size(&w->tail), FAY_STDERR_TAIL_MAX);
    const fay_ending ending = {.start_errno = start_errno,
                               .status = status,
                               .timed_out = w->timed_out,
                               .too_large = w->too_large,
                               .error = w->failed,
                               .tail = tail > 0 ? w->tail.bytes + w->tail.end - tail : NULL,
                               .tail_size = tail};
    int rc = fay_mode_ended(w->mode, &ending, fay_now(), &in->replies);
    fay_worker_reply(w);
    if (rc == FAY_MODE_BROKEN) {
        broken_batch(w, status);
    } else if (rc == FAY_MODE_ACCEPTED) {
        w->sending = true;
        send_output(w);
    } else {
        fay_held_output_clear(&w->held);
        if (rc == FAY_MODE_STOP) {
            in->failed = true;
        } else {
            fay_try_next(w);
        }
    }
}

static void on_exit_seen(void *context)
{
    fay_worker *w = context;
    int status = 0;
    fay_child_signal(&w->child, SIGKILL);
    fay_spent spent;
    bool counts = fay_usage_is_due(w);
    if (!fay_child_reap(&w->child, &status, counts ? &spent : NULL))
        return;
    w->running = false;
    if (counts)
        fay_usage_ended(w, &spent);
    fay_watch_close(&w->pid);
    fay_watch_close(&w->input);
    for (size_t total = 0; w->output != NULL && total < FAY_LEFT_MAX;) {
        ssize_t n = read_output(w);
        if (n <= 0)
            break;
        total += (size_t)n;
    }
    fay_watch_close(&w->output);
    fay_tick_sweep(w->instance);
    if (w->killed || w->kill != FAY_DOWN_RETIRED || w->stop_step > 0) {
        fay_worker_down(w, status);
        return;
    }
    judge(w, 0, status);
}

/* The try has succeeded, but what it printed is not all there: it has failed by that. The PARTs
 * that were sent are void without their RESULTS. */
static void lose_output(fay_worker *w, int fault)
{
    w->sending = false;
    cannot_keep(w, fault);
    judge(w, 0, 0);
}

static void send_output(fay_worker *w)
{
    fay_instance *in = w->instance;
    int rc = 0;
    bool over = false;
    while (!over && in->link != NULL) {
        if (fay_link_backlog(in->link) > FAY_LINK_KEPT_MAX) {
            in->choked = true; /* goes on when the link has drained */
            return;
        }
        bool final = true;
        if (fay_held_output_load(&w->held, &final) != 0) {
            lose_output(w, errno);
            return;
        }
        fay_output output = {.bytes = fay_buffer_data(&w->held.memory),
                             .size = fay_buffer_size(&w->held.memory),
                             .final = final};
        do {
            rc = fay_mode_output(w->mode, &output, fay_now(), &in->replies);
            fay_worker_reply(w);
            fay_buffer_consume(&w->held.memory, output.used);
            output.bytes = fay_buffer_data(&w->held.memory);
            output.size = fay_buffer_size(&w->held.memory);
        } while (rc == 0 && final && output.size > 0);
        over = rc != 0 || final;
    }
    w->sending = false;
    fay_held_output_clear(&w->held);
    fay_try_next(w);
}

void fay_try_resume(fay_worker *w)
{
    if (w->sending)
        send_output(w);
}

/* ---- its start ------------------------------------------------------------------------------ */

/* 0, or the errno of what failed. */
static int start(fay_worker *w, const fay_command *command)
{
    fay_instance *in = w->instance;
    int in_read = -1, in_write = -1, out_read = -1, out_write = -1;
    int error = fay_watch_pipe(0, &out_read, &out_write);
    if (error == 0 && command->input)
        error = fay_watch_pipe(0, &in_read, &in_write);
    size_t variables = 0;
    for (; command->env[variables] != NULL; variables++) {
        w->env[w->env_count + variables] = (char *)(uintptr_t)command->env[variables]; // NOLINT
    }
    w->env[w->env_count + variables] = NULL;
    fay_spawn spawn = {.file = in->file,
                       .argv = command->argv,
                       .env = (const char *const *)w->env,
                       .cwd = in->setup.cwd,
                       .fds = {in_read, out_write, w->errors_end, -1},
                       .death_signal = SIGKILL};
    if (error == 0)
        (void)fay_spawn_start(&spawn, &w->child, &error);
    if (in_read >= 0)
        (void)close(in_read);
    if (out_write >= 0)
        (void)close(out_write);
    if (error != 0) {
        if (in_write >= 0)
            (void)close(in_write);
        if (out_read >= 0)
            (void)close(out_read);
        return error;
    }
    w->running = true;
    fay_usage_began(w);
    w->pid = fay_watch_open(&in->loop, w->child.pidfd, UV_READABLE, on_exit_seen, w);
    w->output = fay_watch_open(&in->loop, out_read, UV_READABLE, on_output, w);
    if (command->input) {
        w->input = fay_watch_open(&in->loop, in_write, 0, on_input, w);
        on_input(w);
    }
    return 0;
}

void fay_try_next(fay_worker *w)
{
    fay_instance *in = w->instance;
    if (w->running || w->sending || in->failed || in->link == NULL)
        return; /* without an owner, what has just ended still is in hand, and stays so */
    fay_buffer_clear(&w->tail);
    w->timed_out = w->too_large = w->over_memory = false;
    w->failed = NULL;
    w->line_size = 0;
    fay_command command;
    int rc = fay_mode_begin(w->mode, fay_now(), &command, &in->replies);
    fay_worker_reply(w);
    if (rc == FAY_MODE_IDLE) {
        fay_worker_answered(w);
        return;
    }
    int error = start(w, &command);
    fay_link_breathe(in->link);
    if (error == 0) {
        if (in->setup.timeout > 0)
            fay_tick_by(in, fay_now() + in->setup.timeout);
        fay_tick_memory(w);
    } else if (fay_stage_program_fault(error)) {
        fay_stage_cannot_start(in, error);
    } else {
        judge(w, error, 0); /* the depth of this recursion is the Items in hand, one in exec mode */
    }
}
