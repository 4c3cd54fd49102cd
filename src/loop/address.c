/* SPDX-License-Identifier: MIT */
#include "loop/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/host_port.h"

enum {
    BACKLOG = 128
};

static int failed(int fd, const char *address, fay_error *err)
{
    int fault = errno;
    if (fd >= 0)
        (void)close(fd);
    return fay_fail_errno(err, FAY_E_IO, fault, "cannot listen on %s", address);
}

/* Whether a socket file has been left behind by someone who is gone. A full queue is someone. */
static bool abandoned(const struct sockaddr_un *where)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return false;
    int r = connect(fd, (const struct sockaddr *)where, sizeof *where);
    bool refused = r != 0 && errno == ECONNREFUSED;
    (void)close(fd);
    return refused;
}

/* Makes room for the socket: takes away one that was left behind, and nothing else. Connecting to
 * any other file is refused as well, so that alone does not tell. */
static int clear_path(const char *address, const struct sockaddr_un *where, fay_error *err)
{
    struct stat is;
    if (lstat(where->sun_path, &is) != 0)
        return 0; /* nothing is there; else bind() says what is wrong */
    if (!S_ISSOCK(is.st_mode)) {
        int r = fay_fail_with(err, FAY_E_IO, "cannot listen on %s: what is there is no socket",
                              address);
        fay_hint(err, "it is left as it is; name a path where nothing is, or remove it yourself");
        return r;
    }
    if (abandoned(where))
        (void)unlink(where->sun_path);
    return 0;
}

static int listen_unix(const char *address, const char *path, int *ret_fd, char **ret_path,
                       fay_error *err)
{
    struct sockaddr_un where = {.sun_family = AF_UNIX};
    if (path[0] == '\0' || strlen(path) >= sizeof where.sun_path) {
        return fay_fail_with(err, FAY_E_INVAL, "%s: a socket's path has 1 to %zu bytes", address,
                             sizeof where.sun_path - 1);
    }
    memcpy(where.sun_path, path, strlen(path));
    int r = clear_path(address, &where, err);
    if (r != 0)
        return r;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&where, sizeof where) != 0 ||
        listen(fd, BACKLOG) != 0)
        return failed(fd, address, err);
    *ret_fd = fd;
    *ret_path = fay_strdup(path);
    return 0;
}

static bool is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof in);
        return ntohl(in.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    }
    struct sockaddr_in6 in6;
    memcpy(&in6, address, sizeof in6);
    return address->sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&in6.sin6_addr);
}

static int listen_tcp(const char *address, const char *rest, int *ret_fd, fay_error *err)
{
    const char *port = NULL;
    FAY_CLEANUP(fay_freep) char *host = fay_host_port_split(rest, &port);
    if (host == NULL)
        return fay_fail_with(err, FAY_E_INVAL, "%s: write tcp:HOST:PORT", address);
    const struct addrinfo wanted = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *found = NULL;
    int r = getaddrinfo(host[0] != '\0' ? host : "localhost", port, &wanted, &found);
    if (r != 0)
        return fay_fail_with(err, FAY_E_IO, "cannot listen on %s: %s", address, gai_strerror(r));
    if (!is_loopback(found->ai_addr)) {
        freeaddrinfo(found);
        r = fay_fail_with(err, FAY_E_INVAL, "%s is no loopback address", address);
        fay_hint(err, "what is said there is clear text; use 127.0.0.1, or a unix: socket");
        return r;
    }
    const int on = 1;
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool ok = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
              bind(fd, found->ai_addr, found->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0;
    int fault = errno;
    freeaddrinfo(found);
    errno = fault;
    if (!ok)
        return failed(fd, address, err);
    *ret_fd = fd;
    return 0;
}

int fay_address_listen(const char *address, int *ret_fd, char **ret_path, fay_error *err)
{
    *ret_path = NULL;
    if (strncmp(address, "unix:", 5) == 0)
        return listen_unix(address, address + 5, ret_fd, ret_path, err);
    if (strncmp(address, "tcp:", 4) == 0)
        return listen_tcp(address, address + 4, ret_fd, err);
    return fay_fail_with(err, FAY_E_INVAL, "%s: write unix:PATH or tcp:HOST:PORT", address);
}

int fay_address_accept(int fd)
{
    return accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}
