/* SPDX-License-Identifier: MIT */
#include "node/identity.h"

#include <string.h>
#include <time.h>

#include "pki/issue.h"
#include "pki/key.h"
#include "pki/role.h"

/* What says that this record key is ours, in this boot. */
static int certify(fay_node_identity *identity, const fay_credential *server,
                   const fay_record_key *key, const char *name, fay_error *err)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer bytes = {0};
    int r = fay_certification_make(server, name, identity->boot, key->public_key, &bytes, err);
    if (r != 0)
        return r;
    fay_buffer_deinit(&identity->certification);
    identity->certification = bytes;
    bytes = (fay_buffer){0};
    identity->certification_digest = fay_digest_of(fay_buffer_data(&identity->certification),
                                                   fay_buffer_size(&identity->certification));
    return 0;
}

/* A record key for this boot. */
static int make_record_key(fay_node_identity *identity, const char *name, fay_error *err)
{
    fay_record_key key = {0};
    fay_record_key_make(&key);
    int r = certify(identity, &identity->keys.server, &key, name, err);
    if (r != 0) {
        fay_record_key_deinit(&key);
        return r;
    }
    fay_record_key_deinit(&identity->record_key);
    identity->record_key = key;
    return 0;
}

int fay_node_identity_reboot(fay_node_identity *identity, const char *name, uint64_t boot,
                             fay_error *err)
{
    uint64_t before = identity->boot;
    identity->boot = boot;
    int r = make_record_key(identity, name, err);
    if (r != 0)
        identity->boot = before;
    return r;
}

static int finish(fay_node_identity *identity, const char *name, fay_node_identity *ret,
                  fay_error *err)
{
    identity->public_key = fay_key_fingerprint(identity->keys.server.key);
    identity->id = fay_node_id_of(&identity->public_key, name);
    int r = make_record_key(identity, name, err);
    if (r != 0) {
        fay_node_identity_deinit(identity);
        return r;
    }
    *ret = *identity;
    return 0;
}

int fay_node_identity_load(const fay_tls_settings *settings, const char *name, uint64_t boot,
                           fay_node_identity *ret, fay_error *err)
{
    fay_node_identity identity = {.settings = settings, .boot = boot};
    int r = fay_identity_load(settings, FAY_NEEDS_SERVER | FAY_NEEDS_CLIENT, time(NULL),
                              &identity.keys, err);
    return r != 0 ? r : finish(&identity, name, ret, err);
}

/* A key with a certificate of that CA, and the chain to it. */
static int make_credential(X509 *ca, EVP_PKEY *ca_key, const char *name, fay_credential *ret,
                           fay_error *err)
{
    fay_issue what = {.name = name, .roles = FAY_ROLES_HOST, .now = time(NULL)};
    FAY_CLEANUP(fay_x509_freep) X509 *x509 = NULL;
    FAY_CLEANUP(fay_pkey_freep) EVP_PKEY *key = fay_key_make(FAY_P256);
    int r = fay_issue_certificate(ca, ca_key, key, &what, &x509, err);
    if (r != 0)
        return r;
    ret->key = FAY_STEAL(key);
    ret->chain = sk_X509_new_null();
    fay_ossl_must(ret->chain != NULL && sk_X509_push(ret->chain, x509) > 0);
    x509 = NULL;
    fay_ossl_must(X509_up_ref(ca) == 1 && sk_X509_push(ret->chain, ca) > 0);
    return 0;
}

int fay_node_identity_make(const char *name, uint64_t boot, fay_node_identity *ret, fay_error *err)
{
    fay_node_identity identity = {.boot = boot};
    FAY_CLEANUP(fay_pkey_freep) EVP_PKEY *ca_key = fay_key_make(FAY_P256);
    FAY_CLEANUP(fay_x509_freep) X509 *ca = fay_issue_ca(ca_key, time(NULL));
    fay_identity *keys = &identity.keys;
    keys->trust.anchors = sk_X509_new_null();
    fay_ossl_must(keys->trust.anchors != NULL && X509_up_ref(ca) == 1 &&
                  sk_X509_push(keys->trust.anchors, ca) > 0);
    int r = make_credential(ca, ca_key, name, &keys->server, err);
    r = r != 0 ? r : make_credential(ca, ca_key, name, &keys->client, err);
    if (r != 0) {
        fay_node_identity_deinit(&identity);
        return r;
    }
    return finish(&identity, name, ret, err);
}

void fay_node_identity_deinit(fay_node_identity *identity)
{
    fay_identity_deinit(&identity->keys);
    fay_record_key_deinit(&identity->record_key);
    fay_buffer_deinit(&identity->certification);
    *identity = (fay_node_identity){0};
}

int fay_node_identity_reload(fay_node_identity *identity, const char *name, fay_error *err)
{
    fay_identity fresh = {0};
    if (identity->settings == NULL)
        return fay_fail_with(err, FAY_E_TLS, "this Node was started without keys");
    int r = fay_identity_load(identity->settings, FAY_NEEDS_SERVER | FAY_NEEDS_CLIENT, time(NULL),
                              &fresh, err);
    if (r != 0)
        return r;
    fay_digest key = fay_key_fingerprint(fresh.server.key);
    if (!fay_digest_equal(&key, &identity->public_key)) {
        fay_identity_deinit(&fresh);
        (void)fay_fail_with(err, FAY_E_TLS,
                            "the server's key is another one, and with it this "
                            "would be another Node");
        fay_hint(err, "restart it");
        return FAY_E_TLS;
    }
    if (X509_cmp(sk_X509_value(fresh.server.chain, 0),
                 sk_X509_value(identity->keys.server.chain, 0)) != 0)
        r = certify(identity, &fresh.server, &identity->record_key, name, err);
    if (r != 0) {
        fay_identity_deinit(&fresh);
        return r;
    }
    fay_identity_deinit(&identity->keys);
    identity->keys = fresh;
    return 0;
}

fay_peers_keys fay_node_identity_keys(const fay_node_identity *identity, bool member)
{
    fay_peers_keys keys = {.identity = &identity->keys, .id = identity->id, .boot = identity->boot};
    if (member) {
        keys.record_key = &identity->record_key;
        keys.certification = fay_buffer_data(&identity->certification);
        keys.certification_size = fay_buffer_size(&identity->certification);
    }
    return keys;
}
