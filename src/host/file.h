/* SPDX-License-Identifier: MIT */
/*
 * Files: names, whole reads of the small ones that the kernel tells things in (/proc, /sys), whole
 * writes.
 */
#ifndef FAY_FILE_H
#define FAY_FILE_H

#include "base/base.h"

/* "a/b", with `path` as it is if it is absolute or `directory` is empty. free() it. */
char *fay_file_path(const char *directory, const char *path);

/* The start of a file as a C string; its length, 0 = not there. */
size_t fay_file_read(const char *path, char *text, size_t size);
/* The number behind `name` at the start of a line of a text, of a file; 0 = not there. */
uint64_t fay_file_number_in(const char *text, const char *name);
uint64_t fay_file_number(const char *path, const char *name);

/* Writes all of it, to a descriptor that takes it in the end. 0 or FAY_E_IO with errno set. */
int fay_file_write(int fd, const void *bytes, size_t size);

#endif /* FAY_FILE_H */
