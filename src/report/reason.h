/* SPDX-License-Identifier: MIT */
/*
 * Why a stage has the workers it has, told to programs (--events) and to people (--explain): a
 * decision of its Equalizer, with the numbers that went in. Pure: numbers in, text out.
 *
 *     score  12.3 s  2→5 workers: 812/s arrive, an Item takes 3.1 ms: load 2.5 + 1.9 to spare
 *     + 0.4 for the backlog = 5; 41 wait
 *     score  14.0 s  stays at 5 workers, wants 7, HELD by AT_MAX: 5 is its maximum; ..
 */
#ifndef FAY_REASON_H
#define FAY_REASON_H

#include "base/buffer.h"
#include "flow/view.h"

/* The event's name: "stage.spawn", "stage.retire", or "stage.held" where nothing was done. */
const char *fay_reason_event(const fay_equalizer_view *view);
/* Appends ,"rule":"load","pressure":"HIGH",..: docs/man/faymora-run.1.scd has them all. */
void fay_reason_members(const fay_equalizer_view *view, fay_buffer *out);
/* Appends one line; `at`: since the run began. */
void fay_reason_tell(const fay_equalizer_view *view, const char *stage, fay_ns at, fay_buffer *out);

#endif /* FAY_REASON_H */
