/* SPDX-License-Identifier: MIT */
/*
 * A socket that one reader after another may take the output from. Without a reader the sink waits,
 * and the run with it. When one leaves, the next begins with the job that was under way: it may see
 * up to 256 KiB again, and what the first had received and not read is gone, as a reader cannot be
 * cut as a file is (docs/ARCHITECTURE.md, "Nothing is lost").
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "ends/sink_kind.h"
#include "loop/address.h"
#include "loop/await.h"
#include "loop/outlet.h"

struct listen_drain {
    fay_drain drain;
    uv_loop_t *loop;
    int fd;
    char *path;
    fay_await *watch;
    fay_outlet *outlet; /* the reader, NULL = none */
};

static void free_listen(fay_drain *drain)
{
    struct listen_drain *l = (struct listen_drain *)drain;
    fay_outlet_free(l->outlet);
    fay_await_free(l->watch);
    if (l->fd >= 0)
        (void)close(l->fd);
    if (l->path != NULL)
        (void)unlink(l->path);
    free(l->path);
    free(l);
}

static void lose_reader(struct listen_drain *l)
{
    fay_outlet_free(FAY_STEAL(l->outlet));
    l->drain.interrupted = true;
    fay_await_want(l->watch, FAY_AWAIT_READ);
}

static void on_reader(void *context, bool closed)
{
    struct listen_drain *l = context;
    if (closed) {
        lose_reader(l);
    } else {
        fay_sink_flush(l->drain.sink);
    }
}

static void on_connection(void *context, unsigned events)
{
    (void)events;
    struct listen_drain *l = context;
    int fd = l->outlet == NULL ? fay_address_accept(l->fd) : -1;
    if (fd < 0)
        return;
    l->outlet = fay_outlet_new(l->loop, fd, false, on_reader, l);
    fay_await_want(l->watch, 0); /* the next one waits in the backlog */
    fay_sink_flush(l->drain.sink);
}

static ssize_t write_listen(fay_drain *drain, const uint8_t *bytes, size_t size, fay_error *err)
{
    struct listen_drain *l = (struct listen_drain *)drain;
    ssize_t n = l->outlet != NULL ? fay_outlet_write(l->outlet, bytes, size) : 0;
    if (n >= 0)
        return n;
    if (errno != EPIPE) {
        (void)fay_fail_errno(err, FAY_E_IO, errno, "cannot write to %s", drain->def->address);
        return -1;
    }
    lose_reader(l);
    return 0;
}

int fay_drain_open_listen(const fay_sink_config *config, fay_sink *sink, fay_drain **ret,
                          fay_error *err)
{
    static const fay_drain_ops ops = {.write = write_listen, .free = free_listen};
    struct listen_drain *l = fay_alloc(sizeof *l);
    l->drain = (fay_drain){.ops = &ops, .def = config->def, .sink = sink, .fd = -1};
    l->loop = config->loop;
    l->fd = -1;
    int r = fay_address_listen(config->def->address, &l->fd, &l->path, err);
    if (r != 0) {
        free_listen(&l->drain);
        return r;
    }
    l->watch = fay_await_new(config->loop, l->fd, on_connection, l);
    fay_await_want(l->watch, FAY_AWAIT_READ);
    *ret = &l->drain;
    return 0;
}
