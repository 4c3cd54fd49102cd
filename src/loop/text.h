/* SPDX-License-Identifier: MIT */
/* Small texts of the run's own: made, put into paths, told to the user. */
#ifndef FAY_RUN_TEXT_H
#define FAY_RUN_TEXT_H

#include "base/base.h"

/* "a/b", with `path` as it is if it is absolute or `directory` is empty. free() it. */
char *fay_run_path(const char *directory, const char *path);

/* The template with {name} and {run} filled in. free() it. */
char *fay_run_named(const char *text, const char *name, const char *run);

/* Writes all of it to a descriptor that takes it (a regular file). 0 or FAY_E_IO with errno set. */
int fay_run_write_all(int fd, const void *bytes, size_t size);

#endif /* FAY_RUN_TEXT_H */
