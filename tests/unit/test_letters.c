/* SPDX-License-Identifier: MIT */
/* The run's dead letter file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "letters/letters.h"

static void assert_named(const char *text, const char *expected)
{
    FAY_CLEANUP(fay_freep) char *named = fay_letters_path(text, "thumbs", "7f3a");
    assert_string_equal(named, expected);
}

static void names_are_filled_in(void **state)
{
    (void)state;
    assert_named("{name}-{run}.dead.jsonl", "thumbs-7f3a.dead.jsonl");
    assert_named("{run}{run}", "7f3a7f3a");
    assert_named("{nam}{}{name", "{nam}{}{name");
    assert_named("", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_filled_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
