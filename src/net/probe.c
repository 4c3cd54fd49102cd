/* SPDX-License-Identifier: MIT */
#include "net/probe.h"

#include <errno.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/host_port.h"
#include "base/units.h"
#include "net/preamble.h"

typedef struct probe {
    const char *address;
    fay_ns timeout, end; /* on CLOCK_MONOTONIC */
    int fd;              /* -1 = none */
    SSL_CTX *context;
    SSL *ssl;
} probe;

static fay_ns now(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (fay_ns)time.tv_sec * FAY_SECOND + (fay_ns)time.tv_nsec;
}

/* Whether the socket is ready before the time is over. */
static bool await(const probe *p, short events)
{
    for (;;) {
        fay_ns at = now();
        struct pollfd fd = {.fd = p->fd, .events = events};
        int left = at < p->end ? (int)((p->end - at + FAY_MS - 1) / FAY_MS) : 0;
        int r = poll(&fd, 1, left);
        if (r > 0 || (r == 0 && left == 0))
            return r > 0;
        if (r < 0 && errno != EINTR)
            return false;
    }
}

static int timed_out(const probe *p, fay_error *err)
{
    char text[FAY_UNITS_TEXT_MAX];
    (void)fay_fail_with(err, FAY_E_TIMEOUT, "%s does not answer within %s", p->address,
                        fay_duration_text(p->timeout, text));
    fay_hint(err,
             "is that its address, and does a firewall let us through? --timeout waits longer");
    return FAY_E_TIMEOUT;
}

/* ---- TCP ------------------------------------------------------------------------------------- */

static int resolve(const char *address, struct addrinfo **ret, fay_error *err)
{
    const char *port = NULL;
    FAY_CLEANUP(fay_freep) char *host = fay_host_port_split(address, &port);
    if (host == NULL || host[0] == '\0')
        return fay_fail_with(err, FAY_E_INVAL, "'%.100s' is no HOST:PORT", address);
    const struct addrinfo wanted = {.ai_socktype = SOCK_STREAM};
    int r = getaddrinfo(host, port, &wanted, ret);
    return r == 0 ? 0 : fay_fail_with(err, FAY_E_IO, "%s: %s", address, gai_strerror(r));
}

/* 0 or errno; ETIMEDOUT also when our own time is over. */
static int connect_one(probe *p, const struct addrinfo *where)
{
    int fault = 0;
    socklen_t size = sizeof fault;
    p->fd = socket(where->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (p->fd < 0)
        return errno;
    if (connect(p->fd, where->ai_addr, where->ai_addrlen) == 0)
        return 0;
    if (errno != EINPROGRESS)
        return errno;
    if (!await(p, POLLOUT))
        return ETIMEDOUT;
    return getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &fault, &size) == 0 ? fault : errno;
}

static int connect_any(probe *p, fay_error *err)
{
    struct addrinfo *found = NULL;
    int r = resolve(p->address, &found, err);
    if (r < 0)
        return r;
    int fault = 0;
    for (const struct addrinfo *at = found; at != NULL; at = at->ai_next) {
        fault = connect_one(p, at);
        if (fault == 0)
            break;
        if (p->fd >= 0)
            (void)close(p->fd);
        p->fd = -1;
    }
    freeaddrinfo(found);
    if (fault == ETIMEDOUT)
        return timed_out(p, err);
    if (fault != 0) {
        (void)fay_fail_errno(err, FAY_E_IO, fault, "cannot connect to %s", p->address);
        fay_hint(err, "is a Node at work there? faymora agent");
        return FAY_E_IO;
    }
    return 0;
}

/* ---- TLS ------------------------------------------------------------------------------------- */

static int no_node(const probe *p, fay_error *err)
{
    int r = fay_ossl_fail(err, "%s: what listens there is no Node", p->address);
    fay_hint(err, "it does not speak TLS 1.3 behind our preamble: is that the port of the Node?");
    return r;
}

/* The preamble is smaller than any socket's buffer, which is empty. */
static int say_preamble(const probe *p, fay_error *err)
{
    uint8_t bytes[FAY_PREAMBLE_SIZE];
    const fay_preamble preamble = {.target = FAY_TARGET_NODE};
    fay_preamble_write(&preamble, bytes);
    if (send(p->fd, bytes, sizeof bytes, MSG_NOSIGNAL) == (ssize_t)sizeof bytes)
        return 0;
    return fay_fail_errno(err, FAY_E_IO, errno, "cannot send to %s", p->address);
}

static int shake_hands(probe *p, fay_error *err)
{
    for (;;) {
        ERR_clear_error();
        int r = SSL_connect(p->ssl);
        if (r == 1)
            return 0;
        int what = SSL_get_error(p->ssl, r);
        if (what != SSL_ERROR_WANT_READ && what != SSL_ERROR_WANT_WRITE)
            return no_node(p, err);
        if (!await(p, what == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT))
            return timed_out(p, err);
    }
}

static int begin_tls(probe *p, fay_error *err)
{
    p->context = SSL_CTX_new(TLS_client_method());
    fay_ossl_must(p->context != NULL &&
                  SSL_CTX_set_min_proto_version(p->context, TLS1_3_VERSION) == 1);
    SSL_CTX_set_verify(p->context, SSL_VERIFY_NONE, NULL); /* that is what it is for */
    p->ssl = SSL_new(p->context);
    fay_ossl_must(p->ssl != NULL && SSL_set_fd(p->ssl, p->fd) == 1);
    int r = say_preamble(p, err);
    return r < 0 ? r : shake_hands(p, err);
}

int fay_probe(const char *address, fay_ns timeout, STACK_OF(X509) * *ret_chain, fay_error *err)
{
    probe p = {.address = address, .timeout = timeout, .end = now() + timeout, .fd = -1};
    struct sigaction before;
    int r = connect_any(&p, err);
    /* OpenSSL writes to the socket without a word about it. */
    (void)sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN}, &before);
    if (r == 0)
        r = begin_tls(&p, err);
    if (r == 0) {
        STACK_OF(X509) *shown = SSL_get_peer_cert_chain(p.ssl);
        *ret_chain = shown != NULL ? X509_chain_up_ref(shown) : NULL;
        r = *ret_chain != NULL ? 0 : no_node(&p, err);
    }
    SSL_free(p.ssl);
    SSL_CTX_free(p.context);
    (void)sigaction(SIGPIPE, &before, NULL);
    if (p.fd >= 0)
        (void)close(p.fd);
    return r;
}
