/* SPDX-License-Identifier: MIT */
/* Peers over real sockets and real TLS: who meets whom, what comes, and how it ends. */
#include "unit/peer_talk.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "pki/certificate.h"
#include "support/foreign.h"
#include "support/scratch.h"

/* ---- who meets ------------------------------------------------------------------------------- */

static void members_prove_who_they_are(void **state)
{
    (void)state;
    talk *t = talk_begin();
    ear e;
    ear *other = meet(t, &e);
    assert_true(e.member && other->member);
    assert_true(fay_node_id_same(&e.id, &t->seed.node.keys.id));
    assert_true(fay_node_id_same(&other->id, &t->bob.keys.id));
    assert_string_equal(e.name, "seed");
    assert_string_equal(other->name, "bob");
    say(&e, 10);
    say(other, 70000);
    UNTIL(t, e.frames == 1 && other->frames == 1);
    assert_int_equal(e.bytes, 70000);
    assert_true(e.heard > 0 && e.batches == 1);
    close_ear(&e);
    UNTIL(t, other->ends == 1);
    assert_ended(other, FAY_PEER_CLOSED, "it has closed the connection");
    assert_int_equal(e.ends, 0);
    talk_end(t);
}

static void a_client_is_known_by_its_certificate(void **state)
{
    (void)state;
    talk *t = talk_begin();
    ear e;
    fay_peers_keys keys = {.identity = &t->bob.identity};
    fay_peers_free(t->dials);
    t->dials = dial_from(t, &keys);
    ear *other = meet(t, &e);
    assert_true(e.member && !other->member && !other->joins);
    assert_string_equal(other->name, "bob");
    talk_end(t);
}

static void another_node_than_expected_is_refused(void **state)
{
    (void)state;
    talk *t = talk_begin();
    ear e;
    fay_peer_dial to = {.address = fay_peers_address(t->seed.peers),
                        .preamble = {.target = FAY_TARGET_NODE},
                        .expected = &t->bob.keys.id};
    dial_how(t, &e, &to);
    UNTIL(t, e.ends == 1);
    assert_ended(&e, FAY_PEER_HANDSHAKE, "another Node answers there");
    assert_int_equal(e.ups, 0);
    to.expected = &t->seed.node.keys.id;
    dial_how(t, &e, &to);
    UNTIL(t, e.ups == 1);
    talk_end(t);
}

static void who_joins_may_say_that_alone(void **state)
{
    (void)state;
    talk *t = talk_begin();
    ear e;
    fay_token token = {0};
    fay_peers_keys none = {0};
    token.ca = fay_certificate_fingerprint(sk_X509_value(t->seed.node.identity.trust.anchors, 0));
    fay_peers_free(t->dials);
    t->dials = dial_from(t, &none);
    fay_peer_dial to = {.address = fay_peers_address(t->seed.peers),
                        .preamble = {.target = FAY_TARGET_JOIN},
                        .token = &token};
    dial_how(t, &e, &to);
    UNTIL(t, e.ups == 1 && t->seed.ears[0].ups == 1);
    assert_true(t->seed.ears[0].joins && !t->seed.ears[0].member);
    assert_false(e.joins);
    fay_peer_send(e.peer, FAY_MESSAGE_JOIN, "please", 6);
    UNTIL(t, t->seed.ears[0].frames == 1);
    fay_peer_send(t->seed.ears[0].peer, FAY_MESSAGE_JOINED, "yes", 3);
    UNTIL(t, e.frames == 1);
    fay_peer_send(e.peer, FAY_MESSAGE_CALL, "", 0);
    UNTIL(t, t->seed.ears[0].ends == 1);
    assert_ended(&t->seed.ears[0], FAY_PEER_BROKEN, "broken the protocol");
    talk_end(t);
}

static void who_is_not_accepted_is_closed(void **state)
{
    (void)state;
    talk *t = talk_begin();
    ear e;
    t->seed.refuses = true;
    dial(t, &e);
    UNTIL(t, e.ends == 1);
    assert_int_equal(e.why == FAY_PEER_CLOSED, e.ups);
    t->seed.refuses = false;
    t->seed.closes = true;
    dial(t, &e);
    UNTIL(t, e.ends == 1);
    assert_int_equal(t->seed.ears[0].ups, 0);
    talk_end(t);
}

/* The next connection resumes the last one; an audit neither uses a ticket nor brings one. */
static void a_second_connection_is_resumed(void **state)
{
    (void)state;
    talk *t = talk_begin();
    ear e;
    fay_peer_dial audit = {.address = fay_peers_address(t->seed.peers),
                           .preamble = {.target = FAY_TARGET_NODE},
                           .once = true};
    for (int i = 0; i < 3; i++) {
        ear *other = meet(t, &e);
        assert_int_equal(e.resumed, i > 0);
        assert_int_equal(other->resumed, i > 0);
        assert_true(e.member && other->member);
        assert_string_equal(other->name, "bob");
        close_ear(&e);
        dial_how(t, &e, &audit);
        UNTIL(t, e.ups == 1);
        assert_false(e.resumed);
        close_ear(&e);
    }
    talk_end(t);
}

/* ---- who is not there ------------------------------------------------------------------------ */

static int silent_port(char address[32])
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0 && bind(fd, (struct sockaddr *)&at, size) == 0 && listen(fd, 8) == 0 &&
                getsockname(fd, (struct sockaddr *)&at, &size) == 0);
    (void)snprintf(address, 32, "127.0.0.1:%d", ntohs(at.sin_port));
    return fd;
}

static void assert_dial_ends(talk *t, const char *address, fay_peer_end why, const char *text)
{
    ear e;
    fay_peer_dial to = {.address = address, .preamble = {.target = FAY_TARGET_NODE}};
    dial_how(t, &e, &to);
    assert_int_equal(e.ends, 0); /* not from within the call */
    UNTIL(t, e.ends == 1);
    assert_ended(&e, why, text);
    assert_int_equal(e.ups, 0);
}

static void who_is_not_there_is_told(void **state)
{
    (void)state;
    talk *t = talk_begin();
    char address[32];
    int fd = silent_port(address);
    fay_peers_free(t->dials);
    fay_peers_config config = peers_config(t, &t->bob.keys);
    config.handshake = 50 * FAY_MS;
    t->dials = fay_peers_new(&config);
    assert_dial_ends(t, address, FAY_PEER_SILENT, "has not finished its handshake in time");
    (void)close(fd);
    assert_dial_ends(t, address, FAY_PEER_REFUSED, "Connection refused");
    static const char *const none[] = {"", "x", ":1", "a:", "[::1]", "127.0.0.1:99999x"};
    for (size_t i = 0; i < FAY_COUNT(none); i++)
        assert_dial_ends(t, none[i], FAY_PEER_REFUSED, none[i]);
    talk_end(t);
}

static void a_name_is_resolved(void **state)
{
    (void)state;
    talk *t = talk_begin();
    ear e;
    FAY_CLEANUP(fay_freep)
    char *address = fay_printed("localhost%s", strrchr(fay_peers_address(t->seed.peers), ':'));
    fay_peer_dial to = {.address = address, .preamble = {.target = FAY_TARGET_NODE}};
    dial_how(t, &e, &to);
    UNTIL(t, e.ups == 1);
    /* Whoever is closed while it is being resolved is heard of no more. */
    for (int i = 0; i < 10; i++) {
        ear gone;
        dial_how(t, &gone, &to);
        close_ear(&gone);
        if (i % 2 == 0)
            (void)uv_run(&t->loop, UV_RUN_NOWAIT);
        assert_int_equal(gone.ends, 0);
    }
    dial_how(t, &e, &to); /* and left so */
    talk_end(t);
}

/* ---- its end --------------------------------------------------------------------------------- */

static void closed_from_within_is_closed_at_once(void **state)
{
    (void)state;
    talk *t = talk_begin();
    for (int where = 0; where < 3; where++) {
        ear e;
        ear *other = &t->seed.ears[t->seed.accepted];
        other->close_in_up = where == 0;
        other->close_in_frame = where == 1;
        other->close_in_batch = where == 2;
        dial(t, &e);
        UNTIL(t, e.ups == 1 && other->ups == 1);
        for (int i = 0; i < 3 && e.peer != NULL; i++)
            say(&e, 100);
        UNTIL(t, e.ends == 1);
        assert_ended(&e, FAY_PEER_CLOSED, "");
        assert_int_equal(other->frames, where == 0 ? 0 : where == 1 ? 1 : 3);
        assert_int_equal(other->batches, where == 2);
        assert_int_equal(other->ends, 0);
    }
    talk_end(t);
}

static void all_may_be_freed_from_within(void **state)
{
    (void)state;
    for (int where = 0; where < 2; where++) {
        talk *t = talk_begin();
        ear e;
        ear *other = meet(t, &e);
        ear second;
        (void)meet(t, &second);
        if (where == 0)
            other->free_in_frame = FAY_STEAL(t->seed.peers);
        else
            other->free_in_end = FAY_STEAL(t->seed.peers);
        say(&e, 10);
        say(&e, 10);
        if (where == 1) {
            UNTIL(t, other->frames == 2);
            close_ear(&e);
        }
        UNTIL(t, second.ends == 1);
        assert_int_equal(other->frames, where == 0 ? 1 : 2);
        assert_int_equal(other->ends, where);
        talk_end(t);
        foreign_shell("rm -r *");
    }
}

static void who_refuses_a_frame_ends_it(void **state)
{
    (void)state;
    talk *t = talk_begin();
    ear e;
    ear *other = meet(t, &e);
    other->refuse_frames = true;
    say(&e, 10);
    say(&e, 10);
    UNTIL(t, other->ends == 1 && e.ends == 1);
    assert_ended(other, FAY_PEER_BROKEN, "broken the protocol");
    assert_int_equal(other->frames, 1);
    talk_end(t);
}

/* What was said before the close comes, though it is far more than the socket takes. */
static void what_waits_is_written_before_it_closes(void **state)
{
    (void)state;
    talk *t = talk_begin();
    ear e;
    ear *other = meet(t, &e);
    for (int i = 0; i < 6; i++)
        say(&e, FAY_MIB);
    assert_true(fay_peer_backlog(e.peer) > 0);
    say(other, 1000); /* that is never read */
    close_ear(&e);
    UNTIL(t, other->ends == 1);
    assert_ended(other, FAY_PEER_CLOSED, "it has closed");
    assert_int_equal(other->bytes, 6 * FAY_MIB);
    assert_int_equal(e.ends, 0);
    talk_end(t);
}

static void a_slow_reader_is_closed(void **state)
{
    (void)state;
    talk *t = talk_begin();
    ear e;
    ear *other = meet(t, &e);
    fay_peer_pause(other->peer, true);
    for (int i = 0; i < 40; i++) {
        say(&e, FAY_MIB);
        (void)uv_run(&t->loop, UV_RUN_NOWAIT);
        if (e.peer == NULL)
            break;
    }
    UNTIL(t, e.ends == 1);
    assert_ended(&e, FAY_PEER_SILENT, "does not read what it is sent");
    assert_int_equal(other->frames, 0);
    talk_end(t);
}

static void what_waited_is_told_when_written(void **state)
{
    (void)state;
    for (int closes = 0; closes < 2; closes++) {
        talk *t = talk_begin();
        ear e;
        ear *other = meet(t, &e);
        e.close_in_drained = closes == 1;
        fay_peer_pause(other->peer, true);
        for (int i = 0; i < 8; i++)
            say(&e, FAY_MIB);
        (void)uv_run(&t->loop, UV_RUN_NOWAIT);
        assert_true(fay_peer_backlog(e.peer) > 0);
        assert_int_equal(e.drained, 0);
        fay_peer_pause(other->peer, false);
        UNTIL(t, other->bytes == 8 * FAY_MIB && e.drained == 1);
        if (closes == 0)
            assert_int_equal(fay_peer_backlog(e.peer), 0);
        else
            UNTIL(t, other->ends == 1);
        talk_end(t);
        foreign_shell("rm -r *");
    }
}

static void on_rest(uv_timer_t *timer)
{
    *(bool *)timer->data = true;
}

/* How often the loop turns in a tenth of a second. */
static size_t turns_at_rest(talk *t)
{
    bool over = false;
    uv_timer_t rest;
    (void)uv_timer_init(&t->loop, &rest);
    rest.data = &over;
    (void)uv_timer_start(&rest, on_rest, 100, 0);
    size_t before = t->turns;
    UNTIL(t, over);
    uv_close((uv_handle_t *)&rest, NULL);
    (void)uv_run(&t->loop, UV_RUN_NOWAIT);
    return t->turns - before;
}

static void while_paused_nothing_is_heard(void **state)
{
    (void)state;
    talk *t = talk_begin();
    ear e;
    ear *other = meet(t, &e);
    fay_peer_pause(other->peer, true);
    int heard = other->heard;
    say(&e, 10);
    close_ear(&e);
    assert_true(turns_at_rest(t) < 50); /* what is there, and its end, wake nobody */
    assert_int_equal(other->frames, 0);
    assert_int_equal(other->heard, heard);
    assert_int_equal(other->ends, 0);
    fay_peer_pause(other->peer, false);
    UNTIL(t, other->ends == 1);
    assert_int_equal(other->frames, 1);
    talk_end(t);
}

static void who_is_idle_wakes_nobody(void **state)
{
    (void)state;
    talk *t = talk_begin();
    ear e;
    (void)meet(t, &e);
    (void)turns_at_rest(t); /* what is left of the handshake */
    assert_true(turns_at_rest(t) <= 3);
    talk_end(t);
}

static void a_reset_is_told(void **state)
{
    (void)state;
    talk *t = talk_begin();
    ear e;
    ear *other = meet(t, &e);
    struct linger reset = {.l_onoff = 1};
    assert_int_equal(setsockopt(e.peer->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset), 0);
    fay_peer_drop(e.peer);
    UNTIL(t, other->ends == 1);
    assert_ended(other, FAY_PEER_CLOSED, "Connection reset by peer");
    talk_end(t);
}

/* ---- keys ------------------------------------------------------------------------------------ */

static void new_keys_end_who_is_revoked_now(void **state)
{
    (void)state;
    talk *t = talk_begin();
    fay_error err = {0};
    ear e;
    ear *other = meet(t, &e);
    node_keys renewed;
    node_keys_init(&renewed, "tls", "seed", 7);
    assert_int_equal(fay_peers_rekey(t->seed.peers, &renewed.keys, &err), 0);
    node_keys_deinit(&t->seed.node);
    say(&e, 10);
    UNTIL(t, other->frames == 1); /* it stays */
    ear second;
    ear *other_second = meet(t, &second);
    assert_false(second.resumed);
    nodes_revoke("bob");
    node_keys_init(&t->seed.node, "tls", "seed", 7);
    assert_int_equal(fay_peers_rekey(t->seed.peers, &t->seed.node.keys, &err), 0);
    node_keys_deinit(&renewed);
    assert_int_equal(other->ends, 0); /* in its turn */
    UNTIL(t, other->ends == 1 && other_second->ends == 1 && e.ends == 1);
    assert_ended(other, FAY_PEER_HANDSHAKE, "its certificate does not hold any more");
    assert_ended(&e, FAY_PEER_CLOSED, "it has closed");
    /* Nor does it come back, by its ticket or without; and it is told why. */
    dial(t, &e);
    UNTIL(t, e.ends == 1);
    assert_ended(&e, FAY_PEER_HANDSHAKE, "it says that our certificate is revoked");
    assert_int_equal(t->seed.refused, 1);
    assert_non_null(strstr(t->seed.err.message, "the certificate is revoked"));
    talk_end(t);
}

/* New ones, in memory of their own, instead of these. */
static node_keys *change_keys(fay_peers *peers, node_keys *old)
{
    fay_error err = {0};
    node_keys *renewed = fay_alloc(sizeof *renewed);
    node_keys_init(renewed, "tls", "seed", 7);
    if (fay_peers_rekey(peers, &renewed->keys, &err) != 0)
        fail_msg("%s", err.message);
    if (old != NULL)
        node_keys_deinit(old);
    free(old);
    return renewed;
}

/* Those who shake hands are judged by the new keys; the old ones may be gone. */
static void keys_may_change_amid_handshakes(void **state)
{
    (void)state;
    talk *t = talk_begin();
    node_keys *seed = NULL;
    node_keys *bob = NULL;
    for (int turns = 0; turns < 12; turns++) {
        ear e;
        seed = change_keys(t->seed.peers, seed);
        bob = change_keys(t->dials, bob);
        dial(t, &e);
        for (int i = 0; i < turns; i++)
            (void)uv_run(&t->loop, UV_RUN_NOWAIT);
        seed = change_keys(t->seed.peers, seed);
        bob = change_keys(t->dials, bob);
        UNTIL(t, e.ups == 1 || e.ends == 1);
    }
    fay_peers_free(FAY_STEAL(t->seed.peers));
    fay_peers_free(FAY_STEAL(t->dials));
    node_keys_deinit(seed);
    node_keys_deinit(bob);
    free(seed);
    free(bob);
    talk_end(t);
}

/* ---- descriptors ----------------------------------------------------------------------------- */

static void without_descriptors_nobody_is_blamed(void **state)
{
    (void)state;
    talk *t = talk_begin();
    ear e;
    char address[32];
    int listening = silent_port(address);
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int next = dup(client); /* the lowest that is free */
    (void)close(next);
    struct rlimit low = {.rlim_cur = (rlim_t)next, .rlim_max = limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    dial(t, &e);
    UNTIL(t, e.ends == 1);
    assert_ended(&e, FAY_PEER_OURS, "Too many open files");
    /* Who comes now is sent away, and wakes nobody for ever. */
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    at.sin_port = htons((uint16_t)atoi(strrchr(fay_peers_address(t->seed.peers), ':') + 1));
    assert_int_equal(connect(client, (struct sockaddr *)&at, sizeof at), 0);
    assert_true(turns_at_rest(t) < 50);
    char byte;
    assert_int_equal(recv(client, &byte, 1, 0), 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    (void)meet(t, &e);
    (void)close(client);
    (void)close(listening);
    talk_end(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(members_prove_who_they_are),
        IN_SCRATCH(a_client_is_known_by_its_certificate),
        IN_SCRATCH(another_node_than_expected_is_refused),
        IN_SCRATCH(who_joins_may_say_that_alone),
        IN_SCRATCH(who_is_not_accepted_is_closed),
        IN_SCRATCH(a_second_connection_is_resumed),
        IN_SCRATCH(who_is_not_there_is_told),
        IN_SCRATCH(a_name_is_resolved),
        IN_SCRATCH(closed_from_within_is_closed_at_once),
        IN_SCRATCH(all_may_be_freed_from_within),
        IN_SCRATCH(who_refuses_a_frame_ends_it),
        IN_SCRATCH(what_waits_is_written_before_it_closes),
        IN_SCRATCH(a_slow_reader_is_closed),
        IN_SCRATCH(what_waited_is_told_when_written),
        IN_SCRATCH(while_paused_nothing_is_heard),
        IN_SCRATCH(who_is_idle_wakes_nobody),
        IN_SCRATCH(a_reset_is_told),
        IN_SCRATCH(new_keys_end_who_is_revoked_now),
        IN_SCRATCH(keys_may_change_amid_handshakes),
        IN_SCRATCH(without_descriptors_nobody_is_blamed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
