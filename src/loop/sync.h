/* SPDX-License-Identifier: MIT */
/*
 * Syncs, in the thread pool: what has been written is on the disk before it is told.
 *
 *     loop --start: descriptors of its own--> [ pool: fdatasync each ] --done(fault)--> loop
 *
 * The descriptors are duplicates, as the owner's may be closed meanwhile; one that cannot be
 * duplicated is a fault like any other: nothing may count as written over it.
 */
#ifndef FAY_SYNC_H
#define FAY_SYNC_H

#include <uv.h>

#include "base/base.h"

enum {
    FAY_SYNC_FDS_MAX = 2
};

typedef struct fay_sync_work fay_sync_work;

/* Syncs `count` descriptors, then calls `done` once, on the loop and never within this call;
 * `fault` is 0 or the first errno. The work frees itself after that. */
fay_sync_work *fay_sync_start(uv_loop_t *loop, const int *fds, size_t count,
                              void (*done)(void *context, int fault), void *context);
/* The owner is gone: `done` is not called any more. NULL is fine. */
void fay_sync_forget(fay_sync_work *sync);

/* Syncs the directory that the file of that path is in, now: a file that is new is found there
 * after a crash. 0 or errno. */
int fay_sync_directory_of(const char *path);
/* The same for the directory that an open one is in. */
int fay_sync_parent(int directory);

#endif /* FAY_SYNC_H */
