/* SPDX-License-Identifier: MIT */
/*
 * Output that is held until its try has succeeded: in memory up to FAY_OUTPUT_MEMORY, then in a
 * file without a name, which nothing leaves behind however we end. After a failure it is cleared:
 * what is left of it is not all.
 */
#ifndef FAY_HELD_OUTPUT_H
#define FAY_HELD_OUTPUT_H

#include "base/base.h"
#include "base/buffer.h"

#define FAY_OUTPUT_MEMORY ((size_t)1 << 20)

typedef struct fay_held_output {
    fay_buffer memory;      /* while there is no file; else what was read back */
    int fd;                 /* -1 = none */
    uint64_t written, read; /* in the file */
} fay_held_output;

void fay_held_output_init(fay_held_output *output);
void fay_held_output_clear(fay_held_output *output);

/* What was written into output->memory (reserve, commit) moves to the file when it is too much.
 * 0, or FAY_E_IO with errno set. */
int fay_held_output_added(fay_held_output *output);
uint64_t fay_held_output_size(const fay_held_output *output);

/* Reading back: output->memory holds bytes to be consumed; brings more of them there. *ret_final:
 * nothing is left in the file. FAY_E_IO with errno set: of the last bytes' way into it, or of the
 * way back. */
int fay_held_output_load(fay_held_output *output, bool *ret_final);

#endif /* FAY_HELD_OUTPUT_H */
