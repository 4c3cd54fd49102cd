/* SPDX-License-Identifier: MIT */
/*
 * Certificates that are due, a third of their time before they end:
 *
 *     where the CA is    renewed there and then
 *     elsewhere          the Node that holds the CA is asked for a new one for the same key: that
 *                        we have it, the connection proves
 *     of another PKI     it is said
 *
 * The key stays, and with it who we are; connections stay as they are.
 */
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "control/message.h"
#include "node/internal.h"
#include "pki/authority.h"
#include "pki/certificate.h"
#include "pki/layout.h"

static const fay_ns answer_within = 10 * FAY_SECOND;

/* ---- where the CA is ------------------------------------------------------------------------- */

static int renew_own(const fay_node *node, fay_error *err)
{
    FAY_CLEANUP(fay_authority_close) fay_authority authority = {.lock = -1};
    FAY_CLEANUP(fay_freep) char *path = NULL;
    int r = fay_authority_open(node->config->tls->directory, &authority, err);
    return r != 0 ? r : fay_authority_renew(&authority, NULL, NULL, time(NULL), &path, err);
}

/* The new certificate of that Node; its key must be the one that the caller has shown. */
static int renew_for(const fay_node *node, const char *name, X509 *shown, fay_buffer *pem,
                     fay_error *err)
{
    FAY_CLEANUP(fay_authority_close) fay_authority authority = {.lock = -1};
    FAY_CLEANUP(fay_freep) char *path = NULL;
    FAY_CLEANUP(fay_x509s_freep) STACK_OF(X509) *fresh = NULL;
    int r = fay_authority_open(node->config->tls->directory, &authority, err);
    r = r != 0 ? r : fay_authority_renew(&authority, name, NULL, time(NULL), &path, err);
    r = r != 0 ? r : fay_certificates_load(path, &fresh, err);
    if (r != 0)
        return r;
    X509 *x509 = sk_X509_value(fresh, 0);
    if (EVP_PKEY_eq(X509_get0_pubkey(x509), X509_get0_pubkey(shown)) != 1)
        return fay_fail_with(err, FAY_E_DENIED, "the CA knows '%s' by another key", name);
    fay_certificate_append(x509, pem);
    return 0;
}

void fay_renewal_begin(void *context, fay_call *call, const json_t *args)
{
    (void)args;
    const fay_node *node = context;
    fay_error err = {0};
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer pem = {0};
    FAY_CLEANUP(fay_certificate_deinit) fay_certificate shown = {0};
    X509 *x509 = fay_call_proof(call);
    int r = 0;
    if (x509 == NULL || !node->meta.holder) {
        r = fay_fail_with(&err, FAY_E_INVAL, "only a Node asks for that, where the CA is");
    } else {
        r = fay_certificate_describe(x509, &shown, &err);
        r = r != 0 ? r : renew_for(node, shown.name, x509, &pem, &err);
    }
    if (r != 0) {
        fay_call_fail(call, &err, FAY_CONTROL_EXIT);
        return;
    }
    fay_log(FAY_INFO, "node.renewed", "node=%s", shown.name);
    fay_call_done(call, json_pack("{s:s}", "certificate", fay_buffer_text(&pem)));
}

/* ---- elsewhere ------------------------------------------------------------------------------- */

/* Takes the answer if it is for our key and of our CA. */
static int take(const fay_node *node, const char *pem, fay_error *err)
{
    FAY_CLEANUP(fay_x509s_freep) STACK_OF(X509) *fresh = NULL;
    FAY_CLEANUP(fay_x509s_freep) STACK_OF(X509) *chain = NULL;
    const fay_identity *keys = &node->identity.keys;
    int r = fay_certificates_parse("the CA's answer", pem, strlen(pem), &fresh, err);
    if (r != 0)
        return r;
    X509 *x509 = sk_X509_value(fresh, 0);
    fay_check check = {.what = "the CA's answer",
                       .trust = &keys->trust,
                       .purpose = FAY_FOR_SERVER,
                       .now = time(NULL)};
    r = fay_verify(&check, x509, NULL, &chain, err);
    if (r == 0 && EVP_PKEY_eq(X509_get0_pubkey(x509), keys->server.key) != 1)
        r = fay_fail_with(err, FAY_E_TLS, "the CA's answer is for another key");
    return r != 0 ? r
                  : fay_layout_write_certificate(node->config->tls->directory,
                                                 FAY_LAYOUT_CERTIFICATE, x509, err);
}

static void complain(const fay_node *node, const fay_error *err)
{
    FAY_CLEANUP(fay_certificate_deinit) fay_certificate own = {0};
    X509 *x509 = sk_X509_value(node->identity.keys.server.chain, 0);
    if (fay_certificate_describe(x509, &own, NULL) != 0)
        return;
    long long days = (long long)fay_certificate_days_left(&own, time(NULL));
    fay_log(days < FAY_EXPIRY_WARNING_DAYS ? FAY_WARN : FAY_INFO, "node.expires",
            "days=%lld error=\"%s\" hint=\"where the CA is: faymora cert renew %s\"", days,
            err->message, own.name);
}

static void on_answer(void *context, json_t *result, const fay_error *err, int exit)
{
    (void)exit;
    fay_node *node = context;
    fay_error failed = {0};
    const char *pem = json_string_value(json_object_get(result, "certificate"));
    node->renewing = false;
    if (pem != NULL && take(node, pem, &failed) == 0) {
        fay_watch_reload(node);
    } else {
        complain(node, pem == NULL && err != NULL ? err : &failed);
    }
}

static void ask(fay_node *node)
{
    fay_error err = {0};
    const fay_grid_member *holder =
        fay_admission_holder(fay_driver_members(node->driver), &node->identity.id);
    if (holder == NULL || fay_member_gone(fay_member_state_of(holder))) {
        (void)fay_fail_with(&err, FAY_E_NOTFOUND, "no Node that holds the CA is here");
        complain(node, &err);
        return;
    }
    json_t *args = json_object();
    fay_ask question = {.member = holder,
                        .verb = "renew",
                        .args = args,
                        .within = answer_within,
                        .answered = on_answer,
                        .context = node};
    node->renewing = true;
    fay_asking_ask(node->asking, &question);
    json_decref(args);
}

bool fay_renewal_look(fay_node *node)
{
    fay_error err = {0};
    FAY_CLEANUP(fay_certificate_deinit) fay_certificate own = {0};
    X509 *x509 = sk_X509_value(node->identity.keys.server.chain, 0);
    const fay_tls_settings *tls = node->config->tls;
    if (node->renewing || fay_certificate_describe(x509, &own, NULL) != 0 ||
        !fay_certificate_is_due(&own, time(NULL)))
        return false;
    bool in_directory = tls->directory != NULL && tls->server.certificate.origin[0] == '\0';
    if (node->meta.holder && in_directory) {
        if (renew_own(node, &err) == 0) {
            fay_watch_reload(node);
        } else {
            complain(node, &err);
        }
    } else if (in_directory && fay_verified_ours(node->identity.keys.server.chain)) {
        ask(node);
    } else {
        (void)fay_fail_with(&err, FAY_E_TLS, "the certificate ends, and is of another PKI");
        complain(node, &err);
    }
    return true;
}
