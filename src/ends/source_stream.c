/* SPDX-License-Identifier: MIT */
/*
 * One stream: stdin where that is no file, or the output of a command. A command that fails is an
 * error of the source, after the Items that it gave, or is started again (`restart: on-failure`).
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "ends/source_kind.h"
#include "ends/stream.h"
#include "loop/timer.h"

enum {
    RESTART_MS = 1000
};

struct streamed {
    fay_source source;
    fay_intake intake;
    fay_stream *stream; /* NULL: ended, or not started yet */
    bool ended;
    fay_process *process; /* of a command */
    int status;           /* of the command that has ended */
    fay_timer *restart;
};

static void free_streamed(fay_source *source)
{
    struct streamed *s = (struct streamed *)source;
    fay_stream_free(s->stream);
    fay_process_free(s->process);
    fay_timer_free(s->restart);
    fay_intake_deinit(&s->intake);
    free(s);
}

static void on_ready(void *context)
{
    struct streamed *s = context;
    s->source.config.ready(s->source.config.context);
}

static void on_ended(void *context, int status)
{
    struct streamed *s = context;
    s->status = status;
    on_ready(s);
}

static int start(struct streamed *s, fay_error *err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return fay_fail_errno(err, FAY_E_IO, errno, "cannot make a pipe");
    (void)fcntl(ends[0], F_SETPIPE_SZ, (int)FAY_INTAKE_READ); /* fewer wake-ups; may be refused */
    fay_spawn spawn = {.argv = (const char *const *)s->source.def->argv,
                       .fds = {-1, ends[1], STDERR_FILENO, -1},
                       .death_signal = SIGKILL};
    int fault = 0;
    s->process = fay_process_start(s->source.config.processes, &spawn, on_ended, s, &fault);
    (void)close(ends[1]);
    if (s->process == NULL) {
        (void)close(ends[0]);
        return fay_fail_errno(err, FAY_E_IO, fault, "cannot start the source: %s",
                              s->source.def->argv[0]);
    }
    s->stream = fay_stream_new(s->source.config.loop, ends[0], false, on_ready, s);
    return 0;
}

static void on_restart(void *context)
{
    struct streamed *s = context;
    s->ended = false;
    fay_error err;
    if (start(s, &err) != 0) /* as if it had ended: once more in a second */
        fay_timer_start(s->restart, RESTART_MS);
    on_ready(s);
}

/* The stream has ended and its Items are given. */
static int at_end(struct streamed *s, fay_error *err)
{
    if (s->restart != NULL && fay_timer_running(s->restart))
        return FAY_PULL_WAIT;
    if (fay_process_running(s->process))
        return FAY_PULL_WAIT; /* for its exit status */
    if (s->process == NULL || s->status == 0)
        return FAY_PULL_END;
    fay_process_free(FAY_STEAL(s->process));
    if (s->source.def->restart_on_failure) {
        if (s->restart == NULL)
            s->restart = fay_timer_new(s->source.config.loop, on_restart, s);
        fay_timer_start(s->restart, RESTART_MS);
        return FAY_PULL_WAIT;
    }
    FAY_CLEANUP(fay_freep) char *how = fay_process_ending(s->status);
    return fay_fail_with(err, FAY_E_IO, "the source command '%s' ended with %s",
                         s->source.def->argv[0], how);
}

static int pull_streamed(fay_source *source, uint64_t items, uint64_t bytes, fay_chunk *ret,
                         fay_error *err)
{
    struct streamed *s = (struct streamed *)source;
    for (;;) {
        int r = fay_intake_cut(&s->intake, s->ended, items, bytes, ret, err);
        if (r < 0)
            return fay_source_blame(r, s->process != NULL ? s->source.def->argv[0] : "stdin", err);
        if (r == 0)
            return FAY_PULL_ITEMS;
        if (s->stream == NULL)
            return at_end(s, err);
        r = fay_stream_read(s->stream, &s->intake);
        if (r < 0)
            return fay_fail_errno(err, FAY_E_IO, errno, "cannot read the source");
        if (r == FAY_STREAM_WAIT)
            return FAY_PULL_WAIT;
        if (r == FAY_STREAM_END) {
            s->ended = true;
            fay_stream_free(FAY_STEAL(s->stream));
        }
    }
}

static struct streamed *new_streamed(const fay_source_config *config,
                                     const fay_source_kind_ops *ops)
{
    struct streamed *s = fay_alloc(sizeof *s);
    fay_source_init(&s->source, ops, config);
    fay_intake_init(&s->intake, s->source.def->format, s->source.def->crlf == FAY_CRLF_STRIP,
                    config->item_max);
    return s;
}

int fay_source_open_stdin(const fay_source_config *config, fay_source **ret, fay_error *err)
{
    static const fay_source_kind_ops ops = {
        .why_not = "stdin is no regular file and cannot be read again",
        .pull = pull_streamed,
        .free = free_streamed,
    };
    struct stat stat;
    if (fstat(STDIN_FILENO, &stat) != 0)
        return fay_fail_errno(err, FAY_E_IO, errno, "cannot read stdin");
    if (S_ISDIR(stat.st_mode))
        return fay_fail_errno(err, FAY_E_IO, EISDIR, "cannot read stdin");
    if (S_ISREG(stat.st_mode))
        return fay_source_open_stdin_file(config, ret, err);
    struct streamed *s = new_streamed(config, &ops);
    s->stream = fay_stream_new(config->loop, STDIN_FILENO, true, on_ready, s);
    *ret = &s->source;
    return 0;
}

int fay_source_open_exec(const fay_source_config *config, fay_source **ret, fay_error *err)
{
    static const fay_source_kind_ops ops = {
        .why_not = "a command's output cannot be read again",
        .pull = pull_streamed,
        .free = free_streamed,
    };
    struct streamed *s = new_streamed(config, &ops);
    int r = 0;
    if (config->resumed) {
        s->ended = true; /* its output is in the spool: again, it would be there twice */
        fay_log(FAY_WARN, "source.resumed",
                "text=\"the command is not run again: what it had said by then is all\"");
    } else {
        r = start(s, err);
    }
    if (r != 0) {
        free_streamed(&s->source);
        return r;
    }
    *ret = &s->source;
    return 0;
}
