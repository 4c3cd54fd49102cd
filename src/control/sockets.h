/* SPDX-License-Identifier: MIT */
/*
 * Where the control sockets of this machine's Nodes are, for both ends.
 *
 *     DIRECTORY/NAME.sock     --state-dir, else FAYMORA_STATE_DIR,
 *                             else $XDG_RUNTIME_DIR/faymora, else /run/faymora (root),
 *                             else /tmp/faymora-UID
 *
 * The directory belongs to who listens and nobody else may write there: else anybody could put a
 * socket of his own in the place of a Node's.
 */
#ifndef FAY_CONTROL_SOCKETS_H
#define FAY_CONTROL_SOCKETS_H

#include "base/base.h"

/* The directory; `state` is what --state-dir says, or NULL. free() it. */
char *fay_sockets_directory(const char *state);

/* Opens it; `make`: makes it if need be. *ret_fd; FAY_E_NOTFOUND: it is not there. FAY_E_DENIED: it
 * is somebody else's, or others may write there. FAY_E_IO. */
int fay_sockets_open(const char *directory, bool make, int *ret_fd, fay_error *err);

/* The names of the sockets in an open directory, sorted, as a list of texts. */
char **fay_sockets_names(int directory);

/* A socket connected to that of a Node in an open directory. FAY_E_NOTFOUND: there is none, or
 * nobody listens on it; FAY_E_DENIED; FAY_E_IO. */
int fay_sockets_connect(int directory, const char *name, int *ret_fd, fay_error *err);
/* One that listens there, which only its user may connect to. FAY_E_EXISTS: somebody does. */
int fay_sockets_listen(int directory, const char *name, int *ret_fd, fay_error *err);
/* Removes the file. */
void fay_sockets_remove(int directory, const char *name);

#endif /* FAY_CONTROL_SOCKETS_H */
