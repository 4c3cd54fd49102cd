/* SPDX-License-Identifier: MIT */
/* The table of members: how statements merge, who is gone, what is remembered of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/limits.h"
#include "base/prng.h"
#include "grid_make.h"

static const fay_ns now = 10 * FAY_SECOND;
static fay_grid_params params;

static int set_up(void **state)
{
    static fay_members members;
    fay_grid_params_lan(&params);
    fay_members_init(&members, &params);
    *state = &members;
    return 0;
}

static int tear_down(void **state)
{
    fay_members_deinit(*state);
    return 0;
}

/* ---- one member ------------------------------------------------------------------------------ */

static void only_a_later_record_changes_anything(void **state)
{
    fay_members *m = *state;
    assert_int_equal(merge(m, now, 1, 5, 2, 3), FAY_MERGE_NEW);
    assert_int_equal(merge(m, now, 1, 5, 2, 3), FAY_MERGE_KNOWN);
    assert_int_equal(merge(m, now, 1, 5, 2, 2), FAY_MERGE_STALE);
    assert_int_equal(merge(m, now, 1, 5, 1, 9), FAY_MERGE_STALE);
    assert_int_equal(merge(m, now, 1, 4, 9, 9), FAY_MERGE_STALE);
    assert_int_equal(merge(m, now, 1, 5, 2, 4), FAY_MERGE_NEW);
    assert_int_equal(merge(m, now, 1, 5, 3, 0), FAY_MERGE_NEW);
    assert_int_equal(merge(m, now, 1, 6, 0, 0), FAY_MERGE_NEW);
    assert_int_equal(member_of(m, 1)->boot, 6);
    assert_int_equal(fay_members_alive(m), 1);
}

static void an_accusation_makes_suspect_and_a_refutation_alive(void **state)
{
    fay_members *m = *state;
    (void)merge(m, now, 1, 5, 0, 0);
    uint64_t hash = fay_members_hash(m);
    assert_int_equal(accuse(m, now, 1, 5, 0, 2), FAY_MERGE_NEW);
    assert_int_equal(accuse(m, now, 1, 5, 0, 2), FAY_MERGE_KNOWN);
    assert_int_equal(state_of(m, 1), FAY_SUSPECT);
    assert_int_equal(fay_members_alive(m), 1); /* believed to be */
    assert_true(fay_members_hash(m) == hash);  /* suspicion passes */
    assert_int_equal(merge(m, now, 1, 5, 0, 1), FAY_MERGE_NEW);
    assert_int_equal(state_of(m, 1), FAY_SUSPECT); /* what it says of itself refutes nothing */
    assert_int_equal(merge(m, now, 1, 5, 1, 0), FAY_MERGE_NEW);
    assert_int_equal(state_of(m, 1), FAY_ALIVE);
    assert_int_equal(accuse(m, now, 1, 5, 0, 3), FAY_MERGE_STALE);
    assert_int_equal(state_of(m, 1), FAY_ALIVE);
}

static void an_accusation_never_makes_a_member(void **state)
{
    fay_members *m = *state;
    assert_int_equal(accuse(m, now, 1, 5, 0, 2), FAY_MERGE_AHEAD);
    assert_null(member_of(m, 1));
    (void)merge(m, now, 1, 5, 0, 0);
    assert_int_equal(accuse(m, now, 1, 5, 1, 2), FAY_MERGE_AHEAD); /* nor raises its inc */
    assert_int_equal(accuse(m, now, 1, 6, 0, 2), FAY_MERGE_AHEAD);
    assert_int_equal(state_of(m, 1), FAY_ALIVE);
}

static void who_is_not_entitled_does_not_count(void **state)
{
    fay_members *m = *state;
    (void)merge(m, now, 1, 5, 0, 0);
    fay_grid_accusation said = accusation_of(1, 5, 0, 2, 1);
    assert_int_equal(fay_members_merge_accusation(m, now, &said, false), FAY_MERGE_NEW);
    assert_int_equal(state_of(m, 1), FAY_ALIVE);
    fay_charge *charge = fay_member_charge_by(member_of(m, 1), &said.observer);
    fay_members_count(m, now, member_of(m, 1), charge);
    assert_int_equal(state_of(m, 1), FAY_SUSPECT);
    said.n = 2; /* it says it again, and is no neighbour any more: it was */
    assert_int_equal(fay_members_merge_accusation(m, now + 1, &said, false), FAY_MERGE_NEW);
    assert_int_equal(state_of(m, 1), FAY_SUSPECT);
    assert_true(charge->heard_at == now);
}

static void the_dead_come_back_by_their_own_word_alone(void **state)
{
    fay_members *m = *state;
    (void)merge(m, now, 1, 5, 0, 0);
    uint64_t alive = fay_members_hash(m);
    (void)accuse(m, now, 1, 5, 0, 2);
    uint64_t generation = m->generation;
    fay_members_sentence(m, now, member_of(m, 1));
    assert_int_equal(state_of(m, 1), FAY_DEAD);
    assert_int_equal(fay_members_alive(m), 0);
    assert_true(m->generation > generation);
    assert_true(fay_members_hash(m) != alive);
    assert_int_equal(merge(m, now, 1, 5, 0, 0), FAY_MERGE_STALE); /* a stale alive */
    assert_int_equal(merge(m, now, 1, 5, 0, 7), FAY_MERGE_NEW);   /* later, but the same life */
    assert_int_equal(state_of(m, 1), FAY_DEAD);
    assert_int_equal(merge(m, now, 1, 5, 1, 0), FAY_MERGE_NEW);
    assert_int_equal(state_of(m, 1), FAY_ALIVE);
}

static void a_bye_is_final_for_its_life(void **state)
{
    fay_members *m = *state;
    (void)merge(m, now, 1, 5, 0, 3);
    assert_int_equal(merge_bye(m, now, 1, 5, 0, 4), FAY_MERGE_NEW);
    assert_int_equal(state_of(m, 1), FAY_LEFT);
    assert_int_equal(merge(m, now, 1, 5, 0, 9), FAY_MERGE_STALE);
    assert_int_equal(accuse(m, now, 1, 5, 0, 2), FAY_MERGE_NEW); /* kept, and makes no difference */
    assert_int_equal(state_of(m, 1), FAY_LEFT);
    assert_int_equal(merge(m, now, 1, 6, 0, 0), FAY_MERGE_NEW); /* started again */
    assert_int_equal(state_of(m, 1), FAY_ALIVE);
}

static void accusers_are_bounded(void **state)
{
    fay_members *m = *state;
    (void)merge(m, now, 1, 5, 0, 0);
    for (unsigned observer = 2; observer < 100; observer++) {
        (void)accuse(m, now, 1, 5, 0, observer);
    }
    const fay_grid_member *member = member_of(m, 1);
    assert_int_equal(member->charges_count, FAY_GRID_ACCUSERS_MAX);
}

/* ---- those gone ------------------------------------------------------------------------------ */

static void kill_one(fay_members *m, unsigned n, fay_ns at)
{
    (void)merge(m, at, n, 5, 0, 0);
    (void)accuse(m, at, n, 5, 0, 99);
    fay_members_sentence(m, at, member_of(m, n));
}

static void the_gone_are_told_then_kept_then_a_stub_then_forgotten(void **state)
{
    fay_members *m = *state;
    kill_one(m, 1, now);
    assert_true(fay_members_hash(m) != 0);
    assert_true(fay_members_due(m) == now + params.gone_told);
    fay_members_age(m, now + params.gone_told);
    assert_true(fay_members_hash(m) == 0);
    assert_non_null(member_of(m, 1)->record);
    assert_true(fay_members_due(m) == now + params.gone_kept);
    fay_members_age(m, now + params.gone_kept);
    assert_null(member_of(m, 1)->record);
    assert_int_equal(state_of(m, 1), FAY_DEAD);
    assert_int_equal(m->stubs, 1);
    fay_members_check(m, now + params.gone_kept);
    assert_true(fay_members_due(m) == now + params.stub);
    fay_members_age(m, now + params.stub);
    assert_null(member_of(m, 1));
    assert_true(fay_members_due(m) == FAY_NEVER);
    fay_members_check(m, now + params.stub);
}

static void what_is_reaped_does_not_return(void **state)
{
    fay_members *m = *state;
    kill_one(m, 1, now);
    fay_members_age(m, now + params.gone_kept);
    assert_int_equal(merge(m, now, 1, 5, 0, 0), FAY_MERGE_STALE);
    assert_int_equal(merge(m, now, 1, 5, 0, 99), FAY_MERGE_STALE); /* not even a later seq */
    assert_int_equal(merge_bye(m, now, 1, 5, 0, 99), FAY_MERGE_STALE);
    assert_int_equal(accuse(m, now, 1, 5, 0, 3), FAY_MERGE_KNOWN);
    assert_int_equal(merge(m, now, 1, 5, 1, 0), FAY_MERGE_NEW); /* a long partition heals */
    assert_int_equal(state_of(m, 1), FAY_ALIVE);
    assert_int_equal(m->stubs, 0);
    fay_members_check(m, now + params.gone_kept);
}

static void age_is_told_with_a_death(void **state)
{
    fay_members *m = *state;
    kill_one(m, 1, now);
    kill_one(m, 2, now);
    fay_members_backdate(m, now, member_of(m, 1), now - 5 * FAY_SECOND);
    fay_members_backdate(m, now, member_of(m, 1), now); /* never younger */
    fay_ns due = now - 5 * FAY_SECOND + params.gone_told;
    assert_true(fay_members_due(m) == due);
    fay_members_age(m, due);
    assert_false(fay_members_tells(m, due, member_of(m, 1)));
    assert_true(fay_members_tells(m, due, member_of(m, 2)));
}

static void a_full_table_drops_the_oldest_stub(void **state)
{
    fay_members *m = *state;
    kill_one(m, 1, now);
    kill_one(m, 2, now - 1);
    fay_members_age(m, now + params.gone_kept);
    for (unsigned n = 3; n <= FAY_GRID_MEMBERS_MAX; n++) {
        assert_int_equal(merge(m, now, n, 1, 0, 0), FAY_MERGE_NEW);
    }
    assert_int_equal(merge(m, now, 100001, 1, 0, 0), FAY_MERGE_NEW);
    assert_null(member_of(m, 2));
    assert_non_null(member_of(m, 1));
    assert_int_equal(merge(m, now, 100002, 1, 0, 0), FAY_MERGE_NEW);
    assert_int_equal(merge(m, now, 100003, 1, 0, 0), FAY_MERGE_NO_ROOM);
    fay_members_check(m, now + params.gone_kept);
}

/* ---- any order ------------------------------------------------------------------------------- */

/* What is passed on: a record, and who accuses its life. */
typedef struct bundle {
    fay_grid_record *record;
    fay_grid_accusation accusations[3];
    size_t count;
} bundle;

enum {
    NODES = 4,
    BUNDLES = 60
};

static bundle draw(fay_prng *prng)
{
    unsigned n = (unsigned)fay_prng_below(prng, NODES);
    uint64_t boot = 1 + fay_prng_below(prng, 2);
    uint32_t inc = (uint32_t)fay_prng_below(prng, 3), seq = (uint32_t)fay_prng_below(prng, 3);
    bundle drawn = {.record = new_record(n, boot, inc, seq, fay_prng_chance(prng, 0.1)),
                    .count = fay_prng_below(prng, 4)};
    for (size_t i = 0; i < drawn.count; i++) {
        unsigned observer = NODES + (unsigned)fay_prng_below(prng, 30);
        drawn.accusations[i] =
            accusation_of(n, boot, inc, observer, (uint32_t)fay_prng_below(prng, 3));
    }
    return drawn;
}

/* Merging never takes a member back: invariant 1 of the Grid. */
static void apply(fay_members *m, const bundle *b)
{
    fay_grid_member *member = fay_members_find(m, &b->record->id);
    uint64_t boot = member != NULL ? member->boot : 0;
    uint32_t inc = member != NULL ? member->inc : 0;
    fay_member_state was = member != NULL ? fay_member_state_of(member) : FAY_ALIVE;
    (void)fay_members_merge_record(m, now, b->record, &member);
    for (size_t i = 0; i < b->count; i++) {
        (void)fay_members_merge_accusation(m, now, &b->accusations[i], true);
    }
    assert_true(member->boot > boot || (member->boot == boot && member->inc >= inc));
    if (member->boot == boot && member->inc == inc)
        assert_true(fay_member_state_of(member) >= was);
    fay_members_check(m, now);
}

static void apply_all(fay_members *m, const bundle *bundles, fay_prng *prng)
{
    bool done[BUNDLES] = {false};
    for (size_t left = BUNDLES; left > 0;) {
        size_t i = fay_prng_below(prng, BUNDLES); /* some come twice */
        apply(m, &bundles[i]);
        left -= !done[i];
        done[i] = true;
    }
}

static void assert_same(const fay_members *a, const fay_members *b)
{
    assert_true(fay_members_hash(a) == fay_members_hash(b));
    FAY_EACH_MEMBER(member, a)
    {
        const fay_grid_member *other = fay_members_find(b, &member->id);
        assert_non_null(other);
        assert_int_equal(fay_record_compare(member->record, other->record), 0);
        assert_int_equal(fay_member_state_of(member), fay_member_state_of(other));
        assert_int_equal(member->charges_count, other->charges_count);
        for (size_t i = 0; i < member->charges_count; i++) {
            const fay_grid_accusation *said = &member->charges[i].said;
            const fay_charge *same = fay_member_charge_by(other, &said->observer);
            assert_non_null(same);
            assert_int_equal(fay_accusation_compare(said, &same->said), 0);
        }
    }
    assert_memory_equal(a->states, b->states, sizeof a->states);
}

static void any_order_ends_equal(void **state)
{
    (void)state;
    fay_prng prng;
    for (uint64_t seed = 0; seed < 200; seed++) {
        fay_prng_init(&prng, seed);
        bundle bundles[BUNDLES];
        for (size_t i = 0; i < BUNDLES; i++) {
            bundles[i] = draw(&prng);
        }
        fay_members a, b;
        fay_members_init(&a, &params);
        fay_members_init(&b, &params);
        apply_all(&a, bundles, &prng);
        apply_all(&b, bundles, &prng);
        assert_same(&a, &b);
        fay_members_deinit(&a);
        fay_members_deinit(&b);
        for (size_t i = 0; i < BUNDLES; i++) {
            free(bundles[i].record);
        }
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(only_a_later_record_changes_anything),
        TEST(an_accusation_makes_suspect_and_a_refutation_alive),
        TEST(an_accusation_never_makes_a_member),
        TEST(who_is_not_entitled_does_not_count),
        TEST(the_dead_come_back_by_their_own_word_alone),
        TEST(a_bye_is_final_for_its_life),
        TEST(accusers_are_bounded),
        TEST(the_gone_are_told_then_kept_then_a_stub_then_forgotten),
        TEST(what_is_reaped_does_not_return),
        TEST(age_is_told_with_a_death),
        TEST(a_full_table_drops_the_oldest_stub),
        TEST(any_order_ends_equal),
    };
    return cmocka_run_group_tests_name("grid_members", tests, NULL, NULL);
}
