/* SPDX-License-Identifier: MIT */
/*
 * The network between simulated machines (grid_net.h), for grid_net.c alone.
 *
 * Nothing that is sent on a connection is lost, as with TCP: it comes later, behind what was sent
 * before it. A split, a Node that cannot be heard, a stall hold it back until they end; a line that
 * loses 80 % takes as many tries as it takes, 0.2 s apart, then 0.4 s and so on. What has not
 * arrived after params.unacknowledged ends the connection at the sender, and at the other end when
 * that can be told. Who dials is answered in time or not at all.
 */
#ifndef FAY_SIM_GRID_WIRES_H
#define FAY_SIM_GRID_WIRES_H

#include "sim/grid_net.h"

/* What happens in the world of a net. */
enum {
    FAY_NET_START,   /* node */
    FAY_NET_KILL,    /* node */
    FAY_NET_WAKE,    /* node, value: when it was due */
    FAY_NET_RUN,     /* node: its core is free, and something waits */
    FAY_NET_CONNECT, /* to node, serial: a connection; all below likewise, worker: its side there */
    FAY_NET_REFUSED,
    FAY_NET_TIMED_OUT, /* value: the evidence, if it is not up by now */
    FAY_NET_UP,
    FAY_NET_MESSAGE, /* frame: message; value: its size */
    FAY_NET_END,
    FAY_NET_LOST,   /* what it has sent was not acknowledged */
    FAY_NET_THAWED, /* node, value: after so long */
    FAY_NET_SAY,    /* node, frame, value: its size */
    FAY_NET_FETCH,  /* node, value: the number of a CRL */
};

fay_net_conn *fay_net_conn_of(const fay_net *net, uint64_t number);
/* The side of it that the node is on. */
unsigned fay_net_side(const fay_net_conn *conn, uint32_t node);

/* In the order of what was sent on the connection from that side, `delay` from now. */
void fay_net_deliver(fay_net *net, uint64_t number, unsigned from, fay_ns delay,
                     fay_sim_event event);
void fay_net_dial(fay_net *net, uint32_t from, fay_ns delay, const fay_grid_action *action);
void fay_net_send(fay_net *net, uint32_t node, fay_ns delay, uint64_t number, fay_grid_bytes bytes);
/* That side is over, and the other one is told. */
void fay_net_end(fay_net *net, uint64_t number, unsigned side, fay_ns delay);
/* Whether the kernel there could answer who connects. */
bool fay_net_answers(const fay_net *net, const fay_net_conn *conn);

#endif /* FAY_SIM_GRID_WIRES_H */
