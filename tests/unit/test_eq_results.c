/* SPDX-License-Identifier: MIT */
/* What many runs come to, from figures made by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/eq_results.h"

static void assert_near(double a, double b)
{
    assert_true(a > b - 1e-9 && a < b + 1e-9);
}

/* Two traces, the oracle and another, two seeds. */
static fay_eq_results made_by_hand(void)
{
    fay_eq_results results = {.traces = fay_alloc(2 * sizeof *results.traces),
                              .traces_count = 2,
                              .controllers = {fay_eq_controller_at(0), fay_eq_controller_at(1)},
                              .controllers_count = 2,
                              .first_seed = 7,
                              .seeds_count = 2,
                              .metrics = fay_alloc(8 * sizeof *results.metrics)};
    static const double p99s[] = {1, 2, /* other: */ 2, 16, /* second trace */ 3, 3, 3, 3};
    for (size_t i = 0; i < 8; i++) {
        results.metrics[i] = (fay_eq_metrics){
            .settle = -1, .p99 = p99s[i], .workers = 1, .makespan = i < 4 ? 10 : -1};
    }
    results.traces[1].disturbed_at = -1;
    return results;
}

static void ratios_are_geometric_means(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_eq_results_deinit) fay_eq_results results = made_by_hand();
    fay_eq_verdict verdict;
    assert_near(fay_eq_results_ratio(&results, 0, 1, FAY_EQ_P99), 4); /* of 2 and 8 */
    assert_near(fay_eq_results_ratio(&results, 1, 1, FAY_EQ_P99), 1);
    fay_eq_results_judge(&results, 1, &verdict);
    assert_near(verdict.ratios[FAY_EQ_P99].mean, 2); /* of 2, 8, 1 and 1 */
    assert_near(verdict.ratios[FAY_EQ_P99].worst, 4);
    assert_int_equal(verdict.ratios[FAY_EQ_P99].worst_trace, 0);
    fay_eq_results_judge(&results, 0, &verdict);
    assert_near(verdict.ratios[FAY_EQ_P99].mean, 1);
}

static void what_a_trace_has_not_does_not_count(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_eq_results_deinit) fay_eq_results results = made_by_hand();
    fay_eq_verdict verdict;
    for (size_t seed = 0; seed < 2; seed++) {
        fay_eq_result(&results, 0, 1, seed)->settle = 3 + (double)seed;
    }
    fay_eq_results_judge(&results, 1, &verdict);
    assert_near(verdict.settle, 3.5);
    assert_near(verdict.ratios[FAY_EQ_MAKESPAN].mean, 1);
    assert_true(fay_eq_results_ratio(&results, 1, 1, FAY_EQ_MAKESPAN) < 0);
}

static void counts_are_summed_over_traces_and_averaged_over_seeds(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_eq_results_deinit) fay_eq_results results = made_by_hand();
    fay_eq_verdict verdict;
    fay_eq_result(&results, 0, 1, 0)->actions = 10;
    fay_eq_result(&results, 0, 1, 1)->actions = 20;
    fay_eq_result(&results, 1, 1, 1)->actions = 8;
    fay_eq_result(&results, 1, 1, 1)->armed = 1;
    fay_eq_result(&results, 1, 1, 0)->lost = true;
    fay_eq_results_judge(&results, 1, &verdict);
    assert_near(verdict.actions, 19);
    assert_near(verdict.armed, 0.25);
    assert_int_equal(verdict.lost, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ratios_are_geometric_means),
        cmocka_unit_test(what_a_trace_has_not_does_not_count),
        cmocka_unit_test(counts_are_summed_over_traces_and_averaged_over_seeds),
    };
    return cmocka_run_group_tests_name("eq_results", tests, NULL, NULL);
}
