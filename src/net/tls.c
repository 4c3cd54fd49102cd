/* SPDX-License-Identifier: MIT */
#include "net/tls.h"

#include "base/limits.h"
#include "net/secure_bio.h"

enum {
    STRENGTH = 2,             /* as pki/verify.c asks for */
    TICKETS = 1,              /* of a connection: what it has brought is used once */
    RESUMED_WITHIN = 2 * 3600 /* seconds */
};

static SSL_CTX *make_context(void)
{
    static char groups[] = "X25519:P-256:P-384"; /* not written to, but OpenSSL does not say so */
    SSL_CTX *context = SSL_CTX_new(TLS_method());
    fay_ossl_must(context != NULL && SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) == 1 &&
                  SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) == 1 &&
                  SSL_CTX_set1_groups_list(context, groups) == 1 &&
                  SSL_CTX_set_num_tickets(context, TICKETS) == 1);
    SSL_CTX_set_security_level(context, STRENGTH);
    SSL_CTX_set_max_cert_list(context, FAY_CHAIN_SHOWN_MAX);
    (void)SSL_CTX_set_session_cache_mode(context,
                                         SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, fay_secure_keep_ticket);
    (void)SSL_CTX_set_timeout(context, RESUMED_WITHIN);
    fay_ossl_must(SSL_CTX_set_session_ticket_cb(context, fay_secure_write_ticket,
                                                fay_secure_read_ticket, NULL) == 1);
    /* An idle connection keeps no buffers; what is not taken at once may lie elsewhere later. */
    (void)SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN |
                                        SSL_MODE_ENABLE_PARTIAL_WRITE |
                                        SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_cert_verify_callback(context, fay_secure_verify, NULL);
    return context;
}

/* The whole chain is shown, the CA's too: who joins knows it by its hash alone. */
static int show(SSL_CTX *context, const fay_credential *credential, const char *which,
                fay_error *err)
{
    STACK_OF(X509) *more = sk_X509_dup(credential->chain);
    fay_ossl_must(more != NULL);
    X509 *own = sk_X509_shift(more);
    int done = SSL_CTX_use_cert_and_key(context, own, credential->key, more, 1);
    sk_X509_free(more);
    if (done == 1)
        return 0;
    int r = fay_ossl_fail(err, "TLS does not take the certificate or the key of the %s", which);
    fay_hint(err, "look at the certificate: faymora cert show");
    return r;
}

static int make(const fay_credential *credential, const char *which, SSL_CTX **ret, fay_error *err)
{
    SSL_CTX *context = make_context();
    int r =
        credential != NULL && credential->key != NULL ? show(context, credential, which, err) : 0;
    if (r < 0) {
        SSL_CTX_free(context);
        return r;
    }
    *ret = context;
    return 0;
}

int fay_tls_renew(fay_tls *tls, const fay_identity *identity, fay_error *err)
{
    SSL_CTX *dials = NULL;
    SSL_CTX *accepts = NULL;
    int r = make(identity != NULL ? &identity->client : NULL, "client", &dials, err);
    if (r == 0 && identity != NULL && identity->server.key != NULL)
        r = make(&identity->server, "server", &accepts, err);
    if (r < 0) {
        SSL_CTX_free(dials);
        return r;
    }
    SSL_CTX_free(tls->dials);
    SSL_CTX_free(tls->accepts);
    tls->dials = dials;
    tls->accepts = accepts;
    fay_tickets_clear(&tls->tickets);
    return 0;
}

int fay_tls_init(fay_tls *tls, const fay_identity *identity, fay_error *err)
{
    *tls = (fay_tls){.bio = fay_secure_bio()};
    int r = fay_tls_renew(tls, identity, err);
    if (r < 0)
        fay_tls_deinit(tls);
    return r;
}

void fay_tls_deinit(fay_tls *tls)
{
    SSL_CTX_free(tls->dials);
    SSL_CTX_free(tls->accepts);
    BIO_meth_free(tls->bio);
    fay_tickets_clear(&tls->tickets);
    *tls = (fay_tls){0};
}
