/* SPDX-License-Identifier: MIT */
#include "report/logfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "host/file.h"

enum {
    TOGETHER_BYTES = 8192
};

struct fay_logfile {
    const char *flag;
    char *path; /* for people */
    fay_logfile_watch watch;
    int fd; /* -1 = lost or finished */
    bool empty;
    fay_buffer waiting;
};

static fay_logfile *new_log(const char *flag, const char *path, const fay_logfile_watch *watch)
{
    fay_logfile *log = fay_alloc(sizeof *log);
    *log = (fay_logfile){.flag = flag, .path = fay_strdup(path), .watch = *watch, .fd = -1};
    return log;
}

int fay_logfile_open(const char *flag, const char *path, int mode, const fay_logfile_watch *watch,
                     fay_logfile **ret, fay_error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | mode, 0666);
    if (fd < 0)
        return fay_fail_errno(err, FAY_E_IO, errno, "%s: cannot write %s", flag, path);
    struct stat now;
    *ret = new_log(flag, path, watch);
    (*ret)->fd = fd;
    (*ret)->empty = fstat(fd, &now) != 0 || now.st_size == 0;
    return 0;
}

fay_logfile *fay_logfile_on(const char *flag, int fd, const fay_logfile_watch *watch)
{
    fay_logfile *log = new_log(flag, fd == STDOUT_FILENO ? "stdout" : "stderr", watch);
    log->fd = fd;
    log->empty = true;
    return log;
}

static void lose(fay_logfile *log, int fault)
{
    fay_error err = {0};
    (void)fay_fail_errno(&err, FAY_E_IO, fault, "%s: cannot write %s", log->flag, log->path);
    fay_hint(&err, "the run goes on; what follows is missing there, so it cannot exit with 0");
    fay_buffer_deinit(&log->waiting);
    log->watch.lost(log->watch.context, &err);
}

/* Some file systems tell only here that what they took has not arrived. */
static void close_file(fay_logfile *log)
{
    int fd = log->fd;
    log->fd = -1;
    if (fd > STDERR_FILENO && close(fd) != 0 && errno != EINTR)
        lose(log, errno);
}

void fay_logfile_flush(fay_logfile *log)
{
    if (!fay_logfile_is_open(log) || fay_buffer_size(&log->waiting) == 0)
        return;
    int fd = log->fd;
    const fay_buffer *waiting = &log->waiting;
    if (fay_file_write(fd, fay_buffer_data(waiting), fay_buffer_size(waiting)) == 0) {
        fay_buffer_clear(&log->waiting);
        return;
    }
    int fault = errno;
    log->fd = -1;
    if (fd > STDERR_FILENO)
        (void)close(fd);
    lose(log, fault);
}

void fay_logfile_write(fay_logfile *log, const void *bytes, size_t size)
{
    if (!fay_logfile_is_open(log))
        return;
    fay_buffer_append(&log->waiting, bytes, size);
    if (fay_buffer_size(&log->waiting) >= TOGETHER_BYTES)
        fay_logfile_flush(log);
}

void fay_logfile_finish(fay_logfile *log)
{
    fay_logfile_flush(log);
    if (fay_logfile_is_open(log))
        close_file(log);
}

void fay_logfile_free(fay_logfile *log)
{
    if (log == NULL)
        return;
    if (log->fd > STDERR_FILENO)
        (void)close(log->fd);
    fay_buffer_deinit(&log->waiting);
    free(log->path);
    free(log);
}

bool fay_logfile_is_empty(const fay_logfile *log)
{
    return log->empty;
}

bool fay_logfile_is_open(const fay_logfile *log)
{
    return log != NULL && log->fd >= 0;
}
