/* SPDX-License-Identifier: MIT */
/*
 * An outlet: a descriptor that Items are written to. Writes what it takes now and never blocks on
 * pipes, terminals and sockets, nor leaves O_NONBLOCK behind on one that others share (see
 * stream.h, its other half). A regular file takes all.
 */
#ifndef FAY_OUTLET_H
#define FAY_OUTLET_H

#include <sys/types.h>
#include <uv.h>

#include "base/base.h"

typedef struct fay_outlet fay_outlet;

/* `ready`: it takes more again, or (`closed`) never will, as the reader has gone. */
typedef void fay_outlet_ready(void *context, bool closed);

/* `inherited`: shared, and stays open when the outlet is freed; else it becomes the outlet's. */
fay_outlet *fay_outlet_new(uv_loop_t *loop, int fd, bool inherited, fay_outlet_ready *ready,
                           void *context);
/* Bytes taken; 0 = none now, `ready` will be called; -1 with errno (EPIPE: closed). */
ssize_t fay_outlet_write(fay_outlet *outlet, const void *bytes, size_t size);
/* Waits until it takes more, or never will, but no longer than that: for who has no loop that runs
 * any more. */
void fay_outlet_wait(const fay_outlet *outlet, int ms);
void fay_outlet_free(fay_outlet *outlet); /* NULL is fine */

#endif /* FAY_OUTLET_H */
