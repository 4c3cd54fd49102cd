/* SPDX-License-Identifier: MIT */
/*
 * A log that the user asked for beside the results: --joblog, --results, --events. What is written
 * to it waits until there is enough, or it is flushed. The first write that fails (a full disk, a
 * limit) ends the log, not the run: it is told at once, and whoever is told sees to the exit code.
 *
 *     write --> [ waiting ] --flush--> a file takes all, at once
 *                    |                 a pipe, a terminal: what it takes now, and later the rest
 *                    |                 a FIFO without a reader: all waits until there is one
 *                    '- FAY_LOG_KEPT_MAX: lines that do not fit are dropped, whole
 *
 * So no reader holds the run, however slow it is. Lines that are dropped are told when the first
 * one is, and their number at the end.
 */
#ifndef FAY_LOGFILE_H
#define FAY_LOGFILE_H

#include <uv.h>

#include "base/base.h"

typedef struct fay_logfile fay_logfile;

/* Who is told that lines are missing in a log, and the loop that waits until its reader takes more
 * (regular files need none). */
typedef struct fay_logfile_watch {
    void (*lost)(void *context, const fay_error *err);
    void *context;
    uv_loop_t *loop;
} fay_logfile_watch;

/* `flag` is what asked for it and must outlive the log, `mode` O_APPEND or O_TRUNC. FAY_E_IO with
 * err set. A FIFO need not have a reader. */
int fay_logfile_open(const char *flag, const char *path, int mode, const fay_logfile_watch *watch,
                     fay_logfile **ret, fay_error *err);
/* On a standard descriptor, which stays open, and blocking for those that share it. */
fay_logfile *fay_logfile_on(const char *flag, int fd, const fay_logfile_watch *watch);

/* All take NULL. */
void fay_logfile_write(fay_logfile *log, const void *line, size_t size);
void fay_logfile_flush(fay_logfile *log);
/* Flushes, waits until that time of uv_hrtime() for a reader that has not taken all, and closes:
 * what is lost is told here for the last time. Then nothing is written. */
void fay_logfile_finish(fay_logfile *log, fay_ns by);
void fay_logfile_free(fay_logfile *log); /* what was not flushed is thrown away */

bool fay_logfile_is_empty(const fay_logfile *log); /* nothing was in it when it was opened */
bool fay_logfile_is_open(const fay_logfile *log);  /* neither lost nor finished */

#endif /* FAY_LOGFILE_H */
