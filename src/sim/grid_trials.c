/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "sim/grid_forger.h"
#include "sim/grid_judge.h"
#include "sim/grid_scenes.h"

static const fay_ns minute = 60 * FAY_SECOND, hour = 3600 * FAY_SECOND;

/* ---- deaths ---------------------------------------------------------------------------------- */

/* Of a mesh and of small rings all but one die, half of them without a word. */
void fay_sim_trial_alone(fay_sim_run *run)
{
    fay_sim_settle(run, run->net.ids);
    FAY_CLEANUP(fay_freep) uint32_t *order = fay_sim_shuffled(run);
    run->running = 1;
    fay_sim_expect_count(run, 1);
    for (uint32_t n = 1; n < run->net.ids; n++) {
        if (fay_sim_chance(&run->net.world, 0.5)) {
            fay_net_silence(&run->net, order[n]);
        } else {
            fay_net_kill(&run->net, order[n]);
        }
    }
    fay_sim_wait(run, "the deaths");
    fay_sim_rest(run);
}

/* ---- partitions ------------------------------------------------------------------------------ */

/* Half cannot reach the other half: both take each other for dead, and go on. */
static void split_for(fay_sim_run *run, fay_ns time)
{
    uint32_t count = run->net.ids;
    fay_sim_settle(run, count);
    for (uint32_t n = 0; n < count / 2; n++) {
        run->net.nodes[n].apart = true;
    }
    fay_net_split(&run->net, time);
    fay_net_pass(&run->net, time);
    run->running = count;
    fay_sim_expect_count(run, count);
    fay_sim_wait(run, "the heal");
    fay_sim_rest(run);
}

void fay_sim_trial_split(fay_sim_run *run)
{
    split_for(run, minute);
}

void fay_sim_trial_split_20_minutes(fay_sim_run *run)
{
    split_for(run, 20 * minute);
}

void fay_sim_trial_split_3_hours(fay_sim_run *run)
{
    split_for(run, 3 * hour);
}

/* Longer than anybody remembers the other half. */
void fay_sim_trial_split_25_hours(fay_sim_run *run)
{
    split_for(run, 25 * hour);
}

/* ---- pauses ---------------------------------------------------------------------------------- */

/* One Node of a hundred, or one, pauses for 2 s in each minute. */
static void freeze_for(fay_sim_run *run, unsigned minutes)
{
    uint32_t count = run->net.ids, at_once = FAY_MAX(count / 100, 1);
    fay_sim_settle(run, count);
    fay_sim_expect_no_death(run, UINT32_MAX);
    for (unsigned at = 0; at < minutes; at++) {
        fay_ns until = run->net.world.now + minute;
        for (uint32_t i = 0; i < at_once; i++) {
            fay_net_pass(&run->net, fay_sim_below(&run->net.world, FAY_SECOND));
            fay_net_freeze(&run->net, (uint32_t)fay_sim_below(&run->net.world, count),
                           2 * FAY_SECOND);
        }
        fay_net_pass(&run->net, FAY_MAX(until, run->net.world.now) - run->net.world.now);
    }
    fay_sim_expect_nothing(run);
    fay_sim_rest(run);
}

void fay_sim_trial_freeze(fay_sim_run *run)
{
    freeze_for(run, 10);
}

void fay_sim_trial_day(fay_sim_run *run)
{
    freeze_for(run, 24 * 60);
}

/* ---- identities ------------------------------------------------------------------------------ */

/* All are killed within a second and come back: without their state, with clocks that are wrong by
 * an hour. All know how many there are, but of which boot, nobody. */
void fay_sim_trial_lost(fay_sim_run *run)
{
    fay_net *net = &run->net;
    fay_sim_settle(run, net->ids);
    for (uint32_t n = 0; n < net->ids; n++) {
        fay_net_node *node = &net->nodes[n];
        fay_ns at = fay_sim_below(&net->world, FAY_SECOND);
        node->skew = fay_sim_chance(&net->world, 0.5) ? -3600 : 3600;
        node->boot = 0;
        fay_net_kill_later(net, n, at);
        fay_net_start(net, n, at + 100 * FAY_MS + fay_sim_below(&net->world, FAY_SECOND));
    }
    fay_net_pass(net, 10 * FAY_SECOND);
    fay_sim_rest(run);
}

/* Copies of some Nodes' state are started: some while the first ones live, some after they died,
 * several of one. Whichever stays, it is one. Not of node 0: somebody must be where seeds are. */
void fay_sim_trial_clone(fay_sim_run *run)
{
    fay_net *net = &run->net;
    fay_sim_settle(run, net->ids);
    uint32_t of = 0;
    for (uint32_t n = net->ids; n < net->nodes_count; n++) {
        if (n == net->ids || fay_sim_chance(&net->world, 0.7))
            of = 1 + (uint32_t)fay_sim_below(&net->world, net->ids - 1);
        fay_net_clone(net, of, n);
        net->nodes[n].skew = fay_sim_chance(&net->world, 0.3) ? -3600 : 0;
        if (fay_sim_chance(&net->world, 0.3))
            fay_net_kill_later(net, of, fay_sim_below(&net->world, 2 * FAY_SECOND));
        fay_net_start(net, n, fay_sim_below(&net->world, 2 * FAY_SECOND));
    }
    fay_net_pass(net, 20 * FAY_SECOND);
    for (uint32_t n = net->ids; n < net->nodes_count; n++) {
        if (!fay_net_lives(net, fay_net_find(net, &net->nodes[n].id)))
            fay_sim_fail(net->trace, "nobody is left of n%u", fay_net_find(net, &net->nodes[n].id));
    }
    fay_sim_rest(run);
}

/* ---- who means ill --------------------------------------------------------------------------- */

static void nobody_is_degraded(const fay_net *net, uint32_t forger)
{
    for (uint32_t n = 0; n < net->ids; n++) {
        if (!fay_net_alive(net, n))
            fay_sim_fail(net->trace, "n%u has stopped", n);
        for (uint32_t other = 0; other < net->ids; other++) {
            if (n != forger && other != forger &&
                fay_grid_is_degraded(net->nodes[n].grid, net->world.now, &net->nodes[other].id))
                fay_sim_fail(net->trace, "n%u takes n%u for degraded", n, other);
        }
    }
}

/* For a minute one member says what it likes, ten times a second; then it is killed. */
void fay_sim_trial_forge(fay_sim_run *run)
{
    fay_net *net = &run->net;
    fay_sim_settle(run, net->ids);
    uint32_t forger = (uint32_t)fay_sim_below(&net->world, net->ids);
    net->nodes[forger].forges = true;
    fay_sim_expect_no_death(run, forger);
    for (unsigned i = 0; i < 600; i++) {
        fay_sim_forge(net, forger);
        fay_net_pass(net, 100 * FAY_MS);
        if (i % 50 == 0) /* it would be so for a minute */
            nobody_is_degraded(net, forger);
    }
    fay_sim_expect_nothing(run);
    fay_net_kill(net, forger);
    fay_net_pass(net, 10 * FAY_SECOND);
    fay_sim_rest(run);
}
