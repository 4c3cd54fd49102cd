/* SPDX-License-Identifier: MIT */
#include "pki/identity.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/texts.h"
#include "pki/certificate.h"
#include "pki/crl.h"
#include "pki/key.h"
#include "pki/store.h"

enum {
    WHAT_MAX = 200
};

typedef struct loader {
    const fay_tls_settings *settings;
    fay_identity *identity;
    int64_t now;
    fay_error *err;
} loader;

/* "/etc/x.pem", or "/etc/x.pem (FAYMORA_TLS_CA)". */
static const char *what_is(const fay_tls_file *file, char text[WHAT_MAX])
{
    if (file->origin[0] == '\0') {
        (void)snprintf(text, WHAT_MAX, "%.190s", file->path);
    } else {
        (void)snprintf(text, WHAT_MAX, "%.140s (%s)", file->path, file->origin);
    }
    return text;
}

/* The error of a file as one of TLS, with what to do. */
static int fail_file(const loader *l, const fay_tls_file *file, int status)
{
    fay_error *err = l->err;
    if (err == NULL)
        return FAY_E_TLS;
    size_t used = strlen(err->message);
    if (file->origin[0] != '\0')
        (void)snprintf(err->message + used, sizeof err->message - used, " (%s)", file->origin);
    bool bare = err->hint[0] == '\0';
    if (bare && status == FAY_E_NOTFOUND && file->origin[0] == '\0') {
        fay_hint(err, "make a CA with faymora cert init; or copy what faymora cert host makes for "
                      "this host where the CA is");
    } else if (bare && (err->sys_errno == EACCES || err->sys_errno == EPERM)) {
        fay_hint(err, "this user may not read it: chown it to whom faymora runs as");
    } else if (bare && file->origin[0] != '\0') {
        fay_hint(err, "%s names it", file->origin);
    }
    err->status = FAY_E_TLS;
    return FAY_E_TLS;
}

static int fail_unnamed(const loader *l, const char *what, const char *variable)
{
    (void)fay_fail_with(l->err, FAY_E_TLS, "no %s is named", what);
    fay_hint(l->err, "set %s, or FAYMORA_TLS_DIR to a directory made by faymora cert init",
             variable);
    return FAY_E_TLS;
}

/* ---- warnings -------------------------------------------------------------------------------- */

static void warn_of_end(const loader *l, const char *what, X509 *x509, const char *cure)
{
    fay_certificate certificate = {0};
    char date[FAY_DATE_TEXT_MAX];
    if (fay_certificate_describe(x509, &certificate, NULL) < 0)
        return;
    int64_t days = fay_certificate_days_left(&certificate, l->now);
    if (days < FAY_EXPIRY_WARNING_DAYS) {
        fay_texts_push(&l->identity->warnings,
                       fay_printed("%s expires in %lld days, at %s; %s", what, (long long)days,
                                   fay_date_text(certificate.not_after, date), cure));
    }
    fay_certificate_deinit(&certificate);
}

/* ---- the parts ------------------------------------------------------------------------------- */

static int load_trust(const loader *l)
{
    const fay_tls_settings *settings = l->settings;
    fay_trust *trust = &l->identity->trust;
    if (settings->ca.path == NULL)
        return fail_unnamed(l, "CA", "FAYMORA_TLS_CA");
    int r = fay_certificates_load(settings->ca.path, &trust->anchors, l->err);
    if (r < 0)
        return fail_file(l, &settings->ca, r);
    trust->file = fay_strdup(settings->ca.path);
    if (settings->ca.origin[0] == '\0') {
        r = fay_store_check(settings->directory, l->err);
        if (r < 0)
            return fail_file(l, &settings->ca, r);
    }
    if (settings->crl.path == NULL)
        return 0;
    r = fay_crl_load(settings->crl.path, &trust->crl, l->err);
    if (r == FAY_E_NOTFOUND && settings->crl.origin[0] == '\0')
        return 0;
    if (r == 0)
        r = fay_crl_check(settings->crl.path, trust->crl, trust->anchors, l->err);
    return r < 0 ? fail_file(l, &settings->crl, r) : 0;
}

static int fail_mismatch(const loader *l, const fay_tls_file *file, const EVP_PKEY *key,
                         const fay_tls_file *certificate, const EVP_PKEY *expected)
{
    char what[WHAT_MAX];
    char is[FAY_DIGEST_TEXT_MAX];
    char should[FAY_DIGEST_TEXT_MAX];
    fay_digest a = fay_key_fingerprint(key);
    fay_digest b = fay_key_fingerprint(expected);
    (void)fay_fail_with(l->err, FAY_E_TLS, "%.150s: the key is %s, that of the certificate is %s",
                        what_is(file, what), fay_digest_text(&a, is), fay_digest_text(&b, should));
    fay_hint(l->err, "they are not of one pair; the certificate is %.180s", certificate->path);
    return FAY_E_TLS;
}

static int check_public_key(const loader *l, const fay_tls_pair *pair, const EVP_PKEY *expected)
{
    FAY_CLEANUP(fay_pkey_freep) EVP_PKEY *key = NULL;
    if (pair->public_key.path == NULL)
        return 0;
    int r = fay_key_load_public(pair->public_key.path, &key, l->err);
    if (r < 0)
        return fail_file(l, &pair->public_key, r);
    return EVP_PKEY_eq(key, expected) == 1
               ? 0
               : fail_mismatch(l, &pair->public_key, key, &pair->certificate, expected);
}

static int check_keys(const loader *l, const fay_tls_pair *pair, const EVP_PKEY *key, X509 *x509)
{
    const EVP_PKEY *expected = X509_get0_pubkey(x509);
    if (expected == NULL) {
        (void)fay_ossl_fail(l->err, "%.200s: its public key cannot be read",
                            pair->certificate.path);
        return fail_file(l, &pair->certificate, FAY_E_TLS);
    }
    if (EVP_PKEY_eq(key, expected) != 1)
        return fail_mismatch(l, &pair->key, key, &pair->certificate, expected);
    return check_public_key(l, pair, expected);
}

static int load_pair(const loader *l, const fay_tls_pair *pair, fay_purpose purpose,
                     fay_credential *credential)
{
    bool server = purpose == FAY_FOR_SERVER;
    FAY_CLEANUP(fay_x509s_freep) STACK_OF(X509) *list = NULL;
    char what[WHAT_MAX];
    if (pair->certificate.path == NULL) {
        return fail_unnamed(l, server ? "certificate of the server" : "certificate of the client",
                            server ? "FAYMORA_TLS_SERVER_CERTIFICATE and _PRIVATE_KEY"
                                   : "FAYMORA_TLS_CLIENT_CERTIFICATE and _PRIVATE_KEY");
    }
    int r = fay_certificates_load(pair->certificate.path, &list, l->err);
    if (r < 0)
        return fail_file(l, &pair->certificate, r);
    r = fay_key_load(pair->key.path, &credential->key, l->err);
    if (r < 0)
        return fail_file(l, &pair->key, r);
    X509 *x509 = sk_X509_value(list, 0);
    r = check_keys(l, pair, credential->key, x509);
    if (r < 0)
        return r;
    fay_check check = {.what = what_is(&pair->certificate, what),
                       .trust = &l->identity->trust,
                       .purpose = purpose,
                       .now = l->now};
    r = fay_verify(&check, x509, list, &credential->chain, l->err);
    if (r < 0)
        return r;
    warn_of_end(l, what, x509, "where the CA is: faymora cert renew");
    return 0;
}

static void warn_of_ca(const loader *l, STACK_OF(X509) * chain)
{
    int count = sk_X509_num(chain);
    if (count > 1)
        warn_of_end(l, "the CA", sk_X509_value(chain, count - 1), "a new CA is a new Grid");
}

/* ---- all together ---------------------------------------------------------------------------- */

static bool same_certificate(const fay_tls_settings *settings)
{
    return settings->server.certificate.path != NULL && settings->client.certificate.path != NULL &&
           strcmp(settings->server.certificate.path, settings->client.certificate.path) == 0;
}

static int load(const loader *l, unsigned needs)
{
    fay_identity *identity = l->identity;
    int r = load_trust(l);
    if (r == 0 && (needs & FAY_NEEDS_SERVER) != 0)
        r = load_pair(l, &l->settings->server, FAY_FOR_SERVER, &identity->server);
    if (r == 0 && (needs & FAY_NEEDS_CLIENT) != 0) {
        fay_identity quiet = {.trust = identity->trust};
        loader second = *l;
        bool warned = identity->server.key != NULL && same_certificate(l->settings);
        second.identity = warned ? &quiet : identity; /* of one certificate warn once */
        r = load_pair(&second, &l->settings->client, FAY_FOR_CLIENT, &identity->client);
        fay_texts_free(quiet.warnings);
    }
    if (r == 0) {
        warn_of_ca(l, identity->client.chain != NULL ? identity->client.chain
                                                     : identity->server.chain);
    }
    return r;
}

int fay_identity_load(const fay_tls_settings *settings, unsigned needs, int64_t now,
                      fay_identity *ret, fay_error *err)
{
    FAY_CLEANUP(fay_identity_deinit) fay_identity identity = {0};
    loader l = {settings, &identity, now, err};
    int r = load(&l, needs);
    if (r < 0)
        return r;
    *ret = identity;
    identity = (fay_identity){0};
    return 0;
}

static void free_credential(fay_credential *credential)
{
    EVP_PKEY_free(credential->key);
    sk_X509_pop_free(credential->chain, X509_free);
}

void fay_identity_deinit(fay_identity *identity)
{
    fay_trust_deinit(&identity->trust);
    free_credential(&identity->server);
    free_credential(&identity->client);
    fay_texts_free(identity->warnings);
    *identity = (fay_identity){0};
}

fay_node_id fay_node_id_of(const fay_digest *public_key, const char *name)
{
    static const char label[] = "faymora node 1";
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer bytes = {0};
    fay_buffer_append(&bytes, label, sizeof label - 1);
    fay_buffer_append(&bytes, public_key->bytes, sizeof public_key->bytes);
    fay_buffer_append(&bytes, name, strlen(name));
    fay_digest digest = fay_digest_of(fay_buffer_data(&bytes), fay_buffer_size(&bytes));
    fay_node_id id;
    memcpy(id.bytes, digest.bytes, FAY_NODE_ID_SIZE);
    return id;
}
