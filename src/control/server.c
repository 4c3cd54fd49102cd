/* SPDX-License-Identifier: MIT */
#include "control/server.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/log.h"
#include "control/sockets.h"
#include "net/link.h"
#include "pki/role.h"

enum {
    ALL_ROLES = FAY_ROLE_AGENT | FAY_ROLE_NODE | FAY_ROLE_CLIENT | FAY_ROLE_OBSERVER,
    CALLER_TEXT_MAX = 64,
    ACCEPT_AGAIN_MS = 200
};

typedef struct caller {
    fay_server *server;
    fay_link *link;
    fay_calls *calls;
    bool slow; /* does not read what it is sent: to be closed */
    struct caller *next;
} caller;

struct fay_server {
    uv_loop_t *loop;
    uv_poll_t poll;
    uv_timer_t later; /* closes callers that are slow, not amid their call; or accepts again */
    unsigned handles;
    int fd, directory;
    char *name, *path;
    const fay_verb *verbs;
    void *context;
    caller *callers;
    size_t count;
};

static void on_connection(uv_poll_t *handle, int status, int events);

/* ---- callers --------------------------------------------------------------------------------- */

static void watch(fay_server *server)
{
    if (server->count >= FAY_CALLERS_MAX) { /* the others wait until one of these goes */
        (void)uv_poll_stop(&server->poll);
    } else {
        (void)uv_poll_start(&server->poll, UV_READABLE, on_connection);
    }
}

/* Its link is closed already, or is now. */
static void drop(caller *c)
{
    fay_server *server = c->server;
    caller **at = &server->callers;
    while (*at != c) {
        at = &(*at)->next;
    }
    *at = c->next;
    server->count--;
    fay_calls_free(c->calls);
    free(c);
}

static void on_closed(void *context, int why)
{
    caller *c = context;
    fay_server *server = c->server;
    if (why < 0)
        fay_log(FAY_WARN, "control.broken", "why=\"%s\"", fay_strstatus((fay_status)why));
    drop(c);
    watch(server);
}

static int on_frame(void *context, const fay_frame *frame)
{
    caller *c = context;
    return fay_calls_frame(c->calls, frame);
}

static const fay_link_events link_events = {.frame = on_frame, .closed = on_closed};

static void on_later(uv_timer_t *timer)
{
    fay_server *server = timer->data;
    for (caller *c = server->callers, *next; c != NULL; c = next) {
        next = c->next;
        if (!c->slow)
            continue;
        fay_log(FAY_WARN, "control.slow", "bytes=%zu", fay_link_backlog(c->link));
        fay_link_close(c->link);
        drop(c);
    }
    watch(server);
}

static void on_send(void *context, fay_message type, const void *payload, size_t size)
{
    caller *c = context;
    if (c->slow)
        return;
    fay_link_send(c->link, type, 0, payload, size);
    if (fay_link_backlog(c->link) <= FAY_CALLER_KEPT_MAX)
        return;
    c->slow = true;
    (void)uv_timer_start(&c->server->later, on_later, 0, 0);
}

/* false: it is of another user. The kernel says who it was when it connected. */
static bool identify(int fd, char text[CALLER_TEXT_MAX])
{
    struct ucred who = {0};
    socklen_t size = sizeof who;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0)
        return false;
    (void)snprintf(text, CALLER_TEXT_MAX, "uid %u, pid %d", (unsigned)who.uid, (int)who.pid);
    return who.uid == geteuid() || who.uid == 0;
}

static void take(fay_server *server, int fd)
{
    char text[CALLER_TEXT_MAX] = "?";
    if (!identify(fd, text)) {
        fay_log(FAY_WARN, "control.refused", "caller=\"%s\"", text);
        (void)close(fd);
        return;
    }
    caller *c = fay_alloc(sizeof *c);
    *c = (caller){.server = server, .next = server->callers};
    server->callers = c;
    server->count++;
    const fay_calls_config config = {.verbs = server->verbs,
                                     .verbs_context = server->context,
                                     .send = on_send,
                                     .send_context = c,
                                     .roles = ALL_ROLES,
                                     .caller = text};
    c->calls = fay_calls_new(&config);
    c->link = fay_link_open(server->loop, fd, &link_events, c);
    fay_link_untimed(c->link); /* the kernel tells when one of them dies */
}

static void on_connection(uv_poll_t *handle, int status, int events)
{
    fay_server *server = handle->data;
    (void)events;
    if (status < 0)
        return;
    int fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0) {
        take(server, fd);
        watch(server);
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        (void)uv_poll_stop(&server->poll); /* it would be ready all the time */
        (void)uv_timer_start(&server->later, on_later, ACCEPT_AGAIN_MS, 0);
    }
}

/* ---- life ------------------------------------------------------------------------------------ */

static void on_handle_closed(uv_handle_t *handle)
{
    fay_server *server = handle->data;
    if (--server->handles > 0)
        return;
    (void)close(server->fd);
    (void)close(server->directory);
    free(server->name);
    free(server->path);
    free(server);
}

fay_server *fay_server_new(uv_loop_t *loop, const char *directory, const char *name,
                           const fay_verb *verbs, void *context, fay_error *err)
{
    int at, fd;
    if (fay_sockets_open(directory, true, &at, err) < 0)
        return NULL;
    if (fay_sockets_listen(at, name, &fd, err) < 0) {
        (void)close(at);
        return NULL;
    }
    fay_server *server = fay_alloc(sizeof *server);
    *server = (fay_server){.loop = loop,
                           .fd = fd,
                           .directory = at,
                           .name = fay_strdup(name),
                           .path = fay_printed("%s/%s.sock", directory, name),
                           .verbs = verbs,
                           .context = context,
                           .handles = 2};
    int r = uv_poll_init(loop, &server->poll, fd);
    assert(r == 0);
    (void)uv_timer_init(loop, &server->later);
    server->poll.data = server->later.data = server;
    watch(server);
    return server;
}

const char *fay_server_path(const fay_server *server)
{
    return server->path;
}

void fay_server_free(fay_server *server)
{
    if (server == NULL)
        return;
    for (caller *c = server->callers, *next; c != NULL; c = next) {
        next = c->next;
        fay_link_close(c->link);
        drop(c);
    }
    fay_sockets_remove(server->directory, server->name);
    uv_close((uv_handle_t *)&server->poll, on_handle_closed);
    uv_close((uv_handle_t *)&server->later, on_handle_closed);
}
