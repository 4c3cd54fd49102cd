/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sdk/session.h"
#include "wire/codec.h"
#include "wire/frame.h"

enum {
    STORE_SIZE = 256 * 1024,
    READ_LEAST = 64 * 1024
};

void fay_session_lease_pop(fay_session *session)
{
    fay_session_lease *lease = session->lease;
    session->lease = lease->next;
    if (session->lease == NULL)
        session->lease_end = &session->lease;
    fay_store_unref(lease->store);
    free(lease);
}

/* All that was leased and not begun. The first lease stays if an Item of it is in hand. */
static void give_back_all(fay_session *session)
{
    for (fay_session_lease *lease = session->lease; lease != NULL; lease = lease->next) {
        uint32_t begun = lease->cursor.index;
        uint32_t left = lease->frame.block.count - begun;
        lease->cursor.index = lease->frame.block.count;
        if (left > 0)
            fay_session_give_back(session, lease->frame.first_tag + begun, left);
    }
}

static int take_lease(fay_session *session, const fay_frame *frame)
{
    fay_lease_frame parsed;
    int rc = fay_lease_parse(frame->payload, frame->size, &parsed);
    if (rc != 0)
        return rc;
    if ((parsed.block.has & (FAY_BLOCK_IDS_DENSE | FAY_BLOCK_IDS)) == 0)
        return FAY_E_PEER;
    if (atomic_load_explicit(&session->stopping, memory_order_relaxed)) {
        fay_session_give_back(session, parsed.first_tag, parsed.block.count);
        return 0;
    }
    fay_session_lease *lease = fay_alloc(sizeof *lease);
    lease->frame = parsed;
    lease->store = fay_store_ref(session->store);
    *session->lease_end = lease;
    session->lease_end = &lease->next;
    return 0;
}

static int take_status(fay_session *session, const fay_frame *frame)
{
    fay_reader r = fay_reader_of(frame->payload, frame->size);
    int pressure = fay_read8(&r);
    pressure -= pressure > INT8_MAX ? UINT8_MAX + 1 : 0; /* an i8 */
    unsigned workers = fay_read32(&r);
    (void)fay_read32(&r); /* how many there should be */
    if (fay_reader_done(&r) != 0 || pressure < FAY_LOW || pressure > FAY_BLOCKED)
        return FAY_E_PEER;
    atomic_store_explicit(&session->status->pressure, pressure, memory_order_relaxed);
    atomic_store_explicit(&session->status->workers, workers, memory_order_relaxed);
    return 0;
}

static int take_setup(fay_session *session, const fay_frame *frame)
{
    if (session->is_set_up)
        return FAY_E_PEER;
    int rc = fay_setup_parse(frame->payload, frame->size, &session->setup);
    if (rc != 0)
        return rc;
    session->is_set_up = true;
    session->status = fay_item_status_new(session->setup.stage, session->setup.node);
    return 0;
}

static int take_frame(fay_session *session, const fay_frame *frame)
{
    if (frame->type == FAY_MESSAGE_SETUP)
        return take_setup(session, frame);
    if (frame->type == FAY_MESSAGE_PING)
        return 0;
    if (!session->is_set_up)
        return FAY_E_PEER;
    if (frame->type == FAY_MESSAGE_LEASE)
        return take_lease(session, frame);
    if (frame->type == FAY_MESSAGE_STATUS)
        return take_status(session, frame);
    if (frame->type == FAY_MESSAGE_RECALL) {
        give_back_all(session);
        return 0;
    }
    if (frame->type == FAY_MESSAGE_RETIRE) {
        atomic_store_explicit(&session->stopping, true, memory_order_relaxed);
        give_back_all(session);
        return 0;
    }
    return FAY_E_PEER; /* no message for a worker */
}

static void take_frames(fay_session *session)
{
    int rc;
    fay_frame frame;
    for (;;) {
        rc = fay_frame_parse(session->store->bytes + session->start, session->end - session->start,
                             &frame, &session->needed);
        if (rc != FAY_FRAME_WHOLE)
            break;
        session->start += FAY_FRAME_HEADER + frame.size;
        rc = take_frame(session, &frame);
        if (rc < 0)
            break;
    }
    session->is_broken = session->is_broken || rc < 0;
}

/* Makes room for the rest of the next frame, and for a good read. What leases and Items point to
 * stays where it is: a store that is shared is left to them. */
static void make_room(fay_session *session)
{
    fay_store *store = session->store;
    size_t rest = session->end - session->start;
    size_t size = FAY_MAX((size_t)STORE_SIZE, session->needed);
    bool ours = store != NULL && atomic_load_explicit(&store->refs, memory_order_acquire) == 1;
    if (ours && rest == 0)
        session->start = session->end = 0;
    if (store != NULL && store->size - session->start >= session->needed &&
        store->size - session->end >= READ_LEAST && (!ours || store->size <= 2 * size))
        return;

    if (ours && store->size >= size && store->size <= 2 * size) {
        memmove(store->bytes, store->bytes + session->start, rest);
    } else {
        session->store = fay_store_new(size);
        if (rest > 0 && store != NULL)
            memcpy(session->store->bytes, store->bytes + session->start, rest);
        fay_store_unref(store);
    }
    session->start = 0;
    session->end = rest;
}

/* With Items deferred, other threads may wake the loop. false: they did, or nothing is there. */
static bool wait_for_input(fay_session *session)
{
    struct pollfd fds[2] = {{.fd = session->fd, .events = POLLIN},
                            {.fd = session->wake, .events = POLLIN}};
    while (poll(fds, 2, -1) < 0) {
        assert(errno == EINTR);
    }
    uint64_t count;
    if (fds[1].revents != 0)
        (void)!read(session->wake, &count, sizeof count);
    return fds[0].revents != 0;
}

bool fay_session_read(fay_session *session, bool wait)
{
    if (wait && session->deferred > 0 && !wait_for_input(session))
        return false;
    make_room(session);
    ssize_t got;
    do {
        got = recv(session->fd, session->store->bytes + session->end,
                   session->store->size - session->end, wait ? 0 : MSG_DONTWAIT);
    } while (got < 0 && errno == EINTR);
    if (got < 0 && errno == EAGAIN)
        return false;
    if (got <= 0) {
        session->is_closed = true;
        return false;
    }
    session->end += (size_t)got;
    take_frames(session);
    return true;
}
