/* SPDX-License-Identifier: MIT */
/*
 * The run's dead letter file: made when the first Item dies, only ever appended to, cut back to the
 * recorded offset when a run is resumed. What stood in it before the run stays.
 */
#ifndef FAY_LETTERS_H
#define FAY_LETTERS_H

#include "base/base.h"
#include "letters/letter.h"

typedef struct fay_letters fay_letters;

/* The path that a template is, with {name} (of the pipeline) and {run} filled in. free() it. */
char *fay_letters_path(const char *text, const char *name, const char *run);

/* `path` NULL: letters are thrown away. */
fay_letters *fay_letters_new(const char *path);
void fay_letters_free(fay_letters *letters);

/* Of a resumed run: whether the file holds what was recorded (FAY_E_STALE, FAY_E_IO); then cut. */
int fay_letters_check(const fay_letters *letters, uint64_t offset, fay_error *err);
int fay_letters_cut(fay_letters *letters, uint64_t offset, fay_error *err);

/* FAY_E_IO with err set: the letter is not there, or not whole. None is written after it, and
 * nothing may be recorded as done. */
int fay_letters_write(fay_letters *letters, const fay_letter *letter, fay_error *err);
bool fay_letters_failed(const fay_letters *letters);

uint64_t fay_letters_offset(const fay_letters *letters);
int fay_letters_fd(const fay_letters *letters); /* -1 = not made yet */

#endif /* FAY_LETTERS_H */
