/* SPDX-License-Identifier: MIT */
/*
 * OpenSSL reads from the bytes that receive() was called with, borrowed for the call, and writes
 * into the buffer of whoever sends it: a BIO of our own, rather than one in memory, which would
 * copy all of it once more and keep the room of its fullest moment for as long as it lives.
 */
#include "net/secure.h"

#include <assert.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/secure_bio.h"
#include "pki/certificate.h"

#define EXPORTER "EXPORTER-faymora hello 1"

enum {
    CLEAR_MIN = 4096, /* room for what is read at once; a record has 16 KiB at most */
    WHAT_MAX = 96,
    ALERT_FIRST = 1000 /* OpenSSL's reason for alert number 0 of the other end */
};

struct fay_secure {
    SSL *ssl;
    fay_secure_config config;
    const uint8_t *in; /* what receive() was called with, as far as it was not read yet */
    size_t in_size;
    fay_shown shown;    /* chain NULL = nothing */
    fay_error *refusal; /* why we do not believe the other end; NULL = we do */
    bool failed;
};

/* ---- bytes in, bytes out --------------------------------------------------------------------- */

static int bio_read(BIO *bio, char *ret, int size)
{
    fay_secure *secure = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (secure->in_size == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    size_t got = FAY_MIN((size_t)size, secure->in_size);
    memcpy(ret, secure->in, got);
    secure->in += got;
    secure->in_size -= got;
    return (int)got;
}

static int bio_write(BIO *bio, const char *bytes, int size)
{
    fay_secure *secure = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    fay_buffer_append(secure->config.out, bytes, (size_t)size);
    return size;
}

// NOLINTNEXTLINE(readability-non-const-parameter): as OpenSSL has it
static long bio_control(BIO *bio, int what, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return what == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO_METHOD *fay_secure_bio(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "faymora");
    fay_ossl_must(method != NULL && BIO_meth_set_read(method, bio_read) == 1 &&
                  BIO_meth_set_write(method, bio_write) == 1 &&
                  BIO_meth_set_ctrl(method, bio_control) == 1);
    return method;
}

/* ---- whether it is believed ------------------------------------------------------------------ */

static void what_is(const fay_secure *secure, char text[WHAT_MAX])
{
    (void)snprintf(text, WHAT_MAX, "TLS with %.80s", secure->config.address);
}

/* Of two CAs the fingerprints tell, where the other end has shown its own. */
static void say_other_ca(const fay_secure *secure, STACK_OF(X509) * chain, fay_error *err)
{
    const fay_trust *trust = secure->config.trust;
    X509 *root = sk_X509_value(chain, sk_X509_num(chain) - 1);
    X509 *ours = sk_X509_value(trust->anchors, 0);
    char its[FAY_DIGEST_TEXT_MAX];
    char expected[FAY_DIGEST_TEXT_MAX];
    if (X509_NAME_cmp(X509_get_subject_name(root), X509_get_issuer_name(root)) == 0) {
        fay_digest a = fay_certificate_fingerprint(root);
        fay_digest b = fay_certificate_fingerprint(ours);
        (void)fay_fail_with(
            err, FAY_E_TLS, "TLS with %.80s: peer CA %.16s.., expected %.16s.. (%s)",
            secure->config.address, fay_digest_text(&a, its), fay_digest_text(&b, expected),
            trust->file != NULL ? trust->file : "ours");
    }
    fay_hint(err, "that peer belongs to another grid; inspect: faymora cert show --peer %.80s",
             secure->config.address);
}

static int error_of(fay_fault fault)
{
    switch (fault) {
    case FAY_FAULT_NONE: return X509_V_OK;
    case FAY_FAULT_TIME: return X509_V_ERR_CERT_HAS_EXPIRED;
    case FAY_FAULT_STRANGER: return X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY;
    case FAY_FAULT_PURPOSE: return X509_V_ERR_INVALID_PURPOSE;
    case FAY_FAULT_REVOKED: return X509_V_ERR_CERT_REVOKED;
    case FAY_FAULT_OTHER: break;
    }
    return X509_V_ERR_CERT_REJECTED;
}

static void forget(fay_secure *secure)
{
    sk_X509_pop_free(secure->shown.chain, X509_free);
    free(secure->shown.name);
    secure->shown = (fay_shown){0};
}

/* Takes the chain. A ticket that comes to nothing may have said before who it is. */
static int describe(fay_secure *secure, STACK_OF(X509) * chain, fay_error *err)
{
    fay_certificate c = {0};
    int r = fay_certificate_describe(sk_X509_value(chain, 0), &c, err);
    if (r < 0)
        return r;
    forget(secure);
    secure->shown = (fay_shown){.chain = chain,
                                .name = fay_strdup(c.name),
                                .fingerprint = c.fingerprint,
                                .public_key = c.public_key,
                                .roles = fay_verified_roles(chain),
                                .ours = fay_verified_ours(chain)};
    fay_certificate_deinit(&c);
    return 0;
}

static int believe(fay_secure *secure, X509 *own, STACK_OF(X509) * shown, const fay_trust *trust,
                   fay_fault *ret_fault)
{
    char what[WHAT_MAX];
    fay_fault fault = FAY_FAULT_OTHER;
    FAY_CLEANUP(fay_x509s_freep) STACK_OF(X509) *chain = NULL;
    fay_check check = {.what = what,
                       .trust = trust,
                       .purpose =
                           secure->config.side == FAY_SIDE_DIALS ? FAY_FOR_SERVER : FAY_FOR_CLIENT,
                       .now = secure->config.now,
                       .fault = &fault};
    what_is(secure, what);
    int r = fay_verify(&check, own, shown, &chain, secure->refusal);
    if (r < 0 && fault == FAY_FAULT_STRANGER && secure->refusal != NULL)
        say_other_ca(secure, shown, secure->refusal);
    if (r == 0)
        r = describe(secure, chain, secure->refusal);
    if (r == 0)
        chain = NULL;
    *ret_fault = fault;
    return r;
}

/* Who joins believes the CA that its token names, and what that has signed. */
static int believe_pinned(fay_secure *secure, X509 *own, STACK_OF(X509) * shown, fay_fault *fault)
{
    char is[FAY_DIGEST_TEXT_MAX];
    X509 *root = sk_X509_value(shown, sk_X509_num(shown) - 1);
    if (fay_token_pins(secure->config.token, shown)) {
        fay_trust trust = {.anchors = sk_X509_new_null()};
        fay_ossl_must(trust.anchors != NULL && sk_X509_push(trust.anchors, root) > 0);
        int r = believe(secure, own, shown, &trust, fault);
        sk_X509_free(trust.anchors);
        return r;
    }
    fay_digest its = fay_certificate_fingerprint(root);
    *fault = FAY_FAULT_STRANGER;
    (void)fay_fail_with(secure->refusal, FAY_E_TLS,
                        "TLS with %.80s: its CA is %.16s.., not the one of the token",
                        secure->config.address, fay_digest_text(&its, is));
    fay_hint(secure->refusal, "the token is of another grid, or the address is; where the CA is: "
                              "faymora cert token");
    return FAY_E_TLS;
}

int fay_secure_verify(X509_STORE_CTX *context, void *nothing)
{
    (void)nothing;
    const SSL *ssl = X509_STORE_CTX_get_ex_data(context, SSL_get_ex_data_X509_STORE_CTX_idx());
    fay_secure *secure = SSL_get_app_data(ssl);
    X509 *own = X509_STORE_CTX_get0_cert(context);
    STACK_OF(X509) *shown = X509_STORE_CTX_get0_untrusted(context);
    fay_fault fault = FAY_FAULT_OTHER;
    secure->refusal = fay_alloc(sizeof *secure->refusal);
    int r = secure->config.token != NULL
                ? believe_pinned(secure, own, shown, &fault)
                : believe(secure, own, shown, secure->config.trust, &fault);
    if (r == 0)
        fay_freep(&secure->refusal);
    X509_STORE_CTX_set_error(context, error_of(r == 0 ? FAY_FAULT_NONE : fault));
    return r == 0;
}

/* ---- tickets --------------------------------------------------------------------------------- */

/*
 * OpenSSL writes the other end's own certificate into a ticket; the CAs between that and ours go
 * along, one behind the other as DER.
 */
int fay_secure_write_ticket(SSL *ssl, void *nothing)
{
    (void)nothing;
    const fay_secure *secure = SSL_get_app_data(ssl);
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer more = {0};
    for (int i = 1; i < sk_X509_num(secure->shown.chain) - 1; i++) {
        unsigned char *der = NULL;
        int size = i2d_X509(sk_X509_value(secure->shown.chain, i), &der);
        fay_ossl_must(size > 0);
        fay_buffer_append(&more, der, (size_t)size);
        OPENSSL_free(der);
    }
    return SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl), fay_buffer_data(&more),
                                           fay_buffer_size(&more));
}

static STACK_OF(X509) * more_of(SSL_SESSION *session)
{
    void *bytes = NULL;
    size_t size = 0;
    STACK_OF(X509) *list = sk_X509_new_null();
    fay_ossl_must(list != NULL && SSL_SESSION_get0_ticket_appdata(session, &bytes, &size) == 1);
    const unsigned char *at = bytes;
    const unsigned char *end = at + size;
    while (at < end) {
        X509 *x509 = d2i_X509(NULL, &at, end - at);
        fay_ossl_must(x509 != NULL && sk_X509_push(list, x509) > 0); /* it is as we wrote it */
    }
    return list;
}

/* A ticket that is not taken does no harm: all is shown and judged as if there were none. */
SSL_TICKET_RETURN fay_secure_read_ticket(SSL *ssl, SSL_SESSION *session, const unsigned char *name,
                                         size_t name_size, SSL_TICKET_STATUS status, void *nothing)
{
    (void)name;
    (void)name_size;
    (void)nothing;
    fay_secure *secure = SSL_get_app_data(ssl);
    fay_fault fault = FAY_FAULT_NONE;
    if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW)
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    X509 *own = SSL_SESSION_get0_peer(session);
    FAY_CLEANUP(fay_x509s_freep) STACK_OF(X509) *more = more_of(session);
    bool good = own != NULL && believe(secure, own, more, secure->config.trust, &fault) == 0;
    return good ? SSL_TICKET_RETURN_USE_RENEW : SSL_TICKET_RETURN_IGNORE_RENEW;
}

int fay_secure_keep_ticket(SSL *ssl, SSL_SESSION *session)
{
    const fay_secure *secure = SSL_get_app_data(ssl);
    if (!secure->config.resumes || secure->config.side != FAY_SIDE_DIALS)
        return 0;
    fay_tickets_keep(&secure->config.tls->tickets, &secure->config.ticket, session);
    return 1;
}

/* The certificates of the connection before are judged anew, for this one. */
static void use_ticket(fay_secure *secure)
{
    fay_fault fault = FAY_FAULT_NONE;
    SSL_SESSION *session = fay_tickets_take(&secure->config.tls->tickets, &secure->config.ticket);
    if (session == NULL)
        return;
    bool good = SSL_set_session(secure->ssl, session) == 1;
    SSL_SESSION_free(session);
    STACK_OF(X509) *chain = SSL_get_peer_cert_chain(secure->ssl);
    if (!good || chain == NULL ||
        believe(secure, sk_X509_value(chain, 0), chain, secure->config.trust, &fault) < 0)
        (void)SSL_set_session(secure->ssl, NULL);
    ERR_clear_error();
}

/* ---- what went wrong, in words --------------------------------------------------------------- */

static const struct {
    int alert;
    const char *text, *hint;
} alerts[] = {
    {SSL_AD_UNKNOWN_CA, "it does not know the CA of our certificate",
     "that peer belongs to another grid, or its list of CAs is old"},
    {SSL_AD_CERTIFICATE_EXPIRED, "it says that our certificate has expired, or is not valid yet",
     "are the clocks right? else, where the CA is: faymora cert renew"},
    {SSL_AD_CERTIFICATE_REVOKED, "it says that our certificate is revoked",
     "a Node that may come back needs a new key: faymora cert host NAME"},
    {TLS13_AD_CERTIFICATE_REQUIRED, "it wants a certificate, and we have none", ""},
    {SSL_AD_UNSUPPORTED_CERTIFICATE, "it says that our certificate is for another use",
     "look at the key usage: faymora cert show"},
};

static void say_alert(const fay_secure *secure, int alert, fay_error *err)
{
    const char *address = secure->config.address;
    for (size_t i = 0; i < FAY_COUNT(alerts); i++) {
        if (alerts[i].alert != alert)
            continue;
        (void)fay_fail_with(err, FAY_E_TLS, "TLS with %.80s: %s", address, alerts[i].text);
        if (alerts[i].hint[0] != '\0')
            fay_hint(err, "%s", alerts[i].hint);
        return;
    }
    (void)fay_fail_with(err, FAY_E_TLS, "TLS with %.80s: it refuses: %s", address,
                        SSL_alert_desc_string_long(alert));
    fay_hint(err, "its log says why");
}

static void say_no_tls(const fay_secure *secure, const char *text, fay_error *err)
{
    (void)fay_fail_with(err, FAY_E_TLS, "TLS with %.80s: %s", secure->config.address, text);
    fay_hint(err, "is there a Node of Faymora at that address and port?");
}

static int explain(fay_secure *secure, fay_error *err)
{
    int reason = ERR_GET_REASON(ERR_peek_last_error());
    secure->failed = true;
    if (secure->refusal != NULL) {
        if (err != NULL)
            *err = *secure->refusal;
    } else if (reason >= ALERT_FIRST && reason < ALERT_FIRST + 256) {
        say_alert(secure, reason - ALERT_FIRST, err);
    } else if (reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_BAD_RECORD_TYPE ||
               reason == SSL_R_HTTP_REQUEST || reason == SSL_R_PACKET_LENGTH_TOO_LONG) {
        say_no_tls(secure, "what it says is no TLS", err);
    } else if (reason == SSL_R_UNSUPPORTED_PROTOCOL) {
        say_no_tls(secure, "it speaks no TLS 1.3", err);
    } else if (reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE) {
        say_no_tls(secure, "it has shown no certificate", err);
    } else {
        return fay_ossl_fail(err, "TLS with %.80s", secure->config.address);
    }
    ERR_clear_error();
    return FAY_E_TLS;
}

/* ---- life ------------------------------------------------------------------------------------ */

static void begin_dialling(fay_secure *secure)
{
    SSL_set_connect_state(secure->ssl);
    if (secure->config.resumes)
        use_ticket(secure);
}

static void begin_accepting(fay_secure *secure)
{
    SSL_set_accept_state(secure->ssl);
    fay_ossl_must(SSL_set_session_id_context(secure->ssl, secure->config.preamble,
                                             sizeof secure->config.preamble) == 1);
    if (!secure->config.resumes) {
        (void)SSL_set_options(secure->ssl, SSL_OP_NO_TICKET);
        fay_ossl_must(SSL_set_num_tickets(secure->ssl, 0) == 1);
    }
    if (secure->config.joins)
        SSL_set_verify(secure->ssl, SSL_VERIFY_NONE, NULL);
}

fay_secure *fay_secure_new(const fay_secure_config *config)
{
    bool dials = config->side == FAY_SIDE_DIALS;
    fay_secure *secure = fay_alloc(sizeof *secure);
    secure->config = *config;
    assert(config->trust != NULL || config->token != NULL);
    assert(dials || config->tls->accepts != NULL);
    assert(!config->resumes || !config->joins);
    BIO *bio = BIO_new(config->tls->bio);
    secure->ssl = SSL_new(dials ? config->tls->dials : config->tls->accepts);
    fay_ossl_must(bio != NULL && secure->ssl != NULL);
    BIO_set_data(bio, secure);
    BIO_set_init(bio, 1);
    SSL_set_bio(secure->ssl, bio, bio);
    fay_ossl_must(SSL_set_app_data(secure->ssl, secure) == 1);
    if (dials) {
        begin_dialling(secure);
    } else {
        begin_accepting(secure);
    }
    return secure;
}

void fay_secure_free(fay_secure *secure)
{
    if (secure == NULL)
        return;
    if (!secure->failed) /* else the ticket that it has brought would not be used */
        SSL_set_shutdown(secure->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(secure->ssl);
    forget(secure);
    free(secure->refusal);
    free(secure);
}

void fay_secure_begin(fay_secure *secure)
{
    ERR_clear_error();
    if (secure->config.side != FAY_SIDE_DIALS)
        return;
    (void)SSL_do_handshake(secure->ssl); /* wants to read now; else receive() says what is wrong */
}

/*
 * For all its SSL_MODE_RELEASE_BUFFERS OpenSSL leaves who has dialled with 16 KiB that it has last
 * used in the handshake. It frees them when told to; but it would amid a record, too.
 */
static void give_buffers_back(SSL *ssl)
{
    if (strcmp(SSL_rstate_string(ssl), "RH") == 0) /* waits for the header of a record */
        (void)SSL_free_buffers(ssl);
}

/* What is there in clear. 0: no more, for now. */
static int read_clear(fay_secure *secure, fay_buffer *clear, fay_error *err)
{
    for (;;) {
        uint8_t *room = fay_buffer_reserve(clear, CLEAR_MIN);
        size_t got = 0;
        if (SSL_read_ex(secure->ssl, room, clear->capacity - clear->end, &got) == 1) {
            fay_buffer_commit(clear, got);
            continue;
        }
        int why = SSL_get_error(secure->ssl, 0);
        if (why == SSL_ERROR_WANT_READ) {
            give_buffers_back(secure->ssl);
            return 0;
        }
        return why == SSL_ERROR_ZERO_RETURN ? FAY_SECURE_ENDED : explain(secure, err);
    }
}

int fay_secure_receive(fay_secure *secure, const void *bytes, size_t size, fay_buffer *clear,
                       fay_error *err)
{
    assert(!secure->failed);
    secure->in = bytes;
    secure->in_size = size;
    ERR_clear_error();
    int r = read_clear(secure, clear, err);
    secure->in = NULL;
    secure->in_size = 0;
    return r;
}

bool fay_secure_ready(const fay_secure *secure)
{
    return !secure->failed && SSL_is_init_finished(secure->ssl) == 1;
}

void fay_secure_trust(fay_secure *secure, const fay_trust *trust)
{
    secure->config.trust = trust;
}

size_t fay_secure_send(fay_secure *secure, const void *bytes, size_t size)
{
    size_t taken = 0;
    ERR_clear_error();
    while (taken < size && !secure->failed) {
        size_t written = 0;
        if (SSL_write_ex(secure->ssl, (const uint8_t *)bytes + taken, size - taken, &written) != 1)
            break; /* amid a message of TLS itself */
        taken += written;
    }
    ERR_clear_error();
    return taken;
}

void fay_secure_end(fay_secure *secure)
{
    if (fay_secure_ready(secure))
        (void)SSL_shutdown(secure->ssl);
    ERR_clear_error();
}

/* ---- when it is ready ------------------------------------------------------------------------ */

bool fay_secure_resumed(const fay_secure *secure)
{
    return SSL_session_reused(secure->ssl) == 1;
}

const fay_shown *fay_secure_shown(const fay_secure *secure)
{
    return secure->shown.chain != NULL ? &secure->shown : NULL;
}

fay_digest fay_secure_own(const fay_secure *secure)
{
    X509 *own = SSL_get_certificate(secure->ssl);
    bool shown = own != NULL && !(secure->config.joins && secure->config.side == FAY_SIDE_DIALS);
    return shown ? fay_certificate_fingerprint(own) : (fay_digest){{0}};
}

void fay_secure_export(const fay_secure *secure, uint8_t ret[FAY_EXPORTER_SIZE])
{
    fay_ossl_must(SSL_export_keying_material(secure->ssl, ret, FAY_EXPORTER_SIZE, EXPORTER,
                                             sizeof EXPORTER - 1, NULL, 0, 0) == 1);
}
