/* SPDX-License-Identifier: MIT */
#include "sim/grid_wires.h"

#include <assert.h>
#include <string.h>

static const fay_ns latency = 250000; /* one way, the least; up to twice as long */
static const fay_ns try_first = 200 * FAY_MS;
static const double loss = 0.8;
static const size_t kept_max = 1 * FAY_MIB; /* of one connection, then its reader is too slow */

fay_net_conn *fay_net_conn_of(const fay_net *net, uint64_t number)
{
    return &net->conns[number - 1];
}

unsigned fay_net_side(const fay_net_conn *conn, uint32_t node)
{
    return conn->node[0] == node ? 0 : 1;
}

/* Until then nothing gets from one to the other. */
static fay_ns held_until(const fay_net *net, uint32_t from, uint32_t to)
{
    const fay_net_node *a = &net->nodes[from], *b = &net->nodes[to];
    fay_ns held = FAY_MAX(a->out_until, b->in_until);
    return a->apart != b->apart ? FAY_MAX(held, net->heals_at) : held;
}

bool fay_net_answers(const fay_net *net, const fay_net_conn *conn)
{
    return held_until(net, conn->node[1], conn->node[0]) <= net->world.now;
}

/* How long it takes until a try gets through. */
static fay_ns tries(fay_net *net, uint32_t from, uint32_t to)
{
    fay_ns now = net->world.now, total = 0, wait = try_first;
    if (now >= net->nodes[from].lossy_until && now >= net->nodes[to].lossy_until)
        return 0;
    while (total < 60 * FAY_SECOND && fay_sim_chance(&net->world, loss)) {
        total += wait;
        wait *= 2;
    }
    return total;
}

/* The sender gives up, unless it has already. */
static void doom(fay_net *net, uint64_t number, unsigned side, fay_ns delay)
{
    fay_net_conn *conn = fay_net_conn_of(net, number);
    if (conn->doomed[side])
        return;
    conn->doomed[side] = true;
    fay_sim_world_push(&net->world, delay,
                       (fay_sim_event){.kind = FAY_NET_LOST,
                                       .link = conn->node[side],
                                       .worker = (uint16_t)side,
                                       .serial = number});
}

void fay_net_deliver(fay_net *net, uint64_t number, unsigned from, fay_ns delay,
                     fay_sim_event event)
{
    fay_net_conn *conn = fay_net_conn_of(net, number);
    fay_sim_wire *wire = &conn->wire[from];
    uint32_t sender = conn->node[from], receiver = conn->node[1 - from];
    fay_ns sent = net->world.now + delay, held = held_until(net, sender, receiver);
    fay_ns lost = tries(net, sender, receiver);
    bool connects = event.kind == FAY_NET_CONNECT;
    if (connects && (held > net->world.now || lost > 0))
        return; /* whoever dials gives up before it would be sent again */
    fay_ns arrives = FAY_MAX(sent + lost, held) + latency;
    arrives += fay_sim_below(&net->world, latency + 1);
    wire->last = FAY_MAX(wire->last, arrives);
    if (event.kind != FAY_NET_END && wire->last > sent + net->params.unacknowledged)
        doom(net, number, from, delay + net->params.unacknowledged);
    event.serial = number;
    event.worker = (uint16_t)(1 - from);
    event.link = receiver;
    fay_sim_world_push(&net->world, wire->last - net->world.now, event);
}

/* ---- connections ----------------------------------------------------------------------------- */

static void add_conn(fay_net *net, uint32_t n, uint64_t number)
{
    fay_net_node *node = &net->nodes[n];
    if (node->conns_count == node->conns_capacity) { /* forget those that are over first */
        size_t kept = 0;
        for (size_t i = 0; i < node->conns_count; i++) {
            const fay_net_conn *conn = fay_net_conn_of(net, node->conns[i]);
            if (!conn->over[0] || !conn->over[1])
                node->conns[kept++] = node->conns[i];
        }
        node->conns_count = kept;
    }
    FAY_RESERVE(node->conns, node->conns_capacity, node->conns_count + 1);
    node->conns[node->conns_count++] = number;
}

static uint32_t node_at(const fay_net *net, fay_grid_bytes address)
{
    uint32_t n = 0;
    for (size_t i = 1; i < address.size && address.bytes[i] != ':'; i++) {
        n = n * 10 + (uint32_t)(address.bytes[i] - '0');
    }
    assert(n < net->nodes_count);
    return n;
}

void fay_net_dial(fay_net *net, uint32_t from, fay_ns delay, const fay_grid_action *action)
{
    uint32_t to = node_at(net, action->address);
    FAY_RESERVE(net->conns, net->conns_capacity, net->conns_count + 1);
    net->conns[net->conns_count++] = (fay_net_conn){.node = {from, to}, .dial = action->dial};
    uint64_t number = net->conns_count;
    if (action->id != NULL) {
        net->conns[number - 1].expects = true;
        net->conns[number - 1].expected = *action->id;
    }
    net->stats.dials++;
    add_conn(net, from, number);
    add_conn(net, to, number);
    fay_net_deliver(net, number, 0, delay, (fay_sim_event){.kind = FAY_NET_CONNECT});
    fay_sim_event late = {.kind = FAY_NET_TIMED_OUT, .link = from, .serial = number};
    late.value = FAY_EVIDENCE_SILENT;
    fay_sim_world_push(&net->world, delay + net->params.connect, late);
    late.value = FAY_EVIDENCE_HANDSHAKE;
    fay_sim_world_push(&net->world, delay + net->params.handshake, late);
}

void fay_net_send(fay_net *net, uint32_t node, fay_ns delay, uint64_t number, fay_grid_bytes bytes)
{
    fay_net_conn *conn = fay_net_conn_of(net, number);
    unsigned side = fay_net_side(conn, node);
    if (conn->over[side])
        return;
    net->stats.messages++;
    net->stats.bytes += bytes.size;
    conn->kept[side] += bytes.size;
    void *frame = fay_alloc(bytes.size);
    memcpy(frame, bytes.bytes, bytes.size);
    fay_net_deliver(net, number, side, delay,
                    (fay_sim_event){.kind = FAY_NET_MESSAGE, .frame = frame, .value = bytes.size});
    if (conn->kept[side] > kept_max)
        doom(net, number, side, delay);
}

void fay_net_end(fay_net *net, uint64_t number, unsigned side, fay_ns delay)
{
    fay_net_conn *conn = fay_net_conn_of(net, number);
    if (conn->over[side])
        return;
    conn->over[side] = true;
    fay_net_deliver(net, number, side, delay, (fay_sim_event){.kind = FAY_NET_END});
}
