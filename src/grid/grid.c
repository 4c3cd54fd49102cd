/* SPDX-License-Identifier: MIT */
#include "grid/grid.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "grid/internal.h"

fay_grid *fay_grid_new(const fay_grid_config *config, fay_ns now)
{
    assert(config->boot > 0 && config->boot <= FAY_GRID_BOOT_MAX);
    fay_grid *grid = fay_alloc(sizeof *grid);
    grid->params = config->params;
    grid->links = fay_alloc(FAY_GRID_LINKS_MAX * sizeof *grid->links);
    fay_prng_init(&grid->prng, config->seed);
    fay_members_init(&grid->members, &grid->params);
    fay_rumors_init(&grid->rumors, &grid->params);
    fay_refutations_init(&grid->refutations, &grid->params);
    fay_grid_own_init(grid, config);
    grid->next_token = 1;
    grid->begun_at = now;
    grid->patience = 1;
    grid->patience_due = FAY_NEVER;
    grid->rewish_due = FAY_NEVER;
    grid->rewish_by = FAY_NEVER;
    grid->doubt_due = FAY_NEVER;
    grid->refused_at = FAY_NEVER;
    grid->audit_due = now + fay_prng_below(&grid->prng, grid->params.audit);
    grid->recontact_due = now + fay_prng_below(&grid->prng, grid->params.recontact);
    grid->seed_due = now + grid->params.recontact_seed;
    for (size_t i = 0; i < FAY_MIN(config->seeds_count, FAY_GRID_SEEDS_MAX); i++) {
        const char *seed = config->seeds[i];
        fay_grid_seed(grid, now, (fay_grid_bytes){(const uint8_t *)seed, strlen(seed)}, true);
    }
    return grid;
}

void fay_grid_free(fay_grid *grid)
{
    if (grid == NULL)
        return;
    fay_grid_actions_clear(grid);
    fay_grid_pending_free(grid);
    fay_grid_gossip_free(grid);
    FAY_EACH_LINK(link, grid)
    {
        free(link->unsent);
    }
    for (size_t i = 0; i < grid->contacts_count; i++) {
        free(grid->contacts[i].address);
    }
    fay_grid_own_free(grid);
    fay_members_deinit(&grid->members);
    fay_refutations_deinit(&grid->refutations);
    free(grid->links);
    free(grid->contacts);
    free(grid->suspects);
    free(grid->actions);
    free(grid->lent);
    free(grid);
}

/* ---- events ---------------------------------------------------------------------------------- */

/* Some members to dial instead of one that had no room. */
static int redirected(fay_grid *grid, fay_ns now, fay_reader *reader)
{
    fay_grid_bytes addresses[FAY_GRID_REDIRECT_MAX];
    size_t count = 0;
    while (fay_reader_more(reader) && count < FAY_GRID_REDIRECT_MAX) {
        fay_grid_bytes *address = &addresses[count++];
        address->bytes = fay_read_bytes(reader, FAY_GRID_ADDRESS_MAX, &address->size);
    }
    if (fay_reader_done(reader) != 0)
        return FAY_E_PEER;
    if (count > 0)
        fay_grid_seed(grid, now, addresses[fay_prng_below(&grid->prng, count)], false);
    return 0;
}

/* A neighbour of that member cannot reach it, and asks whether we can. */
static int relayed(fay_grid *grid, fay_ns now, fay_reader *reader)
{
    fay_node_id id;
    if (fay_id_read(reader, &id) != 0)
        return FAY_E_PEER;
    const fay_grid_member *member = fay_members_find(&grid->members, &id);
    bool alive = member != NULL && !fay_member_gone(fay_member_state_of(member));
    if (alive && member != grid->self)
        (void)fay_grid_contact(grid, &id, FAY_CONTACT_AUDIT, now);
    return 0;
}

static int heartbeat(fay_grid *grid, fay_grid_link *link, fay_reader *reader)
{
    fay_heartbeat beat;
    if (fay_heartbeat_read(reader, &beat) != 0)
        return FAY_E_PEER;
    fay_grid_link_heartbeat(grid, link, &beat);
    return 0;
}

static int message(fay_grid *grid, fay_ns now, fay_grid_link *link, const fay_grid_event *event)
{
    fay_reader reader = fay_reader_of(event->bytes, event->size);
    unsigned kind = fay_read8(&reader);
    if (fay_grid_message_name(kind) == NULL || event->size > fay_grid_message_max(kind) + 1)
        return FAY_E_PEER;
    int status = 0;
    switch ((fay_grid_message)kind) {
    case FAY_GRID_HEARTBEAT: status = heartbeat(grid, link, &reader); break;
    case FAY_GRID_BUNDLES: status = fay_grid_bundles(grid, now, link, &reader); break;
    case FAY_GRID_DIGEST: status = fay_grid_sync_digest(grid, now, link, &reader); break;
    case FAY_GRID_VERSIONS: return fay_grid_sync_versions(grid, now, link, &reader);
    case FAY_GRID_WANT: status = fay_grid_sync_want(grid, now, link, &reader); break;
    case FAY_GRID_REDIRECT: status = redirected(grid, now, &reader); break;
    case FAY_GRID_DONE: link->leaving = true; break;
    case FAY_GRID_RUMOR: return fay_grid_rumor(grid, link, &reader);
    case FAY_GRID_IHAVE: status = fay_grid_ihave(grid, now, link, &reader); break;
    case FAY_GRID_GRAFT: status = fay_grid_graft(grid, link, &reader); break;
    case FAY_GRID_RELAY: status = relayed(grid, now, &reader); break;
    }
    return status != 0 ? status : fay_reader_done(&reader);
}

static void late(fay_grid *grid, fay_ns now, fay_ns by)
{
    grid->late_at = now;
    if (by >= grid->params.late_self)
        fay_grid_doubt_self(grid, now);
}

/* An end of a dial or of a link. */
static void connection(fay_grid *grid, fay_ns now, const fay_grid_event *event)
{
    if (event->kind == FAY_GRID_FAILED) {
        fay_grid_contact_failed(grid, now, event->dial, event->evidence);
        return;
    }
    if (event->kind == FAY_GRID_UP) {
        fay_grid_contact_up(grid, event->dial);
        fay_grid_link_up(grid, now, event);
        return;
    }
    fay_grid_link *link = fay_grid_link_by_number(grid, event->link);
    if (link != NULL)
        fay_grid_link_lost(grid, now, link);
}

static void expel(fay_grid *grid, fay_ns now, const fay_node_id *id)
{
    fay_grid_member *member = fay_members_find(&grid->members, id);
    if (member == NULL || member == grid->self)
        return;
    fay_member_state was = fay_member_state_of(member);
    fay_members_expel(&grid->members, now, member);
    fay_grid_changed(grid, member, was, false);
}

static int heard(fay_grid *grid, fay_ns now, const fay_grid_event *event)
{
    fay_grid_link *link = fay_grid_link_by_number(grid, event->link);
    if (link == NULL)
        return 0;
    link->heard_at = now;
    return event->kind == FAY_GRID_MESSAGE ? message(grid, now, link, event) : 0;
}

int fay_grid_feed(fay_grid *grid, fay_ns now, const fay_grid_event *event)
{
    switch (event->kind) {
    case FAY_GRID_UP:
    case FAY_GRID_DOWN:
    case FAY_GRID_FAILED: connection(grid, now, event); break;
    case FAY_GRID_MESSAGE:
    case FAY_GRID_HEARD: return heard(grid, now, event);
    case FAY_GRID_SIGNED:
        fay_grid_signed(grid, now, event->token, event->bytes, event->size);
        break;
    case FAY_GRID_VERIFIED:
        if (!fay_grid_rumor_verified(grid, now, event->token, event->ok))
            fay_grid_verified(grid, now, event->token, event->ok);
        break;
    case FAY_GRID_LATE: late(grid, now, event->ns); break;
    case FAY_GRID_BROADCAST: fay_grid_broadcast(grid, event->bytes, event->size); break;
    case FAY_GRID_META: fay_grid_own_meta(grid, event->bytes, event->size); break;
    case FAY_GRID_STATUS: fay_grid_links_status(grid, event->bytes, event->size); break;
    case FAY_GRID_CRL: fay_grid_links_crl(grid, now, event->number); break;
    case FAY_GRID_CERTIFIED: fay_grid_own_certified(grid, event->bytes); break;
    case FAY_GRID_EXPEL: expel(grid, now, event->id); break;
    case FAY_GRID_REBOOTED: fay_grid_twin_rebooted(grid, now, event); break;
    case FAY_GRID_LEAVE:
        grid->leaving = true;
        grid->own_dirty = true;
        break;
    }
    return 0;
}

/* ---- time ------------------------------------------------------------------------------------ */

/* What follows from another set of members that are believed alive. */
static void follow_members(fay_grid *grid, fay_ns now)
{
    if (grid->generation != grid->members.generation) {
        grid->generation = grid->members.generation;
        fay_overlay_update(&grid->overlay, &grid->members);
        fay_grid_suspects_recount(grid, now);
        if (grid->rewish_by == FAY_NEVER)
            grid->rewish_by = now + grid->params.rewish_max;
        grid->rewish_due = FAY_MIN(now + grid->params.rewish_quiet, grid->rewish_by);
    }
    if (now >= grid->rewish_due)
        fay_grid_rewish(grid, now);
}

/* BYE is signed and said on all links: the driver may stop. */
static void end(fay_grid *grid, fay_ns now)
{
    if (!grid->leaving || grid->left || grid->self == NULL || !grid->self->record->bye)
        return;
    FAY_EACH_LINK(link, grid)
    {
        fay_grid_flush(grid, now, link);
        fay_grid_link_quit(grid, link);
    }
    grid->left = true;
    (void)fay_grid_act(grid, FAY_GRID_LEFT);
}

void fay_grid_step(fay_grid *grid, fay_ns now, fay_grid_actions *ret)
{
    if (grid->actions_given)
        fay_grid_actions_clear(grid);
    if (!grid->left) {
        fay_members_age(&grid->members, now);
        fay_grid_twin_step(grid, now);
        fay_grid_own_step(grid, now);
        fay_grid_suspects_step(grid, now);
        follow_members(grid, now);
        fay_grid_rumors_step(grid, now);
        fay_grid_sync_step(grid, now);
        fay_grid_contacts_step(grid, now);
        fay_grid_links_step(grid, now);
        end(grid, now);
    }
    *ret = (fay_grid_actions){.items = grid->actions, .count = grid->actions_count};
    grid->actions_given = true;
}

fay_ns fay_grid_deadline(const fay_grid *grid)
{
    if (grid->left)
        return FAY_NEVER;
    fay_ns due = FAY_MIN(fay_members_due(&grid->members), fay_grid_own_due(grid));
    due = FAY_MIN(due, fay_grid_suspects_due(grid));
    due = FAY_MIN(due, FAY_MIN(grid->rewish_due, fay_rumors_due(&grid->rumors)));
    due = FAY_MIN(due, grid->doubt_due);
    due = FAY_MIN(due, FAY_MIN(fay_grid_contacts_due(grid), fay_grid_twin_due(grid)));
    if (grid->generation != grid->members.generation)
        due = 0;
    return FAY_MIN(due, fay_grid_links_due(grid));
}

/* ---- questions ------------------------------------------------------------------------------- */

const fay_members *fay_grid_members(const fay_grid *grid)
{
    return &grid->members;
}

bool fay_grid_is_linked(const fay_grid *grid, const fay_node_id *id)
{
    return fay_grid_link_to(grid, id) != NULL;
}

bool fay_grid_is_dialled(const fay_grid *grid, const fay_node_id *id)
{
    for (size_t i = 0; i < grid->contacts_count; i++) {
        const fay_contact *contact = &grid->contacts[i];
        if (contact->why == FAY_CONTACT_NEIGHBOUR && fay_node_id_same(&contact->id, id))
            return true;
    }
    return false;
}

size_t fay_grid_links(const fay_grid *grid)
{
    return grid->links_count;
}

bool fay_grid_is_degraded(const fay_grid *grid, fay_ns now, const fay_node_id *id)
{
    const fay_grid_member *member = fay_members_find(&grid->members, id);
    return member != NULL &&
           fay_refutations_degraded(&grid->refutations, now, &grid->members, member);
}

fay_grid_bytes fay_grid_status_of(const fay_grid *grid, const fay_node_id *id)
{
    const fay_grid_link *link = fay_grid_link_to(grid, id);
    bool none = link == NULL || link->status_size == 0;
    return none ? (fay_grid_bytes){NULL, 0} : (fay_grid_bytes){link->status, link->status_size};
}

static void check_link(const fay_grid *grid, const fay_grid_link *link)
{
    uint64_t bit = (uint64_t)1 << (link - grid->links);
    for (size_t i = 0; i < link->unsent_count; i++) {
        assert((link->unsent[i]->unsent & bit) != 0);
    }
    FAY_EACH_LINK(other, grid)
    {
        assert(other == link || !fay_node_id_same(&other->id, &link->id));
    }
}

void fay_grid_check(const fay_grid *grid, fay_ns now)
{
    fay_members_check(&grid->members, now);
    size_t links = 0, dials = 0;
    FAY_EACH_LINK(link, grid)
    {
        check_link(grid, link);
        links++;
    }
    for (size_t i = 0; i < grid->contacts_count; i++) {
        dials += grid->contacts[i].dial != 0;
    }
    assert(links == grid->links_count && dials == grid->dials &&
           dials <= (size_t)FAY_ALONE_DIALS * grid->params.dials);
    for (size_t i = 0; i < grid->suspects_count; i++) {
        assert(fay_member_state_of(grid->suspects[i].member) == FAY_SUSPECT);
    }
    assert(grid->self == NULL || grid->self->boot <= grid->own.boot);
}
