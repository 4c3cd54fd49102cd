/* SPDX-License-Identifier: MIT */
#include "node/join.h"

#include <string.h>

#include "base/limits.h"
#include "base/texts.h"
#include "net/peer.h"
#include "pki/certificate.h"
#include "pki/csr.h"
#include "pki/key.h"
#include "pki/layout.h"
#include "pki/store.h"
#include "wire/codec.h"

/* Of a request that was not answered yet. */
#define KEY_WANTED "key.pem.join"
#define REQUEST    "request.join"

static const fay_ns connect_within = 3 * FAY_SECOND, handshake_within = 10 * FAY_SECOND;

/* One attempt, at one peer. */
typedef struct fay_attempt {
    uv_loop_t loop;
    const fay_joining *join;
    EVP_PKEY *key;
    fay_buffer payload; /* JOIN */
    fay_peers *peers;
    fay_peer *peer; /* NULL: it is over */
    char *chain;    /* PEM; NULL = none came */
    size_t chain_size;
    int result;
    fay_error *err;
} fay_attempt;

static void finish(fay_attempt *attempt, int result)
{
    attempt->result = result;
    if (attempt->peer != NULL)
        fay_peer_close(attempt->peer);
    attempt->peer = NULL;
    fay_peers_free(FAY_STEAL(attempt->peers));
}

static void on_up(void *context, fay_peer *peer, const fay_peer_who *who)
{
    (void)who;
    const fay_attempt *attempt = context;
    fay_peer_send(peer, FAY_MESSAGE_JOIN, fay_buffer_data(&attempt->payload),
                  fay_buffer_size(&attempt->payload));
}

static int on_frame(void *context, fay_peer *peer, const fay_frame *frame)
{
    (void)peer;
    fay_attempt *attempt = context;
    fay_reader reader = fay_reader_of(frame->payload, frame->size);
    unsigned kind = fay_read8(&reader);
    size_t size = 0;
    const uint8_t *bytes = fay_read_bytes(&reader, FAY_PEM_FILE_MAX, &size);
    if (frame->type != FAY_MESSAGE_JOINED || fay_reader_done(&reader) != 0 || kind > 1)
        return FAY_E_PEER;
    if (kind == 1) {
        finish(attempt, fay_fail_with(attempt->err, FAY_E_DENIED, "the Grid refuses: %.*s",
                                      (int)FAY_MIN(size, (size_t)400), (const char *)bytes));
        return 0;
    }
    attempt->chain = fay_strndup((const char *)bytes, size);
    attempt->chain_size = size;
    finish(attempt, 0);
    return 0;
}

static void on_closed(void *context, fay_peer *peer, fay_peer_end why, const fay_error *err)
{
    (void)peer;
    (void)why;
    fay_attempt *attempt = context;
    attempt->peer = NULL;
    if (attempt->err != NULL)
        *attempt->err = *err;
    finish(attempt, err->status != 0 ? (int)err->status : FAY_E_CLOSED);
}

static const fay_peer_events join_events = {.up = on_up, .frame = on_frame, .closed = on_closed};

static void try_peer(fay_attempt *attempt, const char *address)
{
    fay_peers_config config = {.loop = &attempt->loop,
                               .connect = connect_within,
                               .handshake = handshake_within,
                               .unacknowledged = handshake_within,
                               .kept_max = FAY_MIB};
    fay_peer_dial to = {.address = address,
                        .preamble = {.target = FAY_TARGET_JOIN},
                        .token = attempt->join->token,
                        .once = true};
    (void)uv_loop_init(&attempt->loop);
    attempt->peers = fay_peers_new(&config);
    attempt->peer = fay_peer_dial_to(attempt->peers, &to, &join_events, attempt);
    (void)uv_run(&attempt->loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&attempt->loop);
}

/* ---- what comes of it ------------------------------------------------------------------------ */

static int refuse_chain(fay_error *err, const char *why)
{
    (void)fay_fail_with(err, FAY_E_TLS, "the Grid's answer is no certificate for this machine: %s",
                        why);
    return FAY_E_TLS;
}

/* The CA is the token's, and the certificate is that of our key, by this CA. */
static int check_chain(const fay_attempt *attempt, STACK_OF(X509) * chain)
{
    if (sk_X509_num(chain) < 2 || !fay_token_pins(attempt->join->token, chain))
        return refuse_chain(attempt->err, "its CA is not the one of the token");
    X509 *own = sk_X509_value(chain, 0), *ca = sk_X509_value(chain, sk_X509_num(chain) - 1);
    if (EVP_PKEY_eq(X509_get0_pubkey(own), attempt->key) != 1)
        return refuse_chain(attempt->err, "it is for another key");
    if (X509_verify(own, X509_get0_pubkey(ca)) != 1)
        return refuse_chain(attempt->err, "the CA has not signed it");
    return 0;
}

static void forget_request(const char *directory)
{
    fay_layout_remove(directory, REQUEST);
    fay_layout_remove(directory, KEY_WANTED);
}

static int store(const fay_attempt *attempt)
{
    FAY_CLEANUP(fay_x509s_freep) STACK_OF(X509) *chain = NULL;
    const char *directory = attempt->join->directory;
    int r = fay_certificates_parse("the Grid's answer", attempt->chain, attempt->chain_size, &chain,
                                   attempt->err);
    r = r != 0 ? r : check_chain(attempt, chain);
    if (r != 0)
        return r;
    r = fay_layout_write_key(directory, FAY_LAYOUT_KEY, attempt->key, attempt->err);
    r = r != 0 ? r
               : fay_layout_write_certificate(directory, FAY_LAYOUT_CERTIFICATE,
                                              sk_X509_value(chain, 0), attempt->err);
    r = r != 0 ? r
               : fay_layout_write_certificate(directory, FAY_LAYOUT_CA,
                                              sk_X509_value(chain, sk_X509_num(chain) - 1),
                                              attempt->err);
    if (r == 0)
        forget_request(directory);
    return r;
}

/* ---- the request ----------------------------------------------------------------------------- */

/* A key and a request, on the disk before anybody hears of them: a signature is never the same
 * twice, and it is the same request that gets the same certificate. */
static int make_request(const fay_joining *join, EVP_PKEY **ret_key, fay_buffer *csr,
                        fay_error *err)
{
    FAY_CLEANUP(fay_freep) char *path = fay_printed("%s/" REQUEST, join->directory);
    FAY_CLEANUP(fay_pkey_freep) EVP_PKEY *key = fay_key_make(FAY_P256);
    int r = fay_layout_write_key(join->directory, KEY_WANTED, key, err);
    if (r != 0)
        return r;
    fay_csr_make(key, join->name, csr);
    r = fay_store_write(path, fay_buffer_data(csr), fay_buffer_size(csr), FAY_STORE_PRIVATE, err);
    if (r == 0)
        *ret_key = FAY_STEAL(key);
    return r;
}

/* Those of the last time, if it was not answered and asked for the same name; else new ones. */
static int request_for(const fay_joining *join, EVP_PKEY **ret_key, fay_buffer *csr, fay_error *err)
{
    FAY_CLEANUP(fay_freep) char *key_path = fay_printed("%s/" KEY_WANTED, join->directory);
    FAY_CLEANUP(fay_freep) char *path = fay_printed("%s/" REQUEST, join->directory);
    FAY_CLEANUP(fay_pkey_freep) EVP_PKEY *key = NULL;
    fay_csr parsed = {0};
    if (fay_key_load(key_path, &key, NULL) == 0 &&
        fay_store_read(path, FAY_CSR_MAX, csr, NULL) == 0 &&
        fay_csr_parse(fay_buffer_data(csr), fay_buffer_size(csr), &parsed, NULL) == 0) {
        bool same = strcmp(parsed.name, join->name) == 0 && EVP_PKEY_eq(parsed.key, key) == 1;
        fay_csr_deinit(&parsed);
        if (same) {
            *ret_key = FAY_STEAL(key);
            return 0;
        }
    }
    fay_buffer_clear(csr);
    return make_request(join, ret_key, csr, err);
}

static void write_payload(fay_attempt *attempt, const fay_buffer *csr)
{
    fay_digest digest = fay_digest_of(fay_buffer_data(csr), fay_buffer_size(csr));
    fay_digest proof = fay_token_proof(attempt->join->token->secret, &digest);
    fay_write_bytes(&attempt->payload, fay_buffer_data(csr), fay_buffer_size(csr));
    fay_buffer_append(&attempt->payload, proof.bytes, sizeof proof.bytes);
}

int fay_join_grid(const fay_joining *join, fay_error *err)
{
    FAY_CLEANUP(fay_pkey_freep) EVP_PKEY *key = NULL;
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer csr = {0};
    int r = fay_store_make(join->directory, err);
    r = r != 0 ? r : request_for(join, &key, &csr, err);
    if (r != 0)
        return r;
    fay_attempt attempt = {.join = join, .key = key, .err = err};
    write_payload(&attempt, &csr);
    for (char *const *peer = join->peers; *peer != NULL; peer++) {
        attempt.result = FAY_E_CLOSED;
        try_peer(&attempt, *peer);
        if (attempt.result == 0 || attempt.result == FAY_E_DENIED)
            break;
    }
    r = attempt.result != 0 ? attempt.result : store(&attempt);
    fay_buffer_deinit(&attempt.payload);
    fay_freep(&attempt.chain);
    return r;
}
