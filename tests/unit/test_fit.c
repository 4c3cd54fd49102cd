/* SPDX-License-Identifier: MIT */
/* How many workers fit into the machine. */
#include "unit/flow_script.h"

#define LETTERS "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static uint64_t leased[64]; /* by worker: the tag in hand */

static struct script *begin_fit(void **state, double cpu, uint64_t memory)
{
    struct script *s = begin(state, 1);
    fay_flow_stage *stage = &s->stages[0];
    stage->pinned = false;
    stage->fits = true;
    stage->workers_max = 64;
    stage->queue_items = 1000;
    stage->queue_bytes = FAY_MIB;
    stage->solo = true;
    stage->cpu = cpu;
    stage->memory = memory;
    s->cores = 2;
    start(s);
    read_source(s, LETTERS);
    return s;
}

/* Steps for a second and counts what is spawned; who is, is up at once. */
static unsigned spawned(struct script *s)
{
    unsigned count = 0;
    for (int i = 0; i < 20; i++) {
        fay_flow_actions actions;
        s->now += 50 * FAY_MS;
        fay_flow_step(s->flow, s->now, &actions);
        uint16_t up[64];
        unsigned more = 0;
        for (size_t k = 0; k < actions.count; k++) {
            if (actions.items[k].kind == FAY_FLOW_SPAWN)
                up[more++] = actions.items[k].worker;
            if (actions.items[k].kind == FAY_FLOW_LEASE)
                leased[actions.items[k].worker] = actions.items[k].tag;
        }
        for (unsigned k = 0; k < more; k++) {
            feed(s, (fay_flow_event){.kind = FAY_FLOW_WORKER_UP, .worker = up[k], .ns = FAY_MS});
        }
        count += more;
    }
    return count;
}

static void use(struct script *s, double cores, uint64_t bytes)
{
    const fay_used used = {
        .busy = 100 * FAY_SECOND, .cpu = (fay_ns)(cores * 100e9), .bytes = bytes};
    feed(s, (fay_flow_event){.kind = FAY_FLOW_USED, .used = &used});
}

static void memory_is(struct script *s, uint64_t bytes)
{
    feed(s, (fay_flow_event){.kind = FAY_FLOW_MACHINE, .ok = false, .bytes = bytes});
}

static void a_core_each_until_it_is_measured(void **state)
{
    struct script *s = begin_fit(state, 0, 0);
    memory_is(s, UINT64_MAX);
    assert_int_equal(spawned(s), 1); /* to the one that was there */
    use(s, 0.4, 0);
    assert_int_equal(spawned(s), 3); /* 5 of 0.4 in 2 cores */
    use(s, 0, 0);
    assert_int_equal(spawned(s), 3); /* more would fit than the root of what waits */
}

static void what_is_stated_holds(void **state)
{
    struct script *s = begin_fit(state, 0.5, 0);
    memory_is(s, UINT64_MAX);
    assert_int_equal(spawned(s), 3);
    use(s, 0, 0);
    assert_int_equal(spawned(s), 0);
}

static void no_room_is_no_reason_to_have_nobody(void **state)
{
    struct script *s = begin_fit(state, 8, 0);
    s->stages[0].workers_min = 0;
    assert_int_equal(spawned(s), 0);
    fay_flow_stats stats;
    fay_flow_stage_stats(s->flow, s->now, 0, &stats);
    assert_int_equal(stats.workers, 1);
    assert_int_equal(stats.held_by, FAY_HELD_NO_CPU);
}

static void memory_is_not_given_away_twice(void **state)
{
    struct script *s = begin_fit(state, 0.02, FAY_MIB);
    memory_is(s, 4 * FAY_MIB);
    assert_int_equal(spawned(s), 3); /* the first one has not taken its part either */
    memory_is(s, 4 * FAY_MIB);
    assert_int_equal(spawned(s), 0);
    for (uint16_t w = 0; w < 4; w++) { /* they work, and so have taken it */
        FAY_CLEANUP(fay_batch_unrefp) fay_batch *batch = fay_batch_new();
        (void)fay_batch_append(batch, "x", 1);
        feed(s, (fay_flow_event){.kind = FAY_FLOW_RESULTS,
                                 .worker = w,
                                 .tag = leased[w],
                                 .count = 1,
                                 .ns = FAY_SECOND,
                                 .batch = batch});
    }
    use(s, 0, FAY_MIB);
    memory_is(s, 0);
    assert_int_equal(spawned(s), 0);
    fay_flow_stats stats;
    fay_flow_stage_stats(s->flow, s->now, 0, &stats);
    assert_int_equal(stats.held_by, FAY_HELD_NO_MEM);
    memory_is(s, 2 * FAY_MIB); /* somebody else has gone */
    assert_int_equal(spawned(s), 2);
}

static void what_is_stated_is_kept_free(void **state)
{
    struct script *s = begin_fit(state, 0.02, FAY_MIB);
    use(s, 0, 1); /* it hardly takes any */
    memory_is(s, 4 * FAY_MIB);
    assert_int_equal(spawned(s), 3);
    memory_is(s, 4 * FAY_MIB);
    assert_int_equal(spawned(s), 0);
}

static void what_is_measured_bounds_it_too(void **state)
{
    struct script *s = begin_fit(state, 0.02, 0);
    use(s, 0, 2 * FAY_MIB);
    memory_is(s, 5 * FAY_MIB);
    assert_int_equal(spawned(s), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FLOW_TEST(a_core_each_until_it_is_measured),    FLOW_TEST(what_is_stated_holds),
        FLOW_TEST(no_room_is_no_reason_to_have_nobody), FLOW_TEST(memory_is_not_given_away_twice),
        FLOW_TEST(what_is_stated_is_kept_free),         FLOW_TEST(what_is_measured_bounds_it_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
