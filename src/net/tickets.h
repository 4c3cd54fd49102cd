/* SPDX-License-Identifier: MIT */
/*
 * Sessions of TLS that may be resumed, each by who was dialled for what: the few that were last.
 * Each is good for one connection, which brings the next.
 */
#ifndef FAY_NET_TICKETS_H
#define FAY_NET_TICKETS_H

#include <openssl/ssl.h>

#include "base/limits.h"
#include "net/preamble.h"
#include "pki/digest.h"

typedef struct fay_ticket {
    fay_digest key;
    SSL_SESSION *session;
} fay_ticket;

typedef struct fay_tickets {
    fay_ticket list[FAY_TICKETS_MAX]; /* the oldest first */
    size_t count;
} fay_tickets;

void fay_tickets_clear(fay_tickets *tickets);

/* What a session is kept by; `id` NULL: whoever is there. */
fay_digest fay_ticket_key(const char *address, const fay_preamble *preamble, const fay_node_id *id);

/* Takes the session, instead of another one under that key. */
void fay_tickets_keep(fay_tickets *tickets, const fay_digest *key, SSL_SESSION *session);
/* The caller's from now on; NULL = there is none. */
SSL_SESSION *fay_tickets_take(fay_tickets *tickets, const fay_digest *key);

#endif /* FAY_NET_TICKETS_H */
