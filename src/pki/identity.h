/* SPDX-License-Identifier: MIT */
/*
 * Who this process is in a Grid: keys and certificates, loaded and checked.
 *
 *     settings --load--> CA(s), list of revoked ones, server pair, client pair
 *
 * A pair is a private key and the chain from its certificate to the CA, the CA's included: who
 * joins by a token knows the CA by its hash alone, and must be shown it. A Node is known by the
 * certificate of the server, and shows that of the client to those it dials; they may be the same.
 */
#ifndef FAY_IDENTITY_H
#define FAY_IDENTITY_H

#include "base/node_id.h"
#include "pki/digest.h"
#include "pki/settings.h"
#include "pki/verify.h"

typedef struct fay_credential {
    EVP_PKEY *key; /* NULL = not loaded */
    STACK_OF(X509) * chain;
} fay_credential;

typedef struct fay_identity {
    fay_trust trust;
    fay_credential server, client;
    char **warnings; /* NULL = none */
} fay_identity;

enum {
    FAY_NEEDS_SERVER = 1,
    FAY_NEEDS_CLIENT = 2,
    FAY_EXPIRY_WARNING_DAYS = 30
};

/*
 * Loads what is needed. FAY_E_TLS, with the file, what is wrong with it and what to do: it is not
 * named, cannot be read, may be read by others, is no key or certificate; the key, or the public
 * key, is not the certificate's; the CA has not signed it, or for another use; it has expired, is
 * not valid yet, or revoked.
 */
int fay_identity_load(const fay_tls_settings *settings, unsigned needs, int64_t now,
                      fay_identity *ret, fay_error *err);
void fay_identity_deinit(fay_identity *identity);

/*
 * A Node's id: the first 16 bytes of SHA-256("faymora node 1" | SHA-256(public key) | name). The
 * key is that of the certificate it shows as a server; one certificate may serve many Nodes.
 */
fay_node_id fay_node_id_of(const fay_digest *public_key, const char *name);

#endif /* FAY_IDENTITY_H */
