/* SPDX-License-Identifier: MIT */
/*
 * What the words behind `faymora run` ask for. `run` carries it out, `plan` explains it, and
 * `dead retry` finds such words in the dead letters of an inline pipeline.
 *
 *     words --fay_request_parse()--> request --fay_request_pipeline()--> pipeline
 *
 * Ownership: a request borrows the words; of its own it has but the list of --set.
 */
#ifndef FAY_REQUEST_H
#define FAY_REQUEST_H

#include "cli/cli.h"
#include "pipeline/override.h"

typedef struct fay_request {
    fay_run_options options; /* without pipeline and state */
    fay_overrides overrides; /* what the flags change about the pipeline */
    const char **sets;       /* of --set, in order */
    size_t sets_count, sets_capacity;
    const char *file;   /* NULL = inline */
    char *const *words; /* inline: behind `--` */
    size_t words_count;
    bool dry_run;
} fay_request;

extern const fay_flag fay_request_flags[];

/* 0; or FAY_CLI_STOP: return cli->exit. */
int fay_request_parse(fay_cli *cli, fay_request *ret);
void fay_request_deinit(fay_request *request);

/* The pipeline with all flags applied. NULL: `errors`, empty before, has at least one. */
fay_pipeline *fay_request_pipeline(const fay_request *request, fay_config_errors *errors);
/* Likewise, with the errors printed for people, and *ret_exit set. */
fay_pipeline *fay_request_pipeline_or_say(const fay_request *request, int *ret_exit);

#endif /* FAY_REQUEST_H */
