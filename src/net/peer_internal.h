/* SPDX-License-Identifier: MIT */
/*
 * Between the files that are peer.h together:
 *
 *     peer.c      one connection: its bytes, its frames, its end
 *     dial.c      how it is made: resolve, connect
 *     stranger.c  how it is accepted: preamble, slot, hand-over
 *     greeting.c  HELLO
 *     ports.c     where it is accepted
 *     peers.c     all of them: keys, slots, life
 */
#ifndef FAY_NET_PEER_INTERNAL_H
#define FAY_NET_PEER_INTERNAL_H

#include <bsd/sys/queue.h>
#include <stddef.h>

#include "net/hello.h"
#include "net/peer.h"
#include "net/secure.h"
#include "net/slots.h"

/*
 *     accepted   PREAMBLE --> PARKED --a byte--> WAITING --a slot--> SHAKING --> UP --> ENDING
 *     dialled    RESOLVING --> CONNECTING -------------------------> SHAKING --> UP --> ENDING
 *     any of them but ENDING --fails--> FAILED, until it is told, in its turn --> ENDING
 *
 * PREAMBLE, PARKED and WAITING cost a descriptor; SHAKING costs a TLS session, and has HELLO in it.
 * ENDING writes out what is left, and hears nothing.
 */
typedef enum fay_peer_state {
    FAY_PEER_PREAMBLE,
    FAY_PEER_PARKED,
    FAY_PEER_WAITING,
    FAY_PEER_RESOLVING,
    FAY_PEER_CONNECTING,
    FAY_PEER_SHAKING,
    FAY_PEER_UP,
    FAY_PEER_FAILED, /* from here on nothing is heard or said any more */
    FAY_PEER_ENDING,
    FAY_PEER_GONE, /* its handles are being closed */
} fay_peer_state;

/* A connection that is being made. */
typedef struct fay_dialling {
    char *address;                  /* as it was named */
    uv_getaddrinfo_t *resolving;    /* NULL = it is not, or not any more */
    struct addrinfo *all, *untried; /* addresses, and those that are left */
    uint64_t due_ms;                /* for all of it */
    bool once, has_expected;
    fay_node_id expected;
    fay_token *token;
} fay_dialling;

struct fay_peer {
    fay_peers *peers;
    const fay_peer_events *events; /* NULL: nobody's yet, or nobody's any more */
    void *context;
    fay_peer_state state;
    bool dials, paused, told_up, dirty;
    int fd;
    uv_poll_t *poll; /* of the descriptor; NULL = there is none yet */
    int watched;     /* the events that it waits for now */
    uv_timer_t timer;
    int unwritable; /* errno: nothing can be sent any more, but it may have said why */
    fay_dialling dialling;
    fay_slot slot;
    uint8_t preamble_bytes[FAY_PREAMBLE_SIZE];
    size_t preamble_size; /* that have come */
    fay_preamble preamble;
    fay_secure *secure;
    bool said_hello;
    fay_buffer in, out, unsaid; /* clear; to be written; in clear, not taken by TLS yet */
    fay_peer_who who;
    fay_certification member;
    uint8_t *certification;
    fay_peer_end why; /* with err: an end that is told in its turn */
    fay_error err;
    TAILQ_ENTRY(fay_peer) entry, dirty_entry;
};

typedef struct fay_port {
    uv_poll_t poll;
    int fd;
    fay_peers *peers;
} fay_port;

TAILQ_HEAD(fay_peer_list, fay_peer);

struct fay_peers {
    fay_peers_config config;
    fay_tls tls;
    fay_peers_keys keys;
    fay_port **ports;
    size_t ports_count, ports_capacity;
    char *address;
    int spare_fd; /* given up for a moment when there are no descriptors left; -1 = it is gone */
    struct fay_peer_list all, dirty; /* dirty: something is to be written before the next wait */
    fay_slots slots;
    uv_timer_t timer;     /* runs while somebody waits for a slot, or the ports for descriptors */
    uv_prepare_t prepare; /* runs while somebody is dirty */
    bool ending, deaf;    /* deaf: no descriptors are left; the ports wait */
    size_t open;          /* handles that are not closed yet, peers, and who has made it */
};

/* ---- peer.c ---------------------------------------------------------------------------------- */

fay_peer *fay_peer_new(fay_peers *peers);
void fay_peer_move(fay_peer *peer, fay_peer_state to);
/* The socket is the peer's from now on. False: the loop cannot wait for it; it is the caller's. */
bool fay_peer_attach(fay_peer *peer, int fd);
/* Lets go of the socket, and closes it. */
void fay_peer_detach(fay_peer *peer);
void fay_peer_watch(fay_peer *peer); /* waits for what its state is about */
/* So many ms from now its time is over. */
void fay_peer_set_due(fay_peer *peer, uint64_t ms);
void fay_peer_shake(fay_peer *peer); /* TLS begins */
void fay_peer_flush(fay_peer *peer);

/* It ends so, told in its turn. */
void fay_peer_fail(fay_peer *peer, fay_peer_end why, const fay_error *err);
void fay_peer_fail_text(fay_peer *peer, fay_peer_end why, fay_status status, const char *text);
void fay_peer_fail_errno(fay_peer *peer, fay_peer_end why, int number);
/* Closes its descriptor and frees it in the loop; nothing is told. */
void fay_peer_drop(fay_peer *peer);

static inline uint64_t fay_peer_ms(fay_ns time)
{
    return (time + FAY_MS - 1) / FAY_MS;
}

/* As it is named in messages. */
static inline const char *fay_peer_address(const fay_peer *peer)
{
    return peer->dials ? peer->dialling.address : peer->who.address;
}

static inline fay_peer *fay_peer_of_slot(fay_slot *slot)
{
    return (fay_peer *)(void *)((char *)slot - offsetof(fay_peer, slot));
}

/* ---- dial.c ---------------------------------------------------------------------------------- */

/* The socket can be written to, or is broken. */
void fay_peer_connected(fay_peer *peer);
/* The time of the address that is tried is over. */
void fay_peer_connect_late(fay_peer *peer);
void fay_dialling_deinit(fay_dialling *dialling);

/* ---- stranger.c ------------------------------------------------------------------------------ */

/* An accepted socket: takes it. `preamble` NULL: it is still to come. */
void fay_peer_accept(fay_peers *peers, int fd, const fay_preamble *preamble);
/* PREAMBLE or PARKED, and something may have come. */
void fay_stranger_look(fay_peer *peer);

/* ---- greeting.c ------------------------------------------------------------------------------ */

/* TLS is ready, perhaps: says HELLO, once. */
void fay_peer_greet(fay_peer *peer);
/* FAY_E_PEER: it is no HELLO. */
int fay_peer_hear_greeting(fay_peer *peer, const fay_frame *frame);

/* ---- ports.c --------------------------------------------------------------------------------- */

/* Descriptors may be free again. */
void fay_ports_listen_again(fay_peers *peers);
void fay_ports_close(fay_peers *peers);

/* ---- peers.c --------------------------------------------------------------------------------- */

/* Whoever may begin a handshake now does, in its turn. */
void fay_peers_serve(fay_peers *peers);
/* So many ms from now who waits, for a slot or for descriptors, is looked after. */
void fay_peers_wake(fay_peers *peers, uint64_t ms);
/* Before the loop waits again, its bytes are written. */
void fay_peers_soil(fay_peer *peer);
/* One that was open is closed: the last one ends fay_peers_free(). */
void fay_peers_closed(fay_peers *peers);

#endif /* FAY_NET_PEER_INTERNAL_H */
