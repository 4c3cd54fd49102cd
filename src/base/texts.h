/* SPDX-License-Identifier: MIT */
/*
 * Lists of texts: NULL-terminated, as argv is. List and texts are one thing, owned and freed
 * together. NULL stands for no list, which is not an empty one.
 */
#ifndef FAY_TEXTS_H
#define FAY_TEXTS_H

#include "base/base.h"

char **fay_texts_new(void); /* empty */
/* Copies the first `count` texts of a list. */
char **fay_texts_copy(char *const *texts, size_t count);
size_t fay_texts_count(char *const *texts); /* NULL has none */
void fay_texts_free(char **texts);          /* NULL is fine */

/* Appends one, and takes it; a list that is NULL is begun. */
void fay_texts_push(char ***texts, char *text);

void fay_texts_replace(char ***field, char **texts); /* takes `texts`, frees what was there */
void fay_text_replace(char **field, char *text);     /* likewise, one text */

/* Control characters become blanks: nothing is left that a terminal would act on. */
void fay_text_tame(char *text);

#endif /* FAY_TEXTS_H */
