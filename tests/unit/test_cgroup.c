/* SPDX-License-Identifier: MIT */
/* The limits of cgroups. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "host/cgroup.h"
#include "host/resources.h"

static fay_cgroup_limits none(void)
{
    return (fay_cgroup_limits){.cores = (double)INFINITY, .memory_max = UINT64_MAX};
}

static void what_is_no_limit_is_none(void **state)
{
    (void)state;
    fay_cgroup_limits limits = none();
    fay_cgroup_add(&limits, "max 100000\n", "max\n", "123\n");
    fay_cgroup_add(&limits, "", "", "");
    fay_cgroup_add(&limits, "nonsense", "nonsense", "nonsense");
    fay_cgroup_add(&limits, "5 0", "", "");
    assert_true(isinf(limits.cores));
    assert_true(limits.memory_max == UINT64_MAX);
}

static void the_tightest_level_counts(void **state)
{
    (void)state;
    fay_cgroup_limits limits = none();
    fay_cgroup_add(&limits, "150000 100000\n", "1000\n", "100\n");
    fay_cgroup_add(&limits, "300000 100000\n", "5000\n", "4900\n");
    fay_cgroup_add(&limits, "max 100000\n", "800\n", "10\n");
    assert_true(fabs(limits.cores - 1.5) < 1e-9);
    assert_int_equal(limits.memory_max, 5000); /* a hundred is left there */
    assert_int_equal(limits.memory_used, 4900);
}

static void more_than_the_limit_leaves_nothing(void **state)
{
    (void)state;
    fay_cgroup_limits limits = none();
    fay_cgroup_add(&limits, "", "1000\n", "2000\n");
    fay_cgroup_add(&limits, "", "1000\n", "999\n");
    assert_int_equal(limits.memory_used, 2000);
}

static void this_machine_has_cores(void **state)
{
    (void)state;
    double usable = fay_host_cores_usable();
    assert_true(usable > 0 && usable <= fay_host_cores());
    assert_true(fay_cgroup_look().cores > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_limit_is_none),
        cmocka_unit_test(the_tightest_level_counts),
        cmocka_unit_test(more_than_the_limit_leaves_nothing),
        cmocka_unit_test(this_machine_has_cores),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
