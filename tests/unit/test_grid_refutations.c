/* SPDX-License-Identifier: MIT */
/* What follows from accusations that were refuted: who is muted, who is degraded. */
#include "grid_talk.h"

#include "grid/overlay.h"
#include "grid/refutations.h"

/* Lets time pass among Nodes 2 to `last`, which live. */
static void live(talk *t, unsigned last, fay_ns time)
{
    for (fay_ns until = t->now + time; t->now < until;) {
        pass(t, FAY_SECOND);
        for (unsigned link = 2; link <= last; link++) {
            hear_beat(t, link);
        }
        step(t);
    }
}

static bool is_degraded(const talk *t, unsigned node)
{
    fay_node_id id = id_of(node);
    return fay_grid_is_degraded(t->grid, t->now, &id);
}

static void accuse_and_refute(talk *t, unsigned node, uint32_t inc, const unsigned *accusers)
{
    hear_of(t, 2, node, 1, inc, accusers);
    step(t);
    hear_of(t, 2, node, 1, inc + 1, NULL);
    step(t);
}

static void who_was_wrong_alone_is_muted_for_a_while(void **state)
{
    talk *t = *state;
    link_to(t, 5);
    accuse_and_refute(t, 3, 0, (const unsigned[]){2, 0});
    assert_int_equal(state_at(t, 3), FAY_ALIVE);
    ignore(t);
    pass(t, 60 * FAY_MS);
    fay_buffer_clear(&t->said);
    hear_of(t, 2, 3, 1, 1, (const unsigned[]){2, 0}); /* again */
    step(t);
    pass(t, 60 * FAY_MS);
    assert_null(strstr(fay_buffer_text(&t->said), "BUNDLES")); /* it is not even passed on */
    fay_buffer_clear(&t->said);
    assert_int_equal(state_at(t, 3), FAY_ALIVE);
    hear_of(t, 2, 4, 1, 0, (const unsigned[]){2, 0}); /* of another one it is heard */
    step(t);
    assert_int_equal(state_at(t, 4), FAY_SUSPECT);
    hear_of(t, 2, 3, 1, 1, (const unsigned[]){2, 5, 0}); /* another one's word counts */
    step(t);
    assert_int_equal(state_at(t, 3), FAY_SUSPECT);
    live(t, 5, 50 * FAY_SECOND);
    assert_int_equal(state_at(t, 3), FAY_SUSPECT); /* 5 is alone */
    live(t, 5, 20 * FAY_SECOND);
    assert_int_equal(state_at(t, 3), FAY_DEAD); /* 2 is heard again */
}

/* The accused was away indeed, and may be again. */
static void those_who_agreed_are_not_muted(void **state)
{
    talk *t = *state;
    link_to(t, 5);
    accuse_and_refute(t, 3, 0, (const unsigned[]){2, 4, 0});
    hear_of(t, 2, 3, 1, 1, (const unsigned[]){2, 4, 0});
    step(t);
    assert_int_equal(state_at(t, 3), FAY_SUSPECT);
}

/* Nobody makes others flood the Grid by saying the same again. */
static void the_first_word_about_a_life_stands(void **state)
{
    talk *t = *state;
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer payload = {0};
    link_to(t, 5);
    hear_of(t, 2, 3, 1, 0, (const unsigned[]){2, 0});
    pass(t, 60 * FAY_MS);
    ignore(t);
    const fay_grid_member *member = member_of(fay_grid_members(t->grid), 3);
    const fay_grid_bytes *statement = &member->record->statement;
    fay_write16(&payload, (uint16_t)statement->size);
    fay_buffer_append(&payload, statement->bytes, statement->size);
    fay_write32(&payload, 0);
    fay_write8(&payload, 1);
    fay_grid_accusation again = accusation_of(3, 1, 0, 2, 2);
    fay_accusation_write(&again, &payload);
    assert_int_equal(hear(t, 2, FAY_GRID_BUNDLES, &payload), 0);
    step(t);
    pass(t, 60 * FAY_MS);
    assert_null(strstr(fay_buffer_text(&t->said), "BUNDLES"));
    assert_int_equal(member->charges[0].said.n, 1);
}

/* On rings only neighbours may say that they have seen it as such; whoever has dialled it may. */
static void who_is_no_neighbour_does_not_count(void **state)
{
    talk *t = *state;
    link_to(t, 3);
    for (unsigned node = 4; node <= 40; node++) {
        hear_of(t, 2, node, 1, 0, NULL);
    }
    ignore(t);
    pass(t, FAY_SECOND);
    const fay_members *members = fay_grid_members(t->grid);
    fay_overlay overlay = {.rings = true};
    unsigned counted = 0, others = 0;
    for (unsigned node = 4; node <= 40; node++) {
        t->now += 6 * FAY_SECOND; /* none was a neighbour shortly before */
        hear_beat(t, 2);
        hear_beat(t, 3);
        ignore(t);
        bool observes = fay_overlay_observes(&overlay, members, t->now, member_of(members, 2),
                                             member_of(members, node));
        hear_of(t, 2, node, 1, 0, (const unsigned[]){2, 0});
        step(t);
        assert_int_equal(state_at(t, node), observes ? FAY_SUSPECT : FAY_ALIVE);
        counted += observes;
        others += !observes;
    }
    assert_true(counted > 0 && others > 0);
}

static void among_three_nobody_is_muted(void **state)
{
    talk *t = *state;
    link_to(t, 3);
    hear_of(t, 2, 4, 1, 0, NULL);
    step(t);
    accuse_and_refute(t, 3, 0, (const unsigned[]){2, 0}); /* one of four */
    hear_bye(t, 2, 4, 1, 0);
    step(t);
    hear_of(t, 2, 3, 1, 1, (const unsigned[]){2, 0}); /* one of three */
    step(t);
    assert_int_equal(state_at(t, 3), FAY_SUSPECT);
}

static void who_refutes_three_in_a_minute_is_degraded(void **state)
{
    talk *t = *state;
    link_to(t, 6);
    accuse_and_refute(t, 3, 0, (const unsigned[]){2, 0});
    live(t, 6, 20 * FAY_SECOND);
    accuse_and_refute(t, 3, 1, (const unsigned[]){4, 0});
    assert_false(is_degraded(t, 3));
    live(t, 6, 20 * FAY_SECOND);
    accuse_and_refute(t, 3, 2, (const unsigned[]){5, 0});
    assert_true(is_degraded(t, 3));
    assert_int_equal(state_at(t, 3), FAY_ALIVE);
    assert_false(is_degraded(t, 4));
    live(t, 6, 25 * FAY_SECOND);
    assert_false(is_degraded(t, 3)); /* the first one is too long ago */
}

static void nobody_makes_another_one_degraded_alone(void **state)
{
    talk *t = *state;
    link_to(t, 6);
    for (uint32_t inc = 0; inc < 8; inc++) {
        accuse_and_refute(t, 3, inc, (const unsigned[]){2, 0});
        live(t, 6, 8 * FAY_SECOND);
    }
    assert_false(is_degraded(t, 3));
}

/* ---- oneself --------------------------------------------------------------------------------- */

static void hear_of_self(talk *t, uint64_t link, unsigned accuser, bool gone)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer payload = {0};
    const fay_grid_member *self = member_of(fay_grid_members(t->grid), SELF);
    const fay_grid_bytes *statement = &self->record->statement;
    fay_write16(&payload, (uint16_t)statement->size);
    fay_buffer_append(&payload, statement->bytes, statement->size);
    fay_write32(&payload, gone);
    fay_write8(&payload, accuser != 0);
    fay_grid_accusation said = accusation_of(SELF, self->boot, self->inc, accuser, 1);
    if (accuser != 0)
        fay_accusation_write(&said, &payload);
    assert_int_equal(hear(t, link, FAY_GRID_BUNDLES, &payload), 0);
    step(t);
}

static uint32_t inc_of_self(const talk *t)
{
    return member_of(fay_grid_members(t->grid), SELF)->inc;
}

static void a_muted_accuser_is_answered_in_time(void **state)
{
    talk *t = *state;
    link_to(t, 5);
    hear_of_self(t, 2, 2, false);
    assert_int_equal(inc_of_self(t), 1);
    hear_of_self(t, 2, 2, false);
    assert_int_equal(inc_of_self(t), 1);
    hear_of_self(t, 3, 3, false);
    assert_int_equal(inc_of_self(t), 2);
    hear_of_self(t, 2, 2, false); /* of the third life */
    assert_int_equal(inc_of_self(t), 2);
    live(t, 5, 2 * FAY_SECOND);
    assert_int_equal(inc_of_self(t), 3);
    assert_int_equal(state_at(t, SELF), FAY_ALIVE);
}

/* "Gone", which nobody has signed, is answered once a second at most. */
static void what_cannot_be_proven_is_refuted_in_time(void **state)
{
    talk *t = *state;
    link_to(t, 5);
    live(t, 5, 2 * FAY_SECOND);
    for (int i = 0; i < 20; i++) {
        hear_of_self(t, 2, 0, true);
    }
    assert_int_equal(inc_of_self(t), 1);
    pass(t, 1 * FAY_SECOND);
    step(t);
    assert_int_equal(inc_of_self(t), 2);
}

/* ---- the module ------------------------------------------------------------------------------ */

static void accusers_with_one_key_count_once_unless_the_accused_has_it(void **state)
{
    fay_grid_params params;
    fay_members members;
    fay_refutations refutations;
    (void)state;
    fay_grid_params_lan(&params);
    fay_members_init(&members, &params);
    fay_refutations_init(&refutations, &params);
    for (unsigned n = 1; n <= 6; n++) {
        (void)merge(&members, 1, n, 1, 0, 0);
        if (n > 1)
            memset(member_of(&members, n)->record->tls_key, n < 5 ? 9 : (int)n, FAY_KEY_HASH_SIZE);
    }
    for (unsigned n = 2; n <= 5; n++) {
        (void)accuse(&members, 1, 1, 1, 0, n);
    }
    fay_grid_member *target = member_of(&members, 1);
    fay_refutations_note(&refutations, 2, target, false);
    assert_false(fay_refutations_degraded(&refutations, 3, &members, target)); /* 9 and 5 */
    memset(target->record->tls_key, 9, FAY_KEY_HASH_SIZE);
    assert_true(fay_refutations_degraded(&refutations, 3, &members, target));
    memset(target->record->tls_key, 1, FAY_KEY_HASH_SIZE);
    (void)accuse(&members, 1, 1, 1, 0, 6);
    fay_refutations_note(&refutations, 4, target, false);
    assert_true(fay_refutations_degraded(&refutations, 5, &members, target));
    assert_false(fay_refutations_age(&refutations, 3 + params.mute));
    assert_true(fay_refutations_due(&refutations) == 4 + params.mute);
    assert_true(fay_refutations_age(&refutations, 4 + params.mute));
    assert_null(refutations.table);
    fay_refutations_deinit(&refutations);
    fay_members_deinit(&members);
}

static void the_oldest_is_forgotten_when_there_are_too_many(void **state)
{
    fay_grid_params params;
    fay_refutations refutations;
    (void)state;
    fay_grid_params_lan(&params);
    fay_refutations_init(&refutations, &params);
    for (unsigned n = 2; n < FAY_GRID_REFUTED_MAX + 12; n++) {
        fay_node_id id = id_of(n);
        fay_grid_member *member = fay_member_new(&id);
        FAY_CLEANUP(fay_freep) fay_grid_record *record = new_record(n, 1, 0, 0, false);
        (void)fay_member_merge_record(member, 1, record);
        fay_grid_accusation said = accusation_of(n, 1, 0, 1, 1);
        (void)fay_member_merge_accusation(member, 1, &said, true);
        fay_refutations_note(&refutations, n, member, true);
        fay_member_free(member);
    }
    fay_grid_accusation first = accusation_of(2, 1, 0, 1, 1);
    fay_grid_accusation last = accusation_of(FAY_GRID_REFUTED_MAX + 11, 1, 0, 1, 1);
    assert_int_equal(HASH_COUNT(refutations.table), FAY_GRID_REFUTED_MAX);
    assert_false(fay_refutations_mutes(&refutations, 5000, &first));
    assert_true(fay_refutations_mutes(&refutations, 5000, &last));
    fay_refutations_deinit(&refutations);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(who_was_wrong_alone_is_muted_for_a_while),
        TEST(those_who_agreed_are_not_muted),
        TEST(the_first_word_about_a_life_stands),
        TEST(who_is_no_neighbour_does_not_count),
        TEST(among_three_nobody_is_muted),
        TEST(who_refutes_three_in_a_minute_is_degraded),
        TEST(nobody_makes_another_one_degraded_alone),
        TEST(a_muted_accuser_is_answered_in_time),
        TEST(what_cannot_be_proven_is_refuted_in_time),
        cmocka_unit_test(accusers_with_one_key_count_once_unless_the_accused_has_it),
        cmocka_unit_test(the_oldest_is_forgotten_when_there_are_too_many),
    };
    return cmocka_run_group_tests_name("grid_refutations", tests, NULL, NULL);
}
