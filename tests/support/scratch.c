/* SPDX-License-Identifier: MIT */
#include "support/scratch.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

void scratch_enter(scratch *s)
{
    (void)strcpy(s->path, "/tmp/fay-test-XXXXXX");
    assert_non_null(mkdtemp(s->path));
    assert_int_equal(chdir(s->path), 0);
}

static int remove_one(const char *path, const struct stat *stat, int kind, struct FTW *where)
{
    (void)stat;
    (void)kind;
    (void)where;
    return remove(path);
}

void scratch_leave(scratch *s)
{
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(nftw(s->path, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

int scratch_set_up(void **state)
{
    scratch *s = malloc(sizeof *s);
    assert_non_null(s);
    scratch_enter(s);
    *state = s;
    return 0;
}

int scratch_tear_down(void **state)
{
    scratch_leave(*state);
    free(*state);
    return 0;
}
