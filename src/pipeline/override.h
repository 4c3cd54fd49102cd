/* SPDX-License-Identifier: MIT */
/*
 * What a command line changes about a pipeline: the flags of `run` (-j, --mode, -a, ..) and
 * `--set stage.key=value`. A flag goes before what the file says.
 *
 * --set walks the very tables the file is read by (schema.h), so whatever a file can say can be
 * set:
 *
 *     score.workers.max=3      score.run=[./score, -v]      limits.failures=5%      sink.file=out
 */
#ifndef FAY_OVERRIDE_H
#define FAY_OVERRIDE_H

#include "pipeline/pipeline.h"

/* The flags; zeroed = none given. Strings are borrowed for the call. They apply to every stage. */
typedef struct fay_overrides {
    bool jobs_given; /* -j N: min = max, pinned; -j MIN-MAX */
    unsigned jobs_min, jobs_max;
    bool mode_given; /* --mode */
    fay_mode_kind mode;
    bool format_given; /* --format: of source, stages and sink */
    fay_format format;
    bool nul_given;  /* -0: the source alone, as in xargs */
    bool keep_order; /* --keep-order */
    bool retries_given;
    uint64_t retries; /* UINT64_MAX = forever */
    bool timeout_given;
    fay_ns timeout;
    bool delay_given; /* --delay: the least time between two starts in a stage */
    fay_ns delay;
    const char *input;        /* -a FILE, "-" = stdin; a name, not a pattern */
    const char *output;       /* -o FILE, "-" = stdout */
    const char *dead_letter;  /* --dead-letter FILE or none */
    const char *failures_max; /* --max-failures N or N% */
    const char *state;        /* --state DIR */
    const char *retry_dead;   /* --retry-dead FILE */
} fay_overrides;

/* "4" or "1-8" into jobs_*, which are untouched on failure: FAY_E_INVAL. */
int fay_jobs_parse(const char *text, fay_overrides *options, fay_error *err);

/* FAY_E_NOTFOUND, with a suggestion in `err`. */
int fay_mode_parse(const char *text, fay_mode_kind *ret_mode, fay_error *err);

/* Applies the flags, and settles the pipeline again. After FAY_E_CONFIG it can only be freed. */
int fay_pipeline_override(fay_pipeline *pipeline, const fay_overrides *options, fay_error *err);

/* Applies one "key=value" of --set, and settles the pipeline again. Likewise. */
int fay_pipeline_set(fay_pipeline *pipeline, const char *assignment, fay_error *err);

#endif /* FAY_OVERRIDE_H */
