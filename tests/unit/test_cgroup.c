/* SPDX-License-Identifier: MIT */
/* The limits of cgroups: of a made-up tree, and of this machine. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "host/cgroup.h"
#include "support/scratch.h"

static void put(const char *path, const char *text)
{
    FAY_CLEANUP(fay_freep) char *copy = fay_strdup(path);
    for (char *at = strchr(copy, '/'); at != NULL; at = strchr(at + 1, '/')) {
        *at = '\0';
        (void)mkdir(copy, 0755);
        *at = '/';
    }
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void what_is_no_limit_is_none(void **state)
{
    (void)state;
    fay_cgroup_limits limits = fay_cgroup_look("nowhere");
    assert_true(isinf(limits.cores));
    assert_true(limits.memory_max == UINT64_MAX);
    put("r/proc/self/cgroup", "4:memory:/old\n0::/a\n");
    put("r/sys/fs/cgroup/a/cpu.max", "max 100000\n");
    put("r/sys/fs/cgroup/a/memory.max", "max\n");
    put("r/sys/fs/cgroup/a/memory.current", "123\n");
    limits = fay_cgroup_look("r");
    assert_true(isinf(limits.cores) && limits.stalled <= 0);
    assert_true(limits.memory_max == UINT64_MAX);
    put("r/sys/fs/cgroup/a/cpu.max", "nonsense");
    put("r/sys/fs/cgroup/a/memory.max", "nonsense");
    limits = fay_cgroup_look("r");
    assert_true(isinf(limits.cores) && limits.memory_max == UINT64_MAX);
}

/* The innermost has cores for one and a half, the one above it least memory; that of page cache can
 * be had back. */
static void the_tightest_level_counts(void **state)
{
    (void)state;
    put("r/proc/self/cgroup", "0::/a/b\n");
    put("r/sys/fs/cgroup/a/b/cpu.max", "150000 100000\n");
    put("r/sys/fs/cgroup/a/b/memory.max", "1000\n");
    put("r/sys/fs/cgroup/a/b/memory.current", "900\n");
    put("r/sys/fs/cgroup/a/b/memory.stat", "anon 100\ninactive_file 700\nactive_file 100\n");
    put("r/sys/fs/cgroup/a/cpu.max", "300000 100000\n");
    put("r/sys/fs/cgroup/a/memory.max", "5000\n");
    put("r/sys/fs/cgroup/a/memory.current", "4900\n");
    put("r/sys/fs/cgroup/a/memory.pressure",
        "some avg10=12.50 avg60=0.00 avg300=0.00 total=5\nfull avg10=99.00 avg60=0.00 total=0\n");
    fay_cgroup_limits limits = fay_cgroup_look("r");
    assert_true(fabs(limits.cores - 1.5) < 1e-9);
    assert_int_equal(limits.memory_max, 5000); /* a hundred is left there, eight below */
    assert_int_equal(limits.memory_used, 4900);
    assert_true(fabs(limits.stalled - 0.125) < 1e-9);
}

static void the_outermost_may_have_limits_too(void **state)
{
    (void)state;
    put("r/proc/self/cgroup", "0::/\n");
    put("r/sys/fs/cgroup/memory.max", "1000\n"); /* of a container that has a view of its own */
    put("r/sys/fs/cgroup/memory.current", "2000\n");
    fay_cgroup_limits limits = fay_cgroup_look("r");
    assert_int_equal(limits.memory_max, 1000);
    assert_int_equal(limits.memory_used, 2000);
}

static void this_machine_has_some_cores(void **state)
{
    (void)state;
    assert_true(fay_cgroup_look("").cores > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(what_is_no_limit_is_none),
        IN_SCRATCH(the_tightest_level_counts),
        IN_SCRATCH(the_outermost_may_have_limits_too),
        cmocka_unit_test(this_machine_has_some_cores),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
