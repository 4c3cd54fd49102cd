/* SPDX-License-Identifier: MIT */
/*
 * Waiting on the loop for a time. A timer may be freed at any moment, also while it calls back, as
 * the libuv handle inside outlives it until the loop has let go of it.
 */
#ifndef FAY_TIMER_H
#define FAY_TIMER_H

#include <uv.h>

#include "base/base.h"

typedef struct fay_timer fay_timer;

fay_timer *fay_timer_new(uv_loop_t *loop, void (*due)(void *context), void *context);
void fay_timer_start(fay_timer *timer, uint64_t after_ms); /* once; starts anew if running */
/* At that time of uv_hrtime(), or up to 1 ms later; not before, which would be a vain wake-up. */
void fay_timer_at(fay_timer *timer, fay_ns due);
void fay_timer_stop(fay_timer *timer);
bool fay_timer_running(const fay_timer *timer);
void fay_timer_free(fay_timer *timer); /* NULL is fine */

#endif /* FAY_TIMER_H */
