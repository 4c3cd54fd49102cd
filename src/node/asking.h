/* SPDX-License-Identifier: MIT */
/*
 * Calls a verb of other Nodes: dials each, over TLS, as a client.
 *
 *     ask --dial, CALL--> ANSWER: the result
 *           |-- refused, no answer within the time: NULL, and why
 *           '-- many: FAY_ASKS_MAX at once, the others wait their turn
 */
#ifndef FAY_NODE_ASKING_H
#define FAY_NODE_ASKING_H

#include <jansson.h>

#include "grid/members.h"
#include "net/peer.h"

typedef struct fay_asking fay_asking;

/* `peers`: without a record key, so that those who are asked take us for a client. */
fay_asking *fay_asking_new(uv_loop_t *loop, fay_peers *peers);
void fay_asking_free(fay_asking *asking); /* what is under way ends as not answered */

typedef struct fay_ask {
    const fay_grid_member *member; /* that has a record; borrowed for the call */
    const char *verb;
    json_t *args;  /* borrowed */
    fay_ns within; /* since it has its turn */
    /* Once. `result`: borrowed; NULL: there is none, and `err` says why; `exit` is then what the
     * other end would have its command exit with, or 4. */
    void (*answered)(void *context, json_t *result, const fay_error *err, int exit);
    void *context;
} fay_ask;

void fay_asking_ask(fay_asking *asking, const fay_ask *ask);
/* Nobody wants the answers of that context any more. */
void fay_asking_forget(fay_asking *asking, const void *context);

#endif /* FAY_NODE_ASKING_H */
