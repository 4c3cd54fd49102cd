/* SPDX-License-Identifier: MIT */
/*
 * What is wrong with a pipeline, all of it in one go: a list of fay_errors with the text they point
 * into, printed the way compilers do.
 *
 *     pipeline.yaml:9:5: error: unknown key 'worker' in stage 'score'
 *         9 |     worker: 4
 *           |     ^~~~~~   did you mean 'workers'?
 *
 * Readers add errors in the order they meet them; printing sorts by place. The list keeps at most
 * FAY_CONFIG_ERRORS_MAX and counts the rest, so that a hostile file costs bounded memory.
 *
 * Ownership: the list copies path and text. A zeroed one is empty and usable: its errors have no
 * place in a file and print as `faymora: error: ...`.
 */
#ifndef FAY_ERRORS_H
#define FAY_ERRORS_H

#include "base/base.h"
#include "base/buffer.h"
#include "pipeline/pipeline.h"

typedef struct fay_config_errors {
    fay_error *items;
    size_t count, capacity;
    size_t more; /* found, but beyond the limit and not kept */
    char *path;  /* as messages show it; NULL = not of a file */
    char *text;  /* of the file, for quoting; NULL = nothing to quote */
    size_t size;
} fay_config_errors;

void fay_config_errors_deinit(fay_config_errors *errors); /* empty and usable again */

/* Says which file the errors to come are of. `text` may be NULL. */
void fay_config_errors_file(fay_config_errors *errors, const char *path, const char *text,
                            size_t size);

/*
 * Adds an error at a place; line 0 = nowhere in a file. Returns it for fay_hint(), NULL (which
 * fay_hint() takes) when it was not kept. Valid until the next one is added.
 */
fay_error *fay_config_errors_add(fay_config_errors *errors, fay_place_in_file where,
                                 const char *format, ...) FAY_PRINTF(3, 4);

/* Appends all of them as text for people, sorted by place. */
void fay_config_errors_print(fay_config_errors *errors, fay_buffer *out);

/* Appends {"file","line","column","severity","message","hint"}, .., sorted by place: members of an
 * array, with a comma before them if `out` holds those of another file. */
void fay_config_errors_json(fay_config_errors *errors, fay_buffer *out);

/* The first one by place, into `err` if that is not NULL. 0 if there is none, FAY_E_CONFIG else. */
int fay_config_errors_first(fay_config_errors *errors, fay_error *err);

/*
 * The candidate that `word` is most likely a misspelling of, or NULL if none is near enough:
 * an edit distance (a swap of neighbours counts one) of at most a third of the word's length.
 */
const char *fay_suggest(const char *word, const char *const *candidates, size_t count);

#endif /* FAY_ERRORS_H */
