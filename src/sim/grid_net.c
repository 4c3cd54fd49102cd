/* SPDX-License-Identifier: MIT */
#include "sim/grid_net.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "wire/codec.h"

/* Measured on a machine with 2 cores: OpenSSL 3.0, ECDSA P-256 certificates, Ed25519. */
static const fay_ns handshake_server = 1480000, handshake_client = 1050000;
static const fay_ns sign_cost = 25000, verify_cost = 65000;
static const fay_ns message_cost = 3000, wake_cost = 1000; /* and 1 ns a byte */
static const fay_ns latency = 250000; /* one way, the least; up to twice as long */

enum {
    START,   /* node */
    WAKE,    /* node */
    RUN,     /* node: its core is free, and something waits */
    CONNECT, /* to node, serial: a connection; all below likewise, worker: the side that gets it */
    REFUSED,
    TIMED_OUT, /* value: the evidence, if it is not up by now */
    UP,
    MESSAGE, /* frame: message; value: its size */
    END,
    THAWED, /* node, value: after so long */
    SAY,    /* node, frame, value: its size */
};

void fay_net_init(fay_net *net, fay_sim_trace *trace, uint32_t nodes)
{
    *net = (fay_net){.trace = trace, .nodes_count = nodes};
    fay_sim_world_init(&net->world, trace->seed);
    trace->now = &net->world.now;
    fay_grid_params_lan(&net->params);
    net->nodes = fay_alloc(nodes * sizeof *net->nodes);
    for (uint32_t n = 0; n < nodes; n++) {
        fay_net_node *node = &net->nodes[n];
        (void)snprintf(node->address, sizeof node->address, "n%u:1", n);
        fay_store64(node->id.bytes, fay_hash64(&n, sizeof n, trace->seed));
        fay_store32(node->id.bytes + 8, n);
        node->wake_at = FAY_NEVER;
    }
}

void fay_net_deinit(fay_net *net)
{
    for (uint32_t n = 0; n < net->nodes_count; n++) {
        fay_net_node *node = &net->nodes[n];
        fay_grid_free(node->grid);
        for (size_t i = node->inbox_at; i < node->inbox_count; i++) {
            free(node->inbox[i].frame);
        }
        free(node->inbox);
        free(node->conns);
    }
    free(net->nodes);
    free(net->conns);
    fay_sim_world_deinit(&net->world);
    net->trace->now = NULL;
}

uint32_t fay_net_find(const fay_net *net, const fay_node_id *id)
{
    uint32_t n = fay_load32(id->bytes + 8);
    assert(n < net->nodes_count);
    return n;
}

bool fay_net_alive(const fay_net *net, uint32_t node)
{
    return net->nodes[node].grid != NULL && !net->nodes[node].silent;
}

/* ---- the network ----------------------------------------------------------------------------- */

static fay_net_conn *conn_of(const fay_net *net, uint64_t number)
{
    return &net->conns[number - 1];
}

/* In the order of what was sent on the link from that side, `delay` from now. */
static void deliver(fay_net *net, uint64_t number, unsigned from, fay_ns delay, fay_sim_event event)
{
    fay_net_conn *conn = conn_of(net, number);
    fay_sim_wire *wire = &conn->wire[from];
    fay_ns arrives = net->world.now + delay + latency + fay_sim_below(&net->world, latency + 1);
    bool parted = net->nodes[conn->node[0]].apart != net->nodes[conn->node[1]].apart;
    parted = parted && net->world.now < net->heals_at;
    if (parted && event.kind == CONNECT)
        return; /* whoever dials gives up before it would be sent again */
    if (parted)
        arrives = FAY_MAX(arrives, net->heals_at + latency);
    wire->last = FAY_MAX(wire->last, arrives);
    event.serial = number;
    event.worker = (uint16_t)(1 - from);
    event.link = conn->node[1 - from];
    fay_sim_world_push(&net->world, wire->last - net->world.now, event);
}

static void add_conn(fay_net *net, uint32_t n, uint64_t number)
{
    fay_net_node *node = &net->nodes[n];
    if (node->conns_count == node->conns_capacity) { /* forget those that are over first */
        size_t kept = 0;
        for (size_t i = 0; i < node->conns_count; i++) {
            const fay_net_conn *conn = conn_of(net, node->conns[i]);
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

static void dial(fay_net *net, uint32_t from, fay_ns delay, const fay_grid_action *action)
{
    uint32_t to = node_at(net, action->address);
    FAY_RESERVE(net->conns, net->conns_capacity, net->conns_count + 1);
    net->conns[net->conns_count++] = (fay_net_conn){.node = {from, to}, .dial = action->dial};
    uint64_t number = net->conns_count;
    net->stats.dials++;
    add_conn(net, from, number);
    add_conn(net, to, number);
    deliver(net, number, 0, delay, (fay_sim_event){.kind = CONNECT});
    fay_sim_event late = {.kind = TIMED_OUT, .link = from, .serial = number};
    late.value = FAY_EVIDENCE_SILENT;
    fay_sim_world_push(&net->world, delay + net->params.connect, late);
    late.value = FAY_EVIDENCE_HANDSHAKE;
    fay_sim_world_push(&net->world, delay + net->params.handshake, late);
}

static void end_conn(fay_net *net, uint64_t number, unsigned side, fay_ns delay)
{
    fay_net_conn *conn = conn_of(net, number);
    if (conn->over[side])
        return;
    conn->over[side] = true;
    deliver(net, number, side, delay, (fay_sim_event){.kind = END});
}

/* ---- actions --------------------------------------------------------------------------------- */

/* Whoever knows the id can sign: nobody forges here. */
static void signature_of(const fay_node_id *id, fay_grid_bytes text, uint8_t ret[])
{
    memset(ret, 0, FAY_SIGNATURE_SIZE);
    fay_store64(ret, fay_hash64(text.bytes, text.size, fay_load64(id->bytes)));
}

typedef struct answers { /* to be fed once the list of actions is done */
    fay_grid_event *items;
    uint8_t (*signatures)[FAY_SIGNATURE_SIZE];
    size_t count, capacity, signatures_capacity;
} answers;

static void answer(answers *to, const fay_net_node *node, const fay_grid_action *action)
{
    FAY_RESERVE(to->items, to->capacity, to->count + 1);
    FAY_RESERVE(to->signatures, to->signatures_capacity, to->count + 1);
    uint8_t signature[FAY_SIGNATURE_SIZE];
    fay_grid_event *event = &to->items[to->count];
    *event = (fay_grid_event){.token = action->token, .size = FAY_SIGNATURE_SIZE};
    if (action->kind == FAY_GRID_SIGN) {
        event->kind = FAY_GRID_SIGNED;
        signature_of(&node->id, action->bytes, to->signatures[to->count]);
    } else {
        event->kind = FAY_GRID_VERIFIED;
        signature_of(action->id, action->bytes, signature);
        event->ok = memcmp(signature, action->signature, sizeof signature) == 0;
    }
    to->count++;
}

static void send_message(fay_net *net, uint32_t n, fay_ns delay, const fay_grid_action *action)
{
    const fay_net_conn *conn = conn_of(net, action->link);
    unsigned side = conn->node[0] == n ? 0 : 1;
    if (conn->over[side])
        return;
    net->stats.messages++;
    net->stats.bytes += action->bytes.size;
    void *frame = fay_alloc(action->bytes.size);
    memcpy(frame, action->bytes.bytes, action->bytes.size);
    deliver(net, action->link, side, delay,
            (fay_sim_event){.kind = MESSAGE, .frame = frame, .value = action->bytes.size});
}

static void changed(fay_net *net, uint32_t n, const fay_grid_action *action)
{
    if (net->trace->on) {
        fay_sim_say(net->trace, net->nodes[n].address, "n%u is %s", fay_net_find(net, action->id),
                    fay_member_state_name(action->state));
    }
    if (net->changed != NULL)
        net->changed(net->context, n, action->id, action->state);
}

/* Carries out one action; returns what it costs. */
static fay_ns carry_out(fay_net *net, uint32_t n, fay_ns delay, const fay_grid_action *action,
                        answers *later)
{
    const fay_net_conn *conn = NULL;
    switch (action->kind) {
    case FAY_GRID_DIAL: dial(net, n, delay, action); return message_cost;
    case FAY_GRID_SEND:
        send_message(net, n, delay, action);
        return message_cost + action->bytes.size;
    case FAY_GRID_CLOSE:
        conn = conn_of(net, action->link);
        end_conn(net, action->link, conn->node[0] == n ? 0 : 1, delay);
        return message_cost;
    case FAY_GRID_SIGN: answer(later, &net->nodes[n], action); return sign_cost;
    case FAY_GRID_VERIFY: answer(later, &net->nodes[n], action); return verify_cost;
    case FAY_GRID_CHANGED: changed(net, n, action); return 0;
    case FAY_GRID_DELIVER:
        fay_sim_say(net->trace, net->nodes[n].address, "hears %zu bytes", action->bytes.size);
        if (net->delivered != NULL)
            net->delivered(net->context, n, action->bytes);
        return 0;
    case FAY_GRID_REPLACED:
    case FAY_GRID_LEFT: return 0;
    }
    return 0;
}

/* Steps until nothing more comes; returns what it costs on top. */
static fay_ns step_node(fay_net *net, uint32_t n, fay_ns cost)
{
    fay_net_node *node = &net->nodes[n];
    answers later = {0};
    fay_grid_actions actions;
    do {
        fay_grid_step(node->grid, net->world.now, &actions);
        later.count = 0;
        for (size_t i = 0; i < actions.count; i++) {
            cost += carry_out(net, n, cost, &actions.items[i], &later);
        }
        for (size_t i = 0; i < later.count; i++) {
            later.items[i].bytes = later.signatures[i];
            (void)fay_grid_feed(node->grid, net->world.now, &later.items[i]);
        }
    } while (later.count > 0);
    free(later.items);
    free(later.signatures);
    if (net->check)
        fay_grid_check(node->grid, net->world.now);
    return cost;
}

/* ---- machines -------------------------------------------------------------------------------- */

static void schedule(fay_net *net, uint32_t n)
{
    fay_net_node *node = &net->nodes[n];
    fay_ns due = FAY_MAX(fay_grid_deadline(node->grid), net->world.now);
    if (due >= node->wake_at || due == FAY_NEVER)
        return;
    node->wake_at = due;
    fay_sim_world_push(&net->world, due - net->world.now,
                       (fay_sim_event){.kind = WAKE, .link = n, .value = due});
}

/* The machine is switched on again; nobody was told that its links are over. */
static void revive(fay_net *net, uint32_t n)
{
    fay_net_node *node = &net->nodes[n];
    fay_grid_free(FAY_STEAL(node->grid));
    for (size_t i = 0; i < node->conns_count; i++) {
        fay_net_conn *conn = conn_of(net, node->conns[i]);
        conn->over[conn->node[0] == n ? 0 : 1] = true;
    }
    node->conns_count = 0;
    node->silent = false;
    node->wake_at = FAY_NEVER;
    node->free_at = 0;
}

static void start(fay_net *net, uint32_t n)
{
    static const uint8_t certification[FAY_DIGEST_SIZE];
    fay_net_node *node = &net->nodes[n];
    const char *seeds[] = {net->nodes[0].address, net->nodes[1].address};
    if (node->silent)
        revive(net, n);
    uint8_t key[FAY_DIGEST_SIZE] = {0};
    fay_store32(key, n);
    fay_grid_config config = {.params = net->params,
                              .id = node->id,
                              .boot = ++node->boot,
                              .tls_key = key,
                              .certification = certification,
                              .name = node->address,
                              .address = node->address,
                              .seeds = seeds,
                              .seeds_count = FAY_COUNT(seeds),
                              .seed = fay_prng_next(&net->world.prng)};
    node->grid = fay_grid_new(&config, net->world.now);
    fay_sim_say(net->trace, node->address, "starts, boot %u", (unsigned)node->boot);
}

static int feed(fay_net *net, uint32_t n, fay_grid_event event)
{
    return fay_grid_feed(net->nodes[n].grid, net->world.now, &event);
}

/* The side of a connection that takes part in the handshake: UP, and for the dialler the way back.
 */
static fay_ns bring_up(fay_net *net, uint64_t number, unsigned side)
{
    fay_net_conn *conn = conn_of(net, number);
    const fay_net_node *peer = &net->nodes[conn->node[1 - side]];
    if (conn->over[side])
        return 0;
    conn->up[side] = true;
    if (side == 0)
        deliver(net, number, 0, handshake_client, (fay_sim_event){.kind = UP});
    (void)feed(net, conn->node[side],
               (fay_grid_event){.kind = FAY_GRID_UP,
                                .link = number,
                                .dial = side == 0 ? conn->dial : 0,
                                .id = &peer->id,
                                .boot = peer->boot});
    return side == 0 ? handshake_client : message_cost;
}

static void fail_dial(fay_net *net, uint64_t number, fay_evidence evidence)
{
    fay_net_conn *conn = conn_of(net, number);
    bool waits = evidence == FAY_EVIDENCE_SILENT && conn->accepted;
    if (conn->up[0] || conn->over[0] || waits)
        return;
    end_conn(net, number, 0, 0);
    (void)feed(net, conn->node[0],
               (fay_grid_event){.kind = FAY_GRID_FAILED, .dial = conn->dial, .evidence = evidence});
}

static fay_ns take_message(fay_net *net, const fay_sim_event *event)
{
    const fay_net_conn *conn = conn_of(net, event->serial);
    if (conn->over[event->worker])
        return 0;
    int status = feed(net, event->link,
                      (fay_grid_event){.kind = FAY_GRID_MESSAGE,
                                       .link = event->serial,
                                       .bytes = event->frame,
                                       .size = event->value});
    if (status != 0)
        fay_sim_fail(net->trace, "n%u: a message is refused", event->link);
    return message_cost + event->value;
}

static void take_end(fay_net *net, const fay_sim_event *event)
{
    fay_net_conn *conn = conn_of(net, event->serial);
    unsigned side = event->worker;
    if (conn->over[side])
        return;
    bool up = conn->up[side];
    if (!up && side == 0) {
        fail_dial(net, event->serial, FAY_EVIDENCE_REFUSED);
        return;
    }
    conn->over[side] = true;
    fay_grid_event down = {.kind = FAY_GRID_DOWN, .link = event->serial};
    if (up)
        (void)feed(net, event->link, down);
}

/* What an event does to a Node that runs and is free; returns what it costs. */
static fay_ns handle(fay_net *net, const fay_sim_event *event)
{
    switch (event->kind) {
    case CONNECT:
        if (conn_of(net, event->serial)->over[0])
            return 0;
        deliver(net, event->serial, 1, handshake_server, (fay_sim_event){.kind = UP});
        return handshake_server;
    case REFUSED: fail_dial(net, event->serial, FAY_EVIDENCE_REFUSED); return message_cost;
    case TIMED_OUT: fail_dial(net, event->serial, (fay_evidence)event->value); return 0;
    case UP: return bring_up(net, event->serial, event->worker);
    case MESSAGE: return take_message(net, event);
    case END: take_end(net, event); return message_cost;
    case SAY:
        (void)feed(net, event->link,
                   (fay_grid_event){
                       .kind = FAY_GRID_BROADCAST, .bytes = event->frame, .size = event->value});
        return message_cost;
    case THAWED:
        (void)feed(net, event->link, (fay_grid_event){.kind = FAY_GRID_LATE, .ns = event->value});
        return 0;
    default: return wake_cost;
    }
}

static void process(fay_net *net, const fay_sim_event *event)
{
    fay_net_node *node = &net->nodes[event->link];
    bool early = event->kind == WAKE && net->world.now < fay_grid_deadline(node->grid);
    if (!early) {
        fay_ns cost = handle(net, event);
        node->free_at = net->world.now + step_node(net, event->link, cost);
    }
    free(event->frame);
    schedule(net, event->link);
}

/* What a machine without a Node, or one that is gone, does with an event. */
static void drop(fay_net *net, fay_sim_event *event)
{
    if (event->kind == CONNECT && !net->nodes[event->link].silent)
        deliver(net, event->serial, 1, 0, (fay_sim_event){.kind = REFUSED});
    free(event->frame);
}

static void run_inbox(fay_net *net, uint32_t n)
{
    fay_net_node *node = &net->nodes[n];
    node->running = false;
    while (node->inbox_at < node->inbox_count && net->world.now >= node->free_at) {
        fay_sim_event event = node->inbox[node->inbox_at++];
        if (fay_net_alive(net, n)) {
            process(net, &event);
        } else {
            drop(net, &event);
        }
    }
    if (node->inbox_at == node->inbox_count) {
        node->inbox_at = 0;
        node->inbox_count = 0;
        return;
    }
    node->running = true;
    fay_sim_world_push(&net->world, node->free_at - net->world.now,
                       (fay_sim_event){.kind = RUN, .link = n});
}

static void arrive(fay_net *net, fay_sim_event *event)
{
    fay_net_node *node = &net->nodes[event->link];
    if (event->kind == WAKE && event->value != node->wake_at)
        return; /* an earlier one has come in between */
    if (event->kind == WAKE)
        node->wake_at = FAY_NEVER;
    if (!fay_net_alive(net, event->link)) {
        drop(net, event);
        return;
    }
    if (event->kind == CONNECT)
        conn_of(net, event->serial)->accepted = true;
    FAY_RESERVE(node->inbox, node->inbox_capacity, node->inbox_count + 1);
    node->inbox[node->inbox_count++] = *event;
    if (!node->running)
        run_inbox(net, event->link);
}

bool fay_net_step(fay_net *net, fay_ns until)
{
    fay_ns next = fay_sim_world_next(&net->world);
    if (next > until) {
        net->world.now = until;
        return false;
    }
    net->world.now = FAY_MAX(next, net->world.now);
    fay_sim_event event;
    if (!fay_sim_world_pop(&net->world, &event))
        return true;
    if (event.kind == START) {
        start(net, event.link);
        net->nodes[event.link].free_at = net->world.now + step_node(net, event.link, 0);
        schedule(net, event.link);
    } else if (event.kind == RUN) {
        run_inbox(net, event.link);
    } else {
        arrive(net, &event);
    }
    return true;
}

void fay_net_start(fay_net *net, uint32_t node, fay_ns delay)
{
    fay_sim_world_push(&net->world, delay, (fay_sim_event){.kind = START, .link = node});
}

void fay_net_kill(fay_net *net, uint32_t n)
{
    fay_net_node *node = &net->nodes[n];
    fay_sim_say(net->trace, node->address, "is killed");
    fay_grid_free(FAY_STEAL(node->grid));
    for (size_t i = 0; i < node->conns_count; i++) {
        uint64_t number = node->conns[i];
        unsigned side = conn_of(net, number)->node[0] == n ? 0 : 1;
        end_conn(net, number, side, 0);
    }
    node->conns_count = 0;
    node->wake_at = FAY_NEVER;
}

void fay_net_silence(fay_net *net, uint32_t n)
{
    fay_sim_say(net->trace, net->nodes[n].address, "falls silent");
    net->nodes[n].silent = true;
}

void fay_net_freeze(fay_net *net, uint32_t n, fay_ns time)
{
    fay_net_node *node = &net->nodes[n];
    fay_sim_say(net->trace, node->address, "freezes for %u ms", (unsigned)(time / FAY_MS));
    node->free_at = FAY_MAX(node->free_at, net->world.now) + time;
    fay_sim_event thawed = {.kind = THAWED, .link = n, .value = time};
    arrive(net, &thawed); /* the first thing that it sees */
}

void fay_net_stall(fay_net *net, uint32_t n, fay_ns time)
{
    fay_net_node *node = &net->nodes[n];
    if (node->conns_count == 0)
        return;
    uint64_t number = node->conns[fay_sim_below(&net->world, node->conns_count)];
    unsigned side = (unsigned)fay_sim_below(&net->world, 2);
    fay_net_conn *conn = conn_of(net, number);
    fay_sim_say(net->trace, net->nodes[conn->node[side]].address, "to n%u: stalls for %u ms",
                conn->node[1 - side], (unsigned)(time / FAY_MS));
    conn->wire[side].last = FAY_MAX(conn->wire[side].last, net->world.now + time);
}

void fay_net_split(fay_net *net, fay_ns time)
{
    fay_sim_say(net->trace, "network", "is split for %u ms", (unsigned)(time / FAY_MS));
    net->heals_at = net->world.now + time;
}

void fay_net_broadcast(fay_net *net, uint32_t n, fay_grid_bytes bytes)
{
    fay_sim_event said = {.kind = SAY, .link = n, .value = bytes.size};
    said.frame = fay_alloc(bytes.size);
    memcpy(said.frame, bytes.bytes, bytes.size);
    fay_sim_world_push(&net->world, 0, said);
}
