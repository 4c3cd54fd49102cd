/* SPDX-License-Identifier: MIT */
/*
 * --joblog: one line a try, tab separated. The nine columns of GNU parallel unchanged, so that what
 * reads those reads these; then ours.
 *
 *     Seq Host Starttime JobRuntime Send Receive Exitval Signal Command
 *     Stage Attempt Worker ItemId Outcome
 */
#ifndef FAY_JOBLOG_H
#define FAY_JOBLOG_H

#include "base/base.h"
#include "base/buffer.h"

typedef struct fay_job {
    uint64_t seq; /* of the source Item, from 1 */
    const char *host;
    double start_s; /* since 1970 */
    double runtime_s;
    uint64_t sent, received; /* bytes */
    int exit, signal;
    const char *command;
    const char *stage;
    unsigned attempt, worker; /* both from 1 */
    const char *item_id;
    const char *outcome; /* ok filtered retried dead dropped */
} fay_job;

void fay_joblog_header(fay_buffer *out);
/* Tabs, newlines and NULs inside the command are written as spaces. */
void fay_joblog_line(const fay_job *job, fay_buffer *out);

#endif /* FAY_JOBLOG_H */
