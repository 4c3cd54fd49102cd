/* SPDX-License-Identifier: MIT */
/* Who connects and does not do as peers do: silent, slow, in pieces, wrong, or too many. */
#include "unit/peer_talk.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "net/handover.h"
#include "support/foreign.h"
#include "support/scratch.h"

static const fay_preamble to_node = {.target = FAY_TARGET_NODE};
static const fay_preamble to_process = {.target = FAY_TARGET_PROCESS,
                                        .process = {.bytes = {1, 2, 3}}};

/* ---- sockets by hand ------------------------------------------------------------------------- */

static int knock(const talk *t)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    at.sin_port = htons((uint16_t)atoi(strrchr(fay_peers_address(t->seed.peers), ':') + 1));
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof at) == 0);
    return fd;
}

static void send_raw(int fd, const void *bytes, size_t size)
{
    assert_int_equal(send(fd, bytes, size, MSG_NOSIGNAL), size);
}

static void send_preamble(int fd, const fay_preamble *preamble)
{
    uint8_t bytes[FAY_PREAMBLE_SIZE];
    fay_preamble_write(preamble, bytes);
    send_raw(fd, bytes, sizeof bytes);
}

/* Whether the other end has closed it. */
static bool is_over(int fd)
{
    char byte;
    ssize_t n = recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK);
    return n == 0 || (n < 0 && errno == ECONNRESET);
}

/* ---- a peer by hand: TLS as it should be, then what a test wants ----------------------------- */

typedef struct puppet {
    int fd;
    fay_tls tls;
    fay_secure *secure;
    fay_buffer out, clear;
    int r;
    fay_error err;
} puppet;

static void puppet_begin(puppet *p, const talk *t, const fay_preamble *preamble)
{
    *p = (puppet){.fd = knock(t)};
    assert_int_equal(fay_tls_init(&p->tls, &t->bob.identity, NULL), 0);
    fay_secure_config config = {.tls = &p->tls,
                                .side = FAY_SIDE_DIALS,
                                .address = "seed",
                                .trust = &t->bob.identity.trust,
                                .now = time(NULL),
                                .out = &p->out};
    send_preamble(p->fd, preamble);
    p->secure = fay_secure_new(&config);
    fay_secure_begin(p->secure);
}

static void puppet_end(puppet *p)
{
    fay_secure_free(p->secure);
    fay_tls_deinit(&p->tls);
    fay_buffer_deinit(&p->out);
    fay_buffer_deinit(&p->clear);
    if (p->fd >= 0)
        (void)close(p->fd);
}

/* What it has to say goes out, and what has come is heard. */
static void puppet_move(puppet *p)
{
    uint8_t bytes[4096];
    ssize_t n;
    if (fay_buffer_size(&p->out) > 0) {
        send_raw(p->fd, fay_buffer_data(&p->out), fay_buffer_size(&p->out));
        fay_buffer_clear(&p->out);
    }
    while (p->r == 0 && (n = recv(p->fd, bytes, sizeof bytes, MSG_DONTWAIT)) > 0)
        p->r = fay_secure_receive(p->secure, bytes, (size_t)n, &p->clear, &p->err);
}

/* The loop of the others turns as well. */
#define UNTIL_MOVED(t, p, condition)                                                               \
    do {                                                                                           \
        for (int i_ = 0; !(condition); i_++) {                                                     \
            assert_true(i_ < 200000);                                                              \
            puppet_move(p);                                                                        \
            (void)uv_run(&(t)->loop, UV_RUN_NOWAIT);                                               \
        }                                                                                          \
    } while (0)

static void puppet_say(puppet *p, fay_message type, const void *payload, size_t size)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer frame = {0};
    size_t begun = fay_frame_begin(&frame, type, 0, 0);
    fay_buffer_append(&frame, payload, size);
    fay_frame_end(&frame, begun);
    (void)fay_secure_send(p->secure, fay_buffer_data(&frame), fay_buffer_size(&frame));
}

/* HELLO of a client, with nothing to prove. */
static ear *puppet_up(puppet *p, talk *t)
{
    ear *other = &t->seed.ears[t->seed.accepted];
    puppet_begin(p, t, &to_node);
    UNTIL_MOVED(t, p, fay_secure_ready(p->secure));
    puppet_say(p, FAY_MESSAGE_PEER_HELLO, "\1\0", 2);
    UNTIL_MOVED(t, p, other->ups == 1);
    return other;
}

static void assert_refused(const talk *t, size_t count, const char *text)
{
    assert_int_equal(t->seed.refused, count);
    if (strstr(t->seed.err.message, text) == NULL)
        fail_msg("'%s' is not in: %s", text, t->seed.err.message);
    assert_int_equal(t->seed.accepted, 0);
}

/* ---- before TLS ------------------------------------------------------------------------------ */

static void what_is_of_others_is_refused(void **state)
{
    (void)state;
    static const char *const words[] = {"GET / HTTP/1.1\r\n\r\n", "x", "faymorb", "faymora\2",
                                        "faymora\1\7aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    talk *t = talk_begin();
    for (size_t i = 0; i < FAY_COUNT(words); i++) {
        int fd = knock(t);
        send_raw(fd, words[i], strlen(words[i]));
        UNTIL(t, t->seed.refused == i + 1);
        assert_refused(t, i + 1, "what it says is not of Faymora");
        UNTIL(t, is_over(fd));
        (void)close(fd);
    }
    int fd = knock(t);
    send_preamble(fd, &to_node);
    send_raw(fd, "hello", 5);
    UNTIL(t, t->seed.refused == FAY_COUNT(words) + 1);
    assert_refused(t, FAY_COUNT(words) + 1, "what it says is no TLS");
    (void)close(fd);
    talk_end(t);
}

static void who_closes_early_is_told_apart(void **state)
{
    (void)state;
    talk *t = talk_begin();
    int fd = knock(t);
    (void)close(fd);
    UNTIL(t, t->seed.refused == 1);
    assert_refused(t, 1, "before it has said who it is for");
    fd = knock(t);
    send_raw(fd, "faym", 4);
    (void)close(fd);
    UNTIL(t, t->seed.refused == 2);
    assert_refused(t, 2, "before it has said who it is for");
    fd = knock(t);
    send_preamble(fd, &to_node);
    (void)close(fd);
    UNTIL(t, t->seed.refused == 3);
    assert_refused(t, 3, "before its handshake");
    fd = knock(t);
    send_preamble(fd, &to_node);
    send_raw(fd, "\x16\x03\x01\x01", 4);
    (void)close(fd);
    UNTIL(t, t->seed.refused == 4);
    assert_refused(t, 4, "it has closed the connection");
    talk_end(t);
}

/* A few bytes wake the loop once, not for as long as the rest is missing. */
static void pieces_are_waited_for_without_work(void **state)
{
    (void)state;
    talk *t = talk_begin_with(300 * FAY_MS);
    int fd = knock(t);
    send_raw(fd, "fay", 3);
    size_t before = t->turns;
    UNTIL(t, t->seed.refused == 1);
    assert_refused(t, 1, "has not finished its handshake in time");
    assert_true(t->turns - before < 50);
    (void)close(fd);
    int other = knock(t);
    send_preamble(other, &to_node);
    send_raw(other, "\x16\x03\x01", 3);
    before = t->turns;
    UNTIL(t, t->seed.refused == 2);
    assert_refused(t, 2, "has not finished its handshake in time");
    assert_true(t->turns - before < 50);
    (void)close(other);
    talk_end(t);
}

static void a_preamble_may_come_byte_by_byte(void **state)
{
    (void)state;
    talk *t = talk_begin();
    uint8_t bytes[FAY_PREAMBLE_SIZE];
    int fd = knock(t);
    fay_preamble_write(&to_node, bytes);
    for (size_t i = 0; i < sizeof bytes; i++) {
        send_raw(fd, bytes + i, 1);
        (void)uv_run(&t->loop, UV_RUN_NOWAIT);
    }
    send_raw(fd, "hello", 5);
    UNTIL(t, t->seed.refused == 1);
    assert_refused(t, 1, "what it says is no TLS");
    (void)close(fd);
    talk_end(t);
}

/* ---- within TLS ------------------------------------------------------------------------------ */

static void nothing_comes_before_hello(void **state)
{
    (void)state;
    static const fay_message types[] = {FAY_MESSAGE_GRID, FAY_MESSAGE_CALL, FAY_MESSAGE_JOIN,
                                        FAY_MESSAGE_LEASE, FAY_MESSAGE_PING};
    talk *t = talk_begin();
    for (size_t i = 0; i < FAY_COUNT(types); i++) {
        puppet p;
        puppet_begin(&p, t, &to_node);
        UNTIL_MOVED(t, &p, fay_secure_ready(p.secure));
        puppet_say(&p, types[i], "", 0);
        UNTIL_MOVED(t, &p, t->seed.refused == i + 1);
        assert_refused(t, i + 1, "it has broken the protocol");
        puppet_end(&p);
    }
    talk_end(t);
}

static void a_hello_that_proves_nothing_is_refused(void **state)
{
    (void)state;
    talk *t = talk_begin();
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer payload = {0};
    const fay_peers_keys *keys = &t->bob.keys;
    const fay_hello_member member = {.id = keys->id,
                                     .boot = keys->boot,
                                     .record_key = keys->record_key,
                                     .certification = keys->certification,
                                     .size = keys->certification_size};
    fay_hello_session session = {.side = FAY_SIDE_DIALS}; /* of another connection */
    fay_hello_write(&session, &member, &payload);
    puppet p;
    puppet_begin(&p, t, &to_node);
    UNTIL_MOVED(t, &p, fay_secure_ready(p.secure));
    puppet_say(&p, FAY_MESSAGE_PEER_HELLO, fay_buffer_data(&payload), fay_buffer_size(&payload));
    UNTIL_MOVED(t, &p, t->seed.refused == 1);
    assert_refused(t, 1, "it cannot prove which Node it is");
    puppet_end(&p);
    talk_end(t);
}

static void who_says_hello_twice_or_items_is_broken(void **state)
{
    (void)state;
    static const fay_message types[] = {FAY_MESSAGE_PEER_HELLO, FAY_MESSAGE_LEASE,
                                        FAY_MESSAGE_RESULTS};
    talk *t = talk_begin();
    for (size_t i = 0; i < FAY_COUNT(types); i++) {
        puppet p;
        ear *other = puppet_up(&p, t);
        puppet_say(&p, types[i], "\1\0", 2);
        UNTIL_MOVED(t, &p, other->ends == 1);
        assert_ended(other, FAY_PEER_BROKEN, "it has broken the protocol");
        assert_int_equal(other->frames, 0);
        puppet_end(&p);
    }
    talk_end(t);
}

/* What is too large is refused by its header, not when all of it has come. */
static void half_a_frame_is_never_given(void **state)
{
    (void)state;
    talk *t = talk_begin();
    puppet p;
    ear *other = puppet_up(&p, t);
    uint8_t header[FAY_FRAME_HEADER];
    fay_frame_header(header, FAY_MESSAGE_GRID, 0, 0, 100);
    assert_int_equal(fay_secure_send(p.secure, header, 5), 5);
    int heard = other->heard;
    UNTIL_MOVED(t, &p, other->heard > heard);
    assert_int_equal(fay_secure_send(p.secure, header + 5, 3), 3);
    heard = other->heard;
    UNTIL_MOVED(t, &p, other->heard > heard);
    (void)close(p.fd);
    p.fd = -1;
    UNTIL(t, other->ends == 1);
    assert_ended(other, FAY_PEER_CLOSED, "it has closed the connection");
    assert_int_equal(other->frames, 0);
    puppet_end(&p);

    other = puppet_up(&p, t);
    memset(header, 0xff, 4);
    assert_int_equal(fay_secure_send(p.secure, header, sizeof header), sizeof header);
    UNTIL_MOVED(t, &p, other->ends == 1);
    assert_ended(other, FAY_PEER_BROKEN, "it has broken the protocol");
    puppet_end(&p);
    talk_end(t);
}

/* ---- too many -------------------------------------------------------------------------------- */

static void the_oldest_silent_one_makes_room(void **state)
{
    (void)state;
    enum {
        COUNT = FAY_SILENT_MAX + 20
    };
    talk *t = talk_begin();
    int fds[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        fds[i] = knock(t);
        (void)uv_run(&t->loop, UV_RUN_NOWAIT);
    }
    UNTIL(t, is_over(fds[19]));
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(is_over(fds[i]), i < 20);
        (void)close(fds[i]);
    }
    assert_int_equal(t->seed.peers->slots.parked, FAY_SILENT_MAX);
    talk_end(t);
}

/* 48 strangers begin and say no more: who comes then need not wait for their deadline. */
static void the_slow_go_for_those_who_wait(void **state)
{
    (void)state;
    enum {
        SLOTS = FAY_HANDSHAKES_MAX - FAY_HANDSHAKES_KNOWN_KEPT
    };
    talk *t = talk_begin();
    ear e;
    int fds[SLOTS + 1];
    for (size_t i = 0; i <= SLOTS; i++) {
        fds[i] = knock(t);
        send_preamble(fds[i], &to_node);
        send_raw(fds[i], "\x16", 1);
    }
    UNTIL(t, t->seed.peers->slots.taken_count == SLOTS && t->seed.peers->slots.parked == 1);
    (void)meet(t, &e);
    assert_true(t->seed.refused >= 2);
    assert_non_null(strstr(t->seed.err.message, "it was slow with its handshake"));
    /* A member's address needs not wait at all: slots are kept for it. */
    t->seed.refused = 0;
    t->seed.knows = true;
    UNTIL(t, t->seed.peers->slots.parked == 0);
    size_t refused = t->seed.refused;
    (void)meet(t, &e);
    assert_int_equal(t->seed.refused, refused);
    for (size_t i = 0; i <= SLOTS; i++)
        (void)close(fds[i]);
    talk_end(t);
}

/* Whatever is open and however far: all of it ends with its peers. */
static void all_ends_at_once(void **state)
{
    (void)state;
    for (int turns = 0; turns < 10; turns++) {
        talk *t = talk_begin();
        ear e[8];
        int fds[70];
        for (size_t i = 0; i < FAY_COUNT(fds); i++) {
            fds[i] = knock(t);
            if (i % 3 > 0)
                send_preamble(fds[i], &to_node);
            if (i % 3 == 2)
                send_raw(fds[i], "\x16", 1);
        }
        for (size_t i = 0; i < FAY_COUNT(e); i++)
            dial(t, &e[i]);
        for (int i = 0; i < turns; i++)
            (void)uv_run(&t->loop, UV_RUN_NOWAIT);
        for (size_t i = 0; i < FAY_COUNT(e); i++) {
            if (e[i].ups == 1 && e[i].peer != NULL)
                say(&e[i], FAY_MIB);
        }
        fay_peers_free(FAY_STEAL(t->seed.peers));
        fay_peers_free(FAY_STEAL(t->dials));
        size_t refused = t->seed.refused;
        (void)uv_timer_start(&t->guard, on_guard, GUARD_MS, 0);
        uv_unref((uv_handle_t *)&t->guard);
        (void)uv_run(&t->loop, UV_RUN_DEFAULT);
        assert_int_equal(t->seed.refused, refused);
        talk_end(t);
        for (size_t i = 0; i < FAY_COUNT(fds); i++)
            (void)close(fds[i]);
        foreign_shell("rm -r *");
    }
}

/* ---- hand-over ------------------------------------------------------------------------------- */

static void who_asks_for_nobody_is_refused(void **state)
{
    (void)state;
    talk *t = talk_begin();
    fay_peers_events deaf = host_events;
    deaf.handed = NULL;
    t->seed.peers->config.events = &deaf;
    int fd = knock(t);
    send_preamble(fd, &to_process);
    UNTIL(t, t->seed.refused == 1);
    assert_refused(t, 1, "it asks for a process that is not here");
    (void)close(fd);
    talk_end(t);
}

/* The other process: it has the socket that connections are handed over by, and the keys. */
static void serve_one(int socket)
{
    talk t = {0};
    int fd;
    fay_preamble preamble;
    (void)uv_loop_init(&t.loop);
    (void)uv_timer_init(&t.loop, &t.guard);
    node_keys_init(&t.seed.node, "tls", "seed", 7);
    fay_peers_config config = peers_config(&t, &t.seed.node.keys);
    config.events = &host_events;
    config.context = &t.seed;
    fay_peers *peers = fay_peers_new(&config);
    while (fay_handover_receive(socket, &fd, &preamble) == FAY_HANDOVER_LATER)
        (void)usleep(1000);
    fay_peers_adopt(peers, fd, &preamble);
    UNTIL(&t, t.seed.ears[0].frames == 1);
    fay_peer_send(t.seed.ears[0].peer, FAY_MESSAGE_GRID, "there", 5);
    UNTIL(&t, t.seed.ears[0].ends == 1);
    _exit(t.seed.ears[0].member ? 42 : 1);
}

static void tls_runs_end_to_end_with_another_process(void **state)
{
    (void)state;
    talk *t = talk_begin();
    int sockets[2];
    assert_int_equal(fay_handover_open(sockets, NULL), 0);
    pid_t child = fork();
    if (child == 0)
        serve_one(sockets[1]);
    (void)close(sockets[1]);
    ear e;
    fay_peer_dial to = {.address = fay_peers_address(t->seed.peers), .preamble = to_process};
    dial_how(t, &e, &to);
    UNTIL(t, t->seed.handed == 1);
    assert_memory_equal(&t->seed.handed_preamble, &to_process, sizeof to_process);
    assert_int_equal(fay_handover_send(sockets[0], t->seed.handed_fd, &t->seed.handed_preamble), 0);
    (void)close(t->seed.handed_fd);
    UNTIL(t, e.ups == 1);
    assert_true(e.member && fay_node_id_same(&e.id, &t->seed.node.keys.id));
    say(&e, 1000);
    UNTIL(t, e.frames == 1);
    assert_int_equal(e.bytes, 5);
    close_ear(&e);
    talk_end(t);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 42);
    assert_int_equal(fay_handover_send(sockets[0], 0, &to_process), FAY_E_CLOSED);
    (void)close(sockets[0]);
}

static void what_is_no_connection_is_not_taken(void **state)
{
    (void)state;
    int sockets[2];
    int fd = -1;
    fay_preamble preamble;
    uint8_t bytes[FAY_PREAMBLE_SIZE + 1] = {0};
    assert_int_equal(fay_handover_open(sockets, NULL), 0);
    assert_int_equal(fay_handover_receive(sockets[1], &fd, &preamble), FAY_HANDOVER_LATER);
    fay_preamble_write(&to_process, bytes);
    for (size_t size = FAY_PREAMBLE_SIZE - 1; size <= sizeof bytes; size++) {
        send_raw(sockets[0], bytes, size); /* without a descriptor, or too short, or too long */
        assert_int_equal(fay_handover_receive(sockets[1], &fd, &preamble), FAY_E_PEER);
    }
    int r = 0;
    for (int i = 0; i < 100000 && r == 0; i++)
        r = fay_handover_send(sockets[0], sockets[1], &to_process);
    assert_int_equal(r, FAY_HANDOVER_LATER);
    assert_int_equal(fay_handover_receive(sockets[1], &fd, &preamble), 0);
    (void)close(fd);
    assert_int_equal(fay_handover_send(sockets[0], 12345, &to_process), FAY_E_IO);
    (void)close(sockets[1]);
    (void)close(sockets[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(what_is_of_others_is_refused),
        IN_SCRATCH(who_closes_early_is_told_apart),
        IN_SCRATCH(pieces_are_waited_for_without_work),
        IN_SCRATCH(a_preamble_may_come_byte_by_byte),
        IN_SCRATCH(nothing_comes_before_hello),
        IN_SCRATCH(a_hello_that_proves_nothing_is_refused),
        IN_SCRATCH(who_says_hello_twice_or_items_is_broken),
        IN_SCRATCH(half_a_frame_is_never_given),
        IN_SCRATCH(the_oldest_silent_one_makes_room),
        IN_SCRATCH(the_slow_go_for_those_who_wait),
        IN_SCRATCH(all_ends_at_once),
        IN_SCRATCH(who_asks_for_nobody_is_refused),
        IN_SCRATCH(tls_runs_end_to_end_with_another_process),
        IN_SCRATCH(what_is_no_connection_is_not_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
