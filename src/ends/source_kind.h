/* SPDX-License-Identifier: MIT */
/* The inside of a source, for the files source_*.c alone: one of them a kind. */
#ifndef FAY_SOURCE_KIND_H
#define FAY_SOURCE_KIND_H

#include "ends/source.h"

/* What may be NULL: identity (with `why_not`), notes, recorded, resume, acked, expected. */
typedef struct fay_source_kind_ops {
    const char *why_not; /* why it cannot be read again */
    bool unnumbered;
    int (*pull)(fay_source *source, uint64_t items, uint64_t bytes, fay_chunk *ret, fay_error *err);
    char *(*identity)(fay_source *source); /* NULL: not this time */
    char *(*notes)(fay_source *source, const fay_range *ranges, size_t count, uint64_t position);
    void (*recorded)(fay_source *source, uint64_t position);
    int (*resume)(fay_source *source, const fay_source_past *past, fay_error *err);
    void (*acked)(fay_source *source, uint64_t root, uint64_t count);
    uint64_t (*expected)(const fay_source *source);
    void (*free)(fay_source *source); /* all that is inside, and itself */
} fay_source_kind_ops;

struct fay_source {
    const fay_source_kind_ops *ops;
    fay_source_config config;
    const fay_source_def *def;
    bool ended;
};

/* Each allocates a source of its kind, with `fay_source` as its first member. */
typedef int fay_source_opener(const fay_source_config *config, fay_source **ret, fay_error *err);
fay_source_opener fay_source_open_file, fay_source_open_stdin, fay_source_open_exec,
    fay_source_open_listen, fay_source_open_dir, fay_source_open_generate, fay_source_open_items,
    fay_source_open_dead;
fay_source_opener fay_source_open_stdin_file; /* stdin, which is a regular file */
/* The spool in front of another source, which becomes its own (also on failure). */
int fay_source_open_spool(const fay_source_config *config, fay_source *inner, fay_source **ret,
                          fay_error *err);

/* Sets the common part of a new source of a kind. */
void fay_source_init(fay_source *source, const fay_source_kind_ops *ops,
                     const fay_source_config *config);
/* "NAME: " before what err says. Returns `status`. */
int fay_source_blame(int status, const char *name, fay_error *err);

#endif /* FAY_SOURCE_KIND_H */
