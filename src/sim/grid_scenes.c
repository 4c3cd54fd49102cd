/* SPDX-License-Identifier: MIT */
#include "sim/grid_scenes.h"

#include <stdlib.h>

#include "sim/grid_chaos.h"
#include "sim/grid_judge.h"

static void join(fay_sim_run *run)
{
    uint32_t last = run->net.ids - 1;
    fay_sim_settle(run, last);
    run->subject = last;
    run->is = FAY_ALIVE;
    fay_sim_expect_subject(run, last);
    fay_net_start(&run->net, last, 0);
    fay_sim_wait(run, "the join");
    fay_sim_rest(run);
}

static void storm(fay_sim_run *run)
{
    fay_sim_storm(run, run->net.ids);
    fay_sim_rest(run);
}

static void lose(fay_sim_run *run, bool silent)
{
    fay_sim_settle(run, run->net.ids);
    run->subject = (uint32_t)fay_sim_below(&run->net.world, run->net.ids);
    run->is = FAY_DEAD;
    fay_sim_expect_subject(run, run->net.ids - 1);
    if (silent) {
        fay_net_silence(&run->net, run->subject);
    } else {
        fay_net_kill(&run->net, run->subject);
    }
    fay_sim_wait(run, "the death");
    fay_sim_rest(run);
}

static void lose_killed(fay_sim_run *run)
{
    lose(run, false);
}

static void lose_silent(fay_sim_run *run)
{
    lose(run, true);
}

static void half(fay_sim_run *run)
{
    uint32_t count = run->net.ids;
    fay_sim_settle(run, count);
    FAY_CLEANUP(fay_freep) uint32_t *order = fay_sim_shuffled(run);
    run->running = count - count / 2;
    fay_sim_expect_count(run, run->running);
    for (uint32_t n = 0; n < count / 2; n++) {
        fay_net_kill(&run->net, order[n]);
    }
    fay_sim_wait(run, "the deaths");
    fay_sim_rest(run);
}

/* What is said to all; a small one, then one that is too large to be flooded. */
static void say_to_all(fay_sim_run *run, size_t size)
{
    FAY_CLEANUP(fay_freep) uint8_t *bytes = fay_alloc(size);
    fay_sim_settle(run, run->net.ids);
    fay_sim_expect_said(run, run->net.ids - 1);
    uint64_t before = run->net.stats.rumors;
    fay_net_broadcast(&run->net, (uint32_t)fay_sim_below(&run->net.world, run->net.ids),
                      (fay_grid_bytes){bytes, size});
    fay_sim_wait(run, "what was said");
    fay_sim_rest(run);
    fay_sim_judge_cost(&run->net, run->net.stats.rumors - before, 1);
}

static void say_small(fay_sim_run *run)
{
    say_to_all(run, 500);
}

static void say_large(fay_sim_run *run)
{
    say_to_all(run, 100 * FAY_KIB);
}

/* One Node says something else of itself. */
static void change(fay_sim_run *run)
{
    fay_sim_settle(run, run->net.ids);
    uint32_t subject = (uint32_t)fay_sim_below(&run->net.world, run->net.ids);
    uint64_t before = run->net.stats.bundles;
    fay_grid_event meta = {.kind = FAY_GRID_META, .bytes = (const uint8_t *)"new", .size = 3};
    fay_net_feed(&run->net, subject, &meta);
    fay_sim_rest(run);
    fay_sim_judge_cost(&run->net, run->net.stats.bundles - before, 1);
}

static void crl(fay_sim_run *run)
{
    fay_sim_settle(run, run->net.ids);
    uint32_t subject = (uint32_t)fay_sim_below(&run->net.world, run->net.ids);
    run->net.crl = 7;
    run->net.nodes[subject].crl = run->net.crl;
    fay_grid_event event = {.kind = FAY_GRID_CRL, .number = run->net.crl};
    fay_sim_expect_crl(run, run->net.ids - 1);
    fay_net_feed(&run->net, subject, &event);
    fay_sim_wait(run, "the CRL");
    fay_sim_rest(run);
}

/* What a Node sends while nothing happens; in bytes a second, of the mean Node. */
static void idle(fay_sim_run *run)
{
    static const unsigned seconds = 30;
    fay_sim_settle(run, run->net.ids);
    uint64_t before = run->net.stats.bytes;
    fay_net_pass(&run->net, seconds * FAY_SECOND);
    fay_sim_sample(run, (double)(run->net.stats.bytes - before) / seconds / run->net.ids);
    fay_sim_rest(run);
}

const fay_sim_scene fay_sim_scenes[] = {
    {.name = "join",
     .what = "one more Node joins: all know it",
     .run = join,
     .p99 = {0.2, 0.3, 0.5, 1}},
    {.name = "storm",
     .what = "all start in 1 s: tables are equal",
     .run = storm,
     .p99 = {1.5, 2, 4, 20}},
    {.name = "kill",
     .what = "kill -9 of one: all list it dead",
     .run = lose_killed,
     .p50 = {0.4, 0.4, 0.5, 0.7},
     .p99 = {1, 1, 1.2, 2}},
    {.name = "silent",
     .what = "a machine is gone: all list it dead",
     .run = lose_silent,
     .p50 = {4.7, 4.7, 4.8, 5},
     .p99 = {6, 6, 6.5, 7}},
    {.name = "half", .what = "kill -9 of half: no zombies", .run = half, .p99 = {10, 10, 10, 12}},
    {.name = "alone",
     .what = "all but one die: it lists them dead",
     .run = fay_sim_trial_alone,
     .p99 = {15},
     .nodes_max = 10},
    {.name = "say",
     .what = "500 bytes to all: all hear it",
     .run = say_small,
     .p99 = {0.01, 0.02, 0.03, 0.06}},
    {.name = "sayhuge", .what = "100 KiB to all: all hear it", .run = say_large},
    {.name = "change", .what = "a record changes: a message a link", .run = change},
    {.name = "crl", .what = "a later CRL: all have fetched it", .run = crl},
    {.name = "idle",
     .what = "nothing happens: bytes a second",
     .run = idle,
     .p99 = {1000, 1000, 1000, 1000}},
    {.name = "split",
     .what = "two halves for 60 s: tables are equal",
     .run = fay_sim_trial_split,
     .p99 = {6, 6, 8, 15}},
    {.name = "freeze", .what = "Nodes pause for 2 s: nobody is dead", .run = fay_sim_trial_freeze},
    {.name = "lost", .what = "all start again without their state", .run = fay_sim_trial_lost},
    {.name = "clone",
     .what = "copies of states: one of each stays",
     .run = fay_sim_trial_clone,
     .clones = 4},
    {.name = "forge",
     .what = "a member means ill: nobody is hurt",
     .run = fay_sim_trial_forge,
     .nodes_min = 4},
    {.name = "chaos",
     .what = "everything goes wrong, then all agree",
     .run = fay_sim_grid_chaos,
     .clones = FAY_SIM_CHAOS_CLONES},
    {.name = "minutes",
     .what = "two halves for 20 min",
     .run = fay_sim_trial_split_20_minutes,
     .is_long = true,
     .nodes_max = 100},
    {.name = "hours",
     .what = "two halves for 3 h",
     .run = fay_sim_trial_split_3_hours,
     .is_long = true,
     .nodes_max = 100},
    {.name = "days",
     .what = "two halves for 25 h",
     .run = fay_sim_trial_split_25_hours,
     .is_long = true,
     .nodes_max = 100},
    {.name = "day",
     .what = "24 h of pauses of 2 s: nobody is dead",
     .run = fay_sim_trial_day,
     .is_long = true,
     .nodes_max = 100},
};

const size_t fay_sim_scenes_count = FAY_COUNT(fay_sim_scenes);
