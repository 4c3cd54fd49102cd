/* SPDX-License-Identifier: MIT */
/* The exit of an ordered stage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flow/order.h"

static void hold(fay_order *order, uint64_t root)
{
    fay_entry item = {.root = root};
    fay_pieces results;
    TAILQ_INIT(&results);
    FAY_CLEANUP(fay_batch_unrefp) fay_batch *batch = fay_batch_new();
    (void)fay_batch_append(batch, "x", 1);
    (void)fay_pieces_add_batch(&results, batch, 0, 1, NULL, 1);
    fay_order_leave(order, root, &item.path);
    fay_order_hold(order, &item, &results);
}

static uint64_t release(fay_order *order)
{
    fay_place *place = fay_order_release(order);
    if (place == NULL)
        return UINT64_MAX;
    uint64_t root = place->root;
    fay_pieces_remove(&place->results, TAILQ_FIRST(&place->results));
    fay_place_free(place);
    return root;
}

static void results_wait_for_the_frontier(void **state)
{
    (void)state;
    fay_order order;
    fay_path none = {0};
    fay_order_init(&order);
    for (uint64_t root = 1; root <= 4; root++) {
        fay_order_enter(&order, root, &none, 0);
    }
    hold(&order, 3);
    hold(&order, 2);
    assert_int_equal(release(&order), UINT64_MAX);
    assert_int_equal(fay_order_frontier(&order)->root, 1);
    fay_order_leave(&order, 1, &none); /* finished without results: no hole */
    assert_int_equal(release(&order), 2);
    assert_int_equal(release(&order), 3);
    assert_int_equal(release(&order), UINT64_MAX);
    assert_int_equal(order.held_items, 0);
    assert_int_equal(order.held_bytes, 0);
    fay_order_deinit(&order);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_wait_for_the_frontier),
    };
    return cmocka_run_group_tests_name("order", tests, NULL, NULL);
}
