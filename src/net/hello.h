/* SPDX-License-Identifier: MIT */
/*
 * HELLO: the first frame of each end inside TLS. It proves which Node is there, in which boot, for
 * a certificate alone does not: one certificate may serve many Nodes, and who dials shows another
 * one than he is known by.
 *
 *     u8 1 | u8 kind: 0 a client, that is all | 1 a member:  bytes certification | signature 64
 *     signed by the record key that the certification is of:
 *         "faymora hello 1" | u8 side | preamble 32 | exporter 32 | dialler's certificate 32
 *         | acceptor's certificate 32 | id 16 | u64 boot
 *
 * The exporter ties it to this TLS session, but knows nothing of the client's certificate; hence
 * both are in it (SHA-256; zeros where none was shown). The preamble, so that nobody between the
 * two can have sent it elsewhere; the side, so that it cannot be sent back where a key is shared.
 */
#ifndef FAY_NET_HELLO_H
#define FAY_NET_HELLO_H

#include "net/preamble.h"
#include "net/secure.h"
#include "pki/certification.h"

typedef struct fay_hello_session { /* what both ends know */
    fay_side side;                 /* of who says it */
    uint8_t preamble[FAY_PREAMBLE_SIZE];
    uint8_t exporter[FAY_EXPORTER_SIZE];
    fay_digest dialler, acceptor;
} fay_hello_session;

typedef struct fay_hello_member { /* who says it */
    fay_node_id id;
    uint64_t boot;
    const fay_record_key *record_key;
    const uint8_t *certification;
    size_t size;
} fay_hello_member;

/* Appends one; `member` NULL: of a client. */
void fay_hello_write(const fay_hello_session *session, const fay_hello_member *member,
                     fay_buffer *out);

typedef struct fay_hello {
    bool member;
    const uint8_t *certification; /* borrowed from the payload */
    size_t size;
    uint8_t signature[FAY_RECORD_SIGNATURE_SIZE];
} fay_hello;

/* FAY_E_PEER: it is none. */
int fay_hello_parse(const void *payload, size_t size, fay_hello *ret);
/* Whether the record key of that certification has signed it, on this session. */
bool fay_hello_holds(const fay_hello *hello, const fay_hello_session *session,
                     const fay_certification *certification);

#endif /* FAY_NET_HELLO_H */
