/* SPDX-License-Identifier: MIT */
/* Events: who listens gets each, and earlier ones if it asks for them; it may end at any time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "node/chronicle.h"

typedef struct ear {
    fay_chronicle *chronicle;
    fay_listener *listener;
    json_int_t last;
    unsigned heard;
    bool ends; /* with the first that it hears */
} ear;

static void hear(void *context, json_t *event)
{
    ear *e = context;
    e->heard++;
    e->last = json_integer_value(json_object_get(event, "n"));
    assert_int_equal(json_integer_value(json_object_get(event, "schema")), 1);
    assert_int_equal(strlen(json_string_value(json_object_get(event, "time"))), 27);
    if (e->ends && e->listener != NULL)
        fay_listener_free(e->listener);
}

static void say(fay_chronicle *chronicle, int n)
{
    fay_chronicle_say(chronicle, json_pack("{s:i}", "n", n));
}

static void who_listens_gets_each(void **state)
{
    (void)state;
    ear one = {0}, two = {0};
    fay_chronicle *chronicle = fay_chronicle_new();
    say(chronicle, 1);
    one.listener = fay_chronicle_listen(chronicle, 0, hear, &one);
    two.listener = fay_chronicle_listen(chronicle, 3600, hear, &two);
    assert_int_equal(one.heard, 0);
    assert_int_equal(two.heard, 1);
    say(chronicle, 2);
    assert_int_equal(one.last, 2);
    assert_int_equal(two.heard, 2);
    fay_listener_free(one.listener);
    say(chronicle, 3);
    assert_int_equal(one.heard, 1);
    assert_int_equal(two.last, 3);
    fay_listener_free(two.listener);
    fay_chronicle_free(chronicle);
}

static void one_may_end_while_it_is_told(void **state)
{
    (void)state;
    ear one = {.ends = true}, two = {0};
    fay_chronicle *chronicle = fay_chronicle_new();
    two.listener = fay_chronicle_listen(chronicle, 0, hear, &two);
    one.listener = fay_chronicle_listen(chronicle, 0, hear, &one);
    say(chronicle, 1);
    say(chronicle, 2);
    assert_int_equal(one.heard, 1);
    assert_int_equal(two.heard, 2);
    fay_listener_free(two.listener);
    fay_chronicle_free(chronicle);
}

static void the_latest_are_kept(void **state)
{
    (void)state;
    ear one = {0};
    fay_chronicle *chronicle = fay_chronicle_new();
    int last = (int)FAY_EVENTS_KEPT_MAX + 10;
    for (int n = 1; n <= last; n++) {
        say(chronicle, n);
    }
    one.listener = fay_chronicle_listen(chronicle, 3600, hear, &one);
    assert_int_equal(one.heard, FAY_EVENTS_KEPT_MAX);
    assert_int_equal(one.last, last);
    fay_listener_free(one.listener);
    fay_chronicle_free(chronicle);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_listens_gets_each),
        cmocka_unit_test(one_may_end_while_it_is_told),
        cmocka_unit_test(the_latest_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
