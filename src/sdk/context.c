/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "item/attrs.h"
#include "sdk/session.h"

/* ---- what a class calls ---------------------------------------------------------------------- */

/* Whether the Item is the loop's own at this moment, so that no lock is needed. */
static bool is_lent(const fay_ctx *ctx)
{
    return fay_session_on_loop(ctx->session) && ctx->session->current == ctx;
}

static int emit(fay_ctx *ctx, const void *data, size_t len, const fay_buffer *attrs)
{
    fay_session *session = ctx->session;
    if (data == NULL && len > 0)
        return FAY_E_INVAL;
    if (len > session->setup.item_max) {
        ctx->refused = len;
        return FAY_E_NORES;
    }
    if (is_lent(ctx)) {
        fay_children_add(&session->children, data, len, attrs);
        fay_session_part(session, ctx->tag);
        return FAY_OK;
    }
    (void)pthread_mutex_lock(&session->lock);
    fay_children_add(&ctx->children, data, len, attrs);
    (void)pthread_mutex_unlock(&session->lock);
    return FAY_OK;
}

int fay_emit(fay_ctx *ctx, const void *data, size_t len)
{
    return emit(ctx, data, len, NULL);
}

int fay_emit_item(fay_ctx *ctx, fay_item *item)
{
    if (item == NULL)
        return FAY_E_INVAL;
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer attrs = {0};
    int rc = FAY_OK;
    fay_item_encode(item, &attrs);
    size_t size = fay_buffer_size(&attrs);
    if (size > 0 && item->changed && fay_attrs_check(fay_buffer_data(&attrs), size) != 0) {
        ctx->trouble = "a result has too many attributes";
        rc = FAY_E_NORES;
    }
    if (rc == FAY_OK)
        rc = emit(ctx, item->data, item->size, size > 0 ? &attrs : NULL);
    fay_item_unref(item);
    return rc;
}

int fay_fail(fay_ctx *ctx, int verdict, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    free(ctx->error);
    if (vasprintf(&ctx->error, format, args) < 0)
        ctx->error = NULL;
    va_end(args);
    return verdict;
}

void fay_heartbeat(fay_ctx *ctx, double progress)
{
    uint64_t tick = fay_session_tick();
    if (tick == ctx->beat) /* more often tells nothing new */
        return;
    ctx->beat = tick;
    if (is_lent(ctx))
        fay_session_look(ctx->session);
    fay_session_heartbeat(ctx->session, ctx->tag, progress);
}

fay_pressure fay_stage_pressure(const fay_ctx *ctx)
{
    fay_session *session = ctx->session;
    if (is_lent(ctx))
        fay_session_look(session);
    return (fay_pressure)atomic_load_explicit(&session->status->pressure, memory_order_relaxed);
}

bool fay_stopping(const fay_ctx *ctx)
{
    fay_session *session = ctx->session;
    if (is_lent(ctx))
        fay_session_look(session);
    return atomic_load_explicit(&session->stopping, memory_order_relaxed);
}

fay_node *fay_ctx_node(fay_ctx *ctx)
{
    (void)ctx;
    return NULL;
}

/* Under the lock. */
static void put_done(fay_ctx *ctx)
{
    fay_session *session = ctx->session;
    const uint64_t one = 1;
    ctx->next = NULL;
    *session->done_end = ctx;
    session->done_end = &ctx->next;
    (void)!write(session->wake, &one, sizeof one);
}

void fay_done(fay_ctx *ctx, int verdict)
{
    fay_session *session = ctx->session;
    (void)pthread_mutex_lock(&session->lock);
    assert(!ctx->done);
    ctx->done = true;
    ctx->verdict = verdict;
    if (ctx->deferred) /* else process() has not yet returned, and fay_session_process() sees it */
        put_done(ctx);
    (void)pthread_mutex_unlock(&session->lock);
}

/* ---- what the loop does ---------------------------------------------------------------------- */

static fay_ctx *new_context(fay_session *session)
{
    fay_ctx *ctx = session->free_ctx;
    if (ctx == NULL) {
        ctx = fay_alloc(sizeof *ctx);
        ctx->session = session;
        return ctx;
    }
    session->free_ctx = ctx->next;
    return ctx;
}

static void put_context(fay_session *session, fay_ctx *ctx)
{
    if (ctx->error != NULL) {
        free(ctx->error);
        ctx->error = NULL;
    }
    ctx->refused = 0;
    ctx->trouble = NULL;
    ctx->next = session->free_ctx;
    session->free_ctx = ctx;
}

/* Moves what was emitted outside process() behind what is there. */
static void take_children(fay_session *session, fay_ctx *ctx)
{
    if (ctx->children.count == 0)
        return;
    fay_children_add_all(&session->children, &ctx->children);
    fay_children_cut(&ctx->children, (fay_mark){0});
    fay_children_trim(&ctx->children);
    fay_session_part(session, ctx->tag);
}

void fay_session_collect(fay_session *session)
{
    (void)pthread_mutex_lock(&session->lock);
    fay_ctx *done = session->done;
    session->done = NULL;
    session->done_end = &session->done;
    (void)pthread_mutex_unlock(&session->lock);

    while (done != NULL) {
        fay_ctx *ctx = done;
        done = ctx->next;
        take_children(session, ctx);
        fay_session_finish(session, ctx, ctx->verdict);
        fay_item_unref(ctx->item);
        fay_store_unref(ctx->store);
        ctx->item = NULL;
        ctx->store = NULL;
        ctx->deferred = ctx->done = false;
        put_context(session, ctx);
        session->deferred--;
    }
}

/* What the Item has emitted so far, and the Item itself, become the context's. */
static void defer(fay_session *session, fay_ctx *ctx, fay_session_lease *lease)
{
    fay_children early = {0};
    fay_children *children = &session->children;
    if (children->count > session->mark.count) {
        /* Only the Item's own are left once the run is sealed. */
        fay_session_flush(session);
        early = *children;
        *children = (fay_children){0};
    }
    ctx->item = session->item;
    ctx->store = fay_store_ref(lease->store);
    session->item = fay_item_view_new();
    session->deferred++;

    (void)pthread_mutex_lock(&session->lock);
    if (early.count > 0) {
        fay_children_add_all(&early, &ctx->children);
        fay_children_deinit(&ctx->children);
        ctx->children = early;
    }
    ctx->deferred = true;
    if (ctx->done)
        put_done(ctx);
    (void)pthread_mutex_unlock(&session->lock);
}

static void show(fay_session *session, const fay_session_lease *lease)
{
    if (!fay_item_unshared(session->item)) {
        fay_item_unref(session->item);
        session->item = fay_item_view_new();
    }
    fay_item *item = session->item;
    const fay_block_item *from = &lease->cursor;
    fay_item_view_reset(item);
    item->data = from->data;
    item->size = from->size;
    item->attrs = from->attrs;
    item->attrs_size = from->attrs_size;
    item->store = lease->store;
    item->status = session->status;
    item->root = from->root;
    item->path = from->path;
    item->attempt = from->attempt;
    item->enqueued_ms = lease->frame.enqueued_ms;
}

void fay_session_process(fay_session *session, fay_session_lease *lease)
{
    fay_ctx *ctx = new_context(session);
    ctx->tag = lease->frame.first_tag + lease->cursor.index - 1;
    show(session, lease);
    session->current = ctx;
    int verdict = session->cls.process(session->self, ctx, session->item);
    session->current = NULL;
    if (verdict == FAY_DEFER) {
        defer(session, ctx, lease);
        return;
    }
    fay_session_finish(session, ctx, verdict);
    put_context(session, ctx);
}
