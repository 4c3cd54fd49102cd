/* SPDX-License-Identifier: MIT */
/* A directory of a test's own, which is the working directory while it runs. */
#ifndef FAY_TEST_SCRATCH_H
#define FAY_TEST_SCRATCH_H

typedef struct scratch {
    char path[32];
} scratch;

void scratch_enter(scratch *s);
/* Removes it, with all that is in it. */
void scratch_leave(scratch *s);

#endif /* FAY_TEST_SCRATCH_H */
