/* SPDX-License-Identifier: MIT */
/* A client of any Node that can be reached, over mutual TLS. */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/texts.h"
#include "base/units.h"
#include "control/client_way.h"
#include "control/message.h"
#include "net/peer.h"

#define UNACKNOWLEDGED (10 * FAY_SECOND) /* then the other end of an idle stream is gone */

typedef struct line {
    fay_peers *peers;
    fay_peer *peer; /* NULL = there is none, or it has ended */
    bool up;
} line;

/* ---- the way --------------------------------------------------------------------------------- */

static void on_up(void *context, fay_peer *peer, const fay_peer_who *who)
{
    (void)peer;
    (void)who;
    fay_client *client = context;
    line *l = client->lines;
    l->up = true;
}

static int on_frame(void *context, fay_peer *peer, const fay_frame *frame)
{
    (void)peer;
    return fay_client_frame(context, frame);
}

static void on_closed(void *context, fay_peer *peer, fay_peer_end why, const fay_error *err)
{
    (void)peer;
    fay_client *client = context;
    line *l = client->lines;
    l->peer = NULL;
    fay_client_lost(client, why == FAY_PEER_CLOSED ? NULL : err);
    if (client->lost.hint[0] == '\0' && why == FAY_PEER_REFUSED)
        fay_hint(&client->lost, "is a Node at work there, and is that its port? faymora doctor");
}

static const fay_peer_events events = {.up = on_up, .frame = on_frame, .closed = on_closed};

static void say(fay_client *client, fay_message type, const void *payload, size_t size)
{
    line *l = client->lines;
    if (l->peer != NULL)
        fay_peer_send(l->peer, type, payload, size);
}

static void hang_up(fay_client *client)
{
    line *l = client->lines;
    if (l->peer != NULL)
        fay_peer_close(l->peer);
    fay_peers_free(l->peers);
    free(l);
}

static const fay_client_way way = {.send = say, .close = hang_up, .pings = true};

/* ---- who answers ----------------------------------------------------------------------------- */

/* Whether this one does; else client->lost says why not. */
static bool try_address(fay_client *client, const char *address, fay_ns timeout)
{
    line *l = client->lines;
    const fay_peer_dial dial = {.address = address, .preamble = {.target = FAY_TARGET_NODE}};
    fay_text_replace(&client->where, fay_strdup(address));
    client->closed = false;
    l->peer = fay_peer_dial_to(l->peers, &dial, &events, client);
    if (fay_client_await(client, &l->up, timeout))
        return l->up;
    char text[FAY_UNITS_TEXT_MAX];
    fay_peer_close(FAY_STEAL(l->peer));
    (void)fay_fail_with(&client->lost, FAY_E_TIMEOUT, "%s does not answer within %s", address,
                        fay_duration_text(timeout, text));
    fay_hint(&client->lost, "--timeout waits longer");
    return false;
}

static bool try_all(fay_client *client, char *const *addresses, fay_ns timeout, fay_error *err)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer all = {0};
    for (size_t i = 0; addresses[i] != NULL; i++) {
        if (try_address(client, addresses[i], timeout))
            return true;
        fay_buffer_printf(&all, "%s%s", i > 0 ? "; " : "", client->lost.message);
    }
    *err = client->lost;
    if (fay_texts_count(addresses) == 1)
        return false;
    (void)fay_fail_with(err, client->lost.status, "no Node answers: %s", fay_buffer_text(&all));
    fay_hint(err, "%s", client->lost.hint);
    return false;
}

fay_client *fay_client_open_grid(char *const *addresses, const fay_identity *identity,
                                 fay_ns timeout, fay_client_error *why)
{
    fay_client *client = fay_client_new(&way);
    const fay_peers_config config = {.loop = &client->loop,
                                     .keys = {.identity = identity},
                                     .connect = timeout,
                                     .handshake = timeout,
                                     .unacknowledged = UNACKNOWLEDGED,
                                     .kept_max = FAY_MIB};
    line *l = fay_alloc(sizeof *l);
    client->lines = l;
    l->peers = fay_peers_new(&config);
    if (try_all(client, addresses, timeout, &why->error))
        return client;
    why->exit = FAY_CONTROL_EXIT;
    fay_client_close(client);
    return NULL;
}
