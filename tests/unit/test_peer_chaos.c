/* SPDX-License-Identifier: MIT */
/*
 * Peers that are closed, paused and sent to from within any event of any other, strangers that say
 * anything, and keys that change meanwhile: each peer is told what it may be told, in order, and
 * nothing after its end. What is used after it was freed is for the sanitizers to see.
 */
#include "unit/peer_talk.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/foreign.h"
#include "support/scratch.h"

enum {
    ROUNDS = 4,
    STEPS = 400,
    ONES_MAX = 2000,
    STRANGERS_MAX = 200,
    PAYLOAD_MAX = 200000
};

typedef struct one {
    fay_peer *peer; /* NULL = closed, or ended */
    bool up;
    int ends;
} one;

typedef struct chaos {
    talk *t;
    unsigned seed;
    one ones[ONES_MAX];
    size_t count, ups, frames, ends;
    int strangers[STRANGERS_MAX];
    size_t strangers_count;
    node_keys *keys; /* the seed's newest; NULL = its first */
    char *named;     /* its address by name */
} chaos;

static chaos c; /* callbacks have the peer for their context */

static bool one_in(unsigned count)
{
    return (unsigned)rand_r(&c.seed) % count == 0;
}

static one *any(void)
{
    return &c.ones[(unsigned)rand_r(&c.seed) % c.count];
}

static void do_something(one *o)
{
    static const uint8_t payload[PAYLOAD_MAX];
    if (o->peer == NULL)
        return;
    if (one_in(12)) {
        fay_peer_close(FAY_STEAL(o->peer));
    } else if (one_in(6)) {
        fay_peer_pause(o->peer, one_in(2));
    } else if (o->up && one_in(3)) {
        fay_peer_send(o->peer, FAY_MESSAGE_GRID, payload,
                      (unsigned)rand_r(&c.seed) % sizeof payload);
    }
}

static void do_anything(one *o)
{
    do_something(o);
    if (one_in(8))
        do_something(any());
}

/* ---- what they are told ---------------------------------------------------------------------- */

static void one_up(void *context, fay_peer *peer, const fay_peer_who *who)
{
    one *o = context;
    (void)who;
    assert_ptr_equal(o->peer, peer);
    assert_false(o->up);
    o->up = true;
    c.ups++;
    do_anything(o);
}

static int one_frame(void *context, fay_peer *peer, const fay_frame *frame)
{
    one *o = context;
    (void)frame;
    assert_true(o->peer == peer && o->up && o->ends == 0);
    c.frames++;
    do_anything(o);
    return one_in(40) ? FAY_E_PEER : 0;
}

static void one_event(void *context, fay_peer *peer)
{
    one *o = context;
    assert_true(o->peer == peer && o->up && o->ends == 0);
    do_anything(o);
}

static void one_closed(void *context, fay_peer *peer, fay_peer_end why, const fay_error *err)
{
    one *o = context;
    (void)why;
    assert_true(o->peer == peer && o->ends == 0 && err->message[0] != '\0');
    o->ends++;
    o->peer = NULL;
    c.ends++;
    do_something(any());
}

static const fay_peer_events one_events = {.up = one_up,
                                           .frame = one_frame,
                                           .heard = one_event,
                                           .batch = one_event,
                                           .drained = one_event,
                                           .closed = one_closed};

static bool chaos_accepted(void *context, fay_peer *peer, const fay_peer_who *who,
                           const fay_peer_events **ret_events, void **ret_context)
{
    (void)context;
    (void)who;
    if (c.count == ONES_MAX || one_in(20))
        return false;
    one *o = &c.ones[c.count++];
    *o = (one){.peer = peer};
    *ret_events = &one_events;
    *ret_context = o;
    if (one_in(20))
        fay_peer_close(FAY_STEAL(o->peer));
    return true;
}

static void chaos_handed(void *context, int fd, const fay_preamble *preamble)
{
    (void)context;
    if (one_in(2))
        (void)close(fd);
    else
        fay_peers_adopt(c.t->seed.peers, fd, preamble);
}

static bool chaos_known(void *context, const char *address)
{
    (void)context;
    (void)address;
    return one_in(2);
}

static const fay_peers_events chaos_events = {
    .accepted = chaos_accepted, .handed = chaos_handed, .known = chaos_known};

/* ---- what happens to them -------------------------------------------------------------------- */

static void dial_somebody(void)
{
    if (c.count == ONES_MAX)
        return;
    one *o = &c.ones[c.count++];
    fay_peer_dial to = {.address = one_in(8) ? c.named : fay_peers_address(c.t->seed.peers),
                        .preamble = {.target = one_in(8) ? FAY_TARGET_PROCESS : FAY_TARGET_NODE},
                        .once = one_in(2)};
    *o = (one){0};
    o->peer = fay_peer_dial_to(c.t->dials, &to, &one_events, o);
    if (one_in(10))
        fay_peer_close(FAY_STEAL(o->peer));
}

/* A preamble, or less, or with something behind it; then silence, an end or a reset. */
static void knock(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct linger reset = {.l_onoff = 1};
    uint8_t bytes[2 * FAY_PREAMBLE_SIZE];
    fay_preamble preamble = {.target = (fay_target)(1 + rand_r(&c.seed) % 3)};
    if (c.strangers_count == STRANGERS_MAX)
        return;
    at.sin_port = htons((uint16_t)atoi(strrchr(fay_peers_address(c.t->seed.peers), ':') + 1));
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof at) == 0);
    memset(bytes, 0x16, sizeof bytes);
    fay_preamble_write(&preamble, bytes);
    (void)!send(fd, bytes, (unsigned)rand_r(&c.seed) % sizeof bytes, MSG_NOSIGNAL);
    if (one_in(3)) {
        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        (void)close(fd);
    } else {
        c.strangers[c.strangers_count++] = fd;
    }
}

static void let_go(node_keys *keys)
{
    if (keys != NULL)
        node_keys_deinit(keys);
    free(keys);
}

static void change_keys(void)
{
    fay_error err = {0};
    node_keys *keys = fay_alloc(sizeof *keys);
    node_keys_init(keys, "tls", "seed", 7);
    if (fay_peers_rekey(c.t->seed.peers, &keys->keys, &err) != 0)
        fail_msg("%s", err.message);
    let_go(c.keys);
    c.keys = keys;
}

static void step(void)
{
    if (one_in(3))
        dial_somebody();
    if (one_in(4))
        knock();
    if (one_in(5) && c.strangers_count > 0)
        (void)close(c.strangers[--c.strangers_count]);
    if (one_in(60))
        change_keys();
    if (c.count > 0)
        do_something(any());
    for (unsigned turns = (unsigned)rand_r(&c.seed) % 4; turns > 0; turns--)
        (void)uv_run(&c.t->loop, UV_RUN_NOWAIT);
}

static void play(unsigned seed)
{
    c = (chaos){.t = talk_begin_with(300 * FAY_MS), .seed = seed};
    c.named = fay_printed("localhost%s", strrchr(fay_peers_address(c.t->seed.peers), ':'));
    c.t->seed.peers->config.events = &chaos_events;
    c.t->seed.peers->config.kept_max = c.t->dials->config.kept_max = 2 * FAY_MIB;
    for (int i = 0; i < STEPS; i++)
        step();
    assert_true(c.ups > 0 && c.frames > 0 && c.ends > 0);
    fay_peers_free(FAY_STEAL(c.t->seed.peers));
    if (one_in(2))
        (void)uv_run(&c.t->loop, UV_RUN_NOWAIT);
    fay_peers_free(FAY_STEAL(c.t->dials));
    let_go(c.keys);
    size_t ends = c.ends;
    talk_end(c.t);
    assert_int_equal(c.ends, ends);
    while (c.strangers_count > 0)
        (void)close(c.strangers[--c.strangers_count]);
    free(c.named);
    foreign_shell("rm -r *");
}

static void nothing_is_told_out_of_order(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= ROUNDS; seed++)
        play(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(nothing_is_told_out_of_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
