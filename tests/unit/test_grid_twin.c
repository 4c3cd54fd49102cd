/* SPDX-License-Identifier: MIT */
/* Another one of this very Node: who stops, and who takes a boot of its own again. */
#include "grid_talk.h"

static void an_earlier_boot_of_oneself_is_answered(void **state)
{
    talk *t = *state;
    link_to(t, 2);
    hear_of(t, 2, SELF, BOOT - 1, 5, NULL);
    expect_text(t, "2< BUNDLES 1:7.0\n");
}

static void who_is_told_of_a_later_boot_dials_it_and_stops_if_it_lives(void **state)
{
    talk *t = *state;
    link_to(t, 2);
    hear_of(t, 2, SELF, BOOT + 1, 0, NULL);
    expect_text(t, "dial 127.0.0.1:4000\n");
    hear_of(t, 2, SELF, BOOT + 1, 0, NULL); /* once */
    expect_text(t, "");
    meet_twin(t, 50, BOOT + 1, t->dial, 5);
    expect_text(t, "close 50\nreplaced by boot 8\n");
    hear_of(t, 2, SELF, BOOT + 9, 0, NULL); /* it has stopped; the driver has not yet */
    meet_twin(t, 51, BOOT + 9, 0, 5);
    pass(t, FAY_SECOND);
    hear_beat(t, 2);
    assert_null(strstr(fay_buffer_text(&t->said), "reboot"));
    assert_null(strstr(fay_buffer_text(&t->said), "replaced"));
}

static void where_nobody_answers_it_takes_a_later_boot_in_place(void **state)
{
    talk *t = *state;
    link_to(t, 3);
    hear_of(t, 2, SELF, BOOT + 5, 3, NULL);
    ignore(t);
    fail_dial(t, FAY_EVIDENCE_REFUSED);
    expect_text(t, "reboot 13\n");
    rebooted(t, 12); /* an answer that nobody has asked for */
    expect_text(t, "");
    rebooted(t, 13);
    expect_text(t, "2< DONE\nclose 2\n3< DONE\nclose 3\n"
                   "dial 127.0.0.1:4000\ndial 127.0.0.1:4000\n");
    up(t, 60, 2, 1, 0);
    expect_text(t, "60< HEARTBEAT wished\n60< BUNDLES 1:13.0\n");
    const fay_grid_member *self = member_of(fay_grid_members(t->grid), SELF);
    assert_int_equal(self->boot, 13);
    assert_int_equal(self->record->certification[0], 9);
}

/* A record of ours of another boot or another record key. */
static void hear_twin(talk *t, uint64_t boot, uint8_t key, const char *address)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer payload = {0}, bytes = {0};
    fay_grid_record record = *member_of(fay_grid_members(t->grid), SELF)->record;
    record.boot = boot;
    record.certification[0] = key;
    record.address = (fay_grid_bytes){(const uint8_t *)address, strlen(address)};
    fay_record_write(&record, &bytes);
    fay_write16(&payload, (uint16_t)fay_buffer_size(&bytes));
    fay_buffer_append(&payload, fay_buffer_data(&bytes), fay_buffer_size(&bytes));
    fay_write32(&payload, 0);
    fay_write8(&payload, 0);
    assert_int_equal(hear(t, 2, FAY_GRID_BUNDLES, &payload), 0);
}

/* Where it says that it is, is here: who would answer is ourselves. */
static void state_that_was_lost_here_is_not_dialled(void **state)
{
    talk *t = *state;
    link_to(t, 2);
    hear_twin(t, BOOT + 3, 0, "me:1");
    expect_text(t, "reboot 11\n");
}

/* Two that were started in the same second. */
static void an_equal_boot_is_another_one_too(void **state)
{
    talk *t = *state;
    link_to(t, 2);
    hear_twin(t, BOOT, 0, "there:1"); /* our own words */
    assert_null(strstr(fay_buffer_text(&t->said), "dial"));
    ignore(t);
    hear_twin(t, BOOT, 3, "there:1");
    step(t);
    assert_non_null(strstr(fay_buffer_text(&t->said), "dial there:1\n"));
    ignore(t);
    meet_twin(t, 50, BOOT, t->dial, 0); /* it is us: our own certification */
    expect_text(t, "close 50\nreboot 8\n");
}

static void of_two_with_one_boot_the_greater_certification_stays(void **state)
{
    talk *t = *state;
    ignore(t);
    meet_twin(t, 1, BOOT, t->seed_dial, 0);
    expect_text(t, "close 1\n");
    meet_twin(t, 2, BOOT, 0, 5);
    expect_text(t, "close 2\nreplaced by boot 7\n");
}

static void a_handshake_with_a_later_one_is_proof_enough(void **state)
{
    talk *t = *state;
    link_to(t, 2);
    meet_twin(t, 50, BOOT - 1, 0, 5); /* it is not we who stop */
    expect_text(t, "close 50\n");
    meet_twin(t, 51, BOOT + 1, 0, 5);
    expect_text(t, "close 51\nreplaced by boot 8\n");
}

/* Else it would come again and again, and never hear why it is sent away. */
static void an_earlier_one_of_a_neighbour_is_told_of_the_later_one(void **state)
{
    talk *t = *state;
    link_to(t, 2);
    hear_of(t, 2, 3, 5, 0, NULL);
    up(t, 60, 3, 5, 0);
    ignore(t);
    up(t, 61, 3, 4, 0);
    expect_text(t, "61< BUNDLES 3:5.0\n61< DONE\nclose 61\n");
}

/* Of two links to one boot that stays which the lesser id has dialled: the other one is closed. */
static void one_with_the_boot_of_a_neighbour_is_told_of_it(void **state)
{
    talk *t = *state;
    link_to(t, 2);
    hear_of(t, 2, 3, 5, 0, NULL);
    ignore(t);
    fay_node_id us = id_of(SELF), id = id_of(3);
    bool ours = fay_node_id_compare(&us, &id) < 0;
    up(t, 60, 3, 5, ours ? 999 : 0);
    ignore(t);
    for (uint8_t key = 0; key <= 7; key += 7) { /* its own certification is zeros */
        uint8_t certification[FAY_KEY_HASH_SIZE] = {key};
        (void)feed(t, (fay_grid_event){.kind = FAY_GRID_UP,
                                       .link = 61 + key,
                                       .dial = ours ? 0 : 999,
                                       .id = &id,
                                       .boot = 5,
                                       .bytes = certification,
                                       .size = sizeof certification});
        expect_text(t,
                    key == 0 ? "61< DONE\nclose 61\n" : "68< BUNDLES 3:5.0\n68< DONE\nclose 68\n");
    }
}

/* It is told at once: the other one may take its link from it the next moment. */
static void a_twin_of_a_neighbour_is_told_of_it_at_once(void **state)
{
    talk *t = *state;
    link_to(t, 2);
    hear_of(t, 2, 3, 5, 0, NULL);
    ignore(t);
    fay_node_id id = id_of(3);
    uint8_t certification[FAY_KEY_HASH_SIZE] = {7};
    (void)feed(t, (fay_grid_event){.kind = FAY_GRID_UP,
                                   .link = 60,
                                   .id = &id,
                                   .boot = 5,
                                   .bytes = certification,
                                   .size = sizeof certification});
    step(t);
    assert_non_null(strstr(fay_buffer_text(&t->said), " 3:5.0"));
}

static void what_nobody_has_signed_moves_nothing(void **state)
{
    talk *t = *state;
    link_to(t, 2);
    t->forged = true;
    hear_of(t, 2, SELF, BOOT + 1, 0, NULL);
    expect_text(t, "");
}

/* Two that hear of each other but cannot reach each other do not take turns for ever. */
static void a_duel_ends(void **state)
{
    talk *t = *state;
    link_to(t, 2);
    uint64_t boot = BOOT;
    for (unsigned turn = 0; turn < 3; turn++) {
        hear_of(t, turn == 0 ? 2 : 60 + turn, SELF, boot + 1, 0, NULL);
        step(t);
        fail_dial(t, FAY_EVIDENCE_SILENT);
        ignore(t);
        boot += 2;
        rebooted(t, boot);
        ignore(t);
        up(t, 61 + turn, 2, 1, 0);
        ignore(t);
        assert_int_equal(member_of(fay_grid_members(t->grid), SELF)->boot, boot);
    }
    hear_of(t, 63, SELF, boot + 1, 0, NULL);
    ignore(t);
    fail_dial(t, FAY_EVIDENCE_SILENT);
    expect_text(t, "replaced by boot 14\n");
}

/* A stub proves nothing, so it counts once, and not for much: nobody uses up another's boots. */
static void a_stub_of_oneself_is_exceeded_once(void **state)
{
    talk *t = *state;
    link_to(t, 2);
    hear_version(t, 2, SELF, BOOT + 4, 0, false); /* alive: then its record comes */
    expect_text(t, "2< WANT\n");
    hear_version(t, 2, SELF, (uint64_t)1 << 52, 0, true);
    expect_text(t, "2< WANT\n");
    hear_version(t, 2, SELF, BOOT + 4, 0, true);
    expect_text(t, "2< WANT\nreboot 12\n");
    rebooted(t, 12);
    up(t, 60, 2, 1, 0);
    ignore(t);
    hear_version(t, 60, SELF, 20, 0, true);
    expect_text(t, "60< WANT\n");
}

static void an_incarnation_that_we_never_had_is_another_ones(void **state)
{
    talk *t = *state;
    link_to(t, 2);
    hear_version(t, 2, SELF, BOOT, 0, true); /* our own, and alive */
    step(t);
    assert_int_equal(member_of(fay_grid_members(t->grid), SELF)->inc, 1);
    pass(t, 100 * FAY_MS);
    fay_buffer_clear(&t->said);
    hear_version(t, 2, SELF, BOOT, 4, true);
    step(t);
    assert_non_null(strstr(fay_buffer_text(&t->said), "reboot 8\n"));
}

/* A stub knows no seq; the life that it has is ours all the same. */
static void a_stub_of_the_present_life_is_refuted(void **state)
{
    talk *t = *state;
    link_to(t, 2);
    (void)feed(t,
               (fay_grid_event){.kind = FAY_GRID_META, .bytes = (const uint8_t *)"x", .size = 1});
    pass(t, FAY_SECOND);
    step(t);
    assert_int_equal(member_of(fay_grid_members(t->grid), SELF)->record->seq, 1);
    hear_beat(t, 2);
    pass(t, FAY_SECOND);
    hear_version(t, 2, SELF, BOOT, 0, true);
    step(t);
    assert_int_equal(member_of(fay_grid_members(t->grid), SELF)->inc, 1);
}

/* What was to be signed by the key before is signed by the new one. */
static void what_is_being_signed_is_signed_anew(void **state)
{
    talk *t = *state;
    link_to(t, 2);
    hear_of(t, 2, SELF, BOOT + 1, 0, NULL);
    ignore(t);
    fail_dial(t, FAY_EVIDENCE_SILENT);
    ignore(t);
    (void)feed(
        t, (fay_grid_event){.kind = FAY_GRID_BROADCAST, .bytes = (const uint8_t *)"hi", .size = 2});
    rebooted(t, BOOT + 2);
    fay_grid_actions actions;
    fay_grid_step(t->grid, t->now, &actions);
    uint64_t asked = 0, token = 0;
    for (size_t i = 0; i < actions.count; i++) {
        if (actions.items[i].kind == FAY_GRID_SIGN) {
            asked++;
            token = asked == 2 ? actions.items[i].token : token;
        }
    }
    assert_int_equal(asked, 3); /* by the key before: too late; the rumor; the record */
    up(t, 60, 2, 1, 0);
    uint8_t signature[FAY_SIGNATURE_SIZE] = {1};
    (void)feed(t, (fay_grid_event){.kind = FAY_GRID_SIGNED,
                                   .token = token,
                                   .bytes = signature,
                                   .size = sizeof signature});
    step(t);
    assert_non_null(strstr(fay_buffer_text(&t->said), "60< RUMOR\n"));
}

/* Its neighbours need a link to it all the same. */
static void who_said_done_is_dialled_a_little_later(void **state)
{
    talk *t = *state;
    link_to(t, 2);
    assert_int_equal(hear(t, 2, FAY_GRID_DONE, NULL), 0);
    down(t, 2);
    expect_text(t, "");
    pass(t, FAY_SECOND);
    assert_non_null(strstr(fay_buffer_text(&t->said), "dial 127.0.0.1:4000\n"));
    fail_dial(t, FAY_EVIDENCE_REFUSED); /* it may have been too early */
    step(t);
    assert_int_equal(state_at(t, 2), FAY_ALIVE);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(an_earlier_boot_of_oneself_is_answered),
        TEST(who_is_told_of_a_later_boot_dials_it_and_stops_if_it_lives),
        TEST(where_nobody_answers_it_takes_a_later_boot_in_place),
        TEST(state_that_was_lost_here_is_not_dialled),
        TEST(an_equal_boot_is_another_one_too),
        TEST(of_two_with_one_boot_the_greater_certification_stays),
        TEST(a_handshake_with_a_later_one_is_proof_enough),
        TEST(an_earlier_one_of_a_neighbour_is_told_of_the_later_one),
        TEST(one_with_the_boot_of_a_neighbour_is_told_of_it),
        TEST(a_twin_of_a_neighbour_is_told_of_it_at_once),
        TEST(what_nobody_has_signed_moves_nothing),
        TEST(a_duel_ends),
        TEST(a_stub_of_oneself_is_exceeded_once),
        TEST(an_incarnation_that_we_never_had_is_another_ones),
        TEST(a_stub_of_the_present_life_is_refuted),
        TEST(what_is_being_signed_is_signed_anew),
        TEST(who_said_done_is_dialled_a_little_later),
    };
    return cmocka_run_group_tests_name("grid_twin", tests, NULL, NULL);
}
