/* SPDX-License-Identifier: MIT */
/* How much memory may be taken still. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "host/memory.h"

static void what_is_free_is_less_a_reserve(void **state)
{
    static const struct {
        const char *when;
        fay_memory memory;
        uint64_t free;
    } cases[] = {
        {"plenty", {16 * FAY_GIB, 8 * FAY_GIB, UINT64_MAX, 0, 0}, 8 * FAY_GIB - 16 * FAY_GIB / 20},
        {"a large machine",
         {FAY_GIB << 10, FAY_GIB << 9, UINT64_MAX, 0, 0},
         (FAY_GIB << 9) - FAY_GIB},
        {"a small one", {FAY_GIB, FAY_GIB / 2, UINT64_MAX, 0, 0}, FAY_GIB / 2 - 64 * FAY_MIB},
        {"within the reserve", {FAY_GIB, FAY_MIB, UINT64_MAX, 0, 0}, 0},
        {"a cgroup",
         {64 * FAY_GIB, 32 * FAY_GIB, FAY_GIB, FAY_GIB / 2, 0},
         FAY_GIB / 2 - 64 * FAY_MIB},
        {"a cgroup that is over", {64 * FAY_GIB, 32 * FAY_GIB, FAY_GIB, 2 * FAY_GIB, 0}, 0},
        {"everybody waits for it", {16 * FAY_GIB, 8 * FAY_GIB, UINT64_MAX, 0, 0.2}, 0},
        {"not known", {0, 0, UINT64_MAX, 0, 0}, UINT64_MAX},
    };
    (void)state;
    for (size_t i = 0; i < FAY_COUNT(cases); i++) {
        uint64_t left = fay_memory_free(&cases[i].memory);
        if (left != cases[i].free) {
            fail_msg("%s: %llu, not %llu", cases[i].when, (unsigned long long)left,
                     (unsigned long long)cases[i].free);
        }
    }
}

static void this_machine_has_some(void **state)
{
    (void)state;
    fay_memory memory;
    fay_memory_look(&memory);
    assert_true(memory.total > 64 * FAY_MIB);
    assert_true(memory.available > 0 && memory.available < memory.total);
    assert_true(memory.stalled >= 0 && memory.stalled <= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_free_is_less_a_reserve),
        cmocka_unit_test(this_machine_has_some),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
