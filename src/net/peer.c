/* SPDX-License-Identifier: MIT */
#include "net/peer.h"

#include <assert.h>
#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "net/peer_internal.h"

enum {
    READ_MAX = 16 << 10,   /* bytes of one read */
    READS_MAX = 16,        /* then others have their turn */
    UNSAID_MAX = 32 << 10, /* bytes that wait for the end of the turn; more is written at once */
    LINGER_MS = 1000       /* to write out what is left, and until it has come there */
};

static void on_poll(uv_poll_t *handle, int status, int events);
static void on_due(uv_timer_t *timer);

/* How it ends what may end for many reasons: before UP, or behind it. */
static fay_peer_end end_by(const fay_peer *peer)
{
    return peer->told_up ? FAY_PEER_CLOSED : FAY_PEER_HANDSHAKE;
}

static bool hears(const fay_peer *peer)
{
    return peer->state == FAY_PEER_SHAKING || peer->state == FAY_PEER_UP;
}

/* ---- its state and its socket ---------------------------------------------------------------- */

void fay_peer_move(fay_peer *peer, fay_peer_state to)
{
    fay_peers *peers = peer->peers;
    if (to >= FAY_PEER_UP && peer->slot.state != FAY_SLOT_NONE) {
        fay_slots_leave(&peers->slots, &peer->slot);
        fay_peers_serve(peers);
    }
    if (to >= FAY_PEER_FAILED && peer->dirty) {
        peer->dirty = false;
        TAILQ_REMOVE(&peers->dirty, peer, dirty_entry);
    }
    peer->state = to;
}

static int wanted_events(const fay_peer *peer)
{
    bool says = fay_buffer_size(&peer->out) > 0;
    switch (peer->state) {
    case FAY_PEER_PREAMBLE:
    case FAY_PEER_PARKED: return UV_READABLE;
    case FAY_PEER_CONNECTING: return UV_WRITABLE;
    case FAY_PEER_SHAKING:
    case FAY_PEER_UP: return (peer->paused ? 0 : UV_READABLE) | (says ? UV_WRITABLE : 0);
    case FAY_PEER_ENDING: return says ? UV_WRITABLE : UV_READABLE;
    case FAY_PEER_WAITING:
    case FAY_PEER_RESOLVING:
    case FAY_PEER_FAILED:
    case FAY_PEER_GONE: break;
    }
    return 0;
}

/* Each change costs system calls, so none is made in vain. */
void fay_peer_watch(fay_peer *peer)
{
    int wanted = wanted_events(peer);
    if (peer->poll == NULL || wanted == peer->watched)
        return;
    peer->watched = wanted;
    if (wanted == 0) {
        (void)uv_poll_stop(peer->poll);
    } else {
        (void)uv_poll_start(peer->poll, wanted, on_poll);
    }
}

void fay_peer_set_due(fay_peer *peer, uint64_t ms)
{
    (void)uv_timer_start(&peer->timer, on_due, ms, 0);
}

/* A poll handle for each socket: libuv knows them by their descriptors. */
bool fay_peer_attach(fay_peer *peer, int fd)
{
    int on = 1;
    unsigned wait_ms = (unsigned)fay_peer_ms(peer->peers->config.unacknowledged);
    uv_poll_t *poll = fay_alloc(sizeof *poll);
    if (uv_poll_init(peer->peers->config.loop, poll, fd) != 0) {
        free(poll);
        return false;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &wait_ms, sizeof wait_ms);
    poll->data = peer;
    peer->poll = poll;
    peer->fd = fd;
    peer->watched = 0;
    return true;
}

static void on_poll_closed(uv_handle_t *handle)
{
    free(handle);
}

void fay_peer_detach(fay_peer *peer)
{
    if (peer->poll != NULL)
        uv_close((uv_handle_t *)peer->poll, on_poll_closed);
    if (peer->fd >= 0)
        (void)close(peer->fd);
    peer->poll = NULL;
    peer->fd = -1;
}

/* ---- its end --------------------------------------------------------------------------------- */

static void free_peer(fay_peer *peer)
{
    fay_peers *peers = peer->peers;
    TAILQ_REMOVE(&peers->all, peer, entry);
    fay_secure_free(peer->secure);
    fay_dialling_deinit(&peer->dialling);
    fay_buffer_deinit(&peer->in);
    fay_buffer_deinit(&peer->out);
    fay_buffer_deinit(&peer->unsaid);
    if (peer->who.member != NULL)
        fay_certification_deinit(&peer->member);
    free(peer->certification);
    free(peer);
    fay_peers_closed(peers);
}

static void on_timer_closed(uv_handle_t *handle)
{
    free_peer(handle->data);
}

void fay_peer_drop(fay_peer *peer)
{
    if (peer->state == FAY_PEER_GONE)
        return;
    fay_peer_move(peer, FAY_PEER_GONE);
    peer->events = NULL;
    fay_peer_detach(peer);
    uv_close((uv_handle_t *)&peer->timer, on_timer_closed);
}

/* What the socket takes now. 0 or errno. */
static int write_out(fay_peer *peer)
{
    while (fay_buffer_size(&peer->out) > 0) {
        ssize_t n =
            send(peer->fd, fay_buffer_data(&peer->out), fay_buffer_size(&peer->out), MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN ? 0 : errno;
        fay_buffer_consume(&peer->out, (size_t)n);
    }
    fay_buffer_deinit(&peer->out); /* an idle peer keeps nothing */
    return 0;
}

/* Whether the other end has; what it says until then is not heard any more. */
static bool has_closed(const fay_peer *peer)
{
    uint8_t unheard[4096];
    for (int reads = 0; reads < READS_MAX; reads++) {
        ssize_t n = recv(peer->fd, unheard, sizeof unheard, 0);
        if (n <= 0)
            return n == 0 || (errno != EAGAIN && errno != EINTR);
    }
    return false;
}

/*
 * The last words go out. A socket that is closed with something unread in it resets the connection,
 * and what the other end has not acknowledged yet never comes there; hence this one is closed when
 * all is acknowledged, or when the other end has closed its own.
 */
static void linger(fay_peer *peer)
{
    int left = 0;
    if (write_out(peer) != 0) {
        fay_peer_drop(peer);
        return;
    }
    if (fay_buffer_size(&peer->out) > 0) {
        fay_peer_watch(peer);
        return;
    }
    if (ioctl(peer->fd, SIOCOUTQ, &left) != 0 || left == 0 || shutdown(peer->fd, SHUT_WR) != 0) {
        fay_peer_drop(peer);
        return;
    }
    if (has_closed(peer)) {
        fay_peer_drop(peer);
    } else {
        fay_peer_watch(peer);
    }
}

static void end(fay_peer *peer)
{
    peer->events = NULL;
    if (peer->poll == NULL || peer->secure == NULL || peer->unwritable != 0) {
        fay_peer_drop(peer);
        return;
    }
    fay_peer_move(peer, FAY_PEER_ENDING);
    fay_peer_set_due(peer, LINGER_MS);
    linger(peer);
}

/* Tells whoever has it, or of a stranger the one who logs. */
static void tell_end(fay_peer *peer)
{
    const fay_peer_events *events = FAY_STEAL(peer->events);
    const fay_peers_config *config = &peer->peers->config;
    if (events != NULL) {
        events->closed(peer->context, peer, peer->why, &peer->err);
    } else if (!peer->dials && config->events != NULL && config->events->refused != NULL) {
        config->events->refused(config->context, peer->who.address, &peer->err);
    }
    if (peer->state == FAY_PEER_FAILED) /* else all were freed meanwhile */
        end(peer);
}

void fay_peer_fail(fay_peer *peer, fay_peer_end why, const fay_error *err)
{
    if (peer->state >= FAY_PEER_FAILED)
        return;
    fay_peer_move(peer, FAY_PEER_FAILED);
    peer->why = why;
    peer->err = *err;
    fay_peer_watch(peer);
    fay_peer_set_due(peer, 0);
}

void fay_peer_fail_text(fay_peer *peer, fay_peer_end why, fay_status status, const char *text)
{
    fay_error err = {0};
    (void)fay_fail_with(&err, status, "%s: %s", fay_peer_address(peer), text);
    fay_peer_fail(peer, why, &err);
}

void fay_peer_fail_errno(fay_peer *peer, fay_peer_end why, int number)
{
    fay_error err = {0};
    (void)fay_fail_errno(&err, FAY_E_IO, number, "%s", fay_peer_address(peer));
    fay_peer_fail(peer, why, &err);
}

void fay_peer_close(fay_peer *peer)
{
    if (peer->state >= FAY_PEER_ENDING)
        return;
    bool up = peer->state == FAY_PEER_UP;
    peer->events = NULL;
    if (up)
        fay_peer_flush(peer);
    if (up && peer->state == FAY_PEER_UP) {
        fay_secure_end(peer->secure);
        end(peer);
    } else {
        fay_peer_drop(peer);
    }
}

/* ---- writing --------------------------------------------------------------------------------- */

/* What cannot be sent is told by why: the other end may have said it before it closed. */
static void cannot_write(fay_peer *peer, int number)
{
    peer->unwritable = number;
    fay_buffer_deinit(&peer->out);
    fay_peer_set_due(peer, 0);
}

void fay_peer_flush(fay_peer *peer)
{
    size_t left = fay_buffer_size(&peer->unsaid);
    if (peer->unwritable != 0 || !hears(peer))
        return;
    if (left > 0 && fay_secure_ready(peer->secure)) {
        fay_buffer_consume(&peer->unsaid,
                           fay_secure_send(peer->secure, fay_buffer_data(&peer->unsaid), left));
        if (fay_buffer_size(&peer->unsaid) == 0)
            fay_buffer_deinit(&peer->unsaid);
    }
    int number = write_out(peer);
    if (number != 0) {
        cannot_write(peer, number);
    } else {
        fay_peer_watch(peer);
    }
}

size_t fay_peer_backlog(const fay_peer *peer)
{
    return fay_buffer_size(&peer->out) + fay_buffer_size(&peer->unsaid);
}

static void check_backlog(fay_peer *peer)
{
    if (fay_peer_backlog(peer) > peer->peers->config.kept_max) {
        fay_peer_fail_text(peer, FAY_PEER_SILENT, FAY_E_TIMEOUT,
                           "it does not read what it is sent");
    }
}

void fay_peer_send(fay_peer *peer, fay_message type, const void *payload, size_t size)
{
    assert(peer->told_up || peer->said_hello);
    if (peer->state >= FAY_PEER_FAILED || peer->unwritable != 0)
        return;
    size_t begun = fay_frame_begin(&peer->unsaid, type, 0, 0);
    fay_buffer_append(&peer->unsaid, payload, size);
    fay_frame_end(&peer->unsaid, begun);
    if (fay_buffer_size(&peer->unsaid) < UNSAID_MAX) {
        fay_peers_soil(peer);
    } else {
        fay_peer_flush(peer);
    }
    check_backlog(peer);
}

void fay_peer_pause(fay_peer *peer, bool paused)
{
    peer->paused = paused;
    fay_peer_watch(peer);
}

/* ---- reading --------------------------------------------------------------------------------- */

/* Whether this may come now: what it is decides how much of it is kept until it is whole. */
static bool may_come(const fay_peer *peer, uint8_t type)
{
    if (peer->state == FAY_PEER_SHAKING)
        return type == FAY_MESSAGE_PEER_HELLO;
    switch (peer->preamble.target) {
    case FAY_TARGET_JOIN: return type == (peer->dials ? FAY_MESSAGE_JOINED : FAY_MESSAGE_JOIN);
    case FAY_TARGET_NODE: return type > FAY_MESSAGE_PEER_HELLO || type == FAY_MESSAGE_PING;
    case FAY_TARGET_PROCESS: break;
    }
    return type != FAY_MESSAGE_PEER_HELLO;
}

/* As fay_frame_parse(), of frames that may come. */
static int next_frame(fay_peer *peer, fay_frame *ret)
{
    size_t needed = 0;
    size_t size = fay_buffer_size(&peer->in);
    const uint8_t *bytes = fay_buffer_data(&peer->in);
    if (size >= FAY_FRAME_HEADER && !may_come(peer, bytes[4]))
        return FAY_E_PEER;
    return fay_frame_parse(bytes, size, ret, &needed);
}

static int take_frame(fay_peer *peer, const fay_frame *frame)
{
    if (peer->state == FAY_PEER_SHAKING)
        return fay_peer_hear_greeting(peer, frame);
    return peer->events->frame(peer->context, peer, frame);
}

/* All whole frames that have come. */
static void take_frames(fay_peer *peer)
{
    bool any = false;
    while (hears(peer)) {
        fay_frame frame;
        bool up = peer->state == FAY_PEER_UP;
        int r = next_frame(peer, &frame);
        if (r == FAY_FRAME_MORE)
            break;
        if (r == 0)
            r = take_frame(peer, &frame);
        if (r < 0) {
            fay_peer_fail_text(peer, up ? FAY_PEER_BROKEN : FAY_PEER_HANDSHAKE, FAY_E_PEER,
                               "it has broken the protocol");
            return;
        }
        fay_buffer_consume(&peer->in, FAY_FRAME_HEADER + frame.size);
        any = any || up;
    }
    if (fay_buffer_size(&peer->in) == 0)
        fay_buffer_deinit(&peer->in);
    if (any && hears(peer) && peer->events->batch != NULL)
        peer->events->batch(peer->context, peer);
}

static void take_bytes(fay_peer *peer, const uint8_t *bytes, size_t size)
{
    fay_error err = {0};
    fay_slots_progress(&peer->peers->slots, &peer->slot, uv_now(peer->peers->config.loop) * FAY_MS);
    int r = fay_secure_receive(peer->secure, bytes, size, &peer->in, &err);
    fay_peer_greet(peer);
    if (peer->state == FAY_PEER_UP && peer->told_up && peer->events->heard != NULL)
        peer->events->heard(peer->context, peer);
    take_frames(peer);
    if (!hears(peer))
        return;
    if (r < 0) {
        fay_peer_fail(peer, end_by(peer), &err); /* what TLS says of it goes out as the last */
    } else if (r == FAY_SECURE_ENDED) {
        fay_peer_fail_text(peer, end_by(peer), FAY_E_CLOSED, "it has closed the connection");
    } else {
        fay_peer_flush(peer);
        check_backlog(peer);
    }
}

/* False: no more is there for now, or ever. */
static bool read_some(fay_peer *peer)
{
    static uint8_t bytes[READ_MAX]; /* one thread; taken before the next read */
    ssize_t n = recv(peer->fd, bytes, sizeof bytes, 0);
    if (n < 0 && errno == EINTR)
        return true;
    if (n < 0 && errno == EAGAIN)
        return false;
    if (n < 0) {
        fay_peer_fail_errno(peer, end_by(peer), errno);
    } else if (n == 0) {
        fay_peer_fail_text(peer, end_by(peer), FAY_E_CLOSED, "it has closed the connection");
    } else {
        take_bytes(peer, bytes, (size_t)n);
    }
    return n == (ssize_t)sizeof bytes;
}

static void read_more(fay_peer *peer)
{
    for (int reads = 0; reads < READS_MAX && hears(peer) && !peer->paused; reads++) {
        if (!read_some(peer))
            return;
    }
}

/* It cannot be written to: what it has said until then, and then that. */
static void hear_the_last(fay_peer *peer)
{
    while (hears(peer) && !peer->paused && read_some(peer)) {
    }
    fay_peer_fail_errno(peer, end_by(peer), peer->unwritable);
}

/* ---- what the loop says ---------------------------------------------------------------------- */

static void can_write(fay_peer *peer)
{
    bool waited = fay_peer_backlog(peer) > 0;
    fay_peer_flush(peer);
    if (waited && fay_peer_backlog(peer) == 0 && peer->unwritable == 0 && peer->told_up &&
        hears(peer) && peer->events->drained != NULL)
        peer->events->drained(peer->context, peer);
}

/* Of a broken socket libuv says no more than that, and looks at it no longer; to read tells why. */
static void on_poll(uv_poll_t *handle, int status, int events)
{
    fay_peer *peer = handle->data;
    if (status < 0) {
        peer->watched = 0;
        events = UV_READABLE;
    }
    switch (peer->state) {
    case FAY_PEER_PREAMBLE:
    case FAY_PEER_PARKED: fay_stranger_look(peer); break;
    case FAY_PEER_CONNECTING: fay_peer_connected(peer); break;
    case FAY_PEER_SHAKING:
    case FAY_PEER_UP:
        if ((events & UV_READABLE) != 0)
            read_more(peer);
        if ((events & UV_WRITABLE) != 0)
            can_write(peer);
        break;
    case FAY_PEER_ENDING: linger(peer); break;
    case FAY_PEER_WAITING:
    case FAY_PEER_RESOLVING:
    case FAY_PEER_FAILED:
    case FAY_PEER_GONE: break;
    }
    fay_peer_watch(peer);
}

static void on_due(uv_timer_t *timer)
{
    fay_peer *peer = timer->data;
    if (hears(peer) && peer->unwritable != 0) {
        hear_the_last(peer);
        return;
    }
    switch (peer->state) {
    case FAY_PEER_CONNECTING: fay_peer_connect_late(peer); break;
    case FAY_PEER_RESOLVING:
        fay_peer_fail_text(peer, FAY_PEER_SILENT, FAY_E_TIMEOUT,
                           "its name is not resolved in time");
        break;
    case FAY_PEER_PREAMBLE:
    case FAY_PEER_PARKED:
    case FAY_PEER_WAITING:
    case FAY_PEER_SHAKING:
        fay_peer_fail_text(peer, FAY_PEER_SILENT, FAY_E_TIMEOUT,
                           "it has not finished its handshake in time");
        break;
    case FAY_PEER_FAILED: tell_end(peer); break;
    case FAY_PEER_ENDING: fay_peer_drop(peer); break;
    case FAY_PEER_UP:
    case FAY_PEER_GONE: break;
    }
}

/* ---- its beginning --------------------------------------------------------------------------- */

fay_peer *fay_peer_new(fay_peers *peers)
{
    fay_peer *peer = fay_alloc(sizeof *peer);
    peer->peers = peers;
    peer->fd = -1;
    TAILQ_INSERT_TAIL(&peers->all, peer, entry);
    peers->open++;
    (void)uv_timer_init(peers->config.loop, &peer->timer);
    peer->timer.data = peer;
    return peer;
}

void fay_peer_shake(fay_peer *peer)
{
    fay_peers *peers = peer->peers;
    const fay_identity *identity = peers->keys.identity;
    const fay_dialling *dialling = &peer->dialling;
    bool joins = peer->preamble.target == FAY_TARGET_JOIN;
    fay_secure_config config = {.tls = &peers->tls,
                                .side = peer->dials ? FAY_SIDE_DIALS : FAY_SIDE_ACCEPTS,
                                .address = fay_peer_address(peer),
                                .trust = identity != NULL ? &identity->trust : NULL,
                                .token = dialling->token,
                                .joins = joins,
                                .resumes = !joins && !dialling->once,
                                .now = time(NULL),
                                .out = &peer->out};
    fay_preamble_write(&peer->preamble, config.preamble);
    if (peer->dials) {
        config.ticket = fay_ticket_key(dialling->address, &peer->preamble,
                                       dialling->has_expected ? &dialling->expected : NULL);
    }
    peer->secure = fay_secure_new(&config);
    fay_peer_move(peer, FAY_PEER_SHAKING);
    fay_peer_set_due(peer, fay_peer_ms(peers->config.handshake));
    fay_secure_begin(peer->secure);
    fay_peer_flush(peer);
}
