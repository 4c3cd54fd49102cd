/* SPDX-License-Identifier: MIT */
/*
 * Between a client and the way that its frames go: client_local.c, client_grid.c. The way hands in
 * what comes, client.c waits for it.
 */
#ifndef FAY_CONTROL_CLIENT_WAY_H
#define FAY_CONTROL_CLIENT_WAY_H

#include <uv.h>

#include "control/client.h"
#include "wire/frame.h"

typedef struct fay_client_way {
    void (*send)(fay_client *client, fay_message type, const void *payload, size_t size);
    void (*close)(fay_client *client); /* its handles close in the loop */
    bool pings; /* it is not known that the other end is gone but by trying */
} fay_client_way;

struct fay_client {
    uv_loop_t loop;
    uv_timer_t timer; /* the end of a wait, or the next PING */
    const fay_client_way *way;
    void *line;  /* the way's: a link, or a peer */
    void *lines; /* the way's: whatever else */
    char *where;
    uint32_t last; /* number of a call; the first is 1 */
    bool closed;   /* nothing comes any more; `lost` says why */
    bool due;      /* the timer has fired */
    fay_error lost;
    /* The call that is waited for. */
    uint32_t waited;
    uint32_t fence;                                  /* whose answer ends it as well; 0 = none */
    bool (*each)(void *context, const json_t *part); /* NULL = there are no parts */
    void *context;
    bool ended;     /* with `result`, or with `failed` */
    json_t *result; /* owned; NULL = failed */
    fay_client_error failed;
};

fay_client *fay_client_new(const fay_client_way *way);

/* A frame has come. FAY_E_PEER: it is none that a Node sends here. */
int fay_client_frame(fay_client *client, const fay_frame *frame);
/* Nothing more will come. `err` NULL: the Node has closed. */
void fay_client_lost(fay_client *client, const fay_error *err);

/* Runs the loop until *done, or the client is closed, or the time is over: then false. */
bool fay_client_await(fay_client *client, const bool *done, fay_ns timeout);

#endif /* FAY_CONTROL_CLIENT_WAY_H */
