/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "net/peer_internal.h"

/* What both ends know of this connection; `side`: of who says it. */
static fay_hello_session session_of(const fay_peer *peer, fay_side side)
{
    fay_hello_session session = {.side = side};
    fay_digest own = fay_secure_own(peer->secure);
    const fay_shown *shown = fay_secure_shown(peer->secure);
    fay_digest other = shown != NULL ? shown->fingerprint : (fay_digest){{0}};
    session.dialler = peer->dials ? own : other;
    session.acceptor = peer->dials ? other : own;
    fay_preamble_write(&peer->preamble, session.preamble);
    fay_secure_export(peer->secure, session.exporter);
    return session;
}

static void say_hello(fay_peer *peer)
{
    const fay_peers_keys *keys = &peer->peers->keys;
    fay_hello_session session = session_of(peer, peer->dials ? FAY_SIDE_DIALS : FAY_SIDE_ACCEPTS);
    fay_hello_member member = {.id = keys->id,
                               .boot = keys->boot,
                               .record_key = keys->record_key,
                               .certification = keys->certification,
                               .size = keys->certification_size};
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer payload = {0};
    fay_hello_write(&session, keys->record_key != NULL ? &member : NULL, &payload);
    peer->said_hello = true;
    fay_peer_send(peer, FAY_MESSAGE_PEER_HELLO, fay_buffer_data(&payload),
                  fay_buffer_size(&payload));
}

static void fill_who(fay_peer *peer)
{
    const fay_shown *shown = fay_secure_shown(peer->secure);
    peer->who.joins = shown == NULL;
    if (shown == NULL)
        return;
    peer->who.name = shown->name;
    peer->who.public_key = shown->public_key;
    peer->who.roles = shown->roles;
    peer->who.ours = shown->ours;
    peer->who.certificate = sk_X509_value(shown->chain, 0);
}

static void go_up(fay_peer *peer)
{
    const fay_peers_config *config = &peer->peers->config;
    const fay_peer_events *events = peer->events;
    void *context = peer->context;
    fill_who(peer);
    fay_peer_move(peer, FAY_PEER_UP);
    (void)uv_timer_stop(&peer->timer);
    if (!peer->dials &&
        !config->events->accepted(config->context, peer, &peer->who, &events, &context)) {
        fay_peer_close(peer);
        return;
    }
    if (peer->state != FAY_PEER_UP) /* closed by who has accepted it */
        return;
    peer->events = events;
    peer->context = context;
    peer->told_up = true;
    events->up(context, peer, &peer->who);
}

void fay_peer_greet(fay_peer *peer)
{
    if (peer->state != FAY_PEER_SHAKING || peer->said_hello || !fay_secure_ready(peer->secure))
        return;
    if (peer->preamble.target == FAY_TARGET_JOIN) {
        go_up(peer); /* nobody could prove anything yet */
    } else {
        say_hello(peer);
    }
}

static void refuse(fay_peer *peer, const char *text)
{
    fay_peer_fail_text(peer, FAY_PEER_HANDSHAKE, FAY_E_TLS, text);
}

/* The certification holds, its record key has signed on this very session, and who accepts has
 * shown the certificate that the certification is of. */
static bool prove(fay_peer *peer, const fay_hello *hello)
{
    fay_error err = {0};
    const fay_shown *shown = fay_secure_shown(peer->secure);
    fay_hello_session session = session_of(peer, peer->dials ? FAY_SIDE_ACCEPTS : FAY_SIDE_DIALS);
    if (fay_certification_check(hello->certification, hello->size,
                                &peer->peers->keys.identity->trust, time(NULL), &peer->member,
                                &err) != 0) {
        fay_peer_fail(peer, FAY_PEER_HANDSHAKE, &err);
        return false;
    }
    peer->who.member = &peer->member;
    if (!fay_hello_holds(hello, &session, &peer->member) ||
        (peer->dials && !fay_digest_equal(&shown->public_key, &peer->member.public_key))) {
        refuse(peer, "it cannot prove which Node it is");
        return false;
    }
    peer->certification = fay_alloc(hello->size);
    memcpy(peer->certification, hello->certification, hello->size);
    peer->who.certification = peer->certification;
    peer->who.certification_size = hello->size;
    return true;
}

int fay_peer_hear_greeting(fay_peer *peer, const fay_frame *frame)
{
    fay_hello hello;
    const fay_dialling *dialling = &peer->dialling;
    if (frame->type != FAY_MESSAGE_PEER_HELLO ||
        fay_hello_parse(frame->payload, frame->size, &hello) != 0)
        return FAY_E_PEER;
    if (hello.member && !prove(peer, &hello))
        return 0;
    if (dialling->has_expected &&
        (!hello.member || !fay_node_id_same(&peer->member.id, &dialling->expected))) {
        refuse(peer, "another Node answers there");
        return 0;
    }
    go_up(peer);
    return 0;
}
