/* SPDX-License-Identifier: MIT */
/* How much useful time an Item takes. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/prng.h"
#include "flow/service.h"

typedef struct stage {
    fay_service service;
    fay_prng prng;
    double now;
} stage;

static stage *begin(uint64_t seed)
{
    stage *s = fay_alloc(sizeof *s);
    fay_service_init(&s->service, 0);
    fay_prng_init(&s->prng, seed);
    return s;
}

static double feed(stage *s, double mean, unsigned results)
{
    double found = 0;
    for (unsigned i = 0; i < results; i++) {
        fay_service_add(&s->service, -mean * log(1 - fay_prng_unit(&s->prng)), 1);
        s->now += mean;
        if (i % 8 == 0 || i + 1 == results)
            found = fay_service_mean(&s->service, s->now);
    }
    return found;
}

static void assert_near(double found, double wanted, double tolerance)
{
    if (fabs(found - wanted) > tolerance * wanted)
        fail_msg("%g is not within %.0f %% of %g", found, 100 * tolerance, wanted);
}

static void before_the_first_result_nothing_is_known(void **state)
{
    (void)state;
    stage *s = begin(1);
    assert_true(fay_service_mean(&s->service, 1) == 0);
    double first = feed(s, 0.01, 1);
    assert_true(first > 0);
    assert_near(fay_service_mean(&s->service, 2), first, 0.001);
    free(s);
}

static void noise_is_averaged(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        stage *s = begin(seed);
        assert_near(feed(s, 0.01, 2000), 0.01, 0.15);
        free(s);
    }
}

static void four_times_slower_is_seen_within_a_hundred(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        stage *s = begin(seed);
        (void)feed(s, 0.01, 1000);
        assert_near(feed(s, 0.04, 100), 0.04, 0.5);
        assert_true(s->service.changed > 0);
        free(s);
    }
}

static void one_that_was_stuck_counts_eight_times_at_most(void **state)
{
    (void)state;
    stage *s = begin(7);
    double before = feed(s, 0.01, 1024);
    fay_service_add(&s->service, 3600, 1);
    assert_near(fay_service_mean(&s->service, s->now), before, 0.05);
    free(s);
}

static void a_result_counts_for_its_items(void **state)
{
    (void)state;
    stage *s = begin(8);
    fay_service_add(&s->service, 0.001, 900);
    fay_service_add(&s->service, 0.011, 100);
    fay_service_add(&s->service, 5, 0); /* nothing */
    assert_near(fay_service_mean(&s->service, 1), 0.002, 0.001);
    free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(before_the_first_result_nothing_is_known),
        cmocka_unit_test(noise_is_averaged),
        cmocka_unit_test(four_times_slower_is_seen_within_a_hundred),
        cmocka_unit_test(one_that_was_stuck_counts_eight_times_at_most),
        cmocka_unit_test(a_result_counts_for_its_items),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
