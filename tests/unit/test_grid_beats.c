/* SPDX-License-Identifier: MIT */
/* What heartbeats carry for the driver: its status, and the number of its CRL. */
#include "grid_talk.h"

static int hear_news(talk *t, uint64_t link, uint64_t crl, const void *status, size_t size)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer payload = {0};
    fay_heartbeat beat = {.wished = true,
                          .hash = fay_members_hash(fay_grid_members(t->grid)),
                          .crl = crl,
                          .status = {status, size}};
    fay_heartbeat_write(&beat, &payload);
    return hear(t, link, FAY_GRID_HEARTBEAT, &payload);
}

static fay_grid_bytes status_of(const talk *t, unsigned node)
{
    fay_node_id id = id_of(node);
    return fay_grid_status_of(t->grid, &id);
}

static void the_status_of_neighbours_is_their_last_one(void **state)
{
    talk *t = *state;
    link_to(t, 3);
    assert_int_equal(status_of(t, 2).size, 0);
    assert_int_equal(hear_news(t, 2, 0, "burden 1", 8), 0);
    assert_int_equal(hear_news(t, 2, 0, "burden 22", 9), 0);
    assert_int_equal(status_of(t, 2).size, 9);
    assert_memory_equal(status_of(t, 2).bytes, "burden 22", 9);
    assert_int_equal(status_of(t, 3).size, 0);
    assert_null(status_of(t, 9).bytes); /* is not linked */
    down(t, 2);
    assert_null(status_of(t, 2).bytes);
}

static void a_status_that_is_too_long_breaks_the_protocol(void **state)
{
    talk *t = *state;
    static const uint8_t status[FAY_GRID_STATUS_MAX + 1];
    link_to(t, 2);
    assert_int_equal(hear_news(t, 2, 0, status, FAY_GRID_STATUS_MAX), 0);
    assert_int_equal(hear_news(t, 2, 0, status, FAY_GRID_STATUS_MAX + 1), FAY_E_PEER);
}

/* The heartbeat among what it does now, or in a moment. */
static fay_heartbeat beat_of(talk *t)
{
    fay_grid_actions actions;
    fay_heartbeat beat = {0};
    fay_grid_step(t->grid, t->now, &actions);
    for (size_t i = 0; i < actions.count; i++) {
        const fay_grid_action *action = &actions.items[i];
        if (action->kind != FAY_GRID_SEND || action->bytes.bytes[0] != FAY_GRID_HEARTBEAT)
            continue;
        fay_reader r = fay_reader_of(action->bytes.bytes + 1, action->bytes.size - 1);
        assert_int_equal(fay_heartbeat_read(&r, &beat), 0);
    }
    return beat;
}

static void heartbeats_carry_status_and_crl(void **state)
{
    talk *t = *state;
    link_to(t, 2);
    (void)feed(
        t, (fay_grid_event){.kind = FAY_GRID_STATUS, .bytes = (const uint8_t *)"busy", .size = 4});
    assert_null(beat_of(t).status.bytes); /* there is no hurry */
    (void)feed(t, (fay_grid_event){.kind = FAY_GRID_CRL, .number = 5});
    fay_heartbeat beat = beat_of(t); /* at once */
    assert_int_equal(beat.crl, 5);
    assert_int_equal(beat.status.size, 4);
    assert_memory_equal(beat.status.bytes, "busy", 4);
    (void)feed(t, (fay_grid_event){.kind = FAY_GRID_CRL, .number = 4}); /* it only rises */
    assert_int_equal(beat_of(t).crl, 0);
    t->now += 1 * FAY_SECOND;
    assert_int_equal(beat_of(t).crl, 5);
}

static void who_has_a_later_crl_is_named_once(void **state)
{
    talk *t = *state;
    link_to(t, 3);
    (void)feed(t, (fay_grid_event){.kind = FAY_GRID_CRL, .number = 5});
    ignore(t);
    (void)hear_news(t, 2, 4, NULL, 0);
    (void)hear_news(t, 2, 5, NULL, 0);
    expect_text(t, "");
    (void)hear_news(t, 2, 6, NULL, 0);
    (void)hear_news(t, 2, 6, NULL, 0);
    expect_text(t, "behind 2: CRL 6\n");
    (void)hear_news(t, 3, 6, NULL, 0); /* another place to have it from */
    expect_text(t, "behind 3: CRL 6\n");
    (void)hear_news(t, 2, 8, NULL, 0);
    expect_text(t, "behind 2: CRL 8\n");
    (void)feed(t, (fay_grid_event){.kind = FAY_GRID_CRL, .number = 8});
    ignore(t);
    (void)hear_news(t, 3, 8, NULL, 0);
    expect_text(t, "");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_status_of_neighbours_is_their_last_one),
        TEST(a_status_that_is_too_long_breaks_the_protocol),
        TEST(heartbeats_carry_status_and_crl),
        TEST(who_has_a_later_crl_is_named_once),
    };
    return cmocka_run_group_tests_name("grid_beats", tests, NULL, NULL);
}
