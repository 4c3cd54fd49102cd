/* SPDX-License-Identifier: MIT */
/*
 * Dead letters: JSON lines that say what failed, why, and how to try again.
 *
 *     {"id":"7","stage":"score","attempts":3,"node":"a","exit":1,"signal":"KILL","error":"..",
 *      "stderr":"..","pipeline":"/abs/p.yaml","hash":"..","attrs":{},"item":".."}
 *
 * exit or signal is left out when there was none. An Item that is not UTF-8 is "item_b64". A line
 * carries the pipeline's path and hash, so that `faymora dead retry FILE` knows where it belongs;
 * an inline pipeline's path is null and "argv" holds the words of its command line.
 */
#ifndef FAY_LETTER_H
#define FAY_LETTER_H

#include "base/base.h"
#include "base/buffer.h"
#include "pipeline/pipeline.h"

typedef struct fay_letter {
    char *id, *stage, *node, *error, *stderr_tail, *pipeline, *hash;
    char **argv; /* of an inline pipeline: the words after `run`, NULL-terminated; else NULL */
    unsigned attempts;
    int exit;       /* -1 = none */
    int signal;     /* 0 = none */
    uint8_t *attrs; /* encoded (item/attrs.h) */
    size_t attrs_size;
    uint8_t *item;
    size_t item_size;
} fay_letter;

/* Appends one line with its newline. */
void fay_letter_write(const fay_letter *letter, fay_buffer *out);
/* Parses one line (without newline). 0, or FAY_E_INVAL with err saying what is wrong. */
int fay_letter_parse(const char *line, size_t size, fay_letter *ret, fay_error *err);
void fay_letter_deinit(fay_letter *letter);

/* The `hash` of a pipeline: XXH64 of what its fingerprint says of the stages (where Items come from
 * and go to is no matter to who tries one again), as 16 hex digits and a NUL. */
enum {
    FAY_LETTER_HASH_SIZE = 17
};
void fay_letter_hash(const fay_pipeline *pipeline, char hash[FAY_LETTER_HASH_SIZE]);

#endif /* FAY_LETTER_H */
