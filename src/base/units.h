/* SPDX-License-Identifier: MIT */
/*
 * What people write for durations and sizes, read and written.
 *
 *     duration   0 | 100ms | 1.5s | 30s | 5m | 2h | 1d | 250us | a bare number is seconds
 *     size       0 | 512 | 64KiB | 1MiB | 1.5GiB | 64K | 10M (powers of 1024) | 10MB (of 1000)
 */
#ifndef FAY_UNITS_H
#define FAY_UNITS_H

#include "base/base.h"

/* FAY_E_INVAL if the text is not of the form above, negative, or does not fit. */
int fay_duration_parse(const char *text, fay_ns *ret_duration);
int fay_size_parse(const char *text, uint64_t *ret_size);

enum {
    FAY_UNITS_TEXT_MAX = 32
};
/* "1m15s", "3.2s", "15ms": short, for people. Returns `text`. */
const char *fay_duration_text(fay_ns duration, char text[FAY_UNITS_TEXT_MAX]);
/* "64MiB", "1.5GiB": short, for people. Returns `text`. */
const char *fay_size_text(uint64_t size, char text[FAY_UNITS_TEXT_MAX]);

#endif /* FAY_UNITS_H */
