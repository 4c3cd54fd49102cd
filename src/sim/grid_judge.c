/* SPDX-License-Identifier: MIT */
#include "sim/grid_judge.h"

#include <inttypes.h>
#include <stdlib.h>

static const fay_grid *grid_of(const fay_net *net, uint32_t node)
{
    return net->nodes[node].grid;
}

static uint32_t count_alive(const fay_net *net)
{
    uint32_t alive = 0;
    for (uint32_t n = 0; n < net->nodes_count; n++) {
        alive += fay_net_alive(net, n);
    }
    return alive;
}

/* ---- tables ---------------------------------------------------------------------------------- */

static void judge_entry(const fay_net *net, uint32_t node, const fay_grid_member *member)
{
    uint32_t other = fay_net_find(net, &member->id);
    fay_member_state state = fay_member_state_of(member);
    bool lives = fay_net_alive(net, other);
    if (lives ? state == FAY_ALIVE : fay_member_gone(state))
        return;
    fay_sim_fail(net->trace, "n%u takes n%u, which %s, for %s", node, other,
                 lives ? "lives" : "is gone", fay_member_state_name(state));
}

static void judge_table(const fay_net *net, uint32_t node, uint64_t hash, size_t alive)
{
    const fay_members *members = fay_grid_members(grid_of(net, node));
    fay_grid_check(grid_of(net, node), net->world.now);
    FAY_EACH_MEMBER(member, members)
    {
        judge_entry(net, node, member);
    }
    size_t known = fay_members_alive(members);
    if (known != alive)
        fay_sim_fail(net->trace, "n%u knows %zu of %zu that live", node, known, alive);
    if (fay_members_hash(members) != hash)
        fay_sim_fail(net->trace, "n%u has another hash than the first", node);
}

void fay_sim_judge_tables(const fay_net *net)
{
    uint32_t alive = count_alive(net), first = 0;
    while (!fay_net_alive(net, first)) {
        first++;
    }
    uint64_t hash = fay_members_hash(fay_grid_members(grid_of(net, first)));
    for (uint32_t n = first; n < net->nodes_count; n++) {
        if (fay_net_alive(net, n))
            judge_table(net, n, hash, alive);
    }
}

/* ---- links ----------------------------------------------------------------------------------- */

static bool linked(const fay_net *net, uint32_t a, uint32_t b)
{
    return fay_grid_is_linked(grid_of(net, a), &net->nodes[b].id);
}

/* Both ends live; it may be open to nobody but one that is dialled for a moment (an audit). */
static bool is_open(const fay_net *net, const fay_net_conn *conn)
{
    return conn->up[0] && conn->up[1] && !conn->over[0] && !conn->over[1] &&
           fay_net_alive(net, conn->node[0]) && fay_net_alive(net, conn->node[1]);
}

static uint32_t root_of(uint32_t *parents, uint32_t node)
{
    while (parents[node] != node) {
        parents[node] = parents[parents[node]];
        node = parents[node];
    }
    return node;
}

void fay_sim_judge_links(const fay_net *net)
{
    FAY_CLEANUP(fay_freep) uint32_t *parents = fay_alloc(net->nodes_count * sizeof *parents);
    uint32_t pieces = count_alive(net);
    for (uint32_t n = 0; n < net->nodes_count; n++) {
        parents[n] = n;
    }
    for (size_t i = 0; i < net->conns_count; i++) {
        const fay_net_conn *conn = &net->conns[i];
        uint32_t a = conn->node[0], b = conn->node[1];
        if (!is_open(net, conn))
            continue;
        if (!linked(net, a, b) || !linked(net, b, a))
            fay_sim_fail(net->trace, "the link from n%u to n%u is known at one end", a, b);
        uint32_t root_a = root_of(parents, a), root_b = root_of(parents, b);
        pieces -= root_a != root_b;
        parents[root_a] = root_b;
    }
    if (pieces != 1)
        fay_sim_fail(net->trace, "the Grid is in %u pieces", pieces);
    size_t most = (size_t)net->params.inbound_per_ring * net->params.rings_large;
    for (uint32_t n = 0; n < net->nodes_count; n++) {
        size_t links = fay_net_alive(net, n) ? fay_grid_links(grid_of(net, n)) : 0;
        if (links > most)
            fay_sim_fail(net->trace, "n%u has %zu links", n, links);
    }
}

/* ---- observers ------------------------------------------------------------------------------- */

void fay_sim_judge_observers(const fay_net *net)
{
    FAY_CLEANUP(fay_freep) uint32_t *observers = fay_alloc(net->nodes_count * sizeof *observers);
    for (size_t i = 0; i < net->conns_count; i++) {
        const fay_net_conn *conn = &net->conns[i];
        if (is_open(net, conn)) {
            observers[conn->node[0]]++;
            observers[conn->node[1]]++;
        }
    }
    uint32_t needed = FAY_MIN(count_alive(net) - 1, 2);
    for (uint32_t n = 0; n < net->nodes_count; n++) {
        if (fay_net_alive(net, n) && observers[n] < needed)
            fay_sim_fail(net->trace, "n%u has %u observers", n, observers[n]);
    }
}

/* ---- progress -------------------------------------------------------------------------------- */

static bool went_back(const fay_sim_held *was, const fay_sim_held *is)
{
    if (was->life != is->life || was->boot != is->boot)
        return was->life == is->life && was->boot > is->boot;
    return was->inc != is->inc ? was->inc > is->inc : was->state > is->state;
}

void fay_sim_judge_progress(const fay_net *net, fay_sim_held *held)
{
    for (uint32_t n = 0; n < net->nodes_count; n++) {
        if (grid_of(net, n) == NULL)
            continue;
        FAY_EACH_MEMBER(member, fay_grid_members(grid_of(net, n)))
        {
            uint32_t other = fay_net_find(net, &member->id);
            fay_sim_held *was = &held[(size_t)n * net->nodes_count + other];
            fay_sim_held is = {.life = net->nodes[n].boot,
                               .boot = member->boot,
                               .inc = member->inc,
                               .state = fay_member_state_of(member)};
            if (went_back(was, &is))
                fay_sim_fail(net->trace, "n%u took n%u back", n, other);
            *was = is;
        }
    }
}
