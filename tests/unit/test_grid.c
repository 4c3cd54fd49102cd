/* SPDX-License-Identifier: MIT */
/* One Node's Grid: its links, deaths around it, and what it says of itself. */
#include "grid_talk.h"

/* ---- links ----------------------------------------------------------------------------------- */

static void it_looks_for_the_grid(void **state)
{
    talk *t = *state;
    expect_text(t, "dial seed:1\n1 is alive\n");
    fail_one(t, t->seed_dial, FAY_EVIDENCE_REFUSED);
    expect_text(t, "");
    pass(t, 5 * FAY_SECOND);
    fail_one(t, t->seed_dial, FAY_EVIDENCE_REFUSED); /* and again, for ever */
    pass(t, 10 * FAY_SECOND);
    expect_text(t, "dial seed:1\ndial seed:1\n");
}

/* It sleeps in between: what is due is done, and not due any more. */
static void who_is_alone_does_not_spin(void **state)
{
    talk *t = *state;
    for (int wakes = 0; wakes < 500; wakes++) {
        t->now = FAY_MAX(t->now, fay_grid_deadline(t->grid));
        step(t);
        fail_one(t, t->seed_dial, FAY_EVIDENCE_REFUSED);
        step(t);
        assert_true(fay_grid_deadline(t->grid) > t->now);
    }
}

static void who_meets_tells_of_itself(void **state)
{
    talk *t = *state;
    ignore(t);
    up(t, 1, 2, 1, t->seed_dial);
    expect_text(t, "1< HEARTBEAT\n1< BUNDLES 1:7.0\n");
    hear_of(t, 1, 2, 1, 0, NULL);
    expect_text(t, "2 is alive\n");
    hear_of(t, 1, 2, 1, 0, NULL); /* known: not even verified */
    expect_text(t, "");
    pass(t, 300 * FAY_MS); /* the table is quiet */
    expect_text(t, "1< HEARTBEAT wished\n");
}

static void what_nobody_has_signed_is_void(void **state)
{
    talk *t = *state;
    link_to(t, 2);
    t->forged = true;
    hear_of(t, 2, 3, 1, 0, (const unsigned[]){2, 0});
    hear_of(t, 2, 2, 1, 9, NULL);
    expect_text(t, "");
    assert_null(member_of(fay_grid_members(t->grid), 3));
    assert_int_equal(member_of(fay_grid_members(t->grid), 2)->inc, 0);
}

static void news_are_told_to_all_but_their_teller(void **state)
{
    talk *t = *state;
    link_to(t, 3);
    hear_of(t, 2, 4, 1, 0, NULL);
    expect_text(t, "4 is alive\n3< BUNDLES 4:1.0\n");
}

static void of_two_links_to_one_node_one_stays(void **state)
{
    talk *t = *state;
    link_to(t, 2);
    up(t, 22, 2, 1, 0);
    step(t);
    assert_int_equal(fay_grid_links(t->grid), 1);
    up(t, 23, 2, 8, 0); /* it has been started again: the old link is dead */
    step(t);
    assert_int_equal(fay_grid_links(t->grid), 1);
    fay_buffer_clear(&t->said);
    hear_beat(t, 23);
    expect_text(t, "");
}

static void an_address_of_ones_own_is_left(void **state)
{
    talk *t = *state;
    ignore(t);
    up(t, 1, SELF, BOOT, t->seed_dial);
    expect_text(t, "close 1\n");
}

static void garbage_is_refused(void **state)
{
    talk *t = *state;
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer payload = {0};
    link_to(t, 2);
    assert_int_equal(hear(t, 2, 0, NULL), FAY_E_PEER);
    assert_int_equal(hear(t, 2, 99, NULL), FAY_E_PEER);
    assert_int_equal(hear(t, 2, FAY_GRID_HEARTBEAT, NULL), FAY_E_PEER);
    fay_write64(&payload, 1);
    assert_int_equal(hear(t, 2, FAY_GRID_BUNDLES, &payload), FAY_E_PEER);
    assert_int_equal(hear(t, 2, FAY_GRID_DIGEST, &payload), FAY_E_PEER);
    assert_int_equal(hear(t, 2, FAY_GRID_VERSIONS, &payload), FAY_E_PEER);
    assert_int_equal(hear(t, 2, FAY_GRID_WANT, &payload), FAY_E_PEER);
    assert_int_equal(hear(t, 2, FAY_GRID_REDIRECT, &payload), FAY_E_PEER);
    assert_int_equal(hear(t, 2, FAY_GRID_RELAY, &payload), FAY_E_PEER);
    assert_int_equal(hear(t, 2, FAY_GRID_RUMOR, &payload), FAY_E_PEER);
    assert_int_equal(hear(t, 2, FAY_GRID_IHAVE, &payload), FAY_E_PEER);
    assert_int_equal(hear(t, 2, FAY_GRID_GRAFT, &payload), FAY_E_PEER);
    assert_int_equal(hear(t, 2, FAY_GRID_DONE, &payload), FAY_E_PEER);
    assert_int_equal(hear(t, 77, 99, NULL), 0); /* a link that is no more */
}

/* ---- death ----------------------------------------------------------------------------------- */

/* Of two Nodes one is enough to see that the other is dead. */
static void a_close_without_a_word_is_dialled_once_then_accused(void **state)
{
    talk *t = *state;
    link_to(t, 2);
    down(t, 2);
    expect_text(t, "dial 127.0.0.1:4000\n");
    fail_dial(t, FAY_EVIDENCE_REFUSED);
    expect_text(t, "2 is suspect\n");
    pass(t, 200 * FAY_MS);
    step(t);
    assert_int_equal(state_at(t, 2), FAY_DEAD);
}

/* Stopped, its kernel takes the connection, and nothing comes of it. */
static void who_fell_silent_is_not_waited_for_as_long_as_a_handshake(void **state)
{
    talk *t = *state;
    fay_grid_params params;
    fay_grid_params_lan(&params);
    link_to(t, 2);
    for (int second = 0; second < 12; second++) { /* the first ten prove nothing */
        pass(t, FAY_SECOND);
        hear_beat(t, 2);
        step(t);
    }
    down(t, 2);
    step(t); /* dials, and is not answered */
    pass(t, params.stalled - FAY_MS);
    step(t);
    assert_int_equal(state_at(t, 2), FAY_ALIVE);
    pass(t, FAY_MS);
    step(t);
    assert_int_equal(state_at(t, 2), FAY_SUSPECT);
}

/* Killed, it closes its connections before its port. To say of it that it is silent, or does not
 * know who it is, would take a second longer than to say that its port is shut. */
static void a_handshake_that_breaks_off_is_tried_again_before_it_accuses(void **state)
{
    talk *t = *state;
    link_to(t, 2);
    for (int second = 0; second < 12; second++) { /* the first ten prove nothing anyway */
        pass(t, FAY_SECOND);
        hear_beat(t, 2);
        step(t);
    }
    down(t, 2);
    step(t);
    fail_dial(t, FAY_EVIDENCE_HANDSHAKE);
    step(t);
    assert_int_equal(state_at(t, 2), FAY_ALIVE);
    pass(t, 300 * FAY_MS);
    step(t);
    fail_dial(t, FAY_EVIDENCE_REFUSED);
    step(t);
    assert_int_equal(state_at(t, 2), FAY_SUSPECT);
    pass(t, 200 * FAY_MS);
    step(t);
    assert_int_equal(state_at(t, 2), FAY_DEAD);
}

static void a_close_after_done_means_nothing(void **state)
{
    talk *t = *state;
    link_to(t, 2);
    assert_int_equal(hear(t, 2, FAY_GRID_DONE, NULL), 0);
    down(t, 2);
    expect_text(t, "");
    assert_int_equal(state_at(t, 2), FAY_ALIVE);
}

/* Who was dialled to be asked something is let go, also while a neighbour is looked for: else there
 * would be more and more of these. */
static void a_link_that_nobody_wishes_is_closed(void **state)
{
    talk *t = *state;
    link_to(t, 3);
    for (unsigned node = 4; node <= 40; node++) {
        hear_of(t, 2, node, 1, 0, NULL);
    }
    pass(t, 2 * FAY_SECOND);
    ignore(t);
    unsigned stranger = 4; /* that is no neighbour */
    for (fay_node_id id = id_of(stranger); fay_grid_is_dialled(t->grid, &id);
         id = id_of(stranger)) {
        stranger++;
    }
    up(t, 90, stranger, 1, 0);
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer payload = {0};
    fay_heartbeat beat = {.hash = fay_members_hash(fay_grid_members(t->grid))};
    fay_heartbeat_write(&beat, &payload);
    for (int i = 0; i < 15; i++) {
        assert_int_equal(hear(t, 90, FAY_GRID_HEARTBEAT, &payload), 0);
        hear_beat(t, 2);
        hear_beat(t, 3);
        pass(t, 100 * FAY_MS);
    }
    assert_non_null(strstr(fay_buffer_text(&t->said), "90< DONE\nclose 90\n"));
}

static void silence_ends_a_link(void **state)
{
    talk *t = *state;
    link_to(t, 2);
    pass(t, 3 * FAY_SECOND);
    assert_int_equal(fay_grid_links(t->grid), 1);
    (void)feed(t, (fay_grid_event){.kind = FAY_GRID_HEARD, .link = 2}); /* half a message */
    pass(t, 3 * FAY_SECOND);
    assert_int_equal(fay_grid_links(t->grid), 1);
    pass(t, 600 * FAY_MS);
    assert_int_equal(fay_grid_links(t->grid), 0);
    assert_int_equal(state_at(t, 2), FAY_ALIVE); /* until a dial has failed */
}

/* Among four, two must agree; nobody may accuse alone. */
static void one_accuser_is_not_enough_among_four(void **state)
{
    talk *t = *state;
    link_to(t, 4);
    hear_of(t, 2, 3, 1, 0, (const unsigned[]){2, 0});
    step(t);
    assert_int_equal(state_at(t, 3), FAY_SUSPECT);
    for (int i = 0; i < 20; i++) {
        pass(t, FAY_SECOND);
        for (unsigned link = 2; link <= 4; link++) {
            hear_beat(t, link);
        }
    }
    assert_int_equal(state_at(t, 3), FAY_SUSPECT);
    hear_of(t, 2, 3, 1, 0, (const unsigned[]){2, 4, 0});
    step(t);
    assert_int_equal(state_at(t, 3), FAY_DEAD);
}

/* One accuser was enough among three; then others came back. */
static void who_has_become_many_needs_two(void **state)
{
    talk *t = *state;
    link_to(t, 3);
    hear_of(t, 2, 3, 1, 0, (const unsigned[]){2, 0});
    step(t);
    assert_int_equal(state_at(t, 3), FAY_SUSPECT);
    for (unsigned node = 4; node <= 12; node++) {
        hear_of(t, 2, node, 1, 0, NULL);
    }
    for (int i = 0; i < 10; i++) {
        pass(t, FAY_SECOND);
        hear_beat(t, 2);
        hear_beat(t, 3);
    }
    assert_int_equal(state_at(t, 3), FAY_SUSPECT);
}

static void who_accuses_alone_asks_others(void **state)
{
    talk *t = *state;
    link_to(t, 4);
    down(t, 4);
    step(t);
    fail_dial(t, FAY_EVIDENCE_SILENT);
    expect_text(t, "dial 127.0.0.1:4000\n4 is suspect\n"
                   "2< BUNDLES 4:1.0 accused by 1\n3< BUNDLES 4:1.0 accused by 1\n");
    pass(t, FAY_SECOND);
    step(t);
    assert_non_null(strstr(fay_buffer_text(&t->said), "< RELAY\n"));
}

/* Three of four are gone: there is nobody to agree, and nobody to be asked. */
static void who_has_no_link_left_decides_alone(void **state)
{
    talk *t = *state;
    link_to(t, 4);
    for (unsigned link = 2; link <= 4; link++) {
        down(t, link);
    }
    for (int i = 0; i < 50; i++) {
        step(t);
        for (uint64_t dial = 1; dial <= t->dial; dial++) {
            fail_one(t, dial, FAY_EVIDENCE_SILENT); /* those that are over: nothing */
        }
        pass(t, 100 * FAY_MS);
    }
    for (unsigned node = 2; node <= 4; node++) {
        assert_int_equal(state_at(t, node), FAY_DEAD);
    }
}

static void with_few_links_all_are_asked(void **state)
{
    talk *t = *state;
    link_to(t, 4);
    hear_of(t, 2, 5, 1, 0, NULL);
    down(t, 4);
    step(t);
    fail_dial(t, FAY_EVIDENCE_SILENT);
    ignore(t);
    pass(t, FAY_SECOND);
    step(t);
    assert_non_null(strstr(fay_buffer_text(&t->said), "2< RELAY\n"));
    assert_non_null(strstr(fay_buffer_text(&t->said), "3< RELAY\n"));
}

static void who_is_asked_dials_and_accuses(void **state)
{
    talk *t = *state;
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer payload = {0};
    link_to(t, 3);
    hear_of(t, 2, 4, 1, 0, NULL);
    ignore(t);
    fay_node_id id = id_of(4);
    fay_buffer_append(&payload, id.bytes, sizeof id.bytes);
    assert_int_equal(hear(t, 2, FAY_GRID_RELAY, &payload), 0);
    expect_text(t, "dial 127.0.0.1:4000\n");
    fail_dial(t, FAY_EVIDENCE_SILENT);
    step(t);
    assert_int_equal(state_at(t, 4), FAY_SUSPECT);
}

/* Whoever was frozen, or cut off, has not heard that it is accused. */
static void who_is_accused_hears_of_it_when_it_links(void **state)
{
    talk *t = *state;
    link_to(t, 4);
    assert_int_equal(hear(t, 4, FAY_GRID_DONE, NULL), 0);
    down(t, 4);
    hear_of(t, 2, 4, 1, 0, (const unsigned[]){2, 0});
    ignore(t);
    up(t, 44, 4, 1, 0);
    step(t);
    assert_non_null(strstr(fay_buffer_text(&t->said), "44< BUNDLES 1:7.0 4:1.0 accused by 2\n"));
}

static void hear_gone(talk *t, uint64_t link, unsigned node, uint64_t boot, uint32_t inc)
{
    hear_version(t, link, node, boot, inc, true);
}

/* Others hold one for gone that we believe alive: it alone can say that it lives, so it is told. */
static void who_is_held_for_gone_is_told(void **state)
{
    talk *t = *state;
    link_to(t, 3);
    hear_gone(t, 2, 3, 1, 0);
    expect_text(t, "2< WANT\n3< VERSIONS\n");
    hear_gone(t, 2, 3, 0, 0); /* of another life */
    pass(t, FAY_SECOND);
    assert_null(strstr(fay_buffer_text(&t->said), "3< VERSIONS\n"));
    hear_of(t, 2, 4, 1, 0, NULL);
    ignore(t);
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer payload = {0};
    FAY_CLEANUP(fay_freep) fay_grid_record *later = new_record(4, 1, 0, 5, false);
    fay_grid_member *member = fay_member_new(&later->id);
    (void)fay_member_merge_record(member, t->now, later);
    fay_bundle_write(member, t->now, &payload);
    fay_member_free(member);
    assert_int_equal(hear(t, 2, FAY_GRID_BUNDLES, &payload), 0);
    ignore(t);
    hear_gone(t, 2, 4, 1, 0); /* who is not linked is dialled; a stub has no seq */
    step(t);
    assert_non_null(strstr(fay_buffer_text(&t->said), "dial 127.0.0.1:4000\n"));
    up(t, 60, 4, 1, t->dial);
    step(t);
    assert_non_null(strstr(fay_buffer_text(&t->said), "60< VERSIONS\n"));
}

/* A member that was forgotten but for its last life comes back with that: it is told so, and says
 * that it lives after all. */
static void who_is_a_stub_hears_that_it_is_gone(void **state)
{
    talk *t = *state;
    link_to(t, 2);
    hear_of(t, 2, 3, 1, 4, NULL);
    for (int i = 0; i < 1000; i++) {
        hear_bye(t, 2, 3, 1, 4);
        pass(t, FAY_SECOND);
        hear_beat(t, 2);
    }
    ignore(t);
    assert_null(member_of(fay_grid_members(t->grid), 3)->record);
    hear_version(t, 2, 3, 1, 4, false); /* others who have it alive hear it as well */
    expect_text(t, "2< VERSIONS\n");
    up(t, 60, 3, 1, 0);
    step(t);
    assert_non_null(strstr(fay_buffer_text(&t->said), "60< VERSIONS\n"));
    hear_of(t, 60, 3, 1, 5, NULL);
    step(t);
    assert_int_equal(state_at(t, 3), FAY_ALIVE);
}

/* Nobody else accuses it, and it does not answer: it may not know. So we dial it ourselves. */
static void a_suspect_that_nothing_comes_of_is_asked(void **state)
{
    talk *t = *state;
    link_to(t, 3);
    hear_of(t, 2, 4, 1, 0, (const unsigned[]){2, 0});
    ignore(t);
    assert_int_equal(state_at(t, 4), FAY_SUSPECT);
    up(t, 4, 4, 1, 0); /* so that the overlay has nothing to dial */
    hear_beat(t, 4);
    ignore(t);
    bool told_again = false;
    for (int i = 0; i < 20; i++) {
        pass(t, FAY_SECOND);
        for (unsigned link = 2; link <= 4; link++) {
            hear_beat(t, link);
        }
        step(t);
        told_again =
            told_again || strstr(fay_buffer_text(&t->said), "4< BUNDLES 4:1.0 acc") != NULL;
        fay_buffer_clear(&t->said);
    }
    assert_true(told_again);
}

/* The fault may be here: who hears nobody at all accuses nobody for a moment. */
static void who_was_late_accuses_nobody_for_a_second(void **state)
{
    talk *t = *state;
    link_to(t, 2);
    (void)feed(t, (fay_grid_event){.kind = FAY_GRID_LATE, .ns = 2 * FAY_SECOND});
    down(t, 2);
    step(t);
    fail_dial(t, FAY_EVIDENCE_REFUSED);
    step(t);
    assert_int_equal(state_at(t, 2), FAY_ALIVE);
    pass(t, FAY_SECOND);
    fail_dial(t, FAY_EVIDENCE_REFUSED);
    step(t);
    assert_int_equal(state_at(t, 2), FAY_SUSPECT);
}

/* ---- oneself --------------------------------------------------------------------------------- */

static void an_accusation_of_oneself_is_refuted(void **state)
{
    talk *t = *state;
    link_to(t, 3);
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer payload = {0};
    fay_grid_member *self = member_of(fay_grid_members(t->grid), SELF);
    fay_grid_member *theirs = fay_member_new(&self->id);
    fay_grid_accusation said = accusation_of(SELF, BOOT, 0, 2, 1);
    (void)fay_member_merge_record(theirs, t->now, self->record);
    (void)fay_member_merge_accusation(theirs, t->now, &said, true);
    fay_bundle_write(theirs, t->now, &payload);
    fay_member_free(theirs);
    assert_int_equal(hear(t, 2, FAY_GRID_BUNDLES, &payload), 0);
    step(t);
    pass(t, 60 * FAY_MS);
    assert_int_equal(self->inc, 1);
    assert_int_equal(state_at(t, SELF), FAY_ALIVE);
    assert_non_null(strstr(fay_buffer_text(&t->said), "2< BUNDLES 1:7.1\n"));
    assert_non_null(strstr(fay_buffer_text(&t->said), "3< BUNDLES 1:7.1\n"));
}

static void who_leaves_says_bye(void **state)
{
    talk *t = *state;
    link_to(t, 2);
    (void)feed(t, (fay_grid_event){.kind = FAY_GRID_LEAVE});
    expect_text(t, "1 is left\n2< BUNDLES 1:7.0 bye gone\n2< DONE\nclose 2\nleft\n");
    assert_true(fay_grid_deadline(t->grid) == FAY_NEVER);
}

static void what_one_says_of_oneself_is_told_once_a_second(void **state)
{
    talk *t = *state;
    link_to(t, 2);
    for (uint8_t i = 0; i < 10; i++) {
        (void)feed(t, (fay_grid_event){.kind = FAY_GRID_META, .bytes = &i, .size = 1});
        pass(t, 50 * FAY_MS);
        hear_beat(t, 2);
    }
    const fay_grid_member *self = member_of(fay_grid_members(t->grid), SELF);
    assert_int_equal(self->record->seq, 1);
    pass(t, FAY_SECOND);
    assert_int_equal(self->record->seq, 2);
    assert_int_equal(self->record->meta.bytes[0], 9); /* what was last said */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(it_looks_for_the_grid),
        TEST(who_is_alone_does_not_spin),
        TEST(who_meets_tells_of_itself),
        TEST(what_nobody_has_signed_is_void),
        TEST(news_are_told_to_all_but_their_teller),
        TEST(of_two_links_to_one_node_one_stays),
        TEST(an_address_of_ones_own_is_left),
        TEST(garbage_is_refused),
        TEST(a_close_without_a_word_is_dialled_once_then_accused),
        TEST(who_fell_silent_is_not_waited_for_as_long_as_a_handshake),
        TEST(a_handshake_that_breaks_off_is_tried_again_before_it_accuses),
        TEST(a_close_after_done_means_nothing),
        TEST(a_link_that_nobody_wishes_is_closed),
        TEST(silence_ends_a_link),
        TEST(one_accuser_is_not_enough_among_four),
        TEST(who_has_become_many_needs_two),
        TEST(who_accuses_alone_asks_others),
        TEST(who_has_no_link_left_decides_alone),
        TEST(with_few_links_all_are_asked),
        TEST(who_is_asked_dials_and_accuses),
        TEST(who_is_accused_hears_of_it_when_it_links),
        TEST(who_is_held_for_gone_is_told),
        TEST(who_is_a_stub_hears_that_it_is_gone),
        TEST(a_suspect_that_nothing_comes_of_is_asked),
        TEST(who_was_late_accuses_nobody_for_a_second),
        TEST(an_accusation_of_oneself_is_refuted),
        TEST(who_leaves_says_bye),
        TEST(what_one_says_of_oneself_is_told_once_a_second),
    };
    return cmocka_run_group_tests_name("grid", tests, NULL, NULL);
}
