/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/host_port.h"
#include "net/peer_internal.h"

enum {
    BACKLOG = 512,
    ACCEPTS_MAX = 64, /* in one turn of the loop */
    DEAF_MS = 100     /* without a descriptor even to send somebody away */
};

static void on_connection(uv_poll_t *handle, int status, int events);

/* ---- who comes ------------------------------------------------------------------------------- */

static int open_spare(void)
{
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

void fay_ports_listen_again(fay_peers *peers)
{
    if (!peers->deaf)
        return;
    peers->deaf = false;
    if (peers->spare_fd < 0)
        peers->spare_fd = open_spare();
    for (size_t i = 0; i < peers->ports_count; i++)
        (void)uv_poll_start(&peers->ports[i]->poll, UV_READABLE, on_connection);
}

/* No descriptor is left: who waits is sent away, or it would wake us for ever; without a descriptor
 * for that either, nobody is listened to for a while. */
static void turn_away(fay_peers *peers, int listening)
{
    int fd = -1;
    if (peers->spare_fd >= 0) {
        (void)close(peers->spare_fd);
        fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0)
            (void)close(fd);
        peers->spare_fd = open_spare();
    }
    if (fd >= 0)
        return;
    peers->deaf = true;
    for (size_t i = 0; i < peers->ports_count; i++)
        (void)uv_poll_stop(&peers->ports[i]->poll);
    fay_peers_wake(peers, DEAF_MS);
}

static void on_connection(uv_poll_t *handle, int status, int events)
{
    (void)status;
    (void)events;
    const fay_port *port = handle->data;
    for (int i = 0; i < ACCEPTS_MAX; i++) {
        int fd = accept4(port->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            fay_peer_accept(port->peers, fd, NULL);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            turn_away(port->peers, port->fd);
            return;
        } else if (errno == EAGAIN) {
            return;
        } /* else one that had come is gone again: accept(2) */
    }
}

/* ---- ports ----------------------------------------------------------------------------------- */

static int bind_to(const struct addrinfo *to)
{
    int on = 1;
    int fd = socket(to->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, to->ai_addr, to->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int number = errno;
    (void)close(fd);
    errno = number;
    return -1;
}

/* "0.0.0.0:7331" of a socket that is bound. */
static char *bound_address(int fd)
{
    struct sockaddr_storage at;
    socklen_t size = sizeof at;
    char host[NI_MAXHOST] = "";
    char port[NI_MAXSERV] = "";
    (void)getsockname(fd, (struct sockaddr *)&at, &size);
    (void)getnameinfo((struct sockaddr *)&at, size, host, sizeof host, port, sizeof port,
                      NI_NUMERICHOST | NI_NUMERICSERV);
    return fay_printed(strchr(host, ':') != NULL ? "[%s]:%s" : "%s:%s", host, port);
}

static struct addrinfo *find_local(const char *address, fay_error *err)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    const char *port = NULL;
    FAY_CLEANUP(fay_freep) char *host = fay_host_port_split(address, &port);
    if (host == NULL) {
        (void)fay_fail_with(err, FAY_E_INVAL, "'%s' is no ADDRESS:PORT", address);
        return NULL;
    }
    int r = getaddrinfo(host[0] != '\0' ? host : NULL, port, &hints, &found);
    if (r != 0) {
        (void)fay_fail_with(err, FAY_E_INVAL, "cannot listen on %s: %s", address, gai_strerror(r));
        return NULL;
    }
    return found;
}

/* Takes the descriptor. 0 or a negative errno. */
static int open_port(fay_peers *peers, int fd)
{
    fay_port *port = fay_alloc(sizeof *port);
    int r = uv_poll_init(peers->config.loop, &port->poll, fd);
    if (r != 0) {
        (void)close(fd);
        free(port);
        return r;
    }
    port->fd = fd;
    port->peers = peers;
    port->poll.data = port;
    (void)uv_poll_start(&port->poll, UV_READABLE, on_connection);
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): a list of pointers */
    FAY_RESERVE(peers->ports, peers->ports_capacity, peers->ports_count + 1);
    peers->ports[peers->ports_count++] = port;
    peers->open++;
    if (peers->address == NULL)
        peers->address = bound_address(fd);
    if (peers->spare_fd < 0)
        peers->spare_fd = open_spare();
    return 0;
}

int fay_peers_listen(fay_peers *peers, const char *address, fay_error *err)
{
    struct addrinfo *found = find_local(address, err);
    if (found == NULL)
        return FAY_E_INVAL;
    int fd = bind_to(found);
    int number = fd < 0 ? errno : -open_port(peers, fd);
    freeaddrinfo(found);
    if (number == 0)
        return 0;
    (void)fay_fail_errno(err, FAY_E_IO, number, "cannot listen on %s", address);
    if (number == EADDRINUSE)
        fay_hint(err, "another process has that port: --listen with another one");
    return FAY_E_IO;
}

const char *fay_peers_address(const fay_peers *peers)
{
    return peers->address;
}

static void on_port_closed(uv_handle_t *handle)
{
    fay_port *port = handle->data;
    fay_peers *peers = port->peers;
    free(port);
    fay_peers_closed(peers);
}

void fay_ports_close(fay_peers *peers)
{
    for (size_t i = 0; i < peers->ports_count; i++) {
        uv_close((uv_handle_t *)&peers->ports[i]->poll, on_port_closed);
        (void)close(peers->ports[i]->fd);
    }
    peers->ports_count = 0;
}
