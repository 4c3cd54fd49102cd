/* SPDX-License-Identifier: MIT */
/*
 * Progress while a run lasts, on stderr: a bar that is redrawn in place at most 5 times a second,
 * or a plain line every 10 s where there is no terminal.
 *
 *     fay_progress_clear(p)          before anything else is written to the terminal
 *     fay_progress_show(p, &r, now)  draws if it is time, else does nothing
 *     wake me at fay_progress_due(p, now)
 *
 * The bar is one line that never wraps, since a line that did could not be erased: it is cut to the
 * terminal's width, which is asked for each time. What to write is report.h's; this says when and
 * where. Times are those of CLOCK_MONOTONIC (uv_hrtime()).
 */
#ifndef FAY_PROGRESS_H
#define FAY_PROGRESS_H

#include "report/report.h"

typedef enum fay_progress_kind {
    FAY_PROGRESS_AUTO, /* bar on a terminal, else plain */
    FAY_PROGRESS_BAR,
    FAY_PROGRESS_PLAIN,
    FAY_PROGRESS_NONE,
} fay_progress_kind;

typedef struct fay_progress fay_progress;

/* AUTO: a bar if `fd` is a terminal that can (TERM is not dumb), else plain lines. */
fay_progress *fay_progress_new(fay_progress_kind kind, bool colour, int fd);
void fay_progress_free(fay_progress *progress); /* clears */

/* NULL is taken everywhere and does nothing. */
void fay_progress_show(fay_progress *progress, const fay_report *report, fay_ns now);
fay_ns fay_progress_due(const fay_progress *progress, fay_ns now); /* FAY_NEVER = not at all */
void fay_progress_clear(fay_progress *progress);
/* Whether it is a bar, which others must make room for. */
bool fay_progress_is_bar(const fay_progress *progress);

#endif /* FAY_PROGRESS_H */
