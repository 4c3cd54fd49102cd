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
