/* SPDX-License-Identifier: MIT */
/* Words as a shell would have to be given them: for commands that people copy. */
#ifndef FAY_SHELL_H
#define FAY_SHELL_H

#include "base/base.h"
#include "base/buffer.h"

/* Words separated by blanks; in '' where a shell would see more than a word. */
void fay_shell_join(char *const *words, size_t count, fay_buffer *out);

#endif /* FAY_SHELL_H */
