/* SPDX-License-Identifier: MIT */
/* When generated Items are due. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "pipeline/pace.h"

static void without_pieces_all_are_due(void **state)
{
    (void)state;
    const fay_pace pace = {0};
    assert_int_equal(fay_pace_total(&pace), UINT64_MAX);
    assert_int_equal(fay_pace_due_by(&pace, 0), UINT64_MAX);
    assert_int_equal(fay_pace_due(&pace, 1000), 0);
}

static void a_rate_that_stays(void **state)
{
    (void)state;
    fay_pace_piece pieces[] = {{.from = 50, .to = 50}};
    const fay_pace pace = {.pieces = pieces, .count = 1};
    assert_int_equal(fay_pace_total(&pace), UINT64_MAX);
    assert_true(fay_pace_lasts(&pace) == FAY_NEVER);
    assert_int_equal(fay_pace_due(&pace, 0), 0);
    assert_int_equal(fay_pace_due(&pace, 1), 20 * FAY_MS);
    assert_int_equal(fay_pace_due(&pace, 5000), 100 * FAY_SECOND);
    assert_int_equal(fay_pace_due_by(&pace, 0), 1);
    assert_int_equal(fay_pace_due_by(&pace, 19 * FAY_MS), 1);
    assert_int_equal(fay_pace_due_by(&pace, 20 * FAY_MS), 2);
    assert_int_equal(fay_pace_due_by(&pace, 100 * FAY_SECOND), 5001);
}

static void a_rate_that_is_next_to_nothing(void **state)
{
    (void)state;
    fay_pace_piece pieces[] = {{.from = 1e-300, .to = 1e-300}};
    const fay_pace pace = {.pieces = pieces, .count = 1};
    assert_int_equal(fay_pace_due(&pace, 0), 0);
    assert_true(fay_pace_due(&pace, 1) == FAY_NEVER);
    assert_int_equal(fay_pace_due_by(&pace, 1000 * FAY_SECOND), 1);
}

/* 10 in the first second, 55 while it rises, a pause, then 20. */
static void pieces_follow_one_another(void **state)
{
    (void)state;
    fay_pace_piece pieces[] = {{.lasts = FAY_SECOND, .from = 10, .to = 10},
                               {.lasts = FAY_SECOND, .from = 10, .to = 100},
                               {.lasts = 500 * FAY_MS},
                               {.lasts = FAY_SECOND, .from = 20, .to = 20}};
    const fay_pace pace = {.pieces = pieces, .count = FAY_COUNT(pieces)};
    assert_int_equal(fay_pace_total(&pace), 85);
    assert_int_equal(fay_pace_lasts(&pace), 3500 * FAY_MS);
    assert_int_equal(fay_pace_due(&pace, 9), 900 * FAY_MS);
    assert_int_equal(fay_pace_due(&pace, 10), FAY_SECOND);
    assert_in_range(fay_pace_due(&pace, 64), 1980 * FAY_MS, 1999 * FAY_MS);
    assert_int_equal(fay_pace_due(&pace, 65), 2500 * FAY_MS); /* it would be in the pause */
    assert_int_equal(fay_pace_due(&pace, 84), 3450 * FAY_MS);
    assert_true(fay_pace_due(&pace, 85) == FAY_NEVER);
    assert_int_equal(fay_pace_due_by(&pace, 999 * FAY_MS), 10);
    assert_int_equal(fay_pace_due_by(&pace, 2 * FAY_SECOND), 65);
    assert_int_equal(fay_pace_due_by(&pace, 2400 * FAY_MS), 65);
    assert_int_equal(fay_pace_due_by(&pace, 2500 * FAY_MS), 66);
    assert_int_equal(fay_pace_due_by(&pace, 3499 * FAY_MS), 85);
    assert_int_equal(fay_pace_due_by(&pace, FAY_NEVER), 85);
}

static void falls_to_nothing(void **state)
{
    (void)state;
    fay_pace_piece pieces[] = {{.lasts = 10 * FAY_SECOND, .from = 20, .to = 0}, {.from = 1}};
    pieces[1].to = 1;
    const fay_pace pace = {.pieces = pieces, .count = FAY_COUNT(pieces)};
    assert_int_equal(fay_pace_due(&pace, 75), 5 * FAY_SECOND);
    assert_int_equal(fay_pace_due(&pace, 99), 9 * FAY_SECOND);
    assert_int_equal(fay_pace_due(&pace, 100), 10 * FAY_SECOND);
    assert_int_equal(fay_pace_due(&pace, 101), 11 * FAY_SECOND);
}

static void begins_with_a_pause(void **state)
{
    (void)state;
    fay_pace_piece pieces[] = {{.lasts = 3 * FAY_SECOND},
                               {.lasts = FAY_SECOND, .from = 5, .to = 5}};
    fay_pace pace = {.pieces = pieces, .count = 2};
    assert_int_equal(fay_pace_due(&pace, 0), 3 * FAY_SECOND);
    assert_int_equal(fay_pace_due(&pace, 4), 3800 * FAY_MS);
    assert_int_equal(fay_pace_due_by(&pace, 2999 * FAY_MS), 0);
    pace.count = 1;
    assert_int_equal(fay_pace_total(&pace), 0);
    assert_int_equal(fay_pace_lasts(&pace), 3 * FAY_SECOND);
    assert_true(fay_pace_due(&pace, 0) == FAY_NEVER);
}

/* The two functions tell the same, whatever the pieces. */
static void what_is_due_is_due_by_then(void **state)
{
    (void)state;
    fay_pace_piece pieces[] = {{.lasts = 333 * FAY_MS, .from = 7, .to = 91},
                               {.lasts = 10 * FAY_MS},
                               {.lasts = 7 * FAY_SECOND, .from = 91, .to = 0},
                               {.lasts = 3 * FAY_SECOND, .from = 0, .to = 1000},
                               {.from = 3, .to = 3}};
    const fay_pace pace = {.pieces = pieces, .count = FAY_COUNT(pieces)};
    for (uint64_t i = 0; i < 3000; i++) {
        fay_ns due = fay_pace_due(&pace, i);
        assert_true(due < FAY_NEVER);
        assert_true(i == 0 || fay_pace_due(&pace, i - 1) <= due);
        assert_true(fay_pace_due_by(&pace, due + FAY_MS) > i);
        assert_true(due < FAY_MS || fay_pace_due_by(&pace, due - FAY_MS) <= i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_pieces_all_are_due),
        cmocka_unit_test(a_rate_that_stays),
        cmocka_unit_test(a_rate_that_is_next_to_nothing),
        cmocka_unit_test(pieces_follow_one_another),
        cmocka_unit_test(falls_to_nothing),
        cmocka_unit_test(begins_with_a_pause),
        cmocka_unit_test(what_is_due_is_due_by_then),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
