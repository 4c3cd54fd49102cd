/* SPDX-License-Identifier: MIT */
/* Rumors, as one Node's Grid hears them and passes them on. */
#include "grid_talk.h"

static void hear_rumor(talk *t, uint64_t link, unsigned origin, uint64_t n, size_t size)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer payload = {0};
    FAY_CLEANUP(fay_freep) uint8_t *bytes = fay_alloc(size);
    memset(bytes, 'x', size);
    fay_rumor_said said = {.id = {.origin = id_of(origin), .boot = 1, .n = n},
                           .payload = {bytes, size}};
    fay_rumor_write(&said, &payload);
    assert_int_equal(hear(t, link, FAY_GRID_RUMOR, &payload), 0);
}

static void hear_id(talk *t, uint64_t link, uint8_t kind, unsigned origin, uint64_t n)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer payload = {0};
    fay_rumor_id id = {.origin = id_of(origin), .boot = origin == SELF ? BOOT : 1, .n = n};
    fay_rumor_id_write(&id, &payload);
    assert_int_equal(hear(t, link, kind, &payload), 0);
}

static void a_small_rumor_is_flooded_once(void **state)
{
    talk *t = *state;
    link_to(t, 4);
    hear_rumor(t, 2, 9, 1, 3);
    expect_text(t, "hears 9: xxx\n3< RUMOR\n4< RUMOR\n");
    hear_rumor(t, 3, 9, 1, 3);
    expect_text(t, "");
    t->forged = true;
    hear_rumor(t, 3, 9, 2, 3);
    expect_text(t, "");
    t->forged = false;
    hear_rumor(t, 4, 9, 2, 3); /* the forgery has not taken its place */
    expect_text(t, "hears 9: xxx\n2< RUMOR\n3< RUMOR\n");
}

static void a_large_rumor_is_offered_and_asked_for(void **state)
{
    talk *t = *state;
    link_to(t, 3);
    hear_id(t, 2, FAY_GRID_IHAVE, 9, 1);
    hear_id(t, 3, FAY_GRID_IHAVE, 9, 1);
    expect_text(t, "2< GRAFT\n");
    pass(t, 200 * FAY_MS); /* it does not come */
    step(t);
    assert_non_null(strstr(fay_buffer_text(&t->said), "3< GRAFT\n"));
    fay_buffer_clear(&t->said);
    hear_rumor(t, 3, 9, 1, 5000);
    expect_text(t, "hears 9: xxxxxxxxxx\n2< IHAVE\n");
    hear_id(t, 2, FAY_GRID_GRAFT, 9, 1);
    expect_text(t, "2< RUMOR\n");
    hear_id(t, 2, FAY_GRID_GRAFT, 9, 77); /* never heard of */
    expect_text(t, "");
}

static void what_is_said_here_is_not_heard_here(void **state)
{
    talk *t = *state;
    link_to(t, 3);
    (void)feed(t, (fay_grid_event){
                      .kind = FAY_GRID_BROADCAST, .bytes = (const uint8_t *)"hello", .size = 5});
    expect_text(t, "2< RUMOR\n3< RUMOR\n");
    hear_id(t, 3, FAY_GRID_GRAFT, SELF, 1);
    expect_text(t, "3< RUMOR\n");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_small_rumor_is_flooded_once),
        TEST(a_large_rumor_is_offered_and_asked_for),
        TEST(what_is_said_here_is_not_heard_here),
    };
    return cmocka_run_group_tests_name("grid_gossip", tests, NULL, NULL);
}
