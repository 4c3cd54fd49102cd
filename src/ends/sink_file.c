/* SPDX-License-Identifier: MIT */
/*
 * Files, and stdout, which may lead to one: then it is a file sink like any other, with an offset
 * that a resumed run cuts it to. And `null`.
 *
 * Rotation renames PATH to PATH.1, PATH.2, .. (the next free number) and begins PATH anew, between
 * two writes, never within an Item.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "ends/sink_kind.h"
#include "loop/outlet.h"
#include "loop/sync.h"

struct file_drain {
    fay_drain drain;
    fay_outlet *outlet; /* stdout that is no file */
    time_t begun;       /* when the file was */
};

static void free_file(fay_drain *drain)
{
    struct file_drain *f = (struct file_drain *)drain;
    fay_outlet_free(f->outlet);
    if (drain->fd > STDERR_FILENO)
        (void)close(drain->fd);
    free(f);
}

static const char *name_of(const fay_drain *drain)
{
    return drain->def->kind == FAY_SINK_FILE ? drain->def->file : "stdout";
}

static time_t now_s(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

static ssize_t write_file(fay_drain *drain, const uint8_t *bytes, size_t size, fay_error *err)
{
    ssize_t n;
    do {
        n = write(drain->fd, bytes, size);
    } while (n < 0 && errno == EINTR);
    if (n <= 0) {
        (void)fay_fail_errno(err, FAY_E_IO, n < 0 ? errno : EIO, "cannot write %s", name_of(drain));
        return -1;
    }
    drain->place.offset += (uint64_t)n;
    return n;
}

static int note_place(fay_drain *drain, fay_error *err)
{
    struct stat stat;
    if (fstat(drain->fd, &stat) != 0)
        return fay_fail_errno(err, FAY_E_IO, errno, "cannot write %s", name_of(drain));
    drain->place.device = stat.st_dev;
    drain->place.inode = stat.st_ino;
    return 0;
}

static int rotate(struct file_drain *f, fay_error *err)
{
    const char *path = f->drain.def->file;
    FAY_CLEANUP(fay_freep) char *old = NULL;
    for (int n = 1; n < FAY_ROTATED_MAX; n++) {
        free(old);
        old = fay_printed("%s.%d", path, n);
        if (access(old, F_OK) != 0)
            break;
    }
    if (rename(path, old) != 0)
        return fay_fail_errno(err, FAY_E_IO, errno, "cannot rename %s", path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0)
        return fay_fail_errno(err, FAY_E_IO, errno, "cannot write %s", path);
    (void)close(f->drain.fd);
    f->drain.fd = fd;
    f->drain.place.offset = 0;
    f->begun = now_s();
    int fault = fay_sync_directory_of(path); /* records will tell of the new file */
    if (fault != 0)
        return fay_fail_errno(err, FAY_E_IO, fault, "cannot sync the directory of %s", path);
    return note_place(&f->drain, err);
}

static int begin_file(fay_drain *drain, fay_error *err)
{
    struct file_drain *f = (struct file_drain *)drain;
    const fay_sink_def *def = drain->def;
    bool large = def->rotate_bytes > 0 && drain->place.offset >= def->rotate_bytes;
    bool old = def->rotate_age > 0 && (fay_ns)(now_s() - f->begun) * FAY_SECOND >= def->rotate_age;
    return drain->place.offset > 0 && (large || old) ? rotate(f, err) : 0;
}

/* Cuts the file to where the last record was made. Nothing is touched unless it is the same file
 * and long enough. */
static int cut(fay_drain *drain, const fay_sink_place *past, fay_error *err)
{
    struct stat stat;
    const char *name = name_of(drain);
    if (fstat(drain->fd, &stat) != 0)
        return fay_fail_errno(err, FAY_E_IO, errno, "cannot read %s", name);
    int r = 0;
    if (past->inode == 0) {
        r = fay_fail_with(err, FAY_E_STALE, "%s was no file when the state was saved", name);
    } else if ((uint64_t)stat.st_ino != past->inode || (uint64_t)stat.st_dev != past->device) {
        r = fay_fail_with(err, FAY_E_STALE, "%s is another file than the state is of", name);
    } else if ((uint64_t)stat.st_size < past->offset) {
        r = fay_fail_with(err, FAY_E_STALE, "%s has %llu bytes, but %llu were written and recorded",
                          name, (unsigned long long)stat.st_size, (unsigned long long)past->offset);
    }
    if (r != 0) {
        fay_hint(err, "nothing was touched; a shell's > cuts its file, use >> or -o; or remove the "
                      "state to start over");
        return r;
    }
    if (ftruncate(drain->fd, (off_t)past->offset) != 0 ||
        lseek(drain->fd, (off_t)past->offset, SEEK_SET) < 0)
        return fay_fail_errno(err, FAY_E_IO, errno, "cannot cut %s", name);
    drain->place.offset = past->offset;
    return 0;
}

static struct file_drain *new_file(const fay_sink_config *config, fay_sink *sink, int fd)
{
    static const fay_drain_ops ops = {.write = write_file, .begin = begin_file, .free = free_file};
    struct file_drain *f = fay_alloc(sizeof *f);
    f->drain = (fay_drain){.ops = &ops, .def = config->def, .sink = sink, .fd = fd};
    f->begun = now_s();
    return f;
}

/* The descriptor is open on a regular file. */
static int take_file(const fay_sink_config *config, fay_sink *sink, int fd, fay_drain **ret,
                     fay_error *err)
{
    struct file_drain *f = new_file(config, sink, fd);
    int flags = fcntl(fd, F_GETFL);
    bool append = config->def->append || (flags >= 0 && (flags & O_APPEND) != 0);
    int r = note_place(&f->drain, err);
    if (r == 0 && config->past != NULL) {
        r = cut(&f->drain, config->past, err);
    } else if (r == 0) {
        off_t at = lseek(fd, 0, append ? SEEK_END : SEEK_CUR);
        f->drain.place.offset = at > 0 ? (uint64_t)at : 0;
    }
    if (r != 0) {
        free_file(&f->drain);
        return r;
    }
    *ret = &f->drain;
    return 0;
}

/* ---- streams: stdout, and paths that lead to no regular file --------------------------------- */

static void on_ready(void *context, bool closed)
{
    struct file_drain *f = context;
    if (closed) {
        const fay_error gone = {.status = FAY_E_IO, .sys_errno = EPIPE};
        fay_sink_lost(f->drain.sink, true, &gone);
    } else {
        fay_sink_flush(f->drain.sink);
    }
}

static ssize_t write_stream(fay_drain *drain, const uint8_t *bytes, size_t size, fay_error *err)
{
    struct file_drain *f = (struct file_drain *)drain;
    ssize_t n = fay_outlet_write(f->outlet, bytes, size);
    if (n >= 0)
        return n;
    int fault = errno;
    if (fault != EPIPE) {
        (void)fay_fail_errno(err, FAY_E_IO, fault, "cannot write %s", name_of(drain));
    } else {
        *err = (fay_error){.status = FAY_E_IO, .sys_errno = EPIPE};
    }
    return -1;
}

/* A descriptor that is no regular file; becomes the drain's unless it is stdout. */
static int take_stream(const fay_sink_config *config, fay_sink *sink, int fd, fay_drain **ret,
                       fay_error *err)
{
    static const fay_drain_ops ops = {.write = write_stream, .free = free_file};
    if (config->past != NULL && config->past->inode != 0)
        return fay_fail_with(err, FAY_E_STALE, "the state is of a sink that was a file");
    struct file_drain *f = new_file(config, sink, -1);
    f->drain.ops = &ops;
    f->outlet = fay_outlet_new(config->loop, fd, fd == STDOUT_FILENO, on_ready, f);
    *ret = &f->drain;
    return 0;
}

/* ---- opening --------------------------------------------------------------------------------- */

int fay_drain_open_file(const fay_sink_config *config, fay_sink *sink, fay_drain **ret,
                        fay_error *err)
{
    const char *path = config->def->file;
    bool fresh = config->past == NULL;
    int flags = O_WRONLY | O_CLOEXEC | (fresh ? O_CREAT : 0);
    flags |= fresh && !config->def->append ? O_TRUNC : 0;
    flags |= config->def->append ? O_APPEND : 0;
    int fd = open(path, flags, 0666);
    if (fd < 0)
        return fay_fail_errno(err, FAY_E_IO, errno, "cannot write %s", path);
    struct stat stat;
    if (fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode))
        return take_file(config, sink, fd, ret, err);
    return take_stream(config, sink, fd, ret, err); /* a FIFO, /dev/full, .. */
}

int fay_drain_open_stdout(const fay_sink_config *config, fay_sink *sink, fay_drain **ret,
                          fay_error *err)
{
    struct stat stat;
    if (fstat(STDOUT_FILENO, &stat) != 0)
        return fay_fail_errno(err, FAY_E_IO, errno, "cannot write stdout");
    if (S_ISREG(stat.st_mode))
        return take_file(config, sink, STDOUT_FILENO, ret, err);
    return take_stream(config, sink, STDOUT_FILENO, ret, err);
}

/* ---- null ------------------------------------------------------------------------------------ */

static ssize_t write_null(fay_drain *drain, const uint8_t *bytes, size_t size, fay_error *err)
{
    (void)drain;
    (void)bytes;
    (void)err;
    return (ssize_t)size;
}

int fay_drain_open_null(const fay_sink_config *config, fay_sink *sink, fay_drain **ret,
                        fay_error *err)
{
    (void)err;
    static const fay_drain_ops ops = {.write = write_null, .free = free_file};
    struct file_drain *f = new_file(config, sink, -1);
    f->drain.ops = &ops;
    *ret = &f->drain;
    return 0;
}
