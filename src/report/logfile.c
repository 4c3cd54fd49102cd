/* SPDX-License-Identifier: MIT */
#include "report/logfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/limits.h"
#include "host/file.h"
#include "loop/outlet.h"
#include "loop/timer.h"

enum {
    TOGETHER_BYTES = 8192,
    READER_MS = 50 /* how often it is looked whether a FIFO has a reader now */
};

struct fay_logfile {
    const char *flag;
    char *path; /* for people */
    fay_logfile_watch watch;
    bool open;          /* neither lost nor finished */
    int fd;             /* a regular file; -1 = none */
    fay_outlet *outlet; /* anything else */
    fay_timer *unread;  /* a FIFO: no reader has opened it yet */
    uint64_t dropped;   /* lines */
    bool empty;         /* when it was opened */
    fay_buffer waiting;
};

static fay_logfile *new_log(const char *flag, const char *path, const fay_logfile_watch *watch)
{
    fay_logfile *log = fay_alloc(sizeof *log);
    *log = (fay_logfile){.flag = flag,
                         .path = fay_strdup(path),
                         .watch = *watch,
                         .open = true,
                         .fd = -1,
                         .empty = true};
    return log;
}

static void close_all(fay_logfile *log)
{
    log->open = false;
    fay_outlet_free(FAY_STEAL(log->outlet));
    fay_timer_free(FAY_STEAL(log->unread));
    if (log->fd > STDERR_FILENO)
        (void)close(log->fd);
    log->fd = -1;
    fay_buffer_deinit(&log->waiting);
}

static void lose(fay_logfile *log, int fault)
{
    fay_error err = {0};
    (void)fay_fail_errno(&err, FAY_E_IO, fault, "%s: cannot write %s", log->flag, log->path);
    fay_hint(&err, "the run goes on; what follows is missing there, so it cannot exit with 0");
    close_all(log);
    log->watch.lost(log->watch.context, &err);
}

/* ---- what is written to ---------------------------------------------------------------------- */

static void on_takes_more(void *context, bool closed)
{
    fay_logfile *log = context;
    if (closed) {
        lose(log, EPIPE);
    } else {
        fay_logfile_flush(log);
    }
}

static void use(fay_logfile *log, int fd, bool inherited)
{
    struct stat now;
    if (fstat(fd, &now) == 0 && S_ISREG(now.st_mode)) {
        log->fd = fd;
        log->empty = inherited || now.st_size == 0;
    } else {
        log->outlet = fay_outlet_new(log->watch.loop, fd, inherited, on_takes_more, log);
    }
}

/* Without O_NONBLOCK a FIFO that has no reader would hold us here. */
static int open_path(const char *path, int mode)
{
    return open(path, O_WRONLY | O_CLOEXEC | O_NONBLOCK | mode, 0666);
}

static bool is_unread(const char *path, int fault)
{
    struct stat now;
    return fault == ENXIO && stat(path, &now) == 0 && S_ISFIFO(now.st_mode);
}

static bool look_for_reader(fay_logfile *log)
{
    int fd = open_path(log->path, 0);
    if (fd >= 0) {
        fay_timer_free(FAY_STEAL(log->unread));
        use(log, fd, false);
        fay_logfile_flush(log);
    } else if (is_unread(log->path, errno)) {
        return false;
    } else {
        lose(log, errno);
    }
    return true;
}

static void on_look(void *context)
{
    fay_logfile *log = context;
    if (!look_for_reader(log))
        fay_timer_start(log->unread, READER_MS);
}

int fay_logfile_open(const char *flag, const char *path, int mode, const fay_logfile_watch *watch,
                     fay_logfile **ret, fay_error *err)
{
    int fd = open_path(path, O_CREAT | mode), fault = errno;
    bool unread = fd < 0 && is_unread(path, fault);
    if (fd < 0 && !unread)
        return fay_fail_errno(err, FAY_E_IO, fault, "%s: cannot write %s", flag, path);
    fay_logfile *log = new_log(flag, path, watch);
    if (unread) {
        log->unread = fay_timer_new(watch->loop, on_look, log);
        fay_timer_start(log->unread, READER_MS);
    } else {
        use(log, fd, false);
    }
    *ret = log;
    return 0;
}

fay_logfile *fay_logfile_on(const char *flag, int fd, const fay_logfile_watch *watch)
{
    fay_logfile *log = new_log(flag, fd == STDOUT_FILENO ? "stdout" : "stderr", watch);
    use(log, fd, true);
    return log;
}

/* ---- writing --------------------------------------------------------------------------------- */

static void flush_file(fay_logfile *log)
{
    const fay_buffer *waiting = &log->waiting;
    if (fay_file_write(log->fd, fay_buffer_data(waiting), fay_buffer_size(waiting)) != 0) {
        lose(log, errno);
        return;
    }
    fay_buffer_clear(&log->waiting);
}

/* As many whole lines as a pipe takes in one piece, so that what others write to it comes between
 * lines; all up to the end of the first one if that is too long. */
static size_t portion(const fay_buffer *waiting)
{
    const uint8_t *bytes = fay_buffer_data(waiting);
    size_t size = fay_buffer_size(waiting);
    const uint8_t *end = memrchr(bytes, '\n', FAY_MIN(size, (size_t)PIPE_BUF));
    if (end == NULL)
        end = memchr(bytes, '\n', size);
    return end != NULL ? (size_t)(end - bytes) + 1 : size;
}

static void flush_outlet(fay_logfile *log)
{
    while (fay_buffer_size(&log->waiting) > 0) {
        const fay_buffer *waiting = &log->waiting;
        ssize_t n = fay_outlet_write(log->outlet, fay_buffer_data(waiting), portion(waiting));
        if (n < 0)
            lose(log, errno);
        if (n <= 0)
            return;
        fay_buffer_consume(&log->waiting, (size_t)n);
    }
    fay_buffer_clear(&log->waiting);
}

void fay_logfile_flush(fay_logfile *log)
{
    if (!fay_logfile_is_open(log) || fay_buffer_size(&log->waiting) == 0)
        return;
    if (log->fd >= 0) {
        flush_file(log);
    } else if (log->outlet != NULL) {
        flush_outlet(log);
    }
}

static void drop(fay_logfile *log)
{
    if (log->dropped++ > 0)
        return;
    fay_error err = {0};
    (void)fay_fail_with(&err, FAY_E_IO,
                        "%s: %s is not read as fast as it is written: lines are "
                        "dropped",
                        log->flag, log->path);
    fay_hint(&err, "the run goes on, with %llu MiB kept for the reader; it cannot exit with 0",
             (unsigned long long)(FAY_LOG_KEPT_MAX / FAY_MIB));
    log->watch.lost(log->watch.context, &err);
}

void fay_logfile_write(fay_logfile *log, const void *line, size_t size)
{
    if (!fay_logfile_is_open(log))
        return;
    size_t waiting = fay_buffer_size(&log->waiting);
    if (waiting > 0 && waiting + size > FAY_LOG_KEPT_MAX) {
        drop(log);
        return;
    }
    fay_buffer_append(&log->waiting, line, size);
    if (waiting + size >= TOGETHER_BYTES)
        fay_logfile_flush(log);
}

/* ---- the end --------------------------------------------------------------------------------- */

static size_t lines_of(const fay_buffer *buffer)
{
    const uint8_t *bytes = fay_buffer_data(buffer);
    size_t count = 0;
    for (size_t i = 0; i < fay_buffer_size(buffer); i++) {
        count += bytes[i] == '\n';
    }
    return count;
}

/* The loop does not run any more. */
static void wait_for_reader(fay_logfile *log, fay_ns by)
{
    while (fay_logfile_is_open(log) && log->fd < 0 && fay_buffer_size(&log->waiting) > 0) {
        fay_ns now = uv_hrtime();
        if (now >= by)
            return;
        if (log->outlet == NULL) {
            (void)poll(NULL, 0, READER_MS);
            (void)look_for_reader(log);
        } else {
            fay_outlet_wait(log->outlet, (int)((by - now) / FAY_MS) + 1);
            fay_logfile_flush(log);
        }
    }
}

static void tell_missing(fay_logfile *log)
{
    uint64_t missing = log->dropped + lines_of(&log->waiting);
    if (missing == 0)
        return;
    fay_error err = {0};
    (void)fay_fail_with(&err, FAY_E_IO, "%s: %llu line%s missing in %s: %s", log->flag,
                        (unsigned long long)missing, missing == 1 ? " is" : "s are", log->path,
                        log->unread != NULL ? "nobody reads it"
                                            : "it was not read as fast as it was written");
    fay_hint(&err, "the run does not wait for its readers; a file takes all");
    log->watch.lost(log->watch.context, &err);
}

void fay_logfile_finish(fay_logfile *log, fay_ns by)
{
    fay_logfile_flush(log);
    if (!fay_logfile_is_open(log))
        return;
    wait_for_reader(log, by);
    if (!fay_logfile_is_open(log))
        return;
    tell_missing(log);
    int fd = log->fd;
    log->fd = -1;
    close_all(log);
    /* Some file systems tell only here that what they took has not arrived. */
    if (fd > STDERR_FILENO && close(fd) != 0 && errno != EINTR)
        lose(log, errno);
}

void fay_logfile_free(fay_logfile *log)
{
    if (log == NULL)
        return;
    close_all(log);
    free(log->path);
    free(log);
}

bool fay_logfile_is_empty(const fay_logfile *log)
{
    return log->empty;
}

bool fay_logfile_is_open(const fay_logfile *log)
{
    return log != NULL && log->open;
}
