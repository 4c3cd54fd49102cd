/* SPDX-License-Identifier: MIT */
/* Where Items go: copies, tests, else, and past a stage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "item/attrs.h"
#include "item/route.h"

#define BIT(n) (UINT64_C(1) << (n))

static uint64_t route(const fay_router *router, size_t from, const char *json)
{
    fay_buffer attrs = {0};
    assert_int_equal(fay_attrs_from_json(json, strlen(json), &attrs, NULL, NULL, NULL), 0);
    uint64_t targets =
        fay_router_targets(router, from, attrs.bytes, fay_buffer_size(&attrs), NULL, 0);
    fay_buffer_deinit(&attrs);
    return targets;
}

static void linear(void **state)
{
    (void)state;
    const char *whens[] = {"", ""};
    const uint64_t feeds[] = {BIT(1), FAY_TARGET_SINK, BIT(0)};
    fay_router *router = fay_router_new(whens, feeds, 2, NULL);
    assert_false(fay_router_tests(router, 2));
    assert_int_equal(fay_router_all(router, 2), BIT(0));
    assert_int_equal(fay_router_targets(router, 0, NULL, 0, NULL, 0), BIT(1));
    assert_int_equal(fay_router_possible(router, 1), FAY_TARGET_SINK);
    fay_router_free(router);
}

/* source -> 0 (jpg), 1 (size > 5), 2 (else), 3 (a copy of all); 0 to 3 -> sink */
static void tests_and_else(void **state)
{
    (void)state;
    const char *whens[] = {"kind == 'jpg'", "size > 5", "else", ""};
    const uint64_t sink = FAY_TARGET_SINK;
    const uint64_t feeds[] = {sink, sink, sink, sink, BIT(0) | BIT(1) | BIT(2) | BIT(3)};
    fay_router *router = fay_router_new(whens, feeds, 4, NULL);
    assert_true(fay_router_tests(router, 4));
    assert_int_equal(route(router, 4, "{\"kind\":\"jpg\"}"), BIT(0) | BIT(3));
    assert_int_equal(route(router, 4, "{\"kind\":\"jpg\",\"size\":9}"), BIT(0) | BIT(1) | BIT(3));
    assert_int_equal(route(router, 4, "{}"), BIT(2) | BIT(3));
    assert_int_equal(fay_router_possible(router, 4), BIT(0) | BIT(1) | BIT(2) | BIT(3));
    fay_router_free(router);
}

/* source -> 0 (a) -> 1 (b) -> sink; source -> 2 (c) -> 1 */
static void past_several(void **state)
{
    (void)state;
    const char *whens[] = {"a", "b", "c"};
    const uint64_t feeds[] = {BIT(1), FAY_TARGET_SINK, BIT(1), BIT(0) | BIT(2)};
    fay_router *router = fay_router_new(whens, feeds, 3, NULL);
    assert_int_equal(route(router, 3, "{\"a\":1}"), BIT(0));
    assert_int_equal(route(router, 3, "{\"b\":1}"), BIT(1));
    assert_int_equal(route(router, 3, "{\"c\":1,\"b\":1}"), BIT(2));
    assert_int_equal(route(router, 3, "{}"), FAY_TARGET_SINK);
    assert_int_equal(fay_router_possible(router, 3), BIT(0) | BIT(1) | BIT(2) | FAY_TARGET_SINK);
    fay_router_free(router);
}

static void a_wrong_test_is_refused(void **state)
{
    (void)state;
    const char *whens[] = {"a", "b =="};
    const uint64_t feeds[] = {0, 0, 0};
    fay_error err = {0};
    assert_null(fay_router_new(whens, feeds, 2, &err));
    assert_int_equal(err.column, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(linear),
        cmocka_unit_test(tests_and_else),
        cmocka_unit_test(past_several),
        cmocka_unit_test(a_wrong_test_is_refused),
    };
    return cmocka_run_group_tests_name("route", tests, NULL, NULL);
}
