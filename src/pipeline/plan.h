/* SPDX-License-Identifier: MIT */
/*
 * What a run would do, in words: the text of `faymora plan`. Per stage its command, mode, workers
 * and what happens on failure; for the whole what is exactly once, what is not, and why; warnings.
 *
 * The promise (docs/ARCHITECTURE.md, "Nothing is lost"): each source Item's results reach the sink
 * exactly once, whatever worker, Instance or machine dies; with a state directory also when the
 * owner dies, file to file. What differs for each kind of source and sink is rule 10 of the same
 * page, and one table here, which the check of --state uses too: `plan` cannot promise what `run`
 * refuses.
 */
#ifndef FAY_PLAN_H
#define FAY_PLAN_H

#include "base/buffer.h"
#include "pipeline/pipeline.h"

/* What the pipeline itself does not tell. */
typedef struct fay_plan_facts {
    bool stdin_is_file;  /* a regular file: it can be read again */
    bool stdout_is_file; /* a regular file: it can be cut */
} fay_plan_facts;

void fay_plan_print(const fay_pipeline *pipeline, const fay_plan_facts *facts, fay_buffer *out);

/*
 * Whether a run with a state directory could be resumed: FAY_E_CONFIG, with the reason and what to
 * do, for a source that cannot be read again and is not spooled, or a sink that rotates.
 */
int fay_pipeline_check_state(const fay_pipeline *pipeline, bool stdin_is_file, fay_error *err);

#endif /* FAY_PLAN_H */
