/* SPDX-License-Identifier: MIT */
/*
 * What was decided about a stage's workers while the run lasted, for --explain: the first decisions
 * and the last ones, FAY_DECISIONS_KEPT_MAX of each, and how many came between.
 */
#ifndef FAY_HISTORY_H
#define FAY_HISTORY_H

#include "base/base.h"
#include "base/buffer.h"
#include "flow/view.h"

typedef struct fay_history fay_history;

fay_history *fay_history_new(void);
/* NULL is fine, here and for add. */
void fay_history_free(fay_history *history);

/* `at`: since the run began; never earlier than the one before. */
void fay_history_add(fay_history *history, fay_ns at, const fay_equalizer_view *view);
/* Appends a line for each, in the order of time, with one that says how many are left out. */
void fay_history_tell(const fay_history *history, const char *stage, fay_buffer *out);

#endif /* FAY_HISTORY_H */
