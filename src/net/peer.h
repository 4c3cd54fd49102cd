/* SPDX-License-Identifier: MIT */
/*
 * A peer: frames over one mutual TLS 1.3 connection, from its first byte to its last.
 *
 *     dial    resolve, connect --> preamble, TLS, HELLO --> UP --frames--> closed
 *     accept  preamble --> ClientHello: a slot --> TLS, HELLO --> UP --frames--> closed
 *                |--> JOIN: TLS without the other's certificate --> UP, for JOIN frames alone
 *                '--> PROCESS: the socket is handed over, un-handshaken (handed)
 *
 * A peer is a *member* when its HELLO has proven which Node it is, in which boot: that binds the
 * certificate of its server, the one it has shown on this connection, the preamble and the TLS
 * session (net/hello.h). Else it is a client, known by the certificate that it has shown.
 *
 * Liveness is the caller's: the Grid's heartbeats, see `heard`. Sending never blocks and never
 * fails: what was said in a turn of the loop is written at its end. What waits is bounded by
 * `kept_max`, beyond which the peer is closed as a slow reader.
 *
 * All of one loop's thread. Peers end before their fay_peers do.
 */
#ifndef FAY_PEER_H
#define FAY_PEER_H

#include <uv.h>

#include "net/preamble.h"
#include "pki/certification.h"
#include "pki/token.h"
#include "wire/frame.h"

typedef struct fay_peer fay_peer;
typedef struct fay_peers fay_peers;

/* Who is at the other end. Lives as long as the peer. */
typedef struct fay_peer_who {
    char address[64]; /* as it is seen: "10.0.0.7:40022" */
    bool joins;       /* has no certificate: nothing below holds */
    /* of the certificate that it has shown */
    const char *name;
    fay_digest public_key;
    unsigned roles;
    bool ours; /* made by a CA of `cert init`: the roles mean something */
    X509 *certificate;
    /* of a member, as proven; NULL = it is none */
    const fay_certification *member;
    const uint8_t *certification; /* its bytes */
    size_t certification_size;
} fay_peer_who;

typedef enum fay_peer_end {
    FAY_PEER_CLOSED,    /* by the other end, or the connection broke after UP */
    FAY_PEER_REFUSED,   /* before UP: nobody listens, or no such host */
    FAY_PEER_SILENT,    /* before UP: a deadline went by; or it does not read what is sent */
    FAY_PEER_HANDSHAKE, /* before UP: it is not who it should be, or we are not for it */
    FAY_PEER_BROKEN,    /* it broke the protocol after UP */
    FAY_PEER_OURS,      /* before UP: for want of descriptors or memory here */
} fay_peer_end;

/* None may be NULL but where said. */
typedef struct fay_peer_events {
    void (*up)(void *context, fay_peer *peer, const fay_peer_who *who);
    /* One whole frame, borrowed. A negative return closes the peer as BROKEN. */
    int (*frame)(void *context, fay_peer *peer, const fay_frame *frame);
    void (*heard)(void *context, fay_peer *peer);   /* bytes have come; may be NULL */
    void (*batch)(void *context, fay_peer *peer);   /* all frames of one read; may be NULL */
    void (*drained)(void *context, fay_peer *peer); /* what waited is written; may be NULL */
    /* The last that is heard of it, once, and not from within a call to it; not after
     * fay_peer_close(). `err`: what, where, why and what to do. */
    void (*closed)(void *context, fay_peer *peer, fay_peer_end why, const fay_error *err);
} fay_peer_events;

/* What accepts ask: where a connection for somebody else, or from anybody, goes. */
typedef struct fay_peers_events {
    /* Somebody has come through to UP: the events and the context for it from now on; `up` is
     * called next. FALSE closes it. */
    bool (*accepted)(void *context, fay_peer *peer, const fay_peer_who *who,
                     const fay_peer_events **ret_events, void **ret_context);
    /* The descriptor is the callee's; NULL: nobody is here but the Node. */
    void (*handed)(void *context, int fd, const fay_preamble *preamble);
    /* A stranger has failed; for the log. */
    void (*refused)(void *context, const char *address, const fay_error *err);
    /* Whether a known member lives at that address ("10.0.0.7", "[::1]"): slots are kept for those.
     * May be NULL. */
    bool (*known)(void *context, const char *address);
} fay_peers_events;

/* What the handshakes show and believe. */
typedef struct fay_peers_keys {
    const fay_identity *identity;     /* server and client pair, trust; NULL = none (JOIN) */
    const fay_record_key *record_key; /* of a member; NULL = a client */
    const uint8_t *certification;     /* of a member */
    size_t certification_size;
    fay_node_id id;
    uint64_t boot;
} fay_peers_keys;

typedef struct fay_peers_config {
    uv_loop_t *loop;
    fay_peers_keys keys;            /* borrowed until fay_peers_rekey() or the end */
    const fay_peers_events *events; /* NULL: never listens */
    void *context;
    fay_ns connect, handshake, unacknowledged; /* deadlines; TCP_USER_TIMEOUT */
    size_t kept_max;                           /* bytes that may wait for one peer to read */
} fay_peers_config;

fay_peers *fay_peers_new(const fay_peers_config *config);
/* Closes what is open, with what is written, and frees in the loop. */
void fay_peers_free(fay_peers *peers);

/* From now on these keys; connections that there are stay, but for those whose certificate does not
 * hold any more, such as one that is revoked now: they end as HANDSHAKE. FAY_E_TLS and nothing
 * changed. */
int fay_peers_rekey(fay_peers *peers, const fay_peers_keys *keys, fay_error *err);

/* "A:P", "[::]:P"; P 0 = any. FAY_E_IO, FAY_E_INVAL. May be called for several addresses. */
int fay_peers_listen(fay_peers *peers, const char *address, fay_error *err);
/* "10.0.0.7:7331", of the first; NULL = it does not listen. */
const char *fay_peers_address(const fay_peers *peers);
/* A connection for this process that was handed over, with the preamble that was read from it
 * (net/handover.h): accepted as if it had come to a port of ours. Takes the descriptor. */
void fay_peers_adopt(fay_peers *peers, int fd, const fay_preamble *preamble);

typedef struct fay_peer_dial {
    const char *address; /* HOST:PORT */
    fay_preamble preamble;
    const fay_node_id *expected; /* another Node answers: HANDSHAKE; NULL = whoever is there */
    const fay_token *token;      /* JOIN: what pins the CA; else NULL */
    bool once;                   /* an audit: proven in full, and no ticket is kept for the next */
} fay_peer_dial;

/* Never NULL: what fails comes as `closed`. */
fay_peer *fay_peer_dial_to(fay_peers *peers, const fay_peer_dial *dial,
                           const fay_peer_events *events, void *context);
/* Writes out what waits as far as that goes within 1 s, and closes; no event follows. */
void fay_peer_close(fay_peer *peer);

/* Not before `up`. */
void fay_peer_send(fay_peer *peer, fay_message type, const void *payload, size_t size);
size_t fay_peer_backlog(const fay_peer *peer); /* bytes that wait */
/* Reads no more, until not; frames of what was read before are still given. */
void fay_peer_pause(fay_peer *peer, bool paused);

#endif /* FAY_PEER_H */
