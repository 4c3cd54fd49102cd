/* SPDX-License-Identifier: MIT */
#include "run/state.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/units.h"
#include "loop/sync.h"

#define LONG_BYTES (4 * FAY_MIB)
enum {
    LOCK_RETRY_MS = 20
};

/* What the pool works on; the loop's hands are off it meanwhile. */
struct task {
    uv_work_t work;
    fay_state *state;  /* NULL: gone */
    int directory, fd; /* duplicates; `fd` is replaced when the journal is */
    uint64_t offset;
    bool anew; /* a whole new journal, by rename */
    fay_buffer bytes;
    int fault;
};

struct fay_state {
    uv_loop_t *loop;
    char *path;
    int directory, lock, journal;
    uint64_t size; /* of the journal's whole records */
    fay_journal_header header;
    struct task *task;
    void (*done)(void *context, const fay_error *err);
    void *context;
};

/* ---- directory and lock ---------------------------------------------------------------------- */

static void close_if_open(int fd)
{
    if (fd >= 0)
        (void)close(fd);
}

static void header_deinit(fay_journal_header *header)
{
    free(header->run);
    free(header->pipeline);
    free(header->source);
    *header = (fay_journal_header){0};
}

void fay_state_free(fay_state *state)
{
    if (state == NULL)
        return;
    if (state->task != NULL)
        state->task->state = NULL;
    close_if_open(state->journal);
    close_if_open(state->directory);
    close_if_open(state->lock);
    header_deinit(&state->header);
    free(state->path);
    free(state);
}

static int tell_locked(const fay_state *state, fay_error *err)
{
    char holder[32] = "";
    ssize_t n = pread(state->lock, holder, sizeof holder - 1, 0);
    long pid = n > 0 ? strtol(holder, NULL, 10) : 0;
    int r = fay_fail_with(err, FAY_E_TIMEOUT, "%s is in use by another run (process %ld)",
                          state->path, pid);
    fay_hint(err, "wait for it, stop it (kill %ld), or give this run a --state of its own", pid);
    return r;
}

static int lock(fay_state *state, unsigned patience_ms, fay_error *err)
{
    state->lock = openat(state->directory, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (state->lock < 0)
        return fay_fail_errno(err, FAY_E_IO, errno, "cannot write into %s", state->path);
    unsigned waited = 0;
    while (flock(state->lock, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return fay_fail_errno(err, FAY_E_IO, errno, "cannot lock %s", state->path);
        if (waited >= patience_ms)
            return tell_locked(state, err);
        (void)usleep(LOCK_RETRY_MS * 1000);
        waited += LOCK_RETRY_MS;
    }
    FAY_CLEANUP(fay_freep) char *pid = fay_printed("%ld\n", (long)getpid());
    if (ftruncate(state->lock, 0) != 0 ||
        pwrite(state->lock, pid, strlen(pid), 0) != (ssize_t)strlen(pid))
        return fay_fail_errno(err, FAY_E_IO, errno, "cannot write into %s", state->path);
    (void)unlinkat(state->directory, "journal.new", 0); /* of a death within a rewrite */
    return 0;
}

int fay_state_open(uv_loop_t *loop, const char *directory, unsigned patience_ms, fay_state **ret,
                   fay_error *err)
{
    fay_state *state = fay_alloc(sizeof *state);
    *state = (fay_state){.loop = loop, .path = fay_strdup(directory), .lock = -1, .journal = -1};
    if (mkdir(directory, 0777) != 0 && errno != EEXIST) {
        state->directory = -1;
    } else {
        state->directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    int r = 0;
    if (state->directory < 0) {
        r = fay_fail_errno(err, FAY_E_IO, errno, "cannot use %s", directory);
    } else {
        r = lock(state, patience_ms, err);
    }
    if (r != 0) {
        fay_state_free(state);
        return r;
    }
    *ret = state;
    return 0;
}

/* ---- reading --------------------------------------------------------------------------------- */

/* FAY_E_NORES: it is too long to be a journal of ours. */
static int read_all(int fd, fay_buffer *out)
{
    struct stat is;
    if (fstat(fd, &is) == 0 && is.st_size > (off_t)FAY_JOURNAL_MAX)
        return FAY_E_NORES;
    while (fay_buffer_size(out) <= FAY_JOURNAL_MAX) {
        uint8_t *to = fay_buffer_reserve(out, 64 * FAY_KIB);
        ssize_t n = read(fd, to, 64 * FAY_KIB);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? FAY_E_IO : 0;
        fay_buffer_commit(out, (size_t)n);
    }
    return FAY_E_NORES;
}

int fay_state_read(const fay_state *state, fay_journal *ret, fay_error *err)
{
    int fd = openat(state->directory, "journal", O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return fay_fail_with(err, FAY_E_NOTFOUND, "there is no state in %s", state->path);
    if (fd < 0)
        return fay_fail_errno(err, FAY_E_IO, errno, "cannot read the journal in %s", state->path);
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer bytes = {0};
    int r = read_all(fd, &bytes);
    int fault = errno;
    (void)close(fd);
    if (r == FAY_E_NORES) {
        char most[FAY_UNITS_TEXT_MAX];
        return fay_fail_with(err, FAY_E_IO, "the journal in %s has more than %s: it is none",
                             state->path, fay_size_text(FAY_JOURNAL_MAX, most));
    }
    if (r != 0)
        return fay_fail_errno(err, r, fault, "cannot read the journal in %s", state->path);
    return fay_journal_read(fay_buffer_data(&bytes), fay_buffer_size(&bytes), ret, err);
}

/* ---- writing --------------------------------------------------------------------------------- */

static int write_at(int fd, const fay_buffer *bytes, uint64_t offset)
{
    const uint8_t *at = fay_buffer_data(bytes);
    size_t left = fay_buffer_size(bytes);
    while (left > 0) {
        ssize_t n = pwrite(fd, at, left, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? errno : EIO;
        at += n;
        offset += (uint64_t)n;
        left -= (size_t)n;
    }
    return fdatasync(fd) == 0 ? 0 : errno;
}

/* A new journal beside the old one, then in its place; the old one is there until then. */
static int replace(int directory, const fay_buffer *bytes, int *ret_fd)
{
    int fd = openat(directory, "journal.new", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return errno;
    int fault = write_at(fd, bytes, 0);
    if (fault == 0 && renameat(directory, "journal.new", directory, "journal") != 0)
        fault = errno;
    if (fault == 0 && fsync(directory) != 0)
        fault = errno;
    if (fault != 0) {
        (void)close(fd);
        (void)unlinkat(directory, "journal.new", 0);
        return fault;
    }
    *ret_fd = fd;
    return 0;
}

static void write_whole(const fay_state *state, const fay_journal_commit *commit, fay_buffer *out)
{
    fay_journal_write_header(&state->header, out);
    fay_journal_write_commit(commit, fay_buffer_size(out), out);
}

static void copy_header(fay_state *state, const fay_journal_header *header)
{
    header_deinit(&state->header);
    state->header = (fay_journal_header){.run = fay_strdup(header->run),
                                         .pipeline = fay_strdup(header->pipeline),
                                         .source = fay_strdup(header->source)};
}

int fay_state_begin(fay_state *state, const fay_journal_header *header,
                    const fay_journal_commit *first, fay_error *err)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer bytes = {0};
    copy_header(state, header);
    write_whole(state, first, &bytes);
    int fault = fay_sync_parent(state->directory); /* whoever made it may have died since */
    if (fault == 0)
        fault = replace(state->directory, &bytes, &state->journal);
    if (fault != 0)
        return fay_fail_errno(err, FAY_E_IO, fault, "cannot write the journal in %s", state->path);
    state->size = fay_buffer_size(&bytes);
    return 0;
}

int fay_state_go_on(fay_state *state, const fay_journal *journal, fay_error *err)
{
    copy_header(state, &journal->header);
    state->journal = openat(state->directory, "journal", O_RDWR | O_CLOEXEC);
    if (state->journal < 0 || ftruncate(state->journal, (off_t)journal->good) != 0)
        return fay_fail_errno(err, FAY_E_IO, errno, "cannot write the journal in %s", state->path);
    state->size = journal->good;
    return 0;
}

static void do_task(uv_work_t *work)
{
    struct task *task = work->data;
    if (task->anew) {
        int fd = -1;
        task->fault = replace(task->directory, &task->bytes, &fd);
        close_if_open(task->fd);
        task->fd = fd;
    } else {
        task->fault = write_at(task->fd, &task->bytes, task->offset);
    }
}

static void task_done(uv_work_t *work, int status)
{
    (void)status;
    struct task *task = work->data;
    fay_state *state = task->state;
    if (state != NULL) {
        state->task = NULL;
        fay_error err;
        if (task->fault != 0) {
            (void)fay_fail_errno(&err, FAY_E_IO, task->fault, "cannot write the journal in %s",
                                 state->path);
        } else {
            state->size = task->offset + fay_buffer_size(&task->bytes);
            (void)close(state->journal);
            state->journal = task->fd;
            task->fd = -1;
        }
        state->done(state->context, task->fault != 0 ? &err : NULL);
    }
    close_if_open(task->fd);
    close_if_open(task->directory);
    fay_buffer_deinit(&task->bytes);
    free(task);
}

void fay_state_record(fay_state *state, const fay_journal_commit *commit,
                      void (*done)(void *context, const fay_error *err), void *context)
{
    assert(state->task == NULL && state->journal >= 0);
    struct task *task = fay_alloc(sizeof *task);
    *task = (struct task){.state = state,
                          .directory = dup(state->directory),
                          .fd = dup(state->journal),
                          .offset = state->size,
                          .anew = state->size > LONG_BYTES};
    if (task->anew) {
        task->offset = 0;
        write_whole(state, commit, &task->bytes);
    } else {
        fay_journal_write_commit(commit, task->offset, &task->bytes);
    }
    task->work.data = task;
    state->task = task;
    state->done = done;
    state->context = context;
    (void)uv_queue_work(state->loop, &task->work, do_task, task_done);
}
