/* SPDX-License-Identifier: MIT */
/*
 * A link: frames over one stream socket (here a socketpair, later TLS), on a libuv loop.
 *
 *      send --> [ out buffer ] --write--> peer        one write per wake-up, or at once when large
 *      frame callback <-- [ in buffer ] <--read-- peer
 *
 * Liveness: each end sends a PING after FAY_LINK_PING_MS without other traffic; FAY_LINK_SILENCE_MS
 * without a byte from the peer closes the link (the lease length: docs/ARCHITECTURE.md,
 * "Nothing is lost").
 *
 * Sending never blocks and never fails: what the socket does not take at once is kept. Bounds on
 * what may be kept are the caller's (credit), who may ask fay_link_backlog(). After the close
 * callback nothing else is called.
 */
#ifndef FAY_LINK_H
#define FAY_LINK_H

#include <uv.h>

#include "base/base.h"
#include "wire/frame.h"

#define FAY_LINK_PING_MS    1000u
#define FAY_LINK_SILENCE_MS 3500u
#define FAY_LINK_SPARED_MAX 20u /* so often in a row a silent peer may be spared */

/* Who makes what is sent stops above the first; at most the second is kept when it goes on. */
#define FAY_LINK_KEPT_MAX ((size_t)1024 * 1024)
#define FAY_LINK_KEPT_LOW ((size_t)256 * 1024)

typedef struct fay_link fay_link;

typedef struct fay_link_events {
    /* One frame; its payload is borrowed for the call. A negative return closes the link. */
    int (*frame)(void *context, const fay_frame *frame);
    /* All frames of one read have been given: the place to step once for them. May be NULL. */
    void (*batch)(void *context);
    /* The peer closed (0), was silent (FAY_E_TIMEOUT), broke the protocol (FAY_E_PEER), or I/O
     * failed (FAY_E_IO). The link frees itself afterwards. Not called after fay_link_close(). */
    void (*closed)(void *context, int why);
    /* The peer has been silent: whether it is known to be at work all the same, and shall have as
     * long again. NULL = no. */
    bool (*spares)(void *context);
    /* The backlog was above FAY_LINK_KEPT_LOW, and no longer is: the place to produce more. May be
     * NULL. */
    void (*drained)(void *context);
} fay_link_events;

/* Takes the descriptor (a connected stream socket). `context` is passed to the callbacks. */
fay_link *fay_link_open(uv_loop_t *loop, int fd, const fay_link_events *events, void *context);
/* Writes out what is kept as far as the socket takes it now, closes, and frees in the loop. */
void fay_link_close(fay_link *link);

void fay_link_send(fay_link *link, fay_message type, uint16_t worker, const void *payload,
                   size_t size);
/* A payload in two pieces: so that a head can go before data that lies elsewhere, uncopied. */
void fay_link_send2(fay_link *link, fay_message type, uint16_t worker, const void *head,
                    size_t head_size, const void *data, size_t data_size);
/* A frame that was received elsewhere, passed on as it is under another worker number. */
void fay_link_forward(fay_link *link, const fay_frame *frame, uint16_t worker);

/* Amid work that keeps the loop from turning for long, such as starting many processes on a machine
 * that is busy: a sign of life where one is due, and nobody is judged silent for that time. */
void fay_link_breathe(fay_link *link);

size_t fay_link_backlog(const fay_link *link); /* bytes kept */
/* Stops and resumes reading from the peer. Liveness is not judged while reading is stopped. */
void fay_link_pause(fay_link *link, bool paused);
/* No pings and no judgement of silence from now on: for a worker, which may take long. */
void fay_link_untimed(fay_link *link);

#endif /* FAY_LINK_H */
