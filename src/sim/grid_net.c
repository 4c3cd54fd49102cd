/* SPDX-License-Identifier: MIT */
#include "sim/grid_net.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "grid/message.h"
#include "sim/grid_keys.h"
#include "sim/grid_wires.h"
#include "wire/codec.h"

/* Measured on a machine with 2 cores: OpenSSL 3.0, ECDSA P-256 certificates, Ed25519. */
static const fay_ns handshake_server = 1480000, handshake_client = 1050000;
static const fay_ns sign_cost = 25000, verify_cost = 65000;
static const fay_ns message_cost = 3000, wake_cost = 1000; /* and 1 ns a byte */
static const fay_ns slow_cost = 300 * FAY_MS;              /* a message, where it takes long */
static const fay_ns fetch_time = 1 * FAY_MS;               /* of a CRL: a round trip */
static const uint64_t epoch = 1000000; /* what the clocks on the walls show at the beginning */

void fay_net_init(fay_net *net, fay_sim_trace *trace, uint32_t nodes, uint32_t clones)
{
    *net = (fay_net){.trace = trace, .nodes_count = nodes + clones, .ids = nodes};
    fay_sim_world_init(&net->world, trace->seed);
    trace->now = &net->world.now;
    fay_grid_params_lan(&net->params);
    net->nodes = fay_alloc(net->nodes_count * sizeof *net->nodes);
    for (uint32_t n = 0; n < net->nodes_count; n++) {
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
    assert(n < net->ids);
    return n;
}

bool fay_net_alive(const fay_net *net, uint32_t node)
{
    return net->nodes[node].grid != NULL && !net->nodes[node].silent;
}

bool fay_net_lives(const fay_net *net, uint32_t node)
{
    for (uint32_t n = net->ids; n < net->nodes_count; n++) {
        if (fay_net_alive(net, n) && fay_node_id_same(&net->nodes[n].id, &net->nodes[node].id))
            return true;
    }
    return fay_net_alive(net, node);
}

static int feed(fay_net *net, uint32_t n, fay_grid_event event)
{
    return fay_grid_feed(net->nodes[n].grid, net->world.now, &event);
}

/* ---- actions --------------------------------------------------------------------------------- */

typedef struct answers { /* to be fed once the list of actions is done */
    fay_grid_event *items;
    uint8_t (*signatures)[FAY_SIGNATURE_SIZE];
    size_t count, capacity, signatures_capacity;
} answers;

static void answer(fay_net *net, answers *to, fay_net_node *node, const fay_grid_action *action)
{
    FAY_RESERVE(to->items, to->capacity, to->count + 1);
    FAY_RESERVE(to->signatures, to->signatures_capacity, to->count + 1);
    fay_grid_event *event = &to->items[to->count];
    *event = (fay_grid_event){.token = action->token, .size = FAY_SIGNATURE_SIZE};
    if (action->kind == FAY_GRID_SIGN) {
        event->kind = FAY_GRID_SIGNED;
        fay_sim_sign(node->certification, action->bytes, to->signatures[to->count]);
    } else if (action->kind == FAY_GRID_REBOOT) {
        fay_sim_say(net->trace, node->address, "goes on as boot %u", (unsigned)action->boot);
        node->boot = action->boot;
        node->boot_max = FAY_MAX(node->boot_max, node->boot);
        fay_sim_certify(&net->world, &node->id, node->boot, node->certification);
        *event = (fay_grid_event){
            .kind = FAY_GRID_REBOOTED, .boot = action->boot, .size = FAY_KEY_HASH_SIZE};
        memcpy(to->signatures[to->count], node->certification, FAY_KEY_HASH_SIZE);
    } else {
        event->kind = FAY_GRID_VERIFIED;
        event->ok = fay_sim_signed(action);
    }
    to->count++;
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

static fay_ns send_message(fay_net *net, uint32_t n, fay_ns delay, const fay_grid_action *action)
{
    net->stats.bundles += action->bytes.bytes[0] == FAY_GRID_BUNDLES;
    net->stats.rumors += action->bytes.bytes[0] == FAY_GRID_RUMOR;
    fay_net_send(net, n, delay, action->link, action->bytes);
    return message_cost + action->bytes.size;
}

/* Carries out one action; returns what it costs. */
static fay_ns carry_out(fay_net *net, uint32_t n, fay_ns delay, const fay_grid_action *action,
                        answers *later)
{
    fay_net_node *node = &net->nodes[n];
    switch (action->kind) {
    case FAY_GRID_DIAL: fay_net_dial(net, n, delay, action); return message_cost;
    case FAY_GRID_SEND: return send_message(net, n, delay, action);
    case FAY_GRID_CLOSE:
        fay_net_end(net, action->link, fay_net_side(fay_net_conn_of(net, action->link), n), delay);
        return message_cost;
    case FAY_GRID_SIGN:
    case FAY_GRID_REBOOT: answer(net, later, node, action); return sign_cost;
    case FAY_GRID_VERIFY: answer(net, later, node, action); return verify_cost;
    case FAY_GRID_CHANGED: changed(net, n, action); return 0;
    case FAY_GRID_DELIVER:
        fay_sim_say(net->trace, node->address, "hears %zu bytes", action->bytes.size);
        if (net->delivered != NULL)
            net->delivered(net->context, n, action->bytes);
        return 0;
    case FAY_GRID_BEHIND:
        fay_sim_world_push(
            &net->world, fetch_time,
            (fay_sim_event){.kind = FAY_NET_FETCH, .link = n, .value = action->number});
        return 0;
    case FAY_GRID_REPLACED:
        fay_sim_say(net->trace, node->address, "is replaced by boot %u", (unsigned)action->boot);
        node->replaced = true;
        return 0;
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
                       (fay_sim_event){.kind = FAY_NET_WAKE, .link = n, .value = due});
}

/* The machine is switched on again; nobody was told that its links are over. */
static void revive(fay_net *net, uint32_t n)
{
    fay_net_node *node = &net->nodes[n];
    fay_grid_free(FAY_STEAL(node->grid));
    for (size_t i = 0; i < node->conns_count; i++) {
        fay_net_conn *conn = fay_net_conn_of(net, node->conns[i]);
        conn->over[fay_net_side(conn, n)] = true;
    }
    node->conns_count = 0;
    node->silent = false;
    node->wake_at = FAY_NEVER;
    node->free_at = 0;
}

/* As a driver does it: above the last one, and above the clock's. */
static uint64_t next_boot(const fay_net *net, const fay_net_node *node)
{
    uint64_t seconds = epoch + net->world.now / FAY_SECOND;
    return FAY_MAX(node->boot + 1, (uint64_t)((int64_t)seconds + node->skew));
}

static void start(fay_net *net, uint32_t n)
{
    fay_net_node *node = &net->nodes[n];
    const char *seeds[] = {net->nodes[0].address, net->nodes[1].address};
    if (node->silent)
        revive(net, n);
    if (node->grid != NULL)
        return;
    uint8_t key[FAY_KEY_HASH_SIZE] = {0};
    memcpy(key, node->id.bytes, sizeof node->id.bytes);
    node->boot = next_boot(net, node);
    node->boot_max = FAY_MAX(node->boot_max, node->boot);
    node->lives++;
    node->replaced = false;
    fay_sim_certify(&net->world, &node->id, node->boot, node->certification);
    fay_grid_config config = {.params = net->params,
                              .id = node->id,
                              .boot = node->boot,
                              .tls_key = key,
                              .certification = node->certification,
                              .name = node->address,
                              .address = node->address,
                              .seeds = seeds,
                              .seeds_count = FAY_COUNT(seeds),
                              .seed = fay_prng_next(&net->world.prng)};
    node->grid = fay_grid_new(&config, net->world.now);
    fay_sim_say(net->trace, node->address, "starts, boot %u", (unsigned)node->boot);
    (void)feed(net, n, (fay_grid_event){.kind = FAY_GRID_CRL, .number = node->crl});
    node->free_at = net->world.now + step_node(net, n, 0);
    schedule(net, n);
}

static void fail_dial(fay_net *net, uint64_t number, fay_evidence evidence)
{
    fay_net_conn *conn = fay_net_conn_of(net, number);
    bool waits = evidence == FAY_EVIDENCE_SILENT && conn->accepted;
    if (conn->up[0] || conn->over[0] || waits)
        return;
    fay_net_end(net, number, 0, 0);
    (void)feed(net, conn->node[0],
               (fay_grid_event){.kind = FAY_GRID_FAILED, .dial = conn->dial, .evidence = evidence});
}

/* The side of a connection that takes part in the handshake: UP, and for the dialler the way back.
 */
static fay_ns bring_up(fay_net *net, uint64_t number, unsigned side)
{
    fay_net_conn *conn = fay_net_conn_of(net, number);
    const fay_net_node *peer = &net->nodes[conn->node[1 - side]];
    if (conn->over[side])
        return 0;
    if (side == 0 && conn->expects && !fay_node_id_same(&conn->expected, &peer->id)) {
        fail_dial(net, number, FAY_EVIDENCE_HANDSHAKE);
        return handshake_client;
    }
    conn->up[side] = true;
    if (side == 0)
        fay_net_deliver(net, number, 0, handshake_client, (fay_sim_event){.kind = FAY_NET_UP});
    (void)feed(net, conn->node[side],
               (fay_grid_event){.kind = FAY_GRID_UP,
                                .link = number,
                                .dial = side == 0 ? conn->dial : 0,
                                .id = &peer->id,
                                .boot = peer->boot,
                                .bytes = peer->certification,
                                .size = sizeof peer->certification});
    return side == 0 ? handshake_client : message_cost;
}

static void go_down(fay_net *net, const fay_sim_event *event)
{
    fay_grid_event down = {.kind = FAY_GRID_DOWN, .link = event->serial};
    if (fay_net_conn_of(net, event->serial)->up[event->worker])
        (void)feed(net, event->link, down);
}

static fay_ns take_message(fay_net *net, const fay_sim_event *event)
{
    fay_net_conn *conn = fay_net_conn_of(net, event->serial);
    bool slow = net->world.now < net->nodes[event->link].slow_until;
    conn->kept[1 - event->worker] -= event->value;
    if (conn->over[event->worker])
        return 0;
    int status = feed(net, event->link,
                      (fay_grid_event){.kind = FAY_GRID_MESSAGE,
                                       .link = event->serial,
                                       .bytes = event->frame,
                                       .size = event->value});
    if (status != 0) {
        if (!net->nodes[conn->node[1 - event->worker]].forges)
            fay_sim_fail(net->trace, "n%u: a message is refused", event->link);
        fay_net_end(net, event->serial, event->worker, 0);
        go_down(net, event);
    }
    return (slow ? slow_cost : message_cost) + event->value;
}

static void take_end(fay_net *net, const fay_sim_event *event)
{
    fay_net_conn *conn = fay_net_conn_of(net, event->serial);
    unsigned side = event->worker;
    if (conn->over[side])
        return;
    if (!conn->up[side] && side == 0) {
        fail_dial(net, event->serial, FAY_EVIDENCE_REFUSED);
        return;
    }
    conn->over[side] = true;
    go_down(net, event);
}

static void give_up(fay_net *net, const fay_sim_event *event)
{
    const fay_net_conn *conn = fay_net_conn_of(net, event->serial);
    if (conn->over[event->worker])
        return;
    if (event->worker == 0)
        fail_dial(net, event->serial, FAY_EVIDENCE_HANDSHAKE);
    fay_net_end(net, event->serial, event->worker, 0);
    go_down(net, event);
}

static void fetched(fay_net *net, uint32_t n, uint64_t number)
{
    fay_net_node *node = &net->nodes[n];
    number = FAY_MIN(number, net->crl);
    if (number <= node->crl)
        return;
    node->crl = number;
    fay_sim_say(net->trace, node->address, "has CRL %u", (unsigned)number);
    (void)feed(net, n, (fay_grid_event){.kind = FAY_GRID_CRL, .number = number});
    if (net->fetched != NULL)
        net->fetched(net->context, n, (fay_grid_bytes){NULL, 0});
}

/* The loop turns late; after a freeze it has been told already. */
static fay_ns wake(fay_net *net, const fay_sim_event *event)
{
    fay_ns late = net->world.now - event->value;
    if (late >= net->params.late_dial && event->value > net->nodes[event->link].thawed_at)
        (void)feed(net, event->link, (fay_grid_event){.kind = FAY_GRID_LATE, .ns = late});
    return wake_cost;
}

static fay_ns connected(fay_net *net, const fay_sim_event *event)
{
    if (fay_net_conn_of(net, event->serial)->over[0])
        return 0;
    fay_net_deliver(net, event->serial, 1, handshake_server, (fay_sim_event){.kind = FAY_NET_UP});
    return handshake_server;
}

static fay_ns thaw(fay_net *net, const fay_sim_event *event)
{
    net->nodes[event->link].thawed_at = net->world.now;
    (void)feed(net, event->link, (fay_grid_event){.kind = FAY_GRID_LATE, .ns = event->value});
    return 0;
}

/* What an event does to a Node that runs and is free; returns what it costs. */
static fay_ns handle(fay_net *net, const fay_sim_event *event)
{
    fay_grid_event said = {.kind = FAY_GRID_BROADCAST, .bytes = event->frame, .size = event->value};
    switch (event->kind) {
    case FAY_NET_CONNECT: return connected(net, event);
    case FAY_NET_REFUSED: fail_dial(net, event->serial, FAY_EVIDENCE_REFUSED); return message_cost;
    case FAY_NET_TIMED_OUT: fail_dial(net, event->serial, (fay_evidence)event->value); return 0;
    case FAY_NET_UP: return bring_up(net, event->serial, event->worker);
    case FAY_NET_MESSAGE: return take_message(net, event);
    case FAY_NET_END: take_end(net, event); return message_cost;
    case FAY_NET_LOST: give_up(net, event); return message_cost;
    case FAY_NET_SAY: (void)feed(net, event->link, said); return message_cost;
    case FAY_NET_FETCH: fetched(net, event->link, event->value); return message_cost;
    case FAY_NET_THAWED: return thaw(net, event);
    default: return wake(net, event);
    }
}

static void process(fay_net *net, const fay_sim_event *event)
{
    fay_net_node *node = &net->nodes[event->link];
    bool early = event->kind == FAY_NET_WAKE && net->world.now < fay_grid_deadline(node->grid);
    if (!early) {
        fay_ns cost = handle(net, event);
        node->free_at = net->world.now + step_node(net, event->link, cost);
    }
    free(event->frame);
    if (node->replaced) {
        fay_net_kill(net, event->link);
    } else {
        schedule(net, event->link);
    }
}

/* What a machine without a Node, or one that is gone, does with an event. */
static void drop(fay_net *net, fay_sim_event *event)
{
    if (event->kind == FAY_NET_CONNECT && !net->nodes[event->link].silent)
        fay_net_deliver(net, event->serial, 1, 0, (fay_sim_event){.kind = FAY_NET_REFUSED});
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
                       (fay_sim_event){.kind = FAY_NET_RUN, .link = n});
}

static void arrive(fay_net *net, fay_sim_event *event)
{
    fay_net_node *node = &net->nodes[event->link];
    if (event->kind == FAY_NET_WAKE && event->value != node->wake_at)
        return; /* an earlier one has come in between */
    if (event->kind == FAY_NET_WAKE)
        node->wake_at = FAY_NEVER;
    if (!fay_net_alive(net, event->link)) {
        drop(net, event);
        return;
    }
    if (event->kind == FAY_NET_CONNECT) {
        fay_net_conn *conn = fay_net_conn_of(net, event->serial);
        conn->accepted = fay_net_answers(net, conn);
    }
    FAY_RESERVE(node->inbox, node->inbox_capacity, node->inbox_count + 1);
    node->inbox[node->inbox_count++] = *event;
    if (!node->running)
        run_inbox(net, event->link);
}

bool fay_net_step(fay_net *net, fay_ns until)
{
    fay_ns next = fay_sim_world_next(&net->world);
    if (next > until) {
        net->world.now = FAY_MAX(until, net->world.now);
        return false;
    }
    net->world.now = FAY_MAX(next, net->world.now);
    fay_sim_event event;
    if (!fay_sim_world_pop(&net->world, &event))
        return true;
    if (event.kind == FAY_NET_START) {
        start(net, event.link);
    } else if (event.kind == FAY_NET_KILL) {
        if (fay_net_alive(net, event.link))
            fay_net_kill(net, event.link);
    } else if (event.kind == FAY_NET_RUN) {
        run_inbox(net, event.link);
    } else {
        arrive(net, &event);
    }
    return true;
}

void fay_net_pass(fay_net *net, fay_ns time)
{
    fay_ns until = net->world.now + time;
    while (fay_net_step(net, until)) {
    }
}

/* ---- what happens to them -------------------------------------------------------------------- */

void fay_net_start(fay_net *net, uint32_t node, fay_ns delay)
{
    fay_sim_world_push(&net->world, delay, (fay_sim_event){.kind = FAY_NET_START, .link = node});
}

void fay_net_clone(fay_net *net, uint32_t of, uint32_t clone)
{
    net->nodes[clone].id = net->nodes[of].id;
    net->nodes[clone].boot = net->nodes[of].boot;
}

void fay_net_kill(fay_net *net, uint32_t n)
{
    fay_net_node *node = &net->nodes[n];
    fay_sim_say(net->trace, node->address, "is killed");
    fay_grid_free(FAY_STEAL(node->grid));
    for (size_t i = 0; i < node->conns_count; i++) {
        uint64_t number = node->conns[i];
        fay_net_end(net, number, fay_net_side(fay_net_conn_of(net, number), n), 0);
    }
    node->conns_count = 0;
    node->wake_at = FAY_NEVER;
}

void fay_net_kill_later(fay_net *net, uint32_t node, fay_ns delay)
{
    fay_sim_world_push(&net->world, delay, (fay_sim_event){.kind = FAY_NET_KILL, .link = node});
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
    node->free_at = FAY_MAX(node->free_at, net->world.now + time);
    fay_sim_event thawed = {.kind = FAY_NET_THAWED, .link = n, .value = time};
    arrive(net, &thawed); /* the first thing that it sees */
}

void fay_net_stall(fay_net *net, uint32_t n, fay_ns time)
{
    fay_net_node *node = &net->nodes[n];
    if (node->conns_count == 0)
        return;
    uint64_t number = node->conns[fay_sim_below(&net->world, node->conns_count)];
    unsigned side = (unsigned)fay_sim_below(&net->world, 2);
    fay_net_conn *conn = fay_net_conn_of(net, number);
    fay_sim_say(net->trace, net->nodes[conn->node[side]].address, "to n%u: stalls for %u ms",
                conn->node[1 - side], (unsigned)(time / FAY_MS));
    conn->wire[side].last = FAY_MAX(conn->wire[side].last, net->world.now + time);
}

void fay_net_split(fay_net *net, fay_ns time)
{
    fay_sim_say(net->trace, "network", "is split for %u s", (unsigned)(time / FAY_SECOND));
    net->heals_at = net->world.now + time;
}

void fay_net_broadcast(fay_net *net, uint32_t n, fay_grid_bytes bytes)
{
    fay_sim_event said = {.kind = FAY_NET_SAY, .link = n, .value = bytes.size};
    said.frame = fay_alloc(bytes.size);
    memcpy(said.frame, bytes.bytes, bytes.size);
    fay_sim_world_push(&net->world, 0, said);
}

void fay_net_feed(fay_net *net, uint32_t n, const fay_grid_event *event)
{
    (void)feed(net, n, *event);
    (void)step_node(net, n, 0);
    schedule(net, n);
}

void fay_net_forge(fay_net *net, uint32_t node, uint64_t link, fay_grid_bytes bytes)
{
    fay_net_send(net, node, 0, link, bytes);
}
