/* SPDX-License-Identifier: MIT */
/*
 * What all TLS connections of a process share, made of its identity: TLS 1.3 and nothing older,
 * both ends show a certificate, and whether it is believed is pki's to say, not OpenSSL's: no
 * system store, no names, no addresses.
 *
 * A connection brings a ticket, by which the next one need not show certificates again. They are
 * checked again all the same, by both ends; without a renewed key or list no ticket outlives it.
 */
#ifndef FAY_NET_TLS_H
#define FAY_NET_TLS_H

#include <openssl/ssl.h>

#include "net/tickets.h"
#include "pki/identity.h"

/* Which end of a connection. */
typedef enum fay_side {
    FAY_SIDE_DIALS = 1,
    FAY_SIDE_ACCEPTS = 2
} fay_side;

typedef struct fay_tls {
    SSL_CTX *dials;   /* shows the client's certificate, if there is one */
    SSL_CTX *accepts; /* shows the server's; NULL = there is none */
    BIO_METHOD *bio;  /* of secure.c */
    fay_tickets tickets;
} fay_tls;

/* `identity` NULL: none, as of who joins. FAY_E_TLS: OpenSSL does not take a key or a chain. */
int fay_tls_init(fay_tls *tls, const fay_identity *identity, fay_error *err);
/* From now on this identity; connections that there are stay as they are, tickets do not hold. */
int fay_tls_renew(fay_tls *tls, const fay_identity *identity, fay_error *err);
void fay_tls_deinit(fay_tls *tls); /* after all connections of it */

#endif /* FAY_NET_TLS_H */
