/* SPDX-License-Identifier: MIT */
/*
 * A run: one execution of a pipeline, owned by this process (FLOW: source -> ledger -> sink).
 *
 *     cli/run.c --options--> fay_run_execute() --> exit code and summary
 *
 * The owner drives flow/ on a libuv loop: reads the source as far as the flow has room, starts one
 * Instance a stage (our own program with a hidden verb, over a socketpair), carries out the flow's
 * actions, writes sink, dead letters and journal. It loads no user code and parses only the
 * source's framing.
 */
#ifndef FAY_RUN_H
#define FAY_RUN_H

#include "base/base.h"
#include "pipeline/pipeline.h"
#include "report/progress.h"

typedef struct fay_run_options {
    const fay_pipeline *pipeline;
    const char *state; /* NULL = none */
    bool resume;
    bool tag;   /* --tag: prefix workers' stderr although it is no terminal */
    bool quiet; /* -q: no progress, no summary */
    bool json;  /* --json: the summary as one JSON line */
    bool explain;
    fay_progress_kind progress;
    bool colour;
    const char *joblog;  /* NULL = none */
    const char *results; /* NULL = none */
    const char *events;  /* NULL, "-" or a path: JSON lines */
    fay_ns deadline;     /* how long a drain may take before workers are ended; 0 = 30 s */
    const char *command; /* as the user typed it: for "continue with: .." */
    char *const *words;  /* behind `run`, NULL-terminated: for the dead letters of an inline
                          * pipeline; NULL = not known */
    /* A dead letter file that is retried: the name of the file; its Items enter at their stage. */
    const char *retry_dead;
} fay_run_options;

/* Exit codes, as in `faymora --help`. */
enum {
    FAY_EXIT_OK = 0,
    FAY_EXIT_DEAD = 1, /* some Items were dead-lettered */
    FAY_EXIT_USAGE = 2,
    FAY_EXIT_WORKER = 3, /* a worker cannot start */
    FAY_EXIT_LIMIT = 5,  /* failure limit, circuit breaker, on_error: stop, a breach of contract */
    FAY_EXIT_IO = 7,     /* source, sink, state or log I/O */
    FAY_EXIT_SIGPIPE = 141,
};

/*
 * Runs to the end; prints progress, errors and the summary on stderr. Returns the exit code. If a
 * signal ended the run, *ret_signal is it (the caller raises it again after cleaning up), else 0.
 */
int fay_run_execute(const fay_run_options *options, int *ret_signal);

#endif /* FAY_RUN_H */
