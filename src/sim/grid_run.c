/* SPDX-License-Identifier: MIT */
#include "sim/grid_run.h"

#include <stdlib.h>
#include <string.h>

#include "sim/grid_judge.h"

static const fay_ns storm_for = 1 * FAY_SECOND, quiet_for = 10 * FAY_SECOND;
static const fay_ns patience = 120 * FAY_SECOND; /* what has not come by then does not come */

void fay_sim_sample(fay_sim_run *run, double value)
{
    fay_sim_samples *to = run->samples;
    FAY_RESERVE(to->items, to->capacity, to->count + 1);
    to->items[to->count++] = value;
}

/* ---- what is waited for ---------------------------------------------------------------------- */

static void learn(fay_sim_run *run, uint32_t node)
{
    if (run->knows[node])
        return;
    run->knows[node] = true;
    run->left--;
    fay_sim_sample(run, (double)(run->net.world.now - run->begun) / (double)FAY_SECOND);
}

static void on_subject(void *context, uint32_t node, const fay_node_id *id, fay_member_state state)
{
    fay_sim_run *run = context;
    if (node != run->subject && fay_net_find(&run->net, id) == run->subject && state == run->is)
        learn(run, node);
}

static void on_count(void *context, uint32_t node, const fay_node_id *id, fay_member_state state)
{
    fay_sim_run *run = context;
    (void)id;
    (void)state;
    const fay_members *members = fay_grid_members(run->net.nodes[node].grid);
    if (fay_members_alive(members) == run->running)
        learn(run, node);
}

static void on_said(void *context, uint32_t node, fay_grid_bytes bytes)
{
    fay_sim_run *run = context;
    (void)bytes;
    if (run->knows[node])
        fay_sim_fail(run->net.trace, "n%u hears it twice", node);
    learn(run, node);
}

static void on_fetched(void *context, uint32_t node, fay_grid_bytes bytes)
{
    (void)bytes;
    learn(context, node);
}

static void on_death(void *context, uint32_t node, const fay_node_id *id, fay_member_state state)
{
    fay_sim_run *run = context;
    uint32_t other = fay_net_find(&run->net, id);
    if (!fay_member_gone(state) || node == run->subject || other == run->subject)
        return;
    fay_sim_fail(run->net.trace, "n%u takes n%u, which lives, for %s", node, other,
                 fay_member_state_name(state));
}

void fay_sim_expect_nothing(fay_sim_run *run)
{
    run->net.changed = NULL;
    run->net.delivered = NULL;
    run->net.fetched = NULL;
}

static void expect(fay_sim_run *run, uint32_t of)
{
    fay_sim_expect_nothing(run);
    memset(run->knows, 0, run->net.nodes_count * sizeof *run->knows);
    run->begun = run->net.world.now;
    run->left = of;
    run->net.context = run;
}

void fay_sim_expect_subject(fay_sim_run *run, uint32_t of)
{
    expect(run, of);
    run->net.changed = on_subject;
}

void fay_sim_expect_count(fay_sim_run *run, uint32_t of)
{
    expect(run, of);
    run->net.changed = on_count;
}

void fay_sim_expect_said(fay_sim_run *run, uint32_t of)
{
    expect(run, of);
    run->net.delivered = on_said;
}

void fay_sim_expect_crl(fay_sim_run *run, uint32_t of)
{
    expect(run, of);
    run->net.fetched = on_fetched;
}

void fay_sim_expect_no_death(fay_sim_run *run, uint32_t forger)
{
    expect(run, 0);
    run->subject = forger;
    run->net.changed = on_death;
}

void fay_sim_wait(fay_sim_run *run, const char *what)
{
    fay_ns until = run->net.world.now + patience;
    while (run->left > 0 && fay_net_step(&run->net, until)) {
    }
    if (run->left > 0)
        fay_sim_fail(run->net.trace, "%s: %u Nodes do not know it", what, run->left);
    fay_sim_expect_nothing(run);
}

void fay_sim_rest(fay_sim_run *run)
{
    fay_net_pass(&run->net, quiet_for);
    fay_sim_judge(&run->net);
}

/* ---- beginnings ------------------------------------------------------------------------------ */

void fay_sim_storm(fay_sim_run *run, uint32_t count)
{
    fay_net_start(&run->net, 0, 0);
    for (uint32_t n = 1; n < count; n++) {
        fay_net_start(&run->net, n, fay_sim_below(&run->net.world, storm_for));
    }
    run->running = count;
    fay_sim_expect_count(run, count);
    fay_sim_wait(run, "the storm");
}

void fay_sim_settle(fay_sim_run *run, uint32_t count)
{
    fay_sim_samples *measured = run->samples, unmeasured = {0};
    run->samples = &unmeasured;
    fay_sim_storm(run, count);
    fay_sim_rest(run);
    free(unmeasured.items);
    run->samples = measured;
}

uint32_t *fay_sim_shuffled(fay_sim_run *run)
{
    uint32_t count = run->net.ids, *order = fay_alloc(count * sizeof *order);
    for (uint32_t n = 0; n < count; n++) {
        uint32_t at = (uint32_t)fay_sim_below(&run->net.world, n + 1);
        order[n] = order[at];
        order[at] = n;
    }
    return order;
}
