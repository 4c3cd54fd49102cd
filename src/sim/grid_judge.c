/* SPDX-License-Identifier: MIT */
#include "sim/grid_judge.h"

#include <inttypes.h>
#include <stdlib.h>

#include "grid/suspicion.h"

static const fay_grid *grid_of(const fay_net *net, uint32_t node)
{
    return net->nodes[node].grid;
}

/* Of two with one id at most one may be left. */
static uint32_t count_alive(const fay_net *net)
{
    uint32_t alive = 0;
    for (uint32_t n = 0; n < net->nodes_count; n++) {
        alive += fay_net_alive(net, n);
    }
    for (uint32_t n = 0; n < net->ids; n++) {
        alive -= fay_net_lives(net, n);
    }
    if (alive > 0)
        fay_sim_fail(net->trace, "%u Nodes have a twin that lives", alive);
    for (uint32_t n = 0; n < net->ids; n++) {
        alive += fay_net_lives(net, n);
    }
    return alive;
}

/* ---- tables ---------------------------------------------------------------------------------- */

static void judge_entry(const fay_net *net, uint32_t node, const fay_grid_member *member)
{
    uint32_t other = fay_net_find(net, &member->id);
    fay_member_state state = fay_member_state_of(member);
    bool lives = fay_net_lives(net, other);
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

static void judge_tables(const fay_net *net)
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

static void judge_links(const fay_net *net)
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

static void judge_observers(const fay_net *net)
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

void fay_sim_judge(const fay_net *net)
{
    judge_tables(net);
    judge_links(net);
    judge_observers(net);
}

/* A Node of a mesh has as many links as others live, one of rings twice K; a few are on their way.
 */
void fay_sim_judge_cost(const fay_net *net, uint64_t messages, uint64_t changes)
{
    uint64_t alive = count_alive(net);
    bool rings = alive > net->params.mesh_max;
    uint64_t degree = rings ? 2 * (uint64_t)net->params.rings + 2 : alive;
    if (alive > net->params.large_min)
        degree = 2 * (uint64_t)net->params.rings_large + 2;
    if (messages > degree * alive * changes)
        fay_sim_fail(net->trace, "%" PRIu64 " messages for %" PRIu64 " changes", messages, changes);
}

/* ---- progress -------------------------------------------------------------------------------- */

typedef struct held {
    uint64_t life; /* of the Node that held it: its number */
    uint64_t boot;
    uint32_t inc;
    fay_member_state state;
} held;

struct fay_sim_seen {
    held *held;    /* by each Node of each id */
    held *highest; /* by id: what its owner, or a clone of it, has said of itself */
};

fay_sim_seen *fay_sim_seen_new(const fay_net *net)
{
    fay_sim_seen *seen = fay_alloc(sizeof *seen);
    seen->held = fay_alloc((size_t)net->nodes_count * net->ids * sizeof *seen->held);
    seen->highest = fay_alloc(net->ids * sizeof *seen->highest);
    return seen;
}

void fay_sim_seen_free(fay_sim_seen *seen)
{
    if (seen == NULL)
        return;
    free(seen->held);
    free(seen->highest);
    free(seen);
}

static held *held_of(const fay_net *net, const fay_sim_seen *seen, uint32_t node, uint32_t other)
{
    return &seen->held[(size_t)node * net->ids + other];
}

static bool is_above(const held *a, const held *b)
{
    return a->boot != b->boot ? a->boot > b->boot : a->inc > b->inc;
}

static bool went_back(const held *was, const held *is)
{
    if (was->life != is->life)
        return false;
    return is_above(was, is) || (!is_above(is, was) && was->state > is->state);
}

/* How far a Node is within its present boot; what one had said that runs no more is not known. */
static uint32_t inc_of(const fay_net *net, uint32_t node)
{
    const fay_grid *grid = grid_of(net, node);
    if (grid == NULL || net->nodes[node].boot != net->nodes[node].boot_max)
        return UINT32_MAX;
    const fay_grid_member *self = fay_members_find(fay_grid_members(grid), &net->nodes[node].id);
    return self != NULL ? self->inc : 0;
}

/* What owners have said by now. */
static void ask_owners(const fay_net *net, fay_sim_seen *seen)
{
    for (uint32_t n = 0; n < net->nodes_count; n++) {
        if (net->nodes[n].lives == 0)
            continue;
        held *highest = &seen->highest[fay_net_find(net, &net->nodes[n].id)];
        held is = {.boot = net->nodes[n].boot_max, .inc = inc_of(net, n)};
        if (is.boot > highest->boot || (is.boot == highest->boot && is.inc > highest->inc) ||
            n < net->ids)
            *highest = is;
    }
}

static void judge_node(const fay_net *net, fay_sim_seen *seen, uint32_t node)
{
    FAY_EACH_MEMBER(member, fay_grid_members(grid_of(net, node)))
    {
        uint32_t other = fay_net_find(net, &member->id);
        held *was = held_of(net, seen, node, other), *highest = &seen->highest[other];
        held is = {.life = net->nodes[node].lives,
                   .boot = member->boot,
                   .inc = member->inc,
                   .state = fay_member_state_of(member)};
        if (went_back(was, &is))
            fay_sim_fail(net->trace, "n%u took n%u back", node, other);
        if (is_above(&is, highest))
            fay_sim_fail(net->trace, "n%u knows of a life of n%u that it never had", node, other);
        *was = is;
    }
}

void fay_sim_judge_progress(const fay_net *net, fay_sim_seen *seen)
{
    ask_owners(net, seen);
    for (uint32_t n = 0; n < net->nodes_count; n++) {
        if (grid_of(net, n) != NULL)
            judge_node(net, seen, n);
    }
}

static size_t count_accusers(const fay_grid_member *member)
{
    size_t count = 0;
    for (size_t i = 0; i < member->charges_count; i++) {
        count += member->charges[i].counts;
    }
    return count;
}

/* How many that Node believed alive when it was last looked at. */
static uint32_t count_believed(const fay_net *net, const fay_sim_seen *seen, uint32_t node)
{
    uint32_t count = 0;
    for (uint32_t other = 0; other < net->ids; other++) {
        const held *was = held_of(net, seen, node, other);
        count +=
            was->life == net->nodes[node].lives && was->boot > 0 && !fay_member_gone(was->state);
    }
    return count;
}

/* One word is enough among few. How many there were in that very moment is not known any more, so
 * there must have been enough before and after. */
void fay_sim_judge_verdict(const fay_net *net, const fay_sim_seen *seen, uint32_t node,
                           const fay_node_id *id)
{
    const fay_grid *grid = grid_of(net, node);
    const fay_members *members = fay_grid_members(grid);
    const fay_grid_member *member = fay_members_find(members, id);
    const held *was = held_of(net, seen, node, fay_net_find(net, id));
    bool believed = was->life == net->nodes[node].lives && was->boot == member->boot &&
                    !fay_member_gone(was->state);
    bool others = fay_members_alive(members) > FAY_LONE_ACCUSER && fay_grid_links(grid) > 0 &&
                  count_believed(net, seen, node) > FAY_LONE_ACCUSER;
    if (believed && others && count_accusers(member) < 2)
        fay_sim_fail(net->trace, "n%u takes n%u for dead by one word", node, fay_net_find(net, id));
}
