/* SPDX-License-Identifier: MIT */
/*
 * One end of a TLS connection as a function of bytes: what has come goes in, what was said comes
 * out in clear, and what is to be sent is put into a buffer. Opens no socket, reads no clock.
 *
 *     new --begin--> shaking hands --receive--> ready --receive, send--> .. --end-->
 *                          '------receive fails: what is left to send says why------'
 *
 * What the other end has shown is checked within the handshake (pki/verify.h), so that neither end
 * is ready with somebody it does not believe; but the dialler is ready one message before the other
 * end is: that one may still refuse, which comes as a failure of receive.
 */
#ifndef FAY_NET_SECURE_H
#define FAY_NET_SECURE_H

#include "base/buffer.h"
#include "net/tls.h"
#include "pki/token.h"

enum {
    FAY_EXPORTER_SIZE = 32
};

typedef struct fay_secure fay_secure;

typedef struct fay_secure_config {
    fay_tls *tls;
    fay_side side;
    const char *address;    /* of the other end, for messages; borrowed */
    const fay_trust *trust; /* borrowed until it is ready; NULL of who joins */
    const fay_token *token; /* of who joins: what pins the CA, instead; borrowed likewise */
    bool joins;             /* the dialler shows no certificate */
    bool resumes;           /* gives, keeps and uses tickets; not where somebody joins */
    uint8_t preamble[FAY_PREAMBLE_SIZE]; /* that a ticket is good for */
    fay_digest ticket;                   /* what the dialler keeps it by */
    int64_t now;                         /* seconds since 1970 */
    fay_buffer *out;                     /* what is to be sent is appended; borrowed */
} fay_secure_config;

/* Who the other end is, by the certificate that it has shown. */
typedef struct fay_shown {
    STACK_OF(X509) * chain; /* to the CA that is believed */
    char *name;
    fay_digest fingerprint, public_key;
    unsigned roles;
    bool ours; /* made by a CA of `cert init` */
} fay_shown;

fay_secure *fay_secure_new(const fay_secure_config *config);
void fay_secure_free(fay_secure *secure); /* NULL is fine */

/* Says the first word, if that is this side's. */
void fay_secure_begin(fay_secure *secure);

enum {
    FAY_SECURE_ENDED = 1 /* the other end has said that it says no more */
};
/* What has come; what it says is appended to `clear`. FAY_SECURE_ENDED; FAY_E_TLS: it is over. */
int fay_secure_receive(fay_secure *secure, const void *bytes, size_t size, fay_buffer *clear,
                       fay_error *err);

bool fay_secure_ready(const fay_secure *secure);

/* From now on this is what the other end is judged by; one that joins by a token is not. */
void fay_secure_trust(fay_secure *secure, const fay_trust *trust);

/* How many of the bytes were taken, when it is ready: the rest when more has been received. */
size_t fay_secure_send(fay_secure *secure, const void *bytes, size_t size);
/* No more is said; may be called at any time. */
void fay_secure_end(fay_secure *secure);

/* ---- when it is ready ------------------------------------------------------------------------ */

/* Whether no certificate was shown again: what is said below is of the connection before. */
bool fay_secure_resumed(const fay_secure *secure);
/* NULL: it joins, and has shown nothing. */
const fay_shown *fay_secure_shown(const fay_secure *secure);
/* The fingerprint of what we have shown; zeros: nothing. */
fay_digest fay_secure_own(const fay_secure *secure);
/* Bytes that both ends of this connection get, and nobody else (RFC 8446, 7.5). */
void fay_secure_export(const fay_secure *secure, uint8_t ret[FAY_EXPORTER_SIZE]);

#endif /* FAY_NET_SECURE_H */
