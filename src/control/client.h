/* SPDX-License-Identifier: MIT */
/*
 * Who calls a Node: the client's half of the control interface, for commands. It waits on a loop of
 * its own, so each call returns with its answer.
 *
 *     fay_client_open_local()  the Node's socket on this machine    --+--> call, stream --> close
 *     fay_client_open_grid()   HOST:PORT, the first that answers,   --'
 *                              over mutual TLS
 *
 * Errors say what, where, why and what to do, and what the command shall exit with: the Node's own
 * word for it, else FAY_CONTROL_EXIT, of all that is wrong with Grid and TLS.
 */
#ifndef FAY_CONTROL_CLIENT_H
#define FAY_CONTROL_CLIENT_H

#include <jansson.h>

#include "base/base.h"
#include "pki/identity.h"

typedef struct fay_client fay_client;

typedef struct fay_client_error {
    fay_error error;
    int exit;
} fay_client_error;

/*
 * Of the sockets in `directory` that of the Node `name`; NULL = the only one that somebody listens
 * on. NULL: there is none (FAY_E_NOTFOUND), several (FAY_E_INVAL), or it cannot be used.
 */
fay_client *fay_client_open_local(const char *directory, const char *name, fay_client_error *why);

/* Each address in turn, for at most that long; NULL: none answers. The identity is borrowed. */
fay_client *fay_client_open_grid(char *const *addresses, const fay_identity *identity,
                                 fay_ns timeout, fay_client_error *why);

void fay_client_close(fay_client *client); /* NULL is fine */

/* "the Node 'a'", "10.0.0.7:7331" */
const char *fay_client_where(const fay_client *client);

/* The result, to json_decref(); NULL with the reason. Takes the arguments; NULL is {}. */
json_t *fay_client_call(fay_client *client, const char *verb, json_t *args, fay_ns timeout,
                        fay_client_error *why);

typedef struct fay_client_stream {
    const char *verb;
    json_t *args;                                    /* taken; NULL is {} */
    bool (*each)(void *context, const json_t *part); /* a part, borrowed; false: no more */
    bool (*wanted)(void *context); /* asked now and then; false: no more. NULL = it is */
    void *context;
    fay_ns timeout; /* for what the Node has to say at once; 0: goes on, until it ends it */
} fay_client_stream;

/*
 * Gives each part as it comes. With a timeout it ends behind those that the Node gives at once: a
 * `status` is called behind the verb, whose answer comes behind these. 0, or negative with the
 * reason.
 */
int fay_client_listen(fay_client *client, const fay_client_stream *stream, fay_client_error *why);

#endif /* FAY_CONTROL_CLIENT_H */
