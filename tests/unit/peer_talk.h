/* SPDX-License-Identifier: MIT */
/* Peers of one loop that talk over 127.0.0.1, and what a test sees of them. */
#ifndef FAY_TEST_PEER_TALK_H
#define FAY_TEST_PEER_TALK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/peer_internal.h"
#include "support/nodes.h"

enum {
    GUARD_MS = 20000 /* a test that waits longer has failed */
};

/* What was heard of one peer. */
typedef struct ear {
    fay_peer *peer; /* NULL = there is none, or it has ended */
    int ups, frames, batches, heard, drained, ends;
    size_t bytes; /* of all payloads */
    fay_peer_end why;
    fay_error err;
    bool joins, member, resumed;
    fay_node_id id;
    char name[32];
    /* what it does */
    bool close_in_up, close_in_frame, close_in_batch, close_in_drained, refuse_frames;
    fay_peers *free_in_frame, *free_in_end;
} ear;

/* One who listens. */
typedef struct host {
    node_keys node;
    fay_peers *peers;
    ear ears[600]; /* of those who were accepted, in order */
    size_t accepted, refused, handed;
    fay_error err; /* of who was refused last */
    int handed_fd;
    fay_preamble handed_preamble;
    bool refuses, closes, knows;
} host;

typedef struct talk {
    uv_loop_t loop;
    uv_timer_t guard;
    host seed;
    node_keys bob;
    fay_peers *dials; /* bob's */
    size_t turns;     /* of the loop, all in all */
} talk;

static inline void close_ear(ear *e)
{
    fay_peer_close(FAY_STEAL(e->peer));
}

static inline void on_up(void *context, fay_peer *peer, const fay_peer_who *who)
{
    ear *e = context;
    assert_int_equal(e->ups++, 0);
    assert_ptr_equal(peer, e->peer);
    e->joins = who->joins;
    e->member = who->member != NULL;
    e->resumed = fay_secure_resumed(peer->secure);
    if (who->member != NULL)
        e->id = who->member->id;
    if (who->name != NULL)
        (void)snprintf(e->name, sizeof e->name, "%s", who->name);
    if (e->close_in_up)
        close_ear(e);
}

static inline int on_frame(void *context, fay_peer *peer, const fay_frame *frame)
{
    ear *e = context;
    assert_int_equal(e->ups, 1);
    assert_ptr_equal(peer, e->peer);
    e->frames++;
    e->bytes += frame->size;
    if (e->close_in_frame)
        close_ear(e);
    if (e->free_in_frame != NULL) {
        e->peer = NULL;
        fay_peers_free(FAY_STEAL(e->free_in_frame));
    }
    return e->refuse_frames ? FAY_E_PEER : 0;
}

static inline void on_heard(void *context, fay_peer *peer)
{
    ear *e = context;
    assert_ptr_equal(peer, e->peer);
    e->heard++;
}

static inline void on_batch(void *context, fay_peer *peer)
{
    ear *e = context;
    assert_ptr_equal(peer, e->peer);
    e->batches++;
    if (e->close_in_batch)
        close_ear(e);
}

static inline void on_drained(void *context, fay_peer *peer)
{
    ear *e = context;
    assert_ptr_equal(peer, e->peer);
    e->drained++;
    if (e->close_in_drained)
        close_ear(e);
}

static inline void on_closed(void *context, fay_peer *peer, fay_peer_end why, const fay_error *err)
{
    ear *e = context;
    assert_ptr_equal(peer, e->peer);
    e->peer = NULL;
    e->ends++;
    e->why = why;
    e->err = *err;
    if (e->free_in_end != NULL)
        fay_peers_free(FAY_STEAL(e->free_in_end));
}

static const fay_peer_events ear_events = {.up = on_up,
                                           .frame = on_frame,
                                           .heard = on_heard,
                                           .batch = on_batch,
                                           .drained = on_drained,
                                           .closed = on_closed};

static inline bool on_accepted(void *context, fay_peer *peer, const fay_peer_who *who,
                               const fay_peer_events **ret_events, void **ret_context)
{
    host *h = context;
    (void)who;
    if (h->refuses)
        return false;
    assert_true(h->accepted < FAY_COUNT(h->ears));
    ear *e = &h->ears[h->accepted++];
    e->peer = peer;
    *ret_events = &ear_events;
    *ret_context = e;
    if (h->closes)
        close_ear(e);
    return true;
}

static inline void on_handed(void *context, int fd, const fay_preamble *preamble)
{
    host *h = context;
    h->handed++;
    h->handed_fd = fd;
    h->handed_preamble = *preamble;
}

static inline void on_refused(void *context, const char *address, const fay_error *err)
{
    host *h = context;
    assert_int_equal(strncmp(address, "127.0.0.1:", 10), 0);
    h->refused++;
    h->err = *err;
}

static inline bool is_known(void *context, const char *address)
{
    const host *h = context;
    assert_string_equal(address, "127.0.0.1");
    return h->knows;
}

static const fay_peers_events host_events = {
    .accepted = on_accepted, .handed = on_handed, .refused = on_refused, .known = is_known};

static inline void on_guard(uv_timer_t *timer)
{
    (void)timer;
    fail_msg("waited for longer than %d ms", GUARD_MS);
}

/* Turns the loop until it is so. */
#define UNTIL(t, condition)                                                                        \
    do {                                                                                           \
        (void)uv_timer_start(&(t)->guard, on_guard, GUARD_MS, 0);                                  \
        while (!(condition)) {                                                                     \
            (void)uv_run(&(t)->loop, UV_RUN_ONCE);                                                 \
            (t)->turns++;                                                                          \
        }                                                                                          \
        (void)uv_timer_stop(&(t)->guard);                                                          \
    } while (0)

static inline fay_peers_config peers_config(talk *t, const fay_peers_keys *keys)
{
    return (fay_peers_config){.loop = &t->loop,
                              .keys = *keys,
                              .connect = 5 * FAY_SECOND,
                              .handshake = 15 * FAY_SECOND,
                              .unacknowledged = 5 * FAY_SECOND,
                              .kept_max = 16 * FAY_MIB};
}

static inline void listen_on(talk *t, host *h, const char *directory, const char *name,
                             fay_ns handshake)
{
    fay_error err = {0};
    node_keys_init(&h->node, directory, name, 7);
    fay_peers_config config = peers_config(t, &h->node.keys);
    config.events = &host_events;
    config.context = h;
    config.handshake = handshake;
    h->peers = fay_peers_new(&config);
    if (fay_peers_listen(h->peers, "127.0.0.1:0", &err) != 0)
        fail_msg("%s", err.message);
}

static inline fay_peers *dial_from(talk *t, const fay_peers_keys *keys)
{
    fay_peers_config config = peers_config(t, keys);
    return fay_peers_new(&config);
}

/* `seed` listens, and those who are slow have so long; `bob` dials. */
static inline talk *talk_begin_with(fay_ns handshake)
{
    talk *t = fay_alloc(sizeof *t);
    nodes_make_ca();
    FAY_CLEANUP(fay_freep) char *path = nodes_make_host("bob");
    assert_int_equal(uv_loop_init(&t->loop), 0);
    (void)uv_timer_init(&t->loop, &t->guard);
    listen_on(t, &t->seed, "tls", "seed", handshake);
    node_keys_init(&t->bob, path, "bob", 3);
    t->dials = dial_from(t, &t->bob.keys);
    return t;
}

static inline talk *talk_begin(void)
{
    return talk_begin_with(15 * FAY_SECOND);
}

/* All of them end, whatever is open, and the loop is empty then. */
static inline void talk_end(talk *t)
{
    if (t->seed.peers != NULL)
        fay_peers_free(t->seed.peers);
    if (t->dials != NULL)
        fay_peers_free(t->dials);
    (void)uv_timer_start(&t->guard, on_guard, GUARD_MS, 0);
    uv_unref((uv_handle_t *)&t->guard);
    (void)uv_run(&t->loop, UV_RUN_DEFAULT);
    uv_close((uv_handle_t *)&t->guard, NULL);
    (void)uv_run(&t->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&t->loop), 0);
    node_keys_deinit(&t->seed.node);
    node_keys_deinit(&t->bob);
    free(t);
}

static inline void dial_how(talk *t, ear *e, const fay_peer_dial *dial)
{
    *e = (ear){.peer = fay_peer_dial_to(t->dials, dial, &ear_events, e)};
}

static inline void dial(talk *t, ear *e)
{
    fay_peer_dial to = {.address = fay_peers_address(t->seed.peers),
                        .preamble = {.target = FAY_TARGET_NODE}};
    dial_how(t, e, &to);
}

static inline void assert_ended(const ear *e, fay_peer_end why, const char *text)
{
    assert_int_equal(e->ends, 1);
    if (e->why != why || strstr(e->err.message, text) == NULL)
        fail_msg("%d, not %d; '%s' in: %s", e->why, why, text, e->err.message);
}

/* Both ends are up. */
static inline ear *meet(talk *t, ear *e)
{
    ear *other = &t->seed.ears[t->seed.accepted];
    dial(t, e);
    UNTIL(t, (e->ups == 1 && other->ups == 1) || e->ends > 0);
    if (e->ends > 0)
        fail_msg("%s", e->err.message);
    return other;
}

static inline void say(const ear *e, size_t size)
{
    FAY_CLEANUP(fay_freep) void *payload = fay_alloc(size);
    fay_peer_send(e->peer, FAY_MESSAGE_GRID, payload, size);
}

#endif /* FAY_TEST_PEER_TALK_H */
