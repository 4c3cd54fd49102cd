/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/hash.h"
#include "net/peer_internal.h"

/* ---- who it is, as far as the socket says ---------------------------------------------------- */

/* One of IPv4 that has come to a port of IPv6 is known by the address that others know, too. */
static void unmap(struct sockaddr_storage *from, socklen_t *size)
{
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)from;
    if (from->ss_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&six->sin6_addr))
        return;
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = six->sin6_port};
    memcpy(&four.sin_addr, six->sin6_addr.s6_addr + 12, sizeof four.sin_addr);
    memcpy(from, &four, sizeof four);
    *size = sizeof four;
}

static bool is_loopback(const struct sockaddr_storage *from)
{
    if (from->ss_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)from)->sin6_addr);
    const struct sockaddr_in *four = (const struct sockaddr_in *)from;
    return from->ss_family == AF_INET && ntohl(four->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

static void name_stranger(fay_peer *peer)
{
    struct sockaddr_storage from = {0};
    socklen_t size = sizeof from;
    char host[NI_MAXHOST] = "?";
    char named[64]; /* as in HOST:PORT */
    char port[NI_MAXSERV] = "?";
    const fay_peers_config *config = &peer->peers->config;
    if (getpeername(peer->fd, (struct sockaddr *)&from, &size) == 0) {
        unmap(&from, &size);
        (void)getnameinfo((struct sockaddr *)&from, size, host, sizeof host, port, sizeof port,
                          NI_NUMERICHOST | NI_NUMERICSERV);
    }
    (void)snprintf(named, sizeof named, strchr(host, ':') != NULL ? "[%.50s]" : "%.50s", host);
    (void)snprintf(peer->who.address, sizeof peer->who.address, "%.55s:%.6s", named, port);
    peer->slot.address = fay_hash64(host, strlen(host), 0);
    peer->slot.loopback = is_loopback(&from);
    peer->slot.known =
        config->events->known != NULL && config->events->known(config->context, named);
}

/* ---- what it wants --------------------------------------------------------------------------- */

static void hand_over(fay_peer *peer)
{
    const fay_peers_config *config = &peer->peers->config;
    int fd = peer->fd;
    if (config->events->handed == NULL) {
        fay_peer_fail_text(peer, FAY_PEER_HANDSHAKE, FAY_E_NOTFOUND,
                           "it asks for a process that is not here");
        return;
    }
    fay_preamble preamble = peer->preamble;
    peer->fd = -1; /* not ours any more: it is not to be closed */
    fay_peer_drop(peer);
    config->events->handed(config->context, fd, &preamble);
}

/* It is read exactly, so that the socket can be handed over as it is. False: it is not whole. */
static bool read_preamble(fay_peer *peer)
{
    while (peer->preamble_size < FAY_PREAMBLE_SIZE) {
        ssize_t n = recv(peer->fd, peer->preamble_bytes + peer->preamble_size,
                         FAY_PREAMBLE_SIZE - peer->preamble_size, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return false;
        if (n <= 0) {
            fay_peer_fail_text(peer, FAY_PEER_HANDSHAKE, FAY_E_CLOSED,
                               "it has closed the connection before it has said who it is for");
            return false;
        }
        peer->preamble_size += (size_t)n;
        if (!fay_preamble_begins(peer->preamble_bytes, peer->preamble_size))
            break;
    }
    if (peer->preamble_size == FAY_PREAMBLE_SIZE &&
        fay_preamble_parse(peer->preamble_bytes, &peer->preamble) == 0)
        return true;
    fay_peer_fail_text(peer, FAY_PEER_HANDSHAKE, FAY_E_PEER, "what it says is not of Faymora");
    return false;
}

/* The first byte of its handshake is looked at and left where it is. */
static void look_for_hello(fay_peer *peer)
{
    uint8_t byte;
    ssize_t n = recv(peer->fd, &byte, 1, MSG_PEEK);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        fay_peer_fail_text(peer, FAY_PEER_HANDSHAKE, FAY_E_CLOSED,
                           "it has closed the connection before its handshake");
        return;
    }
    fay_slots_ask(&peer->peers->slots, &peer->slot);
    fay_peer_move(peer, FAY_PEER_WAITING);
    fay_peers_serve(peer->peers);
}

/* `handed`: this process is the one that was asked for. */
static void park(fay_peer *peer, bool handed)
{
    fay_peer_move(peer, FAY_PEER_PARKED);
    if (peer->preamble.target == FAY_TARGET_PROCESS && !handed) {
        hand_over(peer);
    } else {
        look_for_hello(peer);
    }
}

void fay_stranger_look(fay_peer *peer)
{
    if (peer->state == FAY_PEER_PARKED) {
        look_for_hello(peer);
    } else if (read_preamble(peer)) {
        park(peer, false);
    }
}

void fay_peer_accept(fay_peers *peers, int fd, const fay_preamble *preamble)
{
    fay_peer *peer = fay_peer_new(peers);
    if (!fay_peer_attach(peer, fd)) {
        (void)close(fd);
        fay_peer_drop(peer);
        return;
    }
    name_stranger(peer);
    fay_slot *gone = fay_slots_park(&peers->slots, &peer->slot);
    if (gone != NULL)
        fay_peer_drop(fay_peer_of_slot(gone));
    fay_peer_set_due(peer, fay_peer_ms(peers->config.handshake));
    if (preamble != NULL) {
        peer->preamble = *preamble;
        park(peer, true);
    }
    fay_peer_watch(peer);
}
