/* SPDX-License-Identifier: MIT */
/* The overlay: mesh and rings, both ways the same, enough observers for everybody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "grid/overlay.h"
#include "grid_make.h"

static const fay_ns now = 100 * FAY_SECOND;
static fay_grid_params params;

typedef struct grid {
    fay_members members;
    fay_overlay overlay;
} grid;

static void grow(grid *g, unsigned from, unsigned to, fay_ns at)
{
    for (unsigned n = from; n <= to; n++) {
        (void)merge(&g->members, at, n, 1, 0, 0);
        fay_overlay_update(&g->overlay, &g->members);
    }
}

static void leave(grid *g, unsigned n, fay_ns at)
{
    (void)merge_bye(&g->members, at, n, 1, 0, 1);
    fay_overlay_update(&g->overlay, &g->members);
}

static fay_neighbours neighbours_of(const grid *g, unsigned n)
{
    fay_neighbours found;
    fay_overlay_neighbours(&g->overlay, &g->members, member_of(&g->members, n), &found);
    return found;
}

static bool has(const fay_neighbours *list, const fay_grid_member *member)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->members[i] == member)
            return true;
    }
    return false;
}

static int set_up(void **state)
{
    static grid g;
    fay_grid_params_lan(&params);
    fay_members_init(&g.members, &params);
    g.overlay = (fay_overlay){0};
    *state = &g;
    return 0;
}

static int tear_down(void **state)
{
    grid *g = *state;
    fay_members_deinit(&g->members);
    return 0;
}

static void few_members_are_a_mesh(void **state)
{
    grid *g = *state;
    grow(g, 1, 1, now);
    assert_int_equal(neighbours_of(g, 1).count, 0); /* alone */
    grow(g, 2, params.mesh_max, now);
    for (unsigned n = 1; n <= params.mesh_max; n++) {
        fay_neighbours all = neighbours_of(g, n);
        assert_int_equal(all.count, params.mesh_max - 1);
        assert_false(has(&all, member_of(&g->members, n)));
    }
}

static void rings_begin_and_end_at_different_sizes(void **state)
{
    grid *g = *state;
    grow(g, 1, 8, now);
    assert_false(g->overlay.rings);
    grow(g, 9, 9, now);
    assert_true(g->overlay.rings);
    leave(g, 9, now);
    leave(g, 8, now);
    assert_true(g->overlay.rings); /* 7 are left */
    leave(g, 7, now);
    assert_false(g->overlay.rings);
    grow(g, 10, 11, now);
    assert_false(g->overlay.rings); /* 8 */
}

/* Who is whose neighbour is so both ways, also while some are dead. */
static void neighbours_are_so_both_ways(void **state)
{
    grid *g = *state;
    static const unsigned sizes[] = {9, 10, 33, 100, 250};
    unsigned reached = 0;
    for (size_t i = 0; i < FAY_COUNT(sizes); i++) {
        grow(g, reached + 1, sizes[i], now);
        reached = sizes[i];
        leave(g, reached / 2, now);
        for (unsigned n = 1; n <= reached; n++) {
            const fay_grid_member *member = member_of(&g->members, n);
            if (fay_member_gone(fay_member_state_of(member)))
                continue;
            fay_neighbours mine = neighbours_of(g, n);
            assert_in_range(mine.count, 2, 2 * params.rings);
            for (size_t j = 0; j < mine.count; j++) {
                fay_neighbours theirs;
                fay_overlay_neighbours(&g->overlay, &g->members, mine.members[j], &theirs);
                assert_true(has(&theirs, member));
                assert_false(fay_member_gone(fay_member_state_of(mine.members[j])));
            }
        }
    }
}

/* The overlay hangs together: from one member all are reached. */
static void everybody_is_reached(void **state)
{
    grid *g = *state;
    enum {
        SIZE = 300
    };
    grow(g, 1, SIZE, now);
    bool seen[SIZE + 1] = {false};
    unsigned todo[SIZE], count = 0;
    todo[count++] = 1;
    seen[1] = true;
    for (unsigned at = 0; at < count; at++) {
        fay_neighbours next = neighbours_of(g, todo[at]);
        for (size_t i = 0; i < next.count; i++) {
            unsigned n = (unsigned)fay_load64(next.members[i]->id.bytes + 8);
            if (!seen[n])
                todo[count++] = n;
            seen[n] = true;
        }
    }
    assert_int_equal(count, SIZE);
}

static void a_dead_member_has_observers_still(void **state)
{
    grid *g = *state;
    grow(g, 1, 50, now);
    fay_neighbours before = neighbours_of(g, 7);
    leave(g, 7, now);
    fay_neighbours after = neighbours_of(g, 7);
    assert_int_equal(after.count, before.count);
    for (size_t i = 0; i < after.count; i++) {
        assert_ptr_equal(after.members[i], before.members[i]);
    }
}

static void large_grids_have_more_rings(void **state)
{
    (void)state;
    assert_int_equal(fay_overlay_rings(&params, 9), 3);
    assert_int_equal(fay_overlay_rings(&params, 2000), 3);
    assert_int_equal(fay_overlay_rings(&params, 2001), 4);
}

static bool observes(const grid *g, fay_ns at, const fay_grid_member *observer, unsigned target)
{
    return fay_overlay_observes(&g->overlay, &g->members, at, observer,
                                member_of(&g->members, target));
}

static void neighbours_observe_and_others_do_not(void **state)
{
    grid *g = *state;
    grow(g, 1, 60, now);
    fay_neighbours list = neighbours_of(g, 1);
    for (unsigned n = 1; n <= 60; n++) {
        const fay_grid_member *member = member_of(&g->members, n);
        assert_int_equal(observes(g, now, member, 1), has(&list, member));
    }
}

/* A neighbour that was pushed aside by a newcomer may be heard a little longer. */
static void who_was_a_neighbour_counts_for_a_while(void **state)
{
    grid *g = *state;
    grow(g, 1, 60, now);
    fay_neighbours before = neighbours_of(g, 1);
    fay_ns then = now + 60 * FAY_SECOND, soon = then + FAY_SECOND;
    fay_ns late = then + params.observer_for;
    grow(g, 61, 600, then);
    fay_neighbours after = neighbours_of(g, 1);
    size_t pushed_aside = 0;
    for (size_t i = 0; i < before.count; i++) {
        assert_true(observes(g, soon, before.members[i], 1));
        pushed_aside += !has(&after, before.members[i]);
        assert_int_equal(observes(g, late, before.members[i], 1), has(&after, before.members[i]));
    }
    assert_true(pushed_aside > 0);
}

static void in_a_small_grid_everybody_observes(void **state)
{
    grid *g = *state;
    grow(g, 1, 9, now);
    leave(g, 9, now);
    assert_true(g->overlay.rings); /* here; who came later has a mesh */
    for (unsigned n = 2; n <= 8; n++) {
        assert_true(observes(g, now, member_of(&g->members, n), 1));
    }
    assert_false(observes(g, now, member_of(&g->members, 1), 1)); /* but not oneself */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(few_members_are_a_mesh),
        TEST(rings_begin_and_end_at_different_sizes),
        TEST(neighbours_are_so_both_ways),
        TEST(everybody_is_reached),
        TEST(a_dead_member_has_observers_still),
        TEST(large_grids_have_more_rings),
        TEST(neighbours_observe_and_others_do_not),
        TEST(who_was_a_neighbour_counts_for_a_while),
        TEST(in_a_small_grid_everybody_observes),
    };
    return cmocka_run_group_tests_name("grid_overlay", tests, NULL, NULL);
}
