/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "grid/internal.h"

enum {
    SILENT_TOGETHER = 3 /* links, and half of all: then it may be our own fault */
};

static const fay_ns healthy_for = 2 * FAY_SECOND; /* who was refused is heard, and hears */

fay_grid_link *fay_grid_next_link(const fay_grid *grid, size_t from)
{
    for (size_t i = from; i < grid->links_end; i++) {
        if (grid->links[i].number != 0)
            return &grid->links[i];
    }
    return NULL;
}

fay_grid_link *fay_grid_link_by_number(const fay_grid *grid, uint64_t number)
{
    FAY_EACH_LINK(link, grid)
    {
        if (link->number == number)
            return link;
    }
    return NULL;
}

fay_grid_link *fay_grid_link_to(const fay_grid *grid, const fay_node_id *id)
{
    FAY_EACH_LINK(link, grid)
    {
        if (fay_node_id_same(&link->id, id))
            return link;
    }
    return NULL;
}

static void release(fay_grid *grid, fay_grid_link *link)
{
    fay_grid_untell(grid, link);
    *link = (fay_grid_link){.number = 0};
    grid->links_count--;
    while (grid->links_end > 0 && grid->links[grid->links_end - 1].number == 0) {
        grid->links_end--;
    }
}

void fay_grid_link_quit(fay_grid *grid, fay_grid_link *link)
{
    fay_grid_send(grid, link, FAY_GRID_DONE, NULL);
    fay_grid_close(grid, link->number);
    release(grid, link);
}

/* ---- up -------------------------------------------------------------------------------------- */

static bool wishes(const fay_grid *grid, const fay_grid_member *member)
{
    if (grid->self == NULL || member == NULL)
        return false;
    fay_neighbours wished;
    fay_overlay_neighbours(&grid->overlay, &grid->members, grid->self, &wished);
    for (size_t i = 0; i < wished.count; i++) {
        if (wished.members[i] == member)
            return true;
    }
    return false;
}

/* Of two links to one Node both ends keep the same: to its later boot, else the one that the lesser
 * id has dialled, else the newer. */
static bool replaces(const fay_grid *grid, const fay_grid_link *old, const fay_grid_event *event)
{
    bool dialled = event->dial != 0;
    if (event->boot != old->boot)
        return event->boot > old->boot;
    if (dialled == old->dialled)
        return true;
    return dialled == (fay_node_id_compare(&grid->own.id, event->id) < 0);
}

static bool has_room(const fay_grid *grid, bool dialled)
{
    size_t rings = fay_overlay_rings(&grid->params, fay_members_alive(&grid->members));
    size_t inbound = 0;
    FAY_EACH_LINK(link, grid)
    {
        inbound += !link->dialled && !link->wished;
    }
    return dialled || inbound < grid->params.inbound_per_ring * rings;
}

/* Alive members that are not linked here, drawn without preference. */
static size_t draw_others(fay_grid *grid, fay_grid_member *ret[FAY_GRID_REDIRECT_MAX])
{
    size_t seen = 0, count = 0;
    FAY_EACH_MEMBER(member, &grid->members)
    {
        if (member == grid->self || fay_member_state_of(member) != FAY_ALIVE)
            continue;
        seen++;
        if (count < FAY_GRID_REDIRECT_MAX) {
            ret[count++] = member;
        } else {
            size_t at = fay_prng_below(&grid->prng, seen);
            if (at < FAY_GRID_REDIRECT_MAX)
                ret[at] = member;
        }
    }
    return count;
}

/* A newcomer that there is no room for is told of others. False: there are not enough. */
static bool redirect(fay_grid *grid, uint64_t number)
{
    fay_grid_member *others[FAY_GRID_REDIRECT_MAX];
    size_t count = draw_others(grid, others);
    if (count < FAY_GRID_REDIRECT_MAX)
        return false;
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer payload = {0};
    for (size_t i = 0; i < count; i++) {
        const fay_grid_bytes *address = &others[i]->record->address;
        fay_write_bytes(&payload, address->bytes, address->size);
    }
    fay_grid_send_to(grid, number, FAY_GRID_REDIRECT, &payload);
    fay_grid_send_to(grid, number, FAY_GRID_DONE, NULL);
    fay_grid_close(grid, number);
    return true;
}

static fay_grid_link *free_slot(fay_grid *grid)
{
    for (size_t i = 0; i < FAY_GRID_LINKS_MAX; i++) {
        if (grid->links[i].number == 0)
            return &grid->links[i];
    }
    return NULL;
}

/* Not the one that we know by that id and boot: it has shown another certification. */
static bool is_twin(const fay_grid_member *member, const fay_grid_event *event)
{
    return member != NULL && member->record != NULL && member->boot == event->boot &&
           event->size == FAY_KEY_HASH_SIZE &&
           memcmp(event->bytes, member->record->certification, event->size) != 0;
}

/* A newcomer is told everything, one that was here before of ourselves; and whoever is accused
 * must hear of it, since nobody else can refute it. */
static void greet(fay_grid *grid, fay_ns now, fay_grid_link *link, fay_grid_member *member,
                  bool twin)
{
    bool known = member != NULL && member->boot == link->boot && !member->gone && !twin;
    if (!known) {
        fay_grid_tell_all(grid, now, link);
    } else if (grid->self != NULL) {
        fay_grid_tell_one(grid, grid->self, link);
    }
    if (member == NULL)
        return;
    if (member->doubted && member->boot == link->boot)
        fay_grid_sync_doubt(grid, link, member);
    if (!known && !fay_members_tells(&grid->members, now, member)) {
        fay_grid_sync_gone(grid, link, member);
    } else if (member->charges_count > 0) {
        fay_grid_tell_one(grid, member, link);
    }
}

static void begin(fay_grid *grid, fay_ns now, fay_grid_link *link, const fay_grid_event *event)
{
    fay_grid_member *member = fay_members_find(&grid->members, event->id);
    *link = (fay_grid_link){.number = event->link,
                            .id = *event->id,
                            .boot = event->boot,
                            .dialled = event->dial != 0,
                            .wished = wishes(grid, member),
                            .up_at = now,
                            .heard_at = now,
                            .beat_due = now,
                            .unwanted = FAY_NEVER};
    grid->links_count++;
    grid->links_end = FAY_MAX(grid->links_end, (size_t)(link - grid->links) + 1);
    fay_grid_contact_done(grid, &link->id);
    greet(grid, now, link, member, is_twin(member, event));
}

/* One that is sent away since there is another one of it, and no earlier one, should know why. */
static void tell_of_later(fay_grid *grid, fay_ns now, const fay_grid_event *event)
{
    const fay_grid_member *member = fay_members_find(&grid->members, event->id);
    if (member == NULL || member->record == NULL || member->boot < event->boot)
        return;
    if (member->boot == event->boot && !is_twin(member, event))
        return;
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer payload = {0};
    fay_bundle_write(member, now, &payload);
    fay_grid_send_to(grid, event->link, FAY_GRID_BUNDLES, &payload);
}

void fay_grid_link_up(fay_grid *grid, fay_ns now, const fay_grid_event *event)
{
    if (fay_node_id_same(event->id, &grid->own.id)) {
        fay_grid_close(grid, event->link);
        fay_grid_twin_met(grid, event);
        return;
    }
    fay_grid_link *old = fay_grid_link_to(grid, event->id);
    if (old != NULL && !replaces(grid, old, event)) {
        tell_of_later(grid, now, event);
        fay_grid_send_to(grid, event->link, FAY_GRID_DONE, NULL);
        fay_grid_close(grid, event->link);
        return;
    }
    if (old != NULL)
        fay_grid_link_quit(grid, old);
    bool wished = wishes(grid, fay_members_find(&grid->members, event->id));
    if (!wished && !has_room(grid, event->dial != 0) && redirect(grid, event->link))
        return;
    fay_grid_link *link = free_slot(grid);
    if (link == NULL) {
        fay_grid_send_to(grid, event->link, FAY_GRID_DONE, NULL);
        fay_grid_close(grid, event->link);
        return;
    }
    begin(grid, now, link, event);
}

/* ---- down ------------------------------------------------------------------------------------ */

void fay_grid_link_lost(fay_grid *grid, fay_ns now, fay_grid_link *link)
{
    fay_grid_link was = *link;
    release(grid, link);
    fay_grid_member *member = fay_members_find(&grid->members, &was.id);
    if (member == NULL || member->gone || !wishes(grid, member))
        return;
    /* One that said DONE had a reason, but its neighbour needs a link all the same. */
    fay_ns due = was.leaving ? now + grid->params.connect : now;
    fay_contact *contact = fay_grid_contact(grid, &was.id, FAY_CONTACT_NEIGHBOUR, due);
    if (contact != NULL && !was.leaving && member->boot == was.boot)
        contact->lost = true;
}

static void fell_silent(fay_grid *grid, fay_ns now, fay_grid_link *link)
{
    if (now - grid->silent_at > FAY_SECOND) {
        grid->silent_at = now;
        grid->silent_count = 0;
    }
    size_t links = grid->links_count + grid->silent_count;
    grid->silent_count++;
    fay_grid_close(grid, link->number);
    fay_grid_link_lost(grid, now, link);
    bool healthy = grid->refused_at != FAY_NEVER && now - grid->refused_at < healthy_for;
    if (!healthy && grid->silent_count >= SILENT_TOGETHER &&
        (size_t)grid->silent_count * 2 >= links)
        fay_grid_doubt_self(grid, now);
}

/* ---- heartbeats ------------------------------------------------------------------------------ */

static void beat(fay_grid *grid, fay_ns now, fay_grid_link *link)
{
    fay_heartbeat heartbeat = {.wished = link->wished,
                               .hash = fay_members_hash(&grid->members),
                               .crl = grid->crl,
                               .status = {grid->status, grid->status_size}};
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer payload = {0};
    fay_heartbeat_write(&heartbeat, &payload);
    fay_grid_send(grid, link, FAY_GRID_HEARTBEAT, &payload);
    link->told_wished = link->wished;
    /* Not all Nodes in one moment: a Grid that was started at once would go on in step. */
    fay_ns part = grid->params.heartbeat / 4;
    link->beat_due = now + 3 * part + fay_prng_below(&grid->prng, part + 1);
}

void fay_grid_link_heartbeat(fay_grid *grid, fay_grid_link *link, const fay_heartbeat *heartbeat)
{
    link->greeted = true;
    link->wished_there = heartbeat->wished;
    link->status_size = heartbeat->status.size;
    memcpy(link->status, heartbeat->status.bytes, heartbeat->status.size);
    if (heartbeat->crl > grid->crl && heartbeat->crl > link->behind) {
        link->behind = heartbeat->crl;
        fay_grid_action *action = fay_grid_act(grid, FAY_GRID_BEHIND);
        action->link = link->number;
        action->number = heartbeat->crl;
    }
    bool same = heartbeat->hash == fay_members_hash(&grid->members);
    link->differs = same ? 0 : link->differs + 1;
    bool ours = fay_node_id_compare(&grid->own.id, &link->id) < 0; /* one end is enough */
    if (link->differs >= grid->params.differs && ours && link->unsent_count == 0) {
        link->differs = 0;
        fay_grid_sync_begin(grid, link);
    }
}

void fay_grid_links_status(fay_grid *grid, const uint8_t *bytes, size_t size)
{
    assert(size <= FAY_GRID_STATUS_MAX);
    if (size > 0)
        memcpy(grid->status, bytes, size);
    grid->status_size = size;
}

void fay_grid_links_crl(fay_grid *grid, fay_ns now, uint64_t number)
{
    if (number <= grid->crl)
        return;
    grid->crl = number;
    FAY_EACH_LINK(link, grid)
    {
        link->beat_due = now;
    }
}

/* ---- wishes ---------------------------------------------------------------------------------- */

static void wish(fay_grid *grid, fay_ns now, const fay_neighbours *wished)
{
    for (size_t i = 0; i < wished->count; i++) {
        const fay_node_id *id = &wished->members[i]->id;
        if (fay_grid_link_to(grid, id) != NULL)
            continue;
        /* Both ends wish it, so one dials, and the other only if that has not worked. */
        bool first = fay_node_id_compare(&grid->own.id, id) < 0;
        fay_ns due = first ? now : now + grid->params.connect;
        (void)fay_grid_contact(grid, id, FAY_CONTACT_NEIGHBOUR, due);
    }
}

void fay_grid_rewish(fay_grid *grid, fay_ns now)
{
    grid->rewish_due = FAY_NEVER;
    grid->rewish_by = FAY_NEVER;
    if (grid->self == NULL)
        return;
    fay_neighbours wished;
    fay_overlay_neighbours(&grid->overlay, &grid->members, grid->self, &wished);
    FAY_EACH_LINK(link, grid)
    {
        link->wished = false;
        for (size_t i = 0; i < wished.count; i++) {
            link->wished = link->wished || fay_node_id_same(&link->id, &wished.members[i]->id);
        }
    }
    fay_grid_contacts_keep(grid, &wished);
    wish(grid, now, &wished);
}

/* ---- time ------------------------------------------------------------------------------------ */

/* One that the overlay has left stays until those are there that it wishes instead. */
static bool is_wanted(const fay_grid *grid, const fay_grid_link *link)
{
    return link->wished || link->wished_there || !link->greeted || link->unsent_count > 0 ||
           grid->links_count == 1 || (link->was_wished && fay_grid_contacts_wished(grid));
}

static fay_ns silent_due(const fay_grid *grid, const fay_grid_link *link)
{
    return link->heard_at + grid->params.silent * (fay_ns)grid->patience;
}

/* A heartbeat that is due takes those along that soon will be: to wake up costs more than to say
 * something a little early. */
static bool is_beat(const fay_grid *grid, fay_ns now)
{
    FAY_EACH_LINK(link, grid)
    {
        if (now >= link->beat_due)
            return true;
    }
    return false;
}

static void step_link(fay_grid *grid, fay_ns now, fay_grid_link *link, fay_ns ahead)
{
    if (now >= silent_due(grid, link)) {
        fell_silent(grid, now, link);
        return;
    }
    if (now + ahead >= link->beat_due || link->told_wished != link->wished)
        beat(grid, now, link);
    if (now >= fay_grid_flush_due(grid, link))
        fay_grid_flush(grid, now, link);
    link->was_wished = link->was_wished || link->wished || link->wished_there;
    if (is_wanted(grid, link)) {
        link->unwanted = FAY_NEVER;
    } else if (link->unwanted == FAY_NEVER) {
        link->unwanted = now;
    } else if (now >= link->unwanted + grid->params.unwanted_max) {
        fay_grid_link_quit(grid, link);
    }
}

void fay_grid_links_step(fay_grid *grid, fay_ns now)
{
    fay_ns ahead = is_beat(grid, now) ? grid->params.heartbeat / 4 : 0;
    FAY_EACH_LINK(link, grid)
    {
        step_link(grid, now, link, ahead);
    }
}

fay_ns fay_grid_links_due(const fay_grid *grid)
{
    fay_ns due = FAY_NEVER;
    FAY_EACH_LINK(link, grid)
    {
        due = FAY_MIN(due, FAY_MIN(silent_due(grid, link), link->beat_due));
        due = FAY_MIN(due, fay_grid_flush_due(grid, link));
        if (link->unwanted != FAY_NEVER)
            due = FAY_MIN(due, link->unwanted + grid->params.unwanted_max);
    }
    return due;
}
