/* SPDX-License-Identifier: MIT */
/* The cores of this machine. */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "host/cores.h"

static void they_are_counted(void **state)
{
    (void)state;
    assert_true(fay_cores_count() >= 1);
    assert_true(fay_cores_usable() > 0 && fay_cores_usable() <= fay_cores_count());
}

/* Of the one core that we may run on the ticks are fewer than those of all. */
static void only_ours_count(void **state)
{
    (void)state;
    fay_cores_time all, one;
    cpu_set_t before, set;
    assert_true(fay_cores_look(&all));
    assert_true(all.idle <= all.total && all.total > 0);
    assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
    if (CPU_COUNT(&before) < 2)
        skip();
    CPU_ZERO(&set);
    for (size_t core = 0; CPU_COUNT(&set) == 0; core++) {
        if (CPU_ISSET(core, &before))
            CPU_SET(core, &set);
    }
    assert_int_equal(sched_setaffinity(0, sizeof set, &set), 0);
    assert_int_equal(fay_cores_count(), 1);
    assert_true(fay_cores_look(&one));
    assert_true(one.total > 0 && one.total < all.total);
    assert_int_equal(sched_setaffinity(0, sizeof before, &before), 0);
}

static void they_tick(void **state)
{
    (void)state;
    fay_cores_time before, now;
    assert_true(fay_cores_look(&before));
    do {
        assert_true(fay_cores_look(&now));
    } while (now.total == before.total);
    assert_true(now.total > before.total && now.idle >= before.idle);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_are_counted),
        cmocka_unit_test(only_ours_count),
        cmocka_unit_test(they_tick),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
