/* SPDX-License-Identifier: MIT */
/* The plant of the elasticity benchmark, under controllers made for each test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/eq_line.h"

/* A closed source into stages of constant work, each with some workers at the start. */
static fay_eq_trace chain_of(size_t stages, double mean, size_t workers)
{
    fay_eq_trace trace = {.name = "test",
                          .duration = 100,
                          .stages_count = stages,
                          .nodes = {{64, 0}},
                          .nodes_count = 1,
                          .closed = 500,
                          .read_rate = 100,
                          .spawn_latency = 2,
                          .workers_max = 64,
                          .stated_start = true,
                          .disturbed_at = -1};
    for (size_t i = 0; i < stages; i++) {
        fay_eq_stage_plan *plan = &trace.stages[i];
        *plan = (fay_eq_stage_plan){
            .mean = mean, .selectivity = 1, .queue_max = 8, .needs = {1}, .edges_count = 0};
        if (i + 1 < stages) {
            plan->edges[0].to = i + 1;
            plan->edges[0].upto = 1;
            plan->edges_count = 1;
        }
        trace.start[i] = workers;
    }
    return trace;
}

/* ---- what the controllers of the tests have seen --------------------------------------------- */

static struct seen {
    uint64_t ticks, arrivals, pressures, refusals, idles, evaluations, crashes, freed;
    size_t queued_most, blocked_most, kept_out_most;
    double woken_at, took, idle_age, last_arrival;
    uint64_t arrivals_hash;
    bool done;
    uint32_t worker;
} seen;

static void *begin(fay_eq_line *line)
{
    (void)line;
    seen = (struct seen){.woken_at = -1};
    return NULL;
}

static void look(fay_eq_line *line)
{
    for (size_t i = 0; i < fay_eq_stages_count(line); i++) {
        fay_eq_reading reading;
        fay_eq_read(line, i, &reading);
        seen.queued_most = FAY_MAX(seen.queued_most, reading.queued);
        seen.blocked_most = FAY_MAX(seen.blocked_most, reading.waiting);
        if (i > 0)
            seen.kept_out_most = FAY_MAX(seen.kept_out_most, reading.kept_out);
        assert_int_equal(reading.workers, reading.live + reading.starting);
        assert_int_equal(reading.live, reading.idle + reading.busy + reading.waiting);
    }
}

static void on_tick(void *self, fay_eq_line *line)
{
    (void)self;
    seen.ticks++;
    look(line);
}

static void on_arrival(void *self, fay_eq_line *line, size_t stage)
{
    (void)self;
    if (stage > 0)
        return;
    double now = fay_eq_now(line);
    uint64_t bits;
    memcpy(&bits, &now, sizeof bits);
    seen.arrivals++;
    seen.arrivals_hash = (seen.arrivals_hash ^ bits) * 0x100000001b3u;
}

static void on_pressure(void *self, fay_eq_line *line, size_t stage, bool no_room)
{
    (void)self;
    fay_eq_reading reading;
    fay_eq_read(line, stage, &reading);
    seen.pressures += !no_room;
    seen.refusals += no_room;
    if (no_room)
        assert_true(reading.refused_at >= fay_eq_now(line));
}

static void on_crash(void *self, fay_eq_line *line, size_t stage)
{
    (void)self;
    seen.crashes++;
    (void)fay_eq_spawn(line, stage, 1);
}

static void on_slot_freed(void *self, fay_eq_line *line, size_t stage)
{
    (void)self;
    (void)line;
    (void)stage;
    seen.freed++;
}

static const fay_eq_controller watcher = {.name = "watcher",
                                          .new = begin,
                                          .tick = on_tick,
                                          .arrived = on_arrival,
                                          .pressure = on_pressure,
                                          .crashed = on_crash,
                                          .slot_freed = on_slot_freed};

/* ---- Items ----------------------------------------------------------------------------------- */

static void every_item_comes_out_once(void **state)
{
    (void)state;
    fay_eq_line line;
    fay_eq_trace trace = chain_of(3, 0.1, 4);
    trace.stages[0].selectivity = 2;
    trace.stages[1].cv = 1;
    fay_eq_line_run(&line, &trace, &watcher, 1);
    assert_int_equal(line.record.delivered, 1000);
    assert_int_equal(line.record.latencies_count, 1000);
    assert_true(line.record.finished_at > 0);
    assert_false(line.record.lost);
    fay_eq_line_deinit(&line);
}

static void what_is_missing_is_noticed(void **state)
{
    (void)state;
    fay_eq_line line;
    fay_eq_trace trace = chain_of(2, 0.5, 1);
    trace.duration = 1; /* it ends in the middle of the work */
    fay_eq_line_run(&line, &trace, &watcher, 1);
    assert_false(line.record.lost);
    assert_true(line.record.finished_at < 0);
    assert_true(line.inside > 0);
    /* What is inside counts with its age. */
    assert_int_equal(line.record.latencies_count, line.record.delivered + line.inside);
    fay_eq_line_deinit(&line);
}

static void a_full_queue_blocks_the_worker_before_it(void **state)
{
    (void)state;
    fay_eq_line line;
    fay_eq_trace trace = chain_of(2, 0.05, 2);
    trace.stages[1].mean = 1;
    trace.closed = 50;
    fay_eq_line_run(&line, &trace, &watcher, 1);
    assert_int_equal(seen.queued_most, 8);
    assert_int_equal(seen.blocked_most, 2);
    assert_int_equal(seen.kept_out_most, 2);
    assert_int_equal(line.stages[0].kept_out + line.stages[1].kept_out, 0);
    assert_true(seen.refusals > 0);
    assert_int_equal(line.record.delivered, 50);
    /* Two workers, one Item a period each, after the first Item's way through the first stage. */
    assert_true(line.record.finished_at > 25 && line.record.finished_at < 25.2);
    fay_eq_line_deinit(&line);
}

static void branches_take_copies_or_shares(void **state)
{
    (void)state;
    fay_eq_line line;
    fay_eq_trace trace = chain_of(4, 0.05, 8);
    /* 0 feeds 1 and 2, both feed 3 */
    trace.stages[0].edges[1].to = 2;
    trace.stages[0].edges[1].upto = 1;
    trace.stages[0].edges_count = 2;
    trace.stages[1].edges[0].to = 3;
    fay_eq_line_run(&line, &trace, &watcher, 1);
    assert_int_equal(line.record.delivered, 1000);
    assert_false(line.record.lost);
    fay_eq_line_deinit(&line);

    trace.stages[0].edges[0].upto = trace.stages[0].edges[1].from = 0.7;
    fay_eq_line_run(&line, &trace, &watcher, 1);
    assert_int_equal(line.record.delivered, 500);
    assert_in_range(line.stages[1].arrivals, 320, 380);
    assert_int_equal(line.stages[1].arrivals + line.stages[2].arrivals, 500);
    assert_false(line.record.lost);
    fay_eq_line_deinit(&line);
}

static void items_of_a_worker_that_dies_are_repeated(void **state)
{
    (void)state;
    fay_eq_line line;
    fay_eq_trace trace = chain_of(2, 0.2, 8);
    trace.stages[0].crashes = trace.stages[1].crashes = 0.2;
    fay_eq_line_run(&line, &trace, &watcher, 1);
    assert_true(line.record.repeated > 10);
    assert_int_equal(seen.crashes, line.record.repeated);
    assert_int_equal(seen.freed, line.record.repeated);
    assert_int_equal(line.record.delivered, 500);
    assert_false(line.record.lost);
    fay_eq_line_deinit(&line);
}

static void arrivals_are_the_same_for_everybody(void **state)
{
    (void)state;
    fay_eq_line line;
    fay_eq_trace trace = chain_of(2, 0.05, 4);
    trace.closed = 0;
    trace.points[0].rate = 20;
    trace.points_count = 1;
    fay_eq_line_run(&line, &trace, &watcher, 9);
    uint64_t hash = seen.arrivals_hash;
    assert_in_range(seen.arrivals, 1850, 2150);
    fay_eq_line_deinit(&line);

    trace.start[0] = 1;
    trace.start[1] = 1;
    fay_eq_line_run(&line, &trace, &watcher, 9);
    assert_true(seen.arrivals_hash == hash);
    fay_eq_line_deinit(&line);
    fay_eq_line_run(&line, &trace, &watcher, 10);
    assert_true(seen.arrivals_hash != hash);
    fay_eq_line_deinit(&line);
}

/* ---- workers --------------------------------------------------------------------------------- */

/* At 10.5, in the middle of Items of one period each, retires a busy worker. */
static void retire_busy(void *self, fay_eq_line *line, size_t stage)
{
    (void)self;
    const fay_eq_worker *worker = fay_eq_worker_first(line, stage);
    assert_int_equal(worker->state, FAY_EQ_BUSY);
    seen.worker = worker->id;
    assert_true(fay_eq_retire(line, stage, worker->id));
    assert_false(fay_eq_retire(line, stage, worker->id));
    fay_eq_reading reading;
    fay_eq_read(line, stage, &reading);
    assert_int_equal(reading.workers, 2);
    assert_int_equal(reading.draining, 1);
}

static void wake_in_the_middle(void *self, fay_eq_line *line)
{
    on_tick(self, line);
    fay_eq_reading reading;
    fay_eq_read(line, 0, &reading);
    if (seen.ticks == 11)
        fay_eq_wake(line, 0, 10.5);
    if (seen.ticks == 13) /* at 12, its Item is done and it has gone */
        assert_int_equal(reading.workers, 1);
}

static void a_busy_worker_drains(void **state)
{
    (void)state;
    static const fay_eq_controller controller = {
        .name = "drains", .new = begin, .tick = wake_in_the_middle, .evaluate = retire_busy};
    fay_eq_line line;
    fay_eq_trace trace = chain_of(1, 1, 2);
    trace.closed = 40;
    fay_eq_line_run(&line, &trace, &controller, 1);
    assert_int_equal(line.record.delivered, 40);
    assert_int_equal(line.record.actions, 1);
    assert_false(line.record.lost);
    fay_eq_line_deinit(&line);
}

static void spawn_at_once(void *self, fay_eq_line *line)
{
    on_tick(self, line);
    if (seen.ticks > 1)
        return;
    assert_int_equal(fay_eq_spawn(line, 0, 100), 9); /* ten slots, one is taken */
    assert_int_equal(fay_eq_spawn(line, 0, 1), 0);
    assert_true(fay_eq_retire(line, 0, FAY_EQ_CHEAPEST)); /* one that has not started */
    fay_eq_reading reading;
    fay_eq_read(line, 0, &reading);
    assert_int_equal(reading.starting, 8);
}

static void on_ready(void *self, fay_eq_line *line, size_t stage, double took)
{
    (void)self;
    (void)line;
    (void)stage;
    assert_true(took >= 1.6 && took <= 2.4);
    seen.took = took;
    seen.evaluations++;
}

static void spawning_takes_time_and_slots(void **state)
{
    (void)state;
    static const fay_eq_controller controller = {
        .name = "spawns", .new = begin, .tick = spawn_at_once, .ready = on_ready};
    fay_eq_line line;
    fay_eq_trace trace = chain_of(1, 0.5, 1);
    trace.nodes[0][0] = 10;
    fay_eq_line_run(&line, &trace, &controller, 1);
    assert_int_equal(seen.evaluations, 8); /* the retired one does not become ready */
    assert_int_equal(line.workers, 9);
    assert_false(line.record.lost);
    fay_eq_line_deinit(&line);
}

static void two_resources_fill_up_apart(void **state)
{
    (void)state;
    fay_eq_line line;
    fay_eq_trace trace = chain_of(2, 0.5, 100);
    trace.nodes[0][0] = 20;
    trace.nodes[0][1] = 16;
    trace.stages[0].needs[1] = 4;
    trace.stages[1].needs[1] = 0;
    trace.closed = 10;
    fay_eq_line_run(&line, &trace, &watcher, 1);
    assert_int_equal(line.stages[0].workers, 4);  /* memory */
    assert_int_equal(line.stages[1].workers, 16); /* cpu: what is left */
    fay_eq_line_deinit(&line);
}

static double retire_coldest(void *self, fay_eq_line *line, size_t stage,
                             const fay_eq_worker *worker)
{
    (void)self;
    seen.idles++;
    seen.idle_age = fay_eq_now(line) - worker->since;
    assert_true(fay_eq_coldest(line, stage) == worker);
    assert_true(fay_eq_retire(line, stage, FAY_EQ_COLDEST));
    return 0;
}

static void *begin_with_idle_timer(fay_eq_line *line)
{
    (void)begin(line);
    fay_eq_idle_after(line, 0, 3);
    return NULL;
}

static void surplus_sinks_to_the_bottom(void **state)
{
    (void)state;
    static const fay_eq_controller controller = {
        .name = "idles", .new = begin_with_idle_timer, .tick = on_tick, .idled = retire_coldest};
    fay_eq_line line;
    fay_eq_trace trace = chain_of(1, 0.1, 6);
    trace.read_rate = 5; /* half a worker's work: one is enough, always the same */
    trace.closed = 50;
    fay_eq_line_run(&line, &trace, &controller, 1);
    assert_int_equal(seen.idles, 5);
    assert_true(seen.idle_age >= 3 && seen.idle_age < 3.1);
    assert_int_equal(line.stages[0].workers, 1);
    fay_eq_line_deinit(&line);
}

/* ---- time ------------------------------------------------------------------------------------ */

static void ask_twice(void *self, fay_eq_line *line)
{
    on_tick(self, line);
    if (seen.ticks != 1)
        return;
    fay_eq_wake(line, 0, 3.5);
    fay_eq_wake(line, 0, 2.5);
    fay_eq_wake(line, 0, 4.5);
}

static void on_wake(void *self, fay_eq_line *line, size_t stage)
{
    (void)self;
    (void)stage;
    seen.evaluations++;
    seen.woken_at = fay_eq_now(line);
}

static void the_earliest_wake_counts(void **state)
{
    (void)state;
    static const fay_eq_controller controller = {
        .name = "wakes", .new = begin, .tick = ask_twice, .evaluate = on_wake};
    fay_eq_line line;
    fay_eq_trace trace = chain_of(1, 0.1, 1);
    fay_eq_line_run(&line, &trace, &controller, 1);
    assert_int_equal(seen.evaluations, 1);
    assert_true(seen.woken_at > 2.4 && seen.woken_at < 2.6);
    fay_eq_line_deinit(&line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_item_comes_out_once),
        cmocka_unit_test(what_is_missing_is_noticed),
        cmocka_unit_test(a_full_queue_blocks_the_worker_before_it),
        cmocka_unit_test(branches_take_copies_or_shares),
        cmocka_unit_test(items_of_a_worker_that_dies_are_repeated),
        cmocka_unit_test(arrivals_are_the_same_for_everybody),
        cmocka_unit_test(a_busy_worker_drains),
        cmocka_unit_test(spawning_takes_time_and_slots),
        cmocka_unit_test(two_resources_fill_up_apart),
        cmocka_unit_test(surplus_sinks_to_the_bottom),
        cmocka_unit_test(the_earliest_wake_counts),
    };
    return cmocka_run_group_tests_name("eq_line", tests, NULL, NULL);
}
