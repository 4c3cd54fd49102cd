/* SPDX-License-Identifier: MIT */
/*
 * The control socket of a Node: where commands on its machine call it.
 *
 *     connect --same user, or root--> fay_calls with all roles --> the verbs
 *                 '-- anybody else: closed
 *
 * The socket is a file NAME.sock of mode 0600 in a directory of the user's (control/sockets.h). Who
 * was killed leaves it behind; it is replaced, unless somebody listens on it.
 */
#ifndef FAY_CONTROL_SERVER_H
#define FAY_CONTROL_SERVER_H

#include <uv.h>

#include "control/calls.h"

typedef struct fay_server fay_server;

/*
 * Listens in `directory`, which is made if need be, as the Node `name`, and answers with `verbs`
 * (context: that of their `begin`). NULL with err: FAY_E_EXISTS, a Node of that name is at work
 * there; FAY_E_DENIED, the directory is not ours; FAY_E_IO.
 */
fay_server *fay_server_new(uv_loop_t *loop, const char *directory, const char *name,
                           const fay_verb *verbs, void *context, fay_error *err);
const char *fay_server_path(const fay_server *server);
/* Ends all calls, removes the file, and frees in the loop. NULL is fine. */
void fay_server_free(fay_server *server);

#endif /* FAY_CONTROL_SERVER_H */
