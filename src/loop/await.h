/* SPDX-License-Identifier: MIT */
/*
 * Waiting on the loop for a descriptor. An await may be freed at any moment, also while it calls
 * back, as the libuv handle inside outlives it until the loop has let go of it.
 *
 * An await puts the descriptor into an epoll instance of its own and has libuv wait for that. So
 * the descriptor's flags stay as they are: uv_poll_init() would set O_NONBLOCK, which others who
 * share our stdin or stdout (the shell, the next command) would suffer from.
 */
#ifndef FAY_AWAIT_H
#define FAY_AWAIT_H

#include <uv.h>

#include "base/base.h"

enum {
    FAY_AWAIT_READ = 1u,
    FAY_AWAIT_WRITE = 2u,
    FAY_AWAIT_CLOSED = 4u
};

typedef struct fay_await fay_await;
/* `events`: what holds now. CLOSED is the peer's hang-up or an error; it always comes. */
typedef void fay_await_ready(void *context, unsigned events);

/* NULL if the descriptor cannot be waited for because it never blocks (regular file, /dev/null).
 * Nothing is waited for yet. */
fay_await *fay_await_new(uv_loop_t *loop, int fd, fay_await_ready *ready, void *context);
/* What to wait for from now on; 0 = nothing at all. Level-triggered. */
void fay_await_want(fay_await *await, unsigned events);
void fay_await_free(fay_await *await); /* the descriptor stays open; NULL is fine */

#endif /* FAY_AWAIT_H */
