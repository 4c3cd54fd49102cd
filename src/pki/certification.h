/* SPDX-License-Identifier: MIT */
/*
 * What says that a record key is a Node's: the certificate of its server, and a signature by that
 * certificate's key over its id, its boot and the record key. Made once a boot; others fetch it by
 * its hash and keep it.
 *
 *     u8 1 | u64 boot | text name | record key 32 | u8 n | n x bytes DER | bytes signature
 *            n certificates: the chain, its own first, the CA's last
 *     signed: "faymora record key 1" | id 16 | u64 boot | record key 32
 *             ECDSA and RSA-PSS with SHA-256, Ed25519
 *
 * The id is not in it: it follows from the certificate's public key and the name.
 */
#ifndef FAY_CERTIFICATION_H
#define FAY_CERTIFICATION_H

#include "base/node_id.h"
#include "pki/identity.h"
#include "pki/record_key.h"

typedef struct fay_certification {
    fay_node_id id;
    uint64_t boot;
    char *name; /* the Node's, valid as such */
    uint8_t record_key[FAY_RECORD_KEY_SIZE];
    fay_digest digest;     /* of all its bytes */
    fay_digest public_key; /* of the certificate */
    STACK_OF(X509) * chain;
    unsigned roles; /* of the certificate: fay_verified_roles() */
    bool ours;      /* made by a CA of `cert init`, so that its roles mean something */
} fay_certification;

/* Appends it. FAY_E_TLS: the key cannot sign. */
int fay_certification_make(const fay_credential *server, const char *name, uint64_t boot,
                           const uint8_t record_key[FAY_RECORD_KEY_SIZE], fay_buffer *out,
                           fay_error *err);
/* FAY_E_PEER: it is none. FAY_E_TLS: the certificate does not hold as a server's, or the signature
 * is not by its key. Nothing to free then. */
int fay_certification_check(const void *bytes, size_t size, const fay_trust *trust, int64_t now,
                            fay_certification *ret, fay_error *err);
void fay_certification_deinit(fay_certification *certification);

#endif /* FAY_CERTIFICATION_H */
