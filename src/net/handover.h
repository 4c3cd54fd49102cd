/* SPDX-License-Identifier: MIT */
/*
 * A connection for another process of this machine, given to it over a Unix socket: the descriptor
 * (SCM_RIGHTS) and the preamble that was read from it. TLS begins there, so that it runs end to end
 * and who accepts has seen none of it.
 *
 *     Agent: accept, preamble --send--> [ Unix socket ] --receive--> process: fay_peers_adopt()
 *
 * The socket is a pair of SOCK_SEQPACKET: each message is whole, or is not there.
 */
#ifndef FAY_NET_HANDOVER_H
#define FAY_NET_HANDOVER_H

#include "net/preamble.h"

enum {
    FAY_HANDOVER_LATER = 1 /* send: it has no room; receive: there is none */
};

/* The two ends, not blocking and closed on exec. FAY_E_IO. */
int fay_handover_open(int ret_sockets[2], fay_error *err);
/* The descriptor stays the caller's, who closes it. FAY_HANDOVER_LATER; FAY_E_CLOSED: nobody is
 * there any more; FAY_E_IO. */
int fay_handover_send(int socket, int fd, const fay_preamble *preamble);
/* The descriptor becomes the caller's. FAY_HANDOVER_LATER; FAY_E_CLOSED; FAY_E_PEER: what has come
 * is no connection; FAY_E_IO. */
int fay_handover_receive(int socket, int *ret_fd, fay_preamble *ret_preamble);

#endif /* FAY_NET_HANDOVER_H */
