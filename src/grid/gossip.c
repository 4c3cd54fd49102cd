/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "grid/internal.h"

static void send_id(fay_grid *grid, const fay_grid_link *link, fay_grid_message kind,
                    const fay_rumor_id *id)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer payload = {0};
    fay_rumor_id_write(id, &payload);
    fay_grid_send(grid, link, kind, &payload);
}

static void send_rumor(fay_grid *grid, const fay_grid_link *link, fay_grid_bytes statement)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer payload = {0};
    fay_buffer_append(&payload, statement.bytes, statement.size);
    fay_grid_send(grid, link, FAY_GRID_RUMOR, &payload);
}

/* To all but the link that it came from: itself, or if it is large that it is here. */
static void pass_on(fay_grid *grid, const fay_rumor_said *said, const fay_grid_link *from)
{
    FAY_EACH_LINK(link, grid)
    {
        if (link == from)
            continue;
        if (said->statement.size <= grid->params.flood_max) {
            send_rumor(grid, link, said->statement);
        } else {
            send_id(grid, link, FAY_GRID_IHAVE, &said->id);
        }
    }
}

/* ---- said here ------------------------------------------------------------------------------- */

void fay_grid_broadcast(fay_grid *grid, const uint8_t *bytes, size_t size)
{
    assert(size <= FAY_GRID_RUMOR_MAX);
    fay_draft *draft = fay_grid_draft(grid, FAY_STATEMENT_RUMOR);
    uint8_t *payload = fay_alloc(size);
    if (size > 0)
        memcpy(payload, bytes, size);
    draft->rumor.id =
        (fay_rumor_id){.origin = grid->own.id, .boot = grid->own.boot, .n = ++grid->broadcasts};
    draft->rumor.payload = (fay_grid_bytes){payload, size};
    draft->payload = payload;
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer text = {0};
    fay_rumor_signed(&draft->rumor, &text);
    fay_grid_ask_signature(grid, draft->token, &text);
}

void fay_grid_broadcast_signed(fay_grid *grid, fay_ns now, fay_rumor_said *said)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer bytes = {0};
    fay_rumor_write(said, &bytes);
    said->statement = (fay_grid_bytes){fay_buffer_data(&bytes), fay_buffer_size(&bytes)};
    if (fay_rumors_hear(&grid->rumors, now, said))
        pass_on(grid, said, NULL);
}

/* ---- said by others -------------------------------------------------------------------------- */

int fay_grid_rumor(fay_grid *grid, const fay_grid_link *link, fay_reader *reader)
{
    size_t size = (size_t)(reader->end - reader->at);
    fay_rumor_said said;
    if (fay_rumor_parse(reader->at, size, &said) != 0)
        return FAY_E_PEER;
    if (fay_rumors_heard(&grid->rumors, &said.id) || grid->hearsay_count == FAY_GRID_HEARSAY_MAX)
        return 0;
    fay_hearsay *fresh = &grid->hearsay[grid->hearsay_count++];
    *fresh = (fay_hearsay){.token = grid->next_token++, .link = link->number};
    fresh->bytes = fay_alloc(size);
    memcpy(fresh->bytes, reader->at, size);
    int status = fay_rumor_parse(fresh->bytes, size, &fresh->said);
    assert(status == 0);
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer text = {0};
    fay_rumor_signed(&fresh->said, &text);
    fay_grid_signed_text signed_text = {.text = &text,
                                        .id = &said.id.origin,
                                        .boot = said.id.boot,
                                        .link = link->number,
                                        .signature = fresh->said.signature};
    fay_grid_ask_verdict(grid, fresh->token, &signed_text);
    return 0;
}

static void believe(fay_grid *grid, fay_ns now, const fay_hearsay *hearsay)
{
    const fay_rumor_said *said = &hearsay->said;
    if (!fay_rumors_hear(&grid->rumors, now, said))
        return; /* another link was quicker */
    fay_grid_action *action = fay_grid_act(grid, FAY_GRID_DELIVER);
    fay_grid_bytes id = fay_grid_lend(grid, &said->id.origin, sizeof said->id.origin);
    action->id = (const fay_node_id *)id.bytes;
    action->bytes = fay_grid_lend(grid, said->payload.bytes, said->payload.size);
    pass_on(grid, said, fay_grid_link_by_number(grid, hearsay->link));
}

bool fay_grid_rumor_verified(fay_grid *grid, fay_ns now, uint64_t token, bool ok)
{
    for (size_t i = 0; i < grid->hearsay_count; i++) {
        if (grid->hearsay[i].token != token)
            continue;
        fay_hearsay hearsay = grid->hearsay[i];
        grid->hearsay[i] = grid->hearsay[--grid->hearsay_count];
        if (ok)
            believe(grid, now, &hearsay);
        free(hearsay.bytes);
        return true;
    }
    return false;
}

/* ---- large ones ------------------------------------------------------------------------------ */

int fay_grid_ihave(fay_grid *grid, fay_ns now, const fay_grid_link *link, fay_reader *reader)
{
    fay_rumor_id id;
    if (fay_rumor_id_read(reader, &id) != 0)
        return FAY_E_PEER;
    fay_rumors_offer(&grid->rumors, now, &id, link->number);
    return 0;
}

int fay_grid_graft(fay_grid *grid, const fay_grid_link *link, fay_reader *reader)
{
    fay_rumor_id id;
    if (fay_rumor_id_read(reader, &id) != 0)
        return FAY_E_PEER;
    const fay_rumor *rumor = fay_rumors_get(&grid->rumors, &id);
    if (rumor != NULL)
        send_rumor(grid, link, (fay_grid_bytes){rumor->statement, rumor->size});
    return 0;
}

void fay_grid_rumors_step(fay_grid *grid, fay_ns now)
{
    fay_rumor_id id;
    uint64_t number;
    fay_rumors_age(&grid->rumors, now);
    while (fay_rumors_graft(&grid->rumors, now, &id, &number)) {
        const fay_grid_link *link = fay_grid_link_by_number(grid, number);
        if (link != NULL)
            send_id(grid, link, FAY_GRID_GRAFT, &id);
    }
}

void fay_grid_gossip_free(fay_grid *grid)
{
    for (size_t i = 0; i < grid->hearsay_count; i++) {
        free(grid->hearsay[i].bytes);
    }
    for (size_t i = 0; i < grid->drafts_count; i++) {
        free(grid->drafts[i].payload);
    }
    fay_rumors_deinit(&grid->rumors);
}
