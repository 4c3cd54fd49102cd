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

/* The same around one test: {IN_SCRATCH(name), ..}. */
int scratch_set_up(void **state);
int scratch_tear_down(void **state);
#define IN_SCRATCH(name) cmocka_unit_test_setup_teardown(name, scratch_set_up, scratch_tear_down)

#endif /* FAY_TEST_SCRATCH_H */
