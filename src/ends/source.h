/* SPDX-License-Identifier: MIT */
/*
 * Where a run's Items come from. The owner pulls, as far as the flow has room; a source that has
 * nothing says so, and calls `ready` once it has. Nothing here blocks the loop.
 *
 *     pull --> ITEMS a chunk | WAIT (for `ready`) | END | error
 *
 * Resuming. A source that gives the same Items again has an identity: a text that goes into the
 * journal's header and must be equal on resume. With each record go its notes. What has no identity
 * (pipes, commands, sockets) needs a spool in the state directory, which has one
 * (docs/ARCHITECTURE.md, "Nothing is lost").
 */
#ifndef FAY_SOURCE_H
#define FAY_SOURCE_H

#include <uv.h>

#include "base/base.h"
#include "ends/intake.h"
#include "flow/flow.h"
#include "loop/process.h"
#include "pipeline/pipeline.h"

typedef struct fay_source fay_source;

typedef struct fay_source_config {
    uv_loop_t *loop;
    fay_processes *processes;
    const fay_pipeline *pipeline; /* its source; for DEAD its stages too */
    uint64_t item_max;
    const char *retry_dead; /* NULL, or the dead letters that are the source instead */
    const char *state;      /* NULL, or the state directory, for a spool */
    bool resumed;           /* the run goes on: commands are not run again */
    void (*ready)(void *context);
    void *context;
} fay_source_config;

/* What is known of a run that is resumed. */
typedef struct fay_source_past {
    const char *identity, *notes;
    uint64_t position; /* behind the roots that are done without a gap */
    uint64_t root;     /* the number that the next Item gets */
} fay_source_past;

/* Opens it; nothing is read yet. FAY_E_IO or FAY_E_INVAL with err set. The config is copied. */
int fay_source_open(const fay_source_config *config, fay_source **ret, fay_error *err);
void fay_source_free(fay_source *source);

enum {
    FAY_PULL_ITEMS = 0,
    FAY_PULL_WAIT = 1,
    FAY_PULL_END = 2
};
/* Up to `items` Items and about `bytes` bytes, both above 0. Errors have err set. */
int fay_source_pull(fay_source *source, uint64_t items, uint64_t bytes, fay_chunk *ret,
                    fay_error *err);

/* NULL if it cannot be read again; *ret_why says so. free() it. */
char *fay_source_identity(fay_source *source, const char **ret_why);
/* What goes into a record with these roots done and this position. free() it. */
char *fay_source_notes(fay_source *source, const fay_range *ranges, size_t count,
                       uint64_t position);
/* The record that those notes were made for, of that position, is on the disk. */
void fay_source_recorded(fay_source *source, uint64_t position);
/* Goes on where an earlier run stopped, before the first pull. FAY_E_STALE with err set: it is not
 * the same source any more. */
int fay_source_resume(fay_source *source, const fay_source_past *past, fay_error *err);
/* Whether Items are told by number on resume; if not, the source itself skips those done. */
bool fay_source_is_numbered(const fay_source *source);
/* These roots are done, and on record if there is a journal. */
void fay_source_acked(fay_source *source, uint64_t root, uint64_t count);

/* How many Items it will have given in the end, as far as that can be known; 0 = it cannot. */
uint64_t fay_source_expected(const fay_source *source);

#endif /* FAY_SOURCE_H */
