/* SPDX-License-Identifier: MIT */
#include "loop/sync.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct fay_sync_work {
    uv_work_t work;
    void (*done)(void *context, int fault); /* NULL: forgotten */
    void *context;
    int fds[FAY_SYNC_FDS_MAX];
    size_t count;
    int fault;
};

static void do_sync(uv_work_t *work)
{
    fay_sync_work *sync = work->data;
    for (size_t i = 0; i < sync->count && sync->fault == 0; i++) {
        if (fdatasync(sync->fds[i]) != 0)
            sync->fault = errno;
    }
}

static void on_done(uv_work_t *work, int status)
{
    (void)status;
    fay_sync_work *sync = work->data;
    for (size_t i = 0; i < sync->count; i++) {
        (void)close(sync->fds[i]);
    }
    if (sync->done != NULL)
        sync->done(sync->context, sync->fault);
    free(sync);
}

fay_sync_work *fay_sync_start(uv_loop_t *loop, const int *fds, size_t count,
                              void (*done)(void *context, int fault), void *context)
{
    assert(count <= FAY_SYNC_FDS_MAX);
    fay_sync_work *sync = fay_alloc(sizeof *sync);
    sync->done = done;
    sync->context = context;
    for (size_t i = 0; i < count && sync->fault == 0; i++) {
        int fd = fcntl(fds[i], F_DUPFD_CLOEXEC, 0);
        if (fd < 0) {
            sync->fault = errno; /* told by way of the pool, as all is */
        } else {
            sync->fds[sync->count++] = fd;
        }
    }
    sync->work.data = sync;
    (void)uv_queue_work(loop, &sync->work, do_sync, on_done);
    return sync;
}

void fay_sync_forget(fay_sync_work *sync)
{
    if (sync != NULL)
        sync->done = NULL;
}

static int sync_directory(int at, const char *path)
{
    int fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) /* one that may be written and not read cannot be synced */
        return errno == EACCES ? 0 : errno;
    int fault = fsync(fd) == 0 ? 0 : errno;
    (void)close(fd);
    return fault == EINVAL ? 0 : fault; /* a file system without such a thing */
}

int fay_sync_directory_of(const char *path)
{
    FAY_CLEANUP(fay_freep) char *directory = fay_strdup(path);
    char *slash = strrchr(directory, '/');
    if (slash != NULL)
        slash[slash == directory ? 1 : 0] = '\0';
    return sync_directory(AT_FDCWD, slash != NULL ? directory : ".");
}

int fay_sync_parent(int directory)
{
    return sync_directory(directory, "..");
}
