/* SPDX-License-Identifier: MIT */
/*
 * What a pipeline promises, and why not more: a list of sentences that are kept or not, and a list
 * of warnings. `plan` prints both, as text and as JSON; the check of --state asks the same table,
 * so `plan` cannot promise what `run` refuses.
 *
 * The promise (docs/ARCHITECTURE.md, "Nothing is lost"): each source Item's results reach the sink
 * exactly once, whatever worker, Instance or machine dies; with a state directory also when the
 * owner dies, file to file. What differs for each kind of source and sink is rule 10 of that page.
 *
 * Ownership: a list owns its texts and borrows the names in it from the pipeline.
 */
#ifndef FAY_PROMISE_H
#define FAY_PROMISE_H

#include "pipeline/pipeline.h"

/* What the pipeline itself does not tell. */
typedef struct fay_plan_facts {
    bool stdin_is_file;  /* a regular file: it can be read again */
    bool stdout_is_file; /* a regular file: it can be cut */
} fay_plan_facts;

typedef struct fay_sentence {
    bool kept;         /* of a promise: whether it holds */
    const char *about; /* of a promise: "results", "worker", "source", "sink" or "owner";
                          of a warning: the stage's name, NULL = the whole pipeline */
    char *text;
} fay_sentence;

typedef struct fay_sentences {
    fay_sentence *items;
    size_t count, capacity;
} fay_sentences;

void fay_sentences_deinit(fay_sentences *sentences);

/* Appends what is exactly once and what is not, in the order in which people should read it. */
void fay_pipeline_promises(const fay_pipeline *pipeline, const fay_plan_facts *facts,
                           fay_sentences *ret);

/* Appends what works but seldom as it was meant: stage by stage, then of the whole. */
void fay_pipeline_warnings(const fay_pipeline *pipeline, fay_sentences *ret);

/*
 * Whether a run with a state directory could be resumed: 0; or FAY_E_CONFIG, with the reason and
 * what to do, for a source that cannot be read again and is not spooled, or a sink that rotates.
 */
int fay_pipeline_check_state(const fay_pipeline *pipeline, bool stdin_is_file, fay_error *err);

#endif /* FAY_PROMISE_H */
