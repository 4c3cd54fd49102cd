/* SPDX-License-Identifier: MIT */
/* What the parts of `faymora dead` share: dead.c looks at letters, dead_retry.c retries them. */
#ifndef FAY_DEAD_H
#define FAY_DEAD_H

#include "cli/cli.h"
#include "letters/letter.h"

typedef struct fay_dead {
    fay_cli *cli;
    const char *verb, *path;
    const char **ids; /* only these; none = all */
    size_t ids_count, ids_capacity;
} fay_dead;

bool fay_dead_wants(const fay_dead *dead, const fay_letter *letter);

/* The exit code when no letter was meant: with ids that is a failure, which is said. */
int fay_dead_found_none(const fay_dead *dead);

/* Lets the letters' Items enter their pipelines again, and rewrites the file. *ret_signal as in
 * fay_run_execute(). Returns the exit code. */
int fay_dead_retry(const fay_dead *dead, int *ret_signal);

#endif /* FAY_DEAD_H */
