/* SPDX-License-Identifier: MIT */
/*
 * The list of revoked certificates: whoever has a later one gives it to its neighbours, which go by
 * it from then on and keep it where the CA is, so that a restart does not believe them again.
 *
 *     heartbeat, greater number --> CRL_WANT --> CRL --of our CA, and later--> in use, and kept
 *                                                     links of the revoked end; they have left
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/limits.h"
#include "base/log.h"
#include "node/internal.h"
#include "pki/crl.h"
#include "pki/layout.h"
#include "pki/store.h"

#define KEPT "crl.pem" /* in the state directory, where the other one cannot be written */

static uint64_t number_of(const fay_node *node)
{
    X509_CRL *crl = node->identity.keys.trust.crl;
    return crl != NULL ? fay_crl_number(crl) : 0;
}

static void on_dropped(void *context, const fay_node_id *id)
{
    fay_node *node = context;
    char text[FAY_NODE_ID_TEXT_MAX];
    fay_log(FAY_WARN, "grid.revoked", "id=%s", fay_hex(id->bytes, sizeof id->bytes, text));
    if (!fay_node_id_same(id, &node->identity.id)) {
        fay_driver_expel(node->driver, id);
        return;
    }
    fay_error err = {0};
    (void)fay_fail_with(&err, FAY_E_TLS, "the certificate of this Node is revoked");
    fay_hint(&err, "a Node that may come back needs a new key: faymora cert host NAME");
    fay_node_end(node, fay_node_fail(&err, FAY_NODE_EXIT_GRID));
}

void fay_revocations_apply(fay_node *node)
{
    fay_keyring_recheck(&node->keyring, time(NULL), on_dropped, node);
    fay_driver_crl(node->driver, number_of(node));
}

/* Beside the CA, else with the Node's state. */
static void keep(fay_node *node, X509_CRL *crl)
{
    fay_error err = {0};
    const fay_tls_settings *tls = node->config->tls;
    bool ours = tls != NULL && tls->directory != NULL && tls->crl.path != NULL &&
                tls->crl.origin[0] == '\0';
    if (ours && fay_layout_write_crl(tls->directory, crl, &err) == 0)
        return;
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer pem = {0};
    FAY_CLEANUP(fay_freep) char *path = fay_printed("%s/" KEPT, node->state.directory);
    fay_crl_append(crl, &pem);
    if (fay_store_write(path, fay_buffer_data(&pem), fay_buffer_size(&pem), FAY_STORE_PRIVATE,
                        &err) != 0)
        fay_log(FAY_WARN, "state.failed", "error=\"%s\"", err.message);
}

/* Takes the list if it is a later one, signed by our CA; else frees it. */
static bool take(fay_node *node, X509_CRL *crl, const char *from)
{
    fay_error err = {0};
    fay_trust *trust = &node->identity.keys.trust;
    if (fay_crl_check(from, crl, trust->anchors, &err) != 0) {
        fay_log(FAY_WARN, "grid.crl", "error=\"%s\"", err.message);
        X509_CRL_free(crl);
        return false;
    }
    if (fay_crl_number(crl) <= number_of(node)) {
        X509_CRL_free(crl);
        return false;
    }
    X509_CRL_free(trust->crl);
    trust->crl = crl;
    return true;
}

void fay_revocations_look(fay_node *node)
{
    X509_CRL *crl = NULL;
    FAY_CLEANUP(fay_freep) char *path = fay_printed("%s/" KEPT, node->state.directory);
    if (fay_crl_load(path, &crl, NULL) == 0)
        (void)take(node, crl, path);
}

/* Goes by the list that was taken. */
static void use(fay_node *node)
{
    fay_log(FAY_INFO, "grid.crl", "number=%llu revoked=%zu", (unsigned long long)number_of(node),
            fay_crl_count(node->identity.keys.trust.crl));
    fay_node_rekey(node);
    fay_revocations_apply(node);
}

void fay_revocations_read(fay_node *node)
{
    X509_CRL *crl = NULL;
    fay_error err = {0};
    const char *path = node->config->tls->crl.path;
    if (fay_crl_load(path, &crl, &err) != 0) {
        fay_log(FAY_WARN, "grid.crl", "error=\"%s\"", err.message);
    } else if (take(node, crl, path)) {
        use(node);
    }
}

void fay_revocations_heard(fay_node *node, const void *bytes, size_t size)
{
    X509_CRL *crl = NULL;
    fay_error err = {0};
    const char *from = "the list of a neighbour";
    if (fay_crl_parse(from, bytes, size, &crl, &err) != 0) {
        fay_log(FAY_WARN, "grid.crl", "error=\"%s\"", err.message);
    } else if (take(node, crl, from)) {
        keep(node, crl);
        use(node);
    }
}

void fay_revocations_give(fay_node *node, uint64_t link)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer pem = {0};
    X509_CRL *crl = node->identity.keys.trust.crl;
    if (crl == NULL)
        return;
    fay_crl_append(crl, &pem);
    fay_driver_send_crl(node->driver, link, fay_buffer_data(&pem), fay_buffer_size(&pem));
}
