/* SPDX-License-Identifier: MIT */
/* A descriptor that is watched: a uv_poll handle that owns it, on the heap, since libuv wants a
 * handle's memory until its close callback. */
#ifndef FAY_WATCH_H
#define FAY_WATCH_H

#include <uv.h>

#include "base/base.h"

typedef struct fay_watch {
    uv_poll_t poll;
    int fd;
    int events; /* watched for: UV_READABLE, UV_WRITABLE; 0 = none */
    void (*ready)(void *context);
    void *context;
} fay_watch;

/* Takes the descriptor, makes it non-blocking, and calls `ready` when one of `events` is there. */
fay_watch *fay_watch_open(uv_loop_t *loop, int fd, int events, void (*ready)(void *context),
                          void *context);
void fay_watch_set(fay_watch *watch, int events);
/* Closes the descriptor now; *watch may be NULL and becomes NULL. */
void fay_watch_close(fay_watch **watch);

/* A pipe, to be watched and given to a process: 0 or errno. `size` bytes if that is granted; 0 = as
 * it comes. */
int fay_watch_pipe(int size, int *ret_read, int *ret_write);

#endif /* FAY_WATCH_H */
