/* SPDX-License-Identifier: MIT */
/*
 * A dead letter file, read line by line and rewritten whole.
 *
 *     open --> next, next, .. --> rewrite (temporary file beside it, synced, renamed over it)
 *
 * A run may append to the file meanwhile: what it wrote since `open` is carried over when the file
 * is rewritten. Whoever rewrites it takes it: of two, one waits for the other, then reads what that
 * one has left. The lock is on the file itself, so nothing is left behind, and runs that append
 * never wait for it.
 */
#ifndef FAY_DEAD_FILE_H
#define FAY_DEAD_FILE_H

#include <stdio.h>

#include "letters/letter.h"

typedef struct fay_dead_file {
    const char *path; /* borrowed */
    FILE *file;
    uint64_t size;   /* of the file, as far as it is read */
    uint64_t number; /* of the line that was read last */
    char *line;      /* without its newline */
    size_t length, capacity;
} fay_dead_file;

/* FAY_E_IO; also for what is no regular file, as that can be neither bounded nor rewritten. */
int fay_dead_file_open(fay_dead_file *letters, const char *path, fay_error *err);
/* As `open`, and it is ours to rewrite until it is closed. FAY_E_TIMEOUT: it is still another's
 * after 5 s. */
int fay_dead_file_take(fay_dead_file *letters, const char *path, fay_error *err);
void fay_dead_file_close(fay_dead_file *letters);

enum {
    FAY_DEAD_FILE_END = 1
};
/* 0 with *ret (deinit it) and letters->line; FAY_DEAD_FILE_END; FAY_E_INVAL for a line that is no
 * letter (reading may go on), FAY_E_IO. Errors name file and line. */
int fay_dead_file_next(fay_dead_file *letters, fay_letter *ret, fay_error *err);

/* Replaces the file by the contents of `kept` and what was appended meanwhile. Atomic: FAY_E_IO
 * means that the old file is still there. */
int fay_dead_file_rewrite(fay_dead_file *letters, FILE *kept, fay_error *err);

#endif /* FAY_DEAD_FILE_H */
