/* SPDX-License-Identifier: MIT */
/* The inside of a sink, for the files sink_*.c alone: where bytes go, one of them a kind. */
#ifndef FAY_SINK_KIND_H
#define FAY_SINK_KIND_H

#include <sys/types.h>

#include "ends/sink.h"

/* A place that takes bytes. What may be NULL: begin, finish. */
typedef struct fay_drain fay_drain;
typedef struct fay_drain_ops {
    /* Bytes taken; 0 = none now, fay_sink_flush() will be called; -1 with err set, or with
     * err->sys_errno EPIPE and no message: the reader of stdout has gone. */
    ssize_t (*write)(fay_drain *drain, const uint8_t *bytes, size_t size, fay_error *err);
    /* A job is to be written: the place to change files. 0, or an error with err set. */
    int (*begin)(fay_drain *drain, fay_error *err);
    /* All was written: ends the stream. 0 = done; 1 = fay_sink_ended() will be called. */
    int (*finish)(fay_drain *drain, fay_error *err);
    void (*free)(fay_drain *drain);
} fay_drain_ops;

struct fay_drain {
    const fay_drain_ops *ops;
    const fay_sink_def *def;
    fay_sink *sink;
    int fd;           /* of a regular file; -1 */
    bool interrupted; /* there is a new one: set by the drain, taken back by the sink */
    fay_sink_place place;
};

typedef int fay_drain_opener(const fay_sink_config *config, fay_sink *sink, fay_drain **ret,
                             fay_error *err);
fay_drain_opener fay_drain_open_stdout, fay_drain_open_file, fay_drain_open_exec,
    fay_drain_open_listen, fay_drain_open_null;

/* What kinds tell the sink, each once; what comes after is no news. Lost: nothing can be written
 * any more, what waits is dropped (`closed`: the reader of stdout has gone, err says nothing).
 * Ended: after finish() has returned 1, the end of the stream, well (err NULL) or not. */
void fay_sink_lost(fay_sink *sink, bool closed, const fay_error *err);
void fay_sink_ended(fay_sink *sink, const fay_error *err);

#endif /* FAY_SINK_KIND_H */
