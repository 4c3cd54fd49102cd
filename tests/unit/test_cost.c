/* SPDX-License-Identifier: MIT */
/* What a worker needs of the machine, from what was measured. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/limits.h"
#include "flow/cost.h"

static fay_used used(double busy, double cpu, double waited)
{
    return (fay_used){
        .busy = (fay_ns)(busy * 1e9), .cpu = (fay_ns)(cpu * 1e9), .waited = (fay_ns)(waited * 1e9)};
}

static void assert_near(double found, double wanted)
{
    if (fabs(found - wanted) > 1e-6)
        fail_msg("%g is not %g", found, wanted);
}

static void the_need_is_what_it_would_use_alone(void **state)
{
    static const struct {
        const char *who;
        double busy, cpu, waited, cores;
    } cases[] = {
        {"a burner", 1, 1, 0, 1},
        {"eight burners on two cores", 8, 2, 6, 1},
        {"half of the time on a core", 1, 0.5, 0, 0.5},
        {"the same, on a machine that is full", 1.5, 0.5, 0.5, 0.5},
        {"four threads on four cores", 1, 4, 0, 4},
        {"four threads on two cores", 1, 2, 2, 4},
        {"one that sleeps", 1, 0, 0, FAY_COST_CORES_LEAST},
        {"nothing but waiting", 1, 0, 1, FAY_COST_CORES_LEAST},
    };
    (void)state;
    for (size_t i = 0; i < FAY_COUNT(cases); i++) {
        fay_cost cost = {0};
        fay_used u = used(cases[i].busy, cases[i].cpu, cases[i].waited);
        fay_cost_add(&cost, &u, false);
        if (fabs(cost.cores - cases[i].cores) > 1e-6)
            fail_msg("%s: %g cores, not %g", cases[i].who, cost.cores, cases[i].cores);
    }
}

static void without_a_measurement_nothing_is_known(void **state)
{
    (void)state;
    fay_cost cost = {0};
    fay_used nothing = used(0, 1, 0);
    fay_cost_add(&cost, &nothing, false);
    assert_true(cost.cores <= 0);
}

static void a_new_kind_of_item_is_learnt(void **state)
{
    (void)state;
    fay_cost cost = {0};
    fay_used burn = used(1, 1, 0), sleep = used(1, 0, 0);
    for (int i = 0; i < 100; i++) {
        fay_cost_add(&cost, &burn, false);
    }
    assert_near(cost.cores, 1);
    for (int i = 0; i < 40; i++) {
        fay_cost_add(&cost, &sleep, false);
    }
    assert_true(cost.cores < 0.05);
}

static void memory_follows_the_largest(void **state)
{
    (void)state;
    fay_cost cost = {0};
    fay_used small = used(1, 1, 0), large = small;
    small.bytes = 100;
    large.bytes = 1000;
    fay_cost_add(&cost, &small, false);
    assert_near(cost.bytes, 100);
    fay_cost_add(&cost, &large, false);
    assert_near(cost.bytes, 1000);
    fay_cost_add(&cost, &small, false);
    assert_near(cost.bytes, 1000); /* the next one may hold as much */
}

/* What the children of a worker waited for is not seen: on cores that are full of such workers it
 * looks cheaper the more of them there are. */
static void on_full_cores_it_does_not_become_less(void **state)
{
    (void)state;
    fay_cost cost = {0};
    fay_used alone = used(1, 0.1, 0), crowded = used(100, 1, 0), worse = used(100, 100, 0);
    fay_cost_add(&cost, &alone, false);
    assert_near(cost.cores, 0.1);
    fay_cost_add(&cost, &crowded, true);
    assert_near(cost.cores, 0.1);
    assert_true(fay_cost_had(&cost) < 0.02);
    fay_cost_add(&cost, &worse, true);
    assert_true(cost.cores > 0.3);
    fay_cost_add(&cost, &crowded, false);
    assert_true(cost.cores < 0.5);
}

static void what_no_machine_has_is_not_believed(void **state)
{
    (void)state;
    fay_cost cost = {0};
    const fay_used nonsense = {.busy = 1, .cpu = UINT64_MAX, .waited = UINT64_MAX};
    fay_cost_add(&cost, &nonsense, false);
    assert_near(cost.cores, FAY_CPU_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_need_is_what_it_would_use_alone),
        cmocka_unit_test(without_a_measurement_nothing_is_known),
        cmocka_unit_test(a_new_kind_of_item_is_learnt),
        cmocka_unit_test(memory_follows_the_largest),
        cmocka_unit_test(on_full_cores_it_does_not_become_less),
        cmocka_unit_test(what_no_machine_has_is_not_believed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
