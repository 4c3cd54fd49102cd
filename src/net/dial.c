/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/host_port.h"
#include "net/peer_internal.h"

/* What a failure to connect says of the other end, or of us. */
static fay_peer_end end_of(int number)
{
    switch (number) {
    case ECONNREFUSED:
    case ECONNRESET: return FAY_PEER_REFUSED;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
    case EADDRNOTAVAIL: return FAY_PEER_OURS;
    default: return FAY_PEER_SILENT;
    }
}

/* Of a name that is not resolved: that there is none, or that our own resolver cannot say. */
static fay_peer_end end_of_name(int status)
{
    return status == UV_EAI_NONAME || status == UV_EAI_NODATA || status == UV_EAI_SERVICE ||
                   status == UV_EAI_ADDRFAMILY
               ? FAY_PEER_REFUSED
               : FAY_PEER_OURS;
}

/* ---- connecting ------------------------------------------------------------------------------ */

/* 0 or errno: this one cannot be; the next may. */
static int connect_to(fay_peer *peer, const struct addrinfo *to)
{
    int fd = socket(to->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return errno;
    if (!fay_peer_attach(peer, fd)) {
        (void)close(fd);
        return ENOMEM;
    }
    if (connect(fd, to->ai_addr, to->ai_addrlen) == 0 || errno == EINPROGRESS)
        return 0;
    int number = errno;
    fay_peer_detach(peer);
    return number;
}

/* Each of the addresses that are left has an even share of the time. */
static uint64_t share_of(const fay_peer *peer)
{
    uint64_t count = 1;
    uint64_t now = uv_now(peer->peers->config.loop);
    for (const struct addrinfo *at = peer->dialling.untried; at != NULL; at = at->ai_next)
        count++;
    return peer->dialling.due_ms > now ? (peer->dialling.due_ms - now + count - 1) / count : 0;
}

static void connect_next(fay_peer *peer, int number)
{
    fay_dialling *d = &peer->dialling;
    while (d->untried != NULL) {
        const struct addrinfo *to = d->untried;
        d->untried = to->ai_next;
        number = connect_to(peer, to);
        if (number != 0)
            continue;
        fay_peer_move(peer, FAY_PEER_CONNECTING);
        fay_peer_set_due(peer, share_of(peer));
        fay_peer_watch(peer);
        return;
    }
    if (number == ETIMEDOUT) {
        fay_peer_fail_text(peer, FAY_PEER_SILENT, FAY_E_TIMEOUT, "it does not answer");
    } else {
        fay_peer_fail_errno(peer, end_of(number), number);
    }
}

void fay_peer_connected(fay_peer *peer)
{
    int number = 0;
    socklen_t size = sizeof number;
    (void)getsockopt(peer->fd, SOL_SOCKET, SO_ERROR, &number, &size);
    if (number != 0) {
        fay_peer_detach(peer);
        connect_next(peer, number);
        return;
    }
    uint8_t *preamble = fay_buffer_reserve(&peer->out, FAY_PREAMBLE_SIZE);
    fay_preamble_write(&peer->preamble, preamble);
    fay_buffer_commit(&peer->out, FAY_PREAMBLE_SIZE);
    fay_peer_shake(peer);
}

void fay_peer_connect_late(fay_peer *peer)
{
    fay_peer_detach(peer);
    connect_next(peer, ETIMEDOUT);
}

/* ---- resolving ------------------------------------------------------------------------------- */

/* A name is resolved in another thread, which may take longer than the peer lives. */
static void on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
    fay_peer *peer = request->data; /* NULL: it has gone */
    free(request);
    if (peer == NULL) {
        uv_freeaddrinfo(found);
        return;
    }
    peer->dialling.resolving = NULL;
    peer->dialling.all = peer->dialling.untried = found;
    if (peer->state != FAY_PEER_RESOLVING)
        return;
    if (status != 0) {
        fay_peer_fail_text(peer, end_of_name(status), FAY_E_NOTFOUND, uv_strerror(status));
    } else {
        connect_next(peer, EADDRNOTAVAIL);
    }
}

/* Members are known by numbers, mostly: these need no other thread, and none is ever started. */
static void resolve(fay_peer *peer)
{
    const char *port = NULL;
    fay_dialling *d = &peer->dialling;
    FAY_CLEANUP(fay_freep) char *host = fay_host_port_split(d->address, &port);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_NUMERICSERV | AI_NUMERICHOST};
    if (host == NULL || host[0] == '\0' || strlen(host) >= NI_MAXHOST) {
        fay_peer_fail_text(peer, FAY_PEER_REFUSED, FAY_E_INVAL, "this is no HOST:PORT");
        return;
    }
    if (getaddrinfo(host, port, &hints, &d->all) == 0) {
        d->untried = d->all;
        connect_next(peer, EADDRNOTAVAIL);
        return;
    }
    hints.ai_flags = AI_NUMERICSERV;
    d->all = NULL;
    d->resolving = fay_alloc(sizeof *d->resolving);
    d->resolving->data = peer;
    int r = uv_getaddrinfo(peer->peers->config.loop, d->resolving, on_resolved, host, port, &hints);
    if (r == 0)
        return;
    free(FAY_STEAL(d->resolving));
    fay_peer_fail_text(peer, FAY_PEER_REFUSED, FAY_E_INVAL, uv_strerror(r));
}

/* ---- life ------------------------------------------------------------------------------------ */

fay_peer *fay_peer_dial_to(fay_peers *peers, const fay_peer_dial *dial,
                           const fay_peer_events *events, void *context)
{
    fay_peer *peer = fay_peer_new(peers);
    fay_dialling *d = &peer->dialling;
    uint64_t connect_ms = fay_peer_ms(peers->config.connect);
    peer->dials = true;
    peer->events = events;
    peer->context = context;
    peer->preamble = dial->preamble;
    (void)snprintf(peer->who.address, sizeof peer->who.address, "%.60s", dial->address);
    d->address = fay_strdup(dial->address);
    d->once = dial->once;
    d->due_ms = uv_now(peers->config.loop) + connect_ms;
    if (dial->expected != NULL) {
        d->has_expected = true;
        d->expected = *dial->expected;
    }
    if (dial->token != NULL) {
        d->token = fay_alloc(sizeof *d->token);
        *d->token = *dial->token;
    }
    fay_peer_move(peer, FAY_PEER_RESOLVING);
    fay_peer_set_due(peer, connect_ms);
    resolve(peer);
    return peer;
}

void fay_dialling_deinit(fay_dialling *d)
{
    if (d->resolving != NULL) {
        d->resolving->data = NULL;
        (void)uv_cancel((uv_req_t *)d->resolving);
    }
    if (d->all != NULL)
        freeaddrinfo(d->all);
    if (d->token != NULL)
        fay_token_wipe(d->token);
    free(d->token);
    free(d->address);
}
