/* SPDX-License-Identifier: MIT */
/*
 * What the kernel tells in small files, in /proc and /sys.
 */
#ifndef FAY_FILE_H
#define FAY_FILE_H

#include "base/base.h"

/* The start of a file as a C string; its length, 0 = not there. */
size_t fay_host_read(const char *path, char *text, size_t size);
/* The number behind `name` at the start of a line; 0 = not there. */
uint64_t fay_host_number(const char *path, const char *name);

#endif /* FAY_FILE_H */
