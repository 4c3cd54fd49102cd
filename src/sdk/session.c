/* SPDX-License-Identifier: MIT */
#include "sdk/session.h"

#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

static fay_ns clock_ns(clockid_t clock)
{
    struct timespec t;
    (void)clock_gettime(clock, &t);
    return (fay_ns)t.tv_sec * FAY_SECOND + (fay_ns)t.tv_nsec;
}

uint64_t fay_session_tick(void)
{
    return clock_ns(CLOCK_MONOTONIC_COARSE);
}

void fay_session_busy_begin(fay_session *session)
{
    session->busy_since = clock_ns(CLOCK_MONOTONIC);
}

void fay_session_busy_end(fay_session *session)
{
    session->useful += clock_ns(CLOCK_MONOTONIC) - session->busy_since;
    session->busy_since = 0;
}

bool fay_session_on_loop(const fay_session *session)
{
    return pthread_equal(pthread_self(), session->loop) != 0;
}

void fay_session_look(fay_session *session)
{
    uint64_t tick = fay_session_tick();
    if (tick == session->tick)
        return;
    session->tick = tick;
    fay_session_flush(session);
    if (!session->is_closed && !session->is_broken)
        (void)fay_session_read(session, false);
}

fay_session *fay_session_new(int fd)
{
    fay_session *session = fay_alloc(sizeof *session);
    session->fd = fd;
    session->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (session->wake < 0) {
        free(session);
        return NULL;
    }
    session->loop = pthread_self();
    session->lease_end = &session->lease;
    session->done_end = &session->done;
    session->item = fay_item_view_new();
    session->tick = fay_session_tick();
    (void)pthread_mutex_init(&session->write_lock, NULL);
    (void)pthread_mutex_init(&session->lock, NULL);
    return session;
}

static void free_contexts(fay_session *session)
{
    while (session->free_ctx != NULL) {
        fay_ctx *ctx = session->free_ctx;
        session->free_ctx = ctx->next;
        fay_children_deinit(&ctx->children);
        free(ctx);
    }
}

void fay_session_free(fay_session *session)
{
    if (session == NULL || session->deferred > 0)
        return;
    while (session->lease != NULL) {
        fay_session_lease_pop(session);
    }
    free_contexts(session);
    fay_item_unref(session->item);
    fay_store_unref(session->store);
    fay_item_status_unref(session->status);
    fay_setup_deinit(&session->setup);
    fay_children_deinit(&session->children);
    fay_buffer_deinit(&session->counts);
    fay_buffer_deinit(&session->out);
    (void)pthread_mutex_destroy(&session->write_lock);
    (void)pthread_mutex_destroy(&session->lock);
    (void)close(session->wake);
    (void)close(session->fd);
    free(session);
}
