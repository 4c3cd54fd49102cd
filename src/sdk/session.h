/* SPDX-License-Identifier: MIT */
/*
 * A worker's session with its Instance, over one blocking stream socket.
 *
 *     socket --> store --> leases --> process() --> run --------.
 *                 |  RECALL, RETIRE, STATUS: at once             v
 *                 '------------------------------> GIVEN_BACK -> out --> socket
 *     other threads --> done list + wake ----------> run --------^
 *                  '--> HEARTBEAT ------------------------------------> socket
 *
 * A run is the results of consecutive tags. It is sealed into a RESULTS frame when its tags end,
 * when it is large, and before `out` is sent; that is at each tick of the coarse clock (1 to 10
 * ms), at 64 KiB, and before every wait. So fast Items share a write, and no result waits while its
 * worker does. At each tick the socket is looked at, too: a RECALL is answered between Items.
 *
 * One thread, the loop's, has all of it but what stands below `lock`.
 */
#ifndef FAY_SESSION_H
#define FAY_SESSION_H

#include <pthread.h>
#include <stdatomic.h>

#include <faymora/worker.h>

#include "base/base.h"
#include "base/buffer.h"
#include "item/item.h"
#include "sdk/children.h"
#include "wire/block.h"
#include "wire/setup.h"

/* A LEASE frame whose Items are not all begun. */
typedef struct fay_session_lease {
    struct fay_session_lease *next;
    fay_store *store; /* which holds the frame; counted */
    fay_lease_frame frame;
    fay_block_item cursor;
} fay_session_lease;

typedef struct fay_session fay_session;

struct fay_ctx {
    fay_session *session;
    uint64_t tag;
    size_t refused;      /* size of a result that was too large; 0 = none */
    const char *trouble; /* another reason why its results cannot go out; NULL = none */
    char *error;         /* of fay_fail() */
    uint64_t beat;       /* tick of the last heartbeat */
    /* Once deferred: what must stay until fay_done(). */
    fay_item *item;
    fay_store *store;
    /* Under the session's lock. */
    fay_children children; /* of what was emitted outside the process() call */
    bool deferred, done;
    int verdict;
    struct fay_ctx *next; /* in the done list, or in the free list */
};

struct fay_session {
    int fd, wake;
    fay_worker_class cls;
    void *self;
    fay_setup setup;
    bool is_set_up, is_closed, is_broken;
    fay_item_status *status; /* NULL before the SETUP */
    atomic_bool stopping;

    /* in */
    fay_store *store;
    size_t start, end, needed; /* bytes of the store not yet parsed; least size of the next frame */
    fay_session_lease *lease, **lease_end;

    /* in hand */
    pthread_t loop;
    fay_ctx *current; /* lent to process(); NULL outside */
    fay_ctx *free_ctx;
    fay_item *item;
    size_t deferred; /* Items */

    /* out */
    uint64_t run_first;
    uint32_t run_count;
    bool run_uneven; /* `counts` holds the number of children of each; else one each */
    fay_buffer counts;
    fay_children children;
    fay_mark mark; /* behind those of the Items of the run */
    fay_buffer out;

    /* time */
    uint64_t tick;
    fay_ns busy_since; /* 0 = not in user code */
    fay_ns useful;     /* not yet told */

    pthread_mutex_t write_lock; /* one frame at a time on the socket */
    pthread_mutex_t lock;       /* over the rest */
    fay_ctx *done, **done_end;
};

/* ---- session.c ---- */
fay_session *fay_session_new(int fd);
/* Leaks the session if Items are still deferred: their threads may use it. */
void fay_session_free(fay_session *session);
uint64_t fay_session_tick(void); /* the coarse clock */
void fay_session_busy_begin(fay_session *session);
void fay_session_busy_end(fay_session *session);
bool fay_session_on_loop(const fay_session *session);
/* If the coarse clock has moved: sends what is finished and sees what has come. */
void fay_session_look(fay_session *session);

/* ---- input.c ---- */
/* Reads once, and takes in all whole frames. Without `wait` it returns at once when nothing is
 * there. Whether something was read; is_closed or is_broken are set when it was the last time. */
bool fay_session_read(fay_session *session, bool wait);
void fay_session_lease_pop(fay_session *session);

/* ---- output.c ---- */
/* Completes an Item whose children lie behind the mark. */
void fay_session_finish(fay_session *session, fay_ctx *ctx, int verdict);
/* Sends the Item's children so far as parts, if they are many. */
void fay_session_part(fay_session *session, uint64_t tag);
void fay_session_give_back(fay_session *session, uint64_t first_tag, uint32_t count);
void fay_session_heartbeat(fay_session *session, uint64_t tag, double progress);
void fay_session_hello(fay_session *session);
/* The class is initialised: Items may come. */
void fay_session_up(fay_session *session);
void fay_session_failed(fay_session *session, const char *message, const char *hint);
/* Seals the run and sends all there is. */
void fay_session_flush(fay_session *session);

/* ---- context.c ---- */
/* Lends the next Item to process(), and finishes it unless it is deferred. */
void fay_session_process(fay_session *session, fay_session_lease *lease);
/* Finishes what other threads have done. */
void fay_session_collect(fay_session *session);

/* ---- worker.c ---- */
/* For a module that cannot be loaded: tells the Instance, or the terminal. What main() returns. */
int fay_worker_refuse(int argc, char **argv, const fay_error *err);

#endif /* FAY_SESSION_H */
