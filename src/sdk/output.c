/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/units.h"
#include "sdk/session.h"
#include "wire/codec.h"
#include "wire/frame.h"
#include "wire/verdict.h"

enum {
    SEND_AT = 64 * 1024,  /* bytes of results that are worth a write */
    PART_AT_COUNT = 32768 /* children of one Item that go out before it is finished */
};

/* ---- frames ---------------------------------------------------------------------------------- */

static void send_bytes(fay_session *session, const uint8_t *bytes, size_t size)
{
    (void)pthread_mutex_lock(&session->write_lock);
    while (size > 0) {
        ssize_t sent = send(session->fd, bytes, size, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            break; /* gone; the next read says so */
        bytes += sent;
        size -= (size_t)sent;
    }
    (void)pthread_mutex_unlock(&session->write_lock);
}

static void send_out(fay_session *session)
{
    if (fay_buffer_size(&session->out) == 0)
        return;
    bool busy = session->busy_since != 0; /* waiting for the other side is no work */
    if (busy)
        fay_session_busy_end(session);
    send_bytes(session, fay_buffer_data(&session->out), fay_buffer_size(&session->out));
    fay_buffer_clear(&session->out);
    if (session->out.capacity > 4 * FAY_FRAME_BATCH_MAX)
        fay_buffer_deinit(&session->out);
    if (busy)
        fay_session_busy_begin(session);
}

static void send_if_large(fay_session *session)
{
    if (fay_buffer_size(&session->out) >= SEND_AT)
        send_out(session);
}

/* Writes the run as RESULTS; the children of the Item in hand stay. */
static void seal(fay_session *session)
{
    if (session->run_count == 0)
        return;
    if (session->busy_since != 0) {
        fay_session_busy_end(session);
        fay_session_busy_begin(session);
    }
    fay_buffer *out = &session->out;
    size_t begun = fay_frame_begin(out, FAY_MESSAGE_RESULTS, 0, 0);
    fay_write64(out, session->run_first);
    fay_write32(out, session->run_count);
    fay_write64(out, session->useful);
    fay_write8(out, session->run_uneven);
    if (session->run_uneven) {
        fay_buffer_append(out, fay_buffer_data(&session->counts),
                          fay_buffer_size(&session->counts));
    }
    fay_children_take(&session->children, session->mark, out);
    fay_frame_end(out, begun);

    fay_buffer_clear(&session->counts);
    session->run_count = 0;
    session->run_uneven = false;
    session->mark = (fay_mark){0};
    session->useful = 0;
    if (session->children.count == 0)
        fay_children_trim(&session->children);
    send_if_large(session);
}

void fay_session_flush(fay_session *session)
{
    seal(session);
    send_out(session);
}

void fay_session_hello(fay_session *session)
{
    size_t begun = fay_frame_begin(&session->out, FAY_MESSAGE_HELLO, 0, 0);
    fay_write32(&session->out, FAY_PROTOCOL_VERSION);
    fay_write32(&session->out, (uint32_t)getpid());
    fay_frame_end(&session->out, begun);
    send_out(session);
}

void fay_session_up(fay_session *session)
{
    size_t begun = fay_frame_begin(&session->out, FAY_MESSAGE_UP, 0, 0);
    fay_write32(&session->out, (uint32_t)getpid());
    fay_write64(&session->out, 0); /* the Instance knows since when */
    fay_frame_end(&session->out, begun);
    send_out(session);
}

void fay_session_failed(fay_session *session, const char *message, const char *hint)
{
    const fay_failed failed = {
        .kind = FAY_FAILED_START, .message = fay_text_from(message), .hint = fay_text_from(hint)};
    size_t begun = fay_frame_begin(&session->out, FAY_MESSAGE_FAILED, 0, 0);
    fay_failed_write(&failed, &session->out);
    fay_frame_end(&session->out, begun);
    send_out(session);
}

void fay_session_give_back(fay_session *session, uint64_t first_tag, uint32_t count)
{
    size_t begun = fay_frame_begin(&session->out, FAY_MESSAGE_GIVEN_BACK, 0, 0);
    fay_write64(&session->out, first_tag);
    fay_write32(&session->out, count);
    fay_frame_end(&session->out, begun);
}

void fay_session_heartbeat(fay_session *session, uint64_t tag, double progress)
{
    uint8_t frame[FAY_FRAME_HEADER + 16];
    uint64_t bits;
    memcpy(&bits, &progress, sizeof bits);
    fay_frame_header(frame, FAY_MESSAGE_HEARTBEAT, 0, 0, 16);
    fay_store64(frame + FAY_FRAME_HEADER, tag);
    fay_store64(frame + FAY_FRAME_HEADER + 8, bits);
    send_bytes(session, frame, sizeof frame);
}

/* ---- results --------------------------------------------------------------------------------- */

static size_t weight_behind(const fay_children *children, fay_mark mark)
{
    return fay_buffer_size(&children->data) - mark.data + fay_buffer_size(&children->attrs) -
           mark.attrs;
}

void fay_session_part(fay_session *session, uint64_t tag)
{
    fay_children *children = &session->children;
    if (weight_behind(children, session->mark) <= FAY_FRAME_BATCH_MAX &&
        children->count - session->mark.count <= PART_AT_COUNT)
        return;
    seal(session);
    while (children->count > 0) {
        fay_mark some = fay_children_some(children, FAY_FRAME_CHUNK_MAX);
        size_t begun = fay_frame_begin(&session->out, FAY_MESSAGE_PART, 0, 0);
        fay_write64(&session->out, tag);
        fay_children_take(children, some, &session->out);
        fay_frame_end(&session->out, begun);
        send_if_large(session);
    }
    fay_children_trim(children);
}

static void count_children(fay_session *session, uint32_t children)
{
    if (children != 1 && !session->run_uneven) {
        for (uint32_t i = 0; i < session->run_count; i++) {
            fay_write32(&session->counts, 1);
        }
        session->run_uneven = true;
    }
    if (session->run_uneven)
        fay_write32(&session->counts, children);
    session->run_count++;
}

/* A run is of consecutive tags, and a frame of several Items has its limits. */
static bool fits_run(const fay_session *session, uint64_t tag)
{
    return session->run_count == 0 ||
           (tag == session->run_first + session->run_count &&
            session->run_count < FAY_BLOCK_ITEMS_MAX &&
            session->children.count <= FAY_BLOCK_ITEMS_MAX &&
            weight_behind(&session->children, (fay_mark){0}) <= FAY_FRAME_BATCH_MAX);
}

static void acknowledge(fay_session *session, uint64_t tag)
{
    if (!fits_run(session, tag))
        seal(session);
    if (session->run_count == 0)
        session->run_first = tag;
    count_children(session, session->children.count - session->mark.count);
    session->mark = fay_children_mark(&session->children);
    if (session->mark.data + session->mark.attrs >= SEND_AT)
        fay_session_flush(session);
}

static void refuse(fay_session *session, uint64_t tag, fay_verdict_kind kind, const char *error)
{
    const fay_verdict verdict = {.tag = tag, .kind = kind, .error = fay_text_from(error)};
    fay_children_cut(&session->children, session->mark);
    seal(session);
    size_t begun = fay_frame_begin(&session->out, FAY_MESSAGE_VERDICT, 0, 0);
    fay_verdict_write(&verdict, &session->out);
    fay_frame_end(&session->out, begun);
    send_if_large(session);
}

static void refuse_large(fay_session *session, const fay_ctx *ctx)
{
    char size[FAY_UNITS_TEXT_MAX], max[FAY_UNITS_TEXT_MAX], text[128];
    (void)snprintf(text, sizeof text, "a result of %s is larger than max_item (%s)",
                   fay_size_text(ctx->refused, size), fay_size_text(session->setup.item_max, max));
    refuse(session, ctx->tag, FAY_VERDICT_TOO_LARGE, text);
}

void fay_session_finish(fay_session *session, fay_ctx *ctx, int verdict)
{
    char text[80];
    const char *error = ctx->error;
    if (ctx->refused > 0) {
        refuse_large(session, ctx);
    } else if (ctx->trouble != NULL) {
        refuse(session, ctx->tag, FAY_VERDICT_POISON, ctx->trouble);
    } else if (verdict == FAY_ACK) {
        acknowledge(session, ctx->tag);
    } else if (verdict == FAY_RETRY) {
        refuse(session, ctx->tag, FAY_VERDICT_RETRY, error != NULL ? error : "the worker failed");
    } else if (verdict == FAY_POISON) {
        refuse(session, ctx->tag, FAY_VERDICT_POISON,
               error != NULL ? error : "the worker refused the Item");
    } else {
        (void)snprintf(text, sizeof text, "process() gave %d, which is no verdict", verdict);
        refuse(session, ctx->tag, FAY_VERDICT_POISON, text);
    }
}
