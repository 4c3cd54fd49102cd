/* SPDX-License-Identifier: MIT */
/*
 * What a Node keeps between its starts, in a directory of its own:
 *
 *     lock    held while it runs: of two Nodes of one name and state, the second is refused
 *     boot    the number of its last start, in digits; each start has a greater one
 *     peers   addresses of members, the latest first, one a line: where the Grid was when it was
 *             last seen, so that a Grid that was switched off finds itself again
 *
 * A full disk, or one that is read-only, is said once and lived with: what cannot be kept is kept
 * in memory.
 */
#ifndef FAY_NODE_STATE_H
#define FAY_NODE_STATE_H

#include "base/base.h"

typedef struct fay_node_state {
    char *directory;
    int lock;
    bool failed; /* the last write did not work */
} fay_node_state;

/* Where Nodes of this user keep their state: `named` (NULL: not given), FAYMORA_STATE_DIR, else
 * $XDG_STATE_HOME/faymora, ~/.local/state/faymora; of root /var/lib/faymora. FAY_E_INVAL: nowhere.
 * free() it. */
int fay_node_state_root(const char *named, char **ret, fay_error *err);

/* Makes ROOT/NAME if it is not there, and locks it. FAY_E_EXISTS: such a Node runs; FAY_E_IO. */
int fay_node_state_open(const char *root, const char *name, fay_node_state *ret, fay_error *err);
void fay_node_state_close(fay_node_state *state);

/* Greater than all before, and not less than `now` (seconds since 1970). 0 and *ret; FAY_E_IO and
 * *ret all the same: it could not be kept. */
int fay_node_state_boot(fay_node_state *state, uint64_t now, uint64_t *ret, fay_error *err);
/* Another start, in place. FAY_E_IO: it could not be kept. */
int fay_node_state_reboot(fay_node_state *state, uint64_t boot, fay_error *err);

/* Texts, for fay_texts_free(); NULL = none. What is no address is left out. */
char **fay_node_state_peers(const fay_node_state *state);
/* FAY_E_IO the first time that it does not work, then nothing until it has worked again. */
int fay_node_state_keep_peers(fay_node_state *state, char *const *peers, fay_error *err);

#endif /* FAY_NODE_STATE_H */
