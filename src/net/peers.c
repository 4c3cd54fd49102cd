/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "net/peer_internal.h"

/* ---- slots ----------------------------------------------------------------------------------- */

static fay_ns now_of(const fay_peers *peers)
{
    return uv_now(peers->config.loop) * FAY_MS;
}

static void send_away(fay_peer *peer)
{
    fay_peer_fail_text(peer, FAY_PEER_SILENT, FAY_E_TIMEOUT,
                       "it was slow with its handshake, and others wait for theirs");
}

static void serve(fay_peers *peers)
{
    fay_ns now = now_of(peers);
    fay_slot *slot, *evicted;
    while ((slot = fay_slots_next(&peers->slots, now, &evicted)) != NULL) {
        if (evicted != NULL)
            send_away(fay_peer_of_slot(evicted));
        fay_peer_shake(fay_peer_of_slot(slot));
    }
}

static void on_timer(uv_timer_t *timer)
{
    fay_peers *peers = timer->data;
    fay_ports_listen_again(peers);
    serve(peers);
    fay_ns now = now_of(peers);
    fay_ns due = fay_slots_due(&peers->slots, now);
    if (due != FAY_NEVER && !uv_is_active((uv_handle_t *)timer))
        fay_peers_wake(peers, fay_peer_ms(due - now));
}

void fay_peers_wake(fay_peers *peers, uint64_t ms)
{
    if (!peers->ending)
        (void)uv_timer_start(&peers->timer, on_timer, ms, 0);
}

/* Not at once, for it may be called amid anything. */
void fay_peers_serve(fay_peers *peers)
{
    if (!TAILQ_EMPTY(&peers->slots.waiting) && !peers->deaf)
        fay_peers_wake(peers, 0);
}

/* ---- what is to be written ------------------------------------------------------------------- */

/* One record and one system call for all that was said to a peer in a turn of the loop. */
static void on_prepare(uv_prepare_t *prepare)
{
    fay_peers *peers = prepare->data;
    while (!TAILQ_EMPTY(&peers->dirty)) {
        fay_peer *peer = TAILQ_FIRST(&peers->dirty);
        TAILQ_REMOVE(&peers->dirty, peer, dirty_entry);
        peer->dirty = false;
        fay_peer_flush(peer);
    }
    (void)uv_prepare_stop(prepare);
}

void fay_peers_soil(fay_peer *peer)
{
    fay_peers *peers = peer->peers;
    if (peer->dirty)
        return;
    peer->dirty = true;
    TAILQ_INSERT_TAIL(&peers->dirty, peer, dirty_entry);
    (void)uv_prepare_start(&peers->prepare, on_prepare);
}

/* ---- keys ------------------------------------------------------------------------------------ */

static bool is_believed(const fay_peers *peers, const fay_peer *peer, fay_purpose purpose,
                        STACK_OF(X509) * shown)
{
    fay_error err = {0};
    FAY_CLEANUP(fay_x509s_freep) STACK_OF(X509) *chain = NULL;
    fay_check check = {.what = peer->who.address,
                       .trust = &peers->keys.identity->trust,
                       .purpose = purpose,
                       .now = time(NULL)};
    return fay_verify(&check, sk_X509_value(shown, 0), shown, &chain, &err) == 0;
}

/* Whether what it has shown is still to be believed. */
static bool holds(const fay_peers *peers, const fay_peer *peer)
{
    const fay_shown *shown = fay_secure_shown(peer->secure);
    if (peer->preamble.target == FAY_TARGET_JOIN || shown == NULL)
        return true; /* it has shown nothing, or was believed by a token */
    return is_believed(peers, peer, peer->dials ? FAY_FOR_SERVER : FAY_FOR_CLIENT, shown->chain) &&
           (peer->who.member == NULL ||
            is_believed(peers, peer, FAY_FOR_SERVER, peer->member.chain));
}

int fay_peers_rekey(fay_peers *peers, const fay_peers_keys *keys, fay_error *err)
{
    fay_peer *peer;
    int r = fay_tls_renew(&peers->tls, keys->identity, err);
    if (r < 0)
        return r;
    peers->keys = *keys;
    TAILQ_FOREACH (peer, &peers->all, entry) {
        if (peer->state != FAY_PEER_SHAKING && peer->state != FAY_PEER_UP)
            continue;
        fay_secure_trust(peer->secure, keys->identity != NULL ? &keys->identity->trust : NULL);
        if (holds(peers, peer))
            continue;
        fay_peer_fail_text(peer, FAY_PEER_HANDSHAKE, FAY_E_TLS,
                           "its certificate does not hold any more");
    }
    return 0;
}

/* ---- life ------------------------------------------------------------------------------------ */

fay_peers *fay_peers_new(const fay_peers_config *config)
{
    fay_peers *peers = fay_alloc(sizeof *peers);
    peers->config = *config;
    peers->keys = config->keys;
    peers->spare_fd = -1;
    TAILQ_INIT(&peers->all);
    TAILQ_INIT(&peers->dirty);
    fay_slots_init(&peers->slots);
    (void)uv_timer_init(config->loop, &peers->timer);
    (void)uv_prepare_init(config->loop, &peers->prepare);
    peers->timer.data = peers->prepare.data = peers;
    peers->open = 2; /* the timer and the prepare handle, closed by who ends it */
    int r = fay_tls_init(&peers->tls, config->keys.identity, NULL);
    assert(r == 0); /* the identity is checked when it is loaded */
    return peers;
}

void fay_peers_closed(fay_peers *peers)
{
    if (--peers->open > 0)
        return;
    fay_tls_deinit(&peers->tls);
    free(peers->ports);
    free(peers->address);
    if (peers->spare_fd >= 0)
        (void)close(peers->spare_fd);
    free(peers);
}

static void on_handle_closed(uv_handle_t *handle)
{
    fay_peers_closed(handle->data);
}

void fay_peers_adopt(fay_peers *peers, int fd, const fay_preamble *preamble)
{
    if (peers->ending) {
        (void)close(fd);
    } else {
        fay_peer_accept(peers, fd, preamble);
    }
}

void fay_peers_free(fay_peers *peers)
{
    fay_peer *peer;
    peers->ending = true;
    fay_ports_close(peers);
    TAILQ_FOREACH (peer, &peers->all, entry)
        fay_peer_close(peer); /* its memory stays until the loop has let go of it */
    uv_close((uv_handle_t *)&peers->timer, on_handle_closed);
    uv_close((uv_handle_t *)&peers->prepare, on_handle_closed);
}
