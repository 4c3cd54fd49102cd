/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "base/limits.h"
#include "base/log.h"
#include "node/internal.h"
#include "pki/role.h"

struct fay_caller {
    fay_node *node;
    fay_peer *peer;
    fay_calls *calls;
    unsigned roles;
    TAILQ_ENTRY(fay_caller) entry;
};

static void send_answer(void *context, fay_message type, const void *payload, size_t size)
{
    const fay_caller *caller = context;
    fay_peer_send(caller->peer, type, payload, size);
}

static void forget(fay_caller *caller)
{
    TAILQ_REMOVE(&caller->node->callers, caller, entry);
    caller->node->callers_count--;
    fay_calls_free(caller->calls);
    free(caller);
}

static void on_up(void *context, fay_peer *peer, const fay_peer_who *who)
{
    (void)peer;
    fay_caller *caller = context;
    FAY_CLEANUP(fay_freep) char *text = fay_printed("%s at %s", who->name, who->address);
    fay_calls_config config = {.verbs = fay_node_verbs,
                               .verbs_context = caller->node,
                               .send = send_answer,
                               .send_context = caller,
                               .roles = caller->roles,
                               .caller = text,
                               .proof = who->certificate};
    caller->calls = fay_calls_new(&config);
}

static int on_frame(void *context, fay_peer *peer, const fay_frame *frame)
{
    fay_caller *caller = context;
    bool relays = (caller->roles & (FAY_ROLE_AGENT | FAY_ROLE_NODE)) != 0;
    if (frame->type == FAY_MESSAGE_JOIN && relays)
        return fay_admission_relayed(caller->node->admission, peer, frame);
    return fay_calls_frame(caller->calls, frame);
}

static void on_closed(void *context, fay_peer *peer, fay_peer_end why, const fay_error *err)
{
    (void)peer;
    if (why == FAY_PEER_BROKEN)
        fay_log(FAY_WARN, "caller.broken", "error=\"%s\"", err->message);
    forget(context);
}

static const fay_peer_events caller_events = {.up = on_up, .frame = on_frame, .closed = on_closed};

bool fay_callers_accept(fay_node *node, fay_peer *peer, const fay_peer_who *who,
                        const fay_peer_events **ret_events, void **ret_context)
{
    if (node->callers_count >= FAY_CLIENTS_MAX)
        return false;
    fay_caller *caller = fay_alloc(sizeof *caller);
    caller->node = node;
    caller->peer = peer;
    caller->roles = fay_trusted_roles(&node->trusted, who->ours, who->roles, who->certificate);
    TAILQ_INSERT_HEAD(&node->callers, caller, entry);
    node->callers_count++;
    *ret_events = &caller_events;
    *ret_context = caller;
    return true;
}

void fay_callers_end(fay_node *node)
{
    fay_caller *caller, *next;
    TAILQ_FOREACH_SAFE(caller, &node->callers, entry, next)
    {
        fay_peer_close(caller->peer);
        forget(caller);
    }
}
