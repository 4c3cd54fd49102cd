/* SPDX-License-Identifier: MIT */
/*
 * The events that a Node tells of: who listens gets each, and, if it asks for them, the latest ones
 * that are kept.
 *
 *     {"schema":1,"time":"2026-11-24T21:13:00.123456Z","event":"member",..}
 */
#ifndef FAY_NODE_CHRONICLE_H
#define FAY_NODE_CHRONICLE_H

#include <jansson.h>

#include "base/base.h"

typedef struct fay_chronicle fay_chronicle;
typedef struct fay_listener fay_listener;

fay_chronicle *fay_chronicle_new(void);
void fay_chronicle_free(fay_chronicle *chronicle); /* nobody listens any more */

/* Takes the members of the event; schema and time are put before them. */
void fay_chronicle_say(fay_chronicle *chronicle, json_t *members);

/* `each` is called for those that are not older than `since_s` seconds (0 = none), then for each
 * that comes. It borrows the event, and may end its listening. */
fay_listener *fay_chronicle_listen(fay_chronicle *chronicle, double since_s,
                                   void (*each)(void *context, json_t *event), void *context);
void fay_listener_free(fay_listener *listener);

#endif /* FAY_NODE_CHRONICLE_H */
