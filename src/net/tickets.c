/* SPDX-License-Identifier: MIT */
#include "net/tickets.h"

#include <string.h>

#include "base/buffer.h"

/* The session becomes the caller's. */
static SSL_SESSION *take_at(fay_tickets *tickets, size_t at)
{
    SSL_SESSION *session = tickets->list[at].session;
    tickets->count--;
    memmove(&tickets->list[at], &tickets->list[at + 1],
            (tickets->count - at) * sizeof tickets->list[0]);
    return session;
}

void fay_tickets_clear(fay_tickets *tickets)
{
    while (tickets->count > 0)
        SSL_SESSION_free(take_at(tickets, tickets->count - 1));
}

fay_digest fay_ticket_key(const char *address, const fay_preamble *preamble, const fay_node_id *id)
{
    static const fay_node_id any;
    uint8_t target[FAY_PREAMBLE_SIZE];
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer text = {0};
    fay_preamble_write(preamble, target);
    fay_buffer_append(&text, target, sizeof target);
    fay_buffer_append(&text, id != NULL ? id->bytes : any.bytes, FAY_NODE_ID_SIZE);
    fay_buffer_append_text(&text, address);
    return fay_digest_of(fay_buffer_data(&text), fay_buffer_size(&text));
}

SSL_SESSION *fay_tickets_take(fay_tickets *tickets, const fay_digest *key)
{
    for (size_t i = 0; i < tickets->count; i++) {
        if (fay_digest_equal(&tickets->list[i].key, key))
            return take_at(tickets, i);
    }
    return NULL;
}

void fay_tickets_keep(fay_tickets *tickets, const fay_digest *key, SSL_SESSION *session)
{
    SSL_SESSION_free(fay_tickets_take(tickets, key));
    if (tickets->count == FAY_TICKETS_MAX)
        SSL_SESSION_free(take_at(tickets, 0));
    tickets->list[tickets->count++] = (fay_ticket){.key = *key, .session = session};
}
