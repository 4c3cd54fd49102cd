/* SPDX-License-Identifier: MIT */
/*
 * A socket that anyone on this machine may send Items to. Each connection is a stream of its own,
 * served in turn; its end is the end of its last Item. The source itself never ends: the run lasts
 * until it is told to drain.
 */
#include <bsd/sys/queue.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/log.h"
#include "ends/source_kind.h"
#include "ends/stream.h"
#include "loop/address.h"
#include "loop/await.h"

struct connection {
    STAILQ_ENTRY(connection) link;
    fay_intake intake;
    fay_stream *stream; /* NULL: closed by the peer */
};

struct listening {
    fay_source source;
    int fd;
    char *path;
    fay_await *watch;
    size_t count;
    STAILQ_HEAD(connection_list, connection) connections; /* the next one to be asked comes first */
};

/* The first one. */
static void drop(struct listening *l)
{
    struct connection *c = STAILQ_FIRST(&l->connections);
    STAILQ_REMOVE_HEAD(&l->connections, link);
    l->count--;
    fay_stream_free(c->stream);
    fay_intake_deinit(&c->intake);
    free(c);
    fay_await_want(l->watch, FAY_AWAIT_READ);
}

static void free_listening(fay_source *source)
{
    struct listening *l = (struct listening *)source;
    while (!STAILQ_EMPTY(&l->connections)) {
        drop(l);
    }
    fay_await_free(l->watch);
    if (l->fd >= 0)
        (void)close(l->fd);
    if (l->path != NULL)
        (void)unlink(l->path);
    free(l->path);
    free(l);
}

static void on_ready(void *context)
{
    struct listening *l = context;
    l->source.config.ready(l->source.config.context);
}

static void on_connection(void *context, unsigned events)
{
    (void)events;
    struct listening *l = context;
    int fd;
    while (l->count < FAY_CONNECTIONS_MAX && (fd = fay_address_accept(l->fd)) >= 0) {
        struct connection *c = fay_alloc(sizeof *c);
        fay_intake_init(&c->intake, l->source.def->format, l->source.def->crlf == FAY_CRLF_STRIP,
                        l->source.config.item_max);
        c->stream = fay_stream_new(l->source.config.loop, fd, false, on_ready, l);
        STAILQ_INSERT_TAIL(&l->connections, c, link);
        l->count++;
    }
    if (l->count == FAY_CONNECTIONS_MAX)
        fay_await_want(l->watch, 0);
    on_ready(l);
}

/* What a peer sends that is no Item ends its connection; it does not end the run. */
static int pull_one(struct connection *c, uint64_t items, uint64_t bytes, fay_chunk *ret)
{
    fay_error err;
    for (;;) {
        int r = fay_intake_cut(&c->intake, c->stream == NULL, items, bytes, ret, &err);
        if (r < 0)
            fay_log(FAY_WARN, "source.refused", "error=\"%s\"", err.message);
        if (r <= 0)
            return r < 0 ? FAY_PULL_END : FAY_PULL_ITEMS;
        if (c->stream == NULL)
            return FAY_PULL_END;
        r = fay_stream_read(c->stream, &c->intake);
        if (r == FAY_STREAM_WAIT)
            return FAY_PULL_WAIT;
        if (r != FAY_STREAM_MORE)
            fay_stream_free(FAY_STEAL(c->stream));
    }
}

static int pull_listening(fay_source *source, uint64_t items, uint64_t bytes, fay_chunk *ret,
                          fay_error *err)
{
    (void)err;
    struct listening *l = (struct listening *)source;
    for (size_t left = l->count; left > 0; left--) {
        struct connection *c = STAILQ_FIRST(&l->connections);
        int r = pull_one(c, items, bytes, ret);
        if (r == FAY_PULL_END) {
            drop(l);
            continue;
        }
        STAILQ_REMOVE_HEAD(&l->connections, link);
        STAILQ_INSERT_TAIL(&l->connections, c, link);
        if (r == FAY_PULL_ITEMS) {
            ret->ends = NULL; /* many streams have no position */
            return FAY_PULL_ITEMS;
        }
    }
    return FAY_PULL_WAIT;
}

int fay_source_open_listen(const fay_source_config *config, fay_source **ret, fay_error *err)
{
    static const fay_source_kind_ops ops = {
        .why_not = "what came over a socket cannot be read again",
        .pull = pull_listening,
        .free = free_listening,
    };
    struct listening *l = fay_alloc(sizeof *l);
    fay_source_init(&l->source, &ops, config);
    STAILQ_INIT(&l->connections);
    l->fd = -1;
    int r = fay_address_listen(l->source.def->address, &l->fd, &l->path, err);
    if (r != 0) {
        free_listening(&l->source);
        return r;
    }
    l->watch = fay_await_new(config->loop, l->fd, on_connection, l);
    fay_await_want(l->watch, FAY_AWAIT_READ);
    *ret = &l->source;
    return 0;
}
