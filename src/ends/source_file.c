/* SPDX-License-Identifier: MIT */
/*
 * Files, one after the other, and stdin where that is one. Read with pread in bounded steps, so
 * that the offset of a shared stdin is left alone.
 *
 *     position   file's index << 48 | offset
 *     identity   path, device and inode of every file, in order
 *     notes      checksum of the first and last 4 KiB before the position, in its file
 *
 * `follow` waits at the end of the last file for more: inotify on its directory, which also tells
 * when another file takes its name.
 *
 * What a glob or a path gives that is no regular file (a FIFO, /dev/stdin) is read as a stream;
 * such a source cannot be read again.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/limits.h"
#include "ends/source_kind.h"
#include "ends/stream.h"
#include "loop/await.h"

enum {
    EDGE = 4096
};

struct files {
    fay_source source;
    char **paths;
    struct stat *stats;
    size_t count, capacity;
    bool regular; /* all of them are */
    size_t current;
    int fd; /* -1: the current one is not open */
    uint64_t offset;
    bool at_end; /* of the current one */
    fay_intake intake;
    fay_stream *stream; /* of the current one if it is no regular file */
    uint64_t given, given_bytes;
    int inotify;
    fay_await *watch;
};

static void close_current(struct files *f)
{
    fay_stream_free(FAY_STEAL(f->stream));
    if (f->fd > STDIN_FILENO)
        (void)close(f->fd);
    f->fd = -1;
}

static void free_files(fay_source *source)
{
    struct files *f = (struct files *)source;
    close_current(f);
    fay_await_free(f->watch);
    if (f->inotify >= 0)
        (void)close(f->inotify);
    fay_intake_deinit(&f->intake);
    for (size_t i = 0; i < f->count; i++) {
        free(f->paths[i]);
    }
    free(f->paths);
    free(f->stats);
    free(f);
}

static const char *name_of(const struct files *f, size_t index)
{
    return f->paths[index] != NULL ? f->paths[index] : "stdin";
}

static void on_ready(void *context)
{
    struct files *f = context;
    f->source.config.ready(f->source.config.context);
}

static void on_inotify(void *context, unsigned events)
{
    (void)events;
    struct files *f = context;
    char room[sizeof(struct inotify_event) + NAME_MAX + 1];
    while (read(f->inotify, room, sizeof room) > 0) {
    }
    on_ready(f);
}

static int watch_last(struct files *f, fay_error *err)
{
    const char *path = f->paths[f->count - 1];
    const char *slash = strrchr(path, '/');
    FAY_CLEANUP(fay_freep)
    char *directory =
        slash != NULL ? fay_strndup(path, (size_t)(slash - path) + 1) : fay_strdup(".");
    f->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (f->inotify < 0 ||
        inotify_add_watch(f->inotify, directory, IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0)
        return fay_fail_errno(err, FAY_E_IO, errno, "cannot follow %s", path);
    f->watch = fay_await_new(f->source.config.loop, f->inotify, on_inotify, f);
    fay_await_want(f->watch, FAY_AWAIT_READ);
    return 0;
}

/* Opens the current file, at its beginning or where a resumed run goes on. */
static int open_current(struct files *f, fay_error *err)
{
    const char *path = f->paths[f->current];
    f->at_end = false;
    if (path == NULL) {
        f->fd = STDIN_FILENO;
    } else if (!S_ISREG(f->stats[f->current].st_mode)) {
        int r = fay_stream_open(f->source.config.loop, path, on_ready, f, &f->stream, err);
        if (r != 0)
            return r;
    } else if ((f->fd = open(path, O_RDONLY | O_CLOEXEC)) < 0) {
        return fay_fail_errno(err, FAY_E_IO, errno, "cannot read %s", path);
    }
    f->intake.position = (uint64_t)f->current << FAY_INTAKE_OFFSET_BITS | f->offset;
    return 0;
}

/* Another file has the name of the one that is followed, or it was cut: begin at its beginning. */
static bool renewed(struct files *f)
{
    struct stat now, ours;
    if (fstat(f->fd, &ours) != 0)
        return false;
    bool other = stat(f->paths[f->current], &now) == 0 &&
                 (now.st_ino != ours.st_ino || now.st_dev != ours.st_dev);
    if (!other && (uint64_t)ours.st_size >= f->offset)
        return false;
    close_current(f);
    f->offset = 0;
    fay_buffer_clear(&f->intake.buffer);
    f->intake.scanned = 0;
    return true;
}

static int read_some(struct files *f, fay_error *err)
{
    if (f->stream != NULL) {
        int r = fay_stream_read(f->stream, &f->intake);
        f->at_end = r == FAY_STREAM_END;
        if (r < 0)
            return fay_fail_errno(err, FAY_E_IO, errno, "cannot read %s", name_of(f, f->current));
        return r == FAY_STREAM_WAIT ? FAY_PULL_WAIT : 0;
    }
    size_t room;
    uint8_t *to = fay_intake_room(&f->intake, &room);
    ssize_t n;
    do {
        n = pread(f->fd, to, room, (off_t)f->offset);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return fay_fail_errno(err, FAY_E_IO, errno, "cannot read %s", name_of(f, f->current));
    fay_buffer_commit(&f->intake.buffer, (size_t)n);
    f->offset += (uint64_t)n;
    f->at_end = n == 0;
    return 0;
}

static bool follows(const struct files *f)
{
    return f->source.def->follow && f->current == f->count - 1;
}

/* All of the current file was given. 0: there is more to read. */
static int next_file(struct files *f)
{
    if (follows(f)) {
        f->at_end = false;
        return renewed(f) ? 0 : FAY_PULL_WAIT;
    }
    close_current(f);
    f->offset = 0;
    f->current++;
    return f->current == f->count ? FAY_PULL_END : 0;
}

static int pull_files(fay_source *source, uint64_t items, uint64_t bytes, fay_chunk *ret,
                      fay_error *err)
{
    struct files *f = (struct files *)source;
    while (f->current < f->count) {
        int r = f->fd < 0 && f->stream == NULL ? open_current(f, err) : 0;
        if (r != 0)
            return r;
        bool final = f->at_end && !follows(f);
        r = fay_intake_cut(&f->intake, final, items, bytes, ret, err);
        if (r < 0)
            return fay_source_blame(r, name_of(f, f->current), err);
        if (r == 0) {
            f->given += ret->batch->count;
            f->given_bytes += ret->batch->size;
            return FAY_PULL_ITEMS;
        }
        r = f->at_end ? next_file(f) : read_some(f, err);
        if (r != 0)
            return r;
    }
    return FAY_PULL_END;
}

static char *identity_files(fay_source *source)
{
    struct files *f = (struct files *)source;
    if (!f->regular)
        return NULL;
    fay_buffer text = {0};
    for (size_t i = 0; i < f->count; i++) {
        fay_buffer_printf(&text, "file %s device %llu inode %llu\n", name_of(f, i),
                          (unsigned long long)f->stats[i].st_dev,
                          (unsigned long long)f->stats[i].st_ino);
    }
    (void)fay_buffer_text(&text);
    size_t size;
    return fay_buffer_take(&text, &size);
}

/* Checksum of both edges of the first `offset` bytes; false if they cannot be read. */
static bool edges(const struct files *f, size_t index, uint64_t offset, uint64_t *ret)
{
    uint8_t bytes[2 * EDGE];
    size_t edge = (size_t)FAY_MIN(offset, (uint64_t)EDGE);
    int fd = f->paths[index] != NULL ? open(f->paths[index], O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
    if (fd < 0)
        return false;
    bool read_both = pread(fd, bytes, edge, 0) == (ssize_t)edge &&
                     pread(fd, bytes + edge, edge, (off_t)(offset - edge)) == (ssize_t)edge;
    if (fd != STDIN_FILENO)
        (void)close(fd);
    if (read_both)
        *ret = fay_hash64(bytes, 2 * edge, offset);
    return read_both;
}

static char *notes_files(fay_source *source, const fay_range *ranges, size_t count,
                         uint64_t position)
{
    (void)ranges;
    (void)count;
    const struct files *f = (struct files *)source;
    size_t index = (size_t)(position >> FAY_INTAKE_OFFSET_BITS);
    uint64_t sum;
    if (index >= f->count || !edges(f, index, position & FAY_INTAKE_OFFSET_MASK, &sum))
        return fay_strdup("");
    return fay_printed("%016llx", (unsigned long long)sum);
}

static int resume_files(fay_source *source, const fay_source_past *past, fay_error *err)
{
    struct files *f = (struct files *)source;
    if (past->position == 0)
        return 0;
    size_t index = (size_t)(past->position >> FAY_INTAKE_OFFSET_BITS);
    uint64_t offset = past->position & FAY_INTAKE_OFFSET_MASK;
    if (index >= f->count || (uint64_t)f->stats[index].st_size < offset) {
        return fay_fail_with(err, FAY_E_STALE, "%s is shorter than what was read of it",
                             name_of(f, FAY_MIN(index, f->count - 1)));
    }
    uint64_t sum;
    if (past->notes[0] != '\0' &&
        (!edges(f, index, offset, &sum) || strtoull(past->notes, NULL, 16) != sum)) {
        return fay_fail_with(err, FAY_E_STALE, "%s has been changed where it was read already",
                             name_of(f, index));
    }
    f->current = index;
    f->offset = offset;
    return 0;
}

static uint64_t expected_files(const fay_source *source)
{
    const struct files *f = (const struct files *)source;
    if (!f->regular || f->source.def->follow || f->given_bytes == 0)
        return 0;
    if (f->current == f->count)
        return f->given;
    double total = 0;
    for (size_t i = 0; i < f->count; i++) {
        total += (double)f->stats[i].st_size;
    }
    return (uint64_t)(total / (double)f->given_bytes * (double)f->given);
}

static int add(struct files *f, const char *path, fay_error *err)
{
    if (f->count == FAY_FILES_MAX)
        return fay_fail_with(err, FAY_E_INVAL, "more than %zu files", FAY_FILES_MAX);
    struct stat now;
    bool known = (path != NULL ? stat(path, &now) : fstat(STDIN_FILENO, &now)) == 0;
    int fault = errno;
    if (known && S_ISDIR(now.st_mode)) {
        known = false;
        fault = EISDIR;
    }
    if (known && path != NULL && access(path, R_OK) != 0) {
        known = false;
        fault = errno;
    }
    const char *name = path != NULL ? path : "stdin";
    if (!known)
        return fay_fail_errno(err, FAY_E_IO, fault, "cannot read %s", name);
    if (f->count == f->capacity) {
        size_t capacity = f->capacity;
        FAY_RESERVE(f->paths, capacity, f->count + 1);
        f->stats = fay_realloc(f->stats, capacity * sizeof *f->stats);
        f->capacity = capacity;
    }
    f->paths[f->count] = path != NULL ? fay_strdup(path) : NULL;
    f->stats[f->count++] = now;
    f->regular = f->regular && S_ISREG(now.st_mode);
    return 0;
}

/* A path that is there is taken as it stands, whatever characters it has. */
static int add_pattern(struct files *f, const char *pattern, fay_error *err)
{
    if (access(pattern, F_OK) == 0 || strpbrk(pattern, "*?[") == NULL)
        return add(f, pattern, err);
    glob_t found;
    /* Sorted, so that the order is the same on resume. NOLINTNEXTLINE(concurrency-mt-unsafe) */
    int r = glob(pattern, 0, NULL, &found);
    if (r != 0)
        return fay_fail_with(err, FAY_E_IO, "no file is named like %s", pattern);
    for (size_t i = 0; i < found.gl_pathc && r == 0; i++) {
        r = add(f, found.gl_pathv[i], err);
    }
    globfree(&found);
    return r;
}

static struct files *new_files(const fay_source_config *config)
{
    static const fay_source_kind_ops ops = {
        .why_not = "what is no regular file cannot be read again",
        .pull = pull_files,
        .identity = identity_files,
        .notes = notes_files,
        .resume = resume_files,
        .expected = expected_files,
        .free = free_files,
    };
    struct files *f = fay_alloc(sizeof *f);
    fay_source_init(&f->source, &ops, config);
    f->fd = f->inotify = -1;
    f->regular = true;
    fay_intake_init(&f->intake, f->source.def->format, f->source.def->crlf == FAY_CRLF_STRIP,
                    config->item_max);
    return f;
}

int fay_source_open_file(const fay_source_config *config, fay_source **ret, fay_error *err)
{
    struct files *f = new_files(config);
    int r = 0;
    for (char **pattern = f->source.def->files; *pattern != NULL && r == 0; pattern++) {
        r = strcmp(*pattern, "-") == 0 ? add(f, NULL, err) : add_pattern(f, *pattern, err);
    }
    bool follow = f->source.def->follow && f->count > 0 && f->paths[f->count - 1] != NULL &&
                  S_ISREG(f->stats[f->count - 1].st_mode);
    if (r == 0 && follow)
        r = watch_last(f, err);
    if (r != 0) {
        free_files(&f->source);
        return r;
    }
    *ret = &f->source;
    return 0;
}

int fay_source_open_stdin_file(const fay_source_config *config, fay_source **ret, fay_error *err)
{
    struct files *f = new_files(config);
    int r = add(f, NULL, err);
    off_t offset = lseek(STDIN_FILENO, 0, SEEK_CUR);
    if (r != 0 || offset < 0) {
        free_files(&f->source);
        return r != 0 ? r : fay_fail_errno(err, FAY_E_IO, errno, "cannot read stdin");
    }
    f->offset = (uint64_t)offset;
    *ret = &f->source;
    return 0;
}
