/* SPDX-License-Identifier: MIT */
/*
 * A stream that Items are read from: a pipe, a terminal, a socket, a FIFO. Reads what is there and
 * never blocks, nor leaves O_NONBLOCK behind on a descriptor that others share: an inherited pipe
 * is opened anew through /proc/self/fd, sockets are read with MSG_DONTWAIT, and before any other
 * read the descriptor is asked whether it would block.
 */
#ifndef FAY_STREAM_H
#define FAY_STREAM_H

#include <uv.h>

#include "base/base.h"
#include "ends/intake.h"

typedef struct fay_stream fay_stream;

/* `inherited`: the descriptor is shared, and stays open when the stream is freed; else it becomes
 * the stream's. */
fay_stream *fay_stream_new(uv_loop_t *loop, int fd, bool inherited, void (*ready)(void *context),
                           void *context);
/* Opens a path that is no regular file; a FIFO without a writer is waited for. FAY_E_IO. */
int fay_stream_open(uv_loop_t *loop, const char *path, void (*ready)(void *context), void *context,
                    fay_stream **ret, fay_error *err);

enum {
    FAY_STREAM_MORE = 0,
    FAY_STREAM_WAIT = 1,
    FAY_STREAM_END = 2
};
/* MORE: the intake has new bytes. WAIT: nothing is there; `ready` is called once something is.
 * END: no more will come. FAY_E_IO with errno set. */
int fay_stream_read(fay_stream *stream, fay_intake *intake);

void fay_stream_free(fay_stream *stream);

#endif /* FAY_STREAM_H */
