/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "grid/internal.h"

enum {
    RELAYS = 3 /* links that are asked to dial somebody; all, where there are fewer */
};

static const fay_ns alone_wait = 2 * FAY_SECOND; /* who has no link at all decides by itself */
static const fay_ns relay_gap = 2 * FAY_SECOND;
static const fay_ns accuse_pause = 1 * FAY_SECOND, patience_for = 10 * FAY_SECOND;

void fay_grid_refuted(fay_grid *grid, fay_ns now, const fay_grid_member *member,
                      const fay_grid_record *record)
{
    if (member->gone || member->charges_count == 0 || record->boot != member->boot ||
        record->inc <= member->inc)
        return;
    bool alone = !fay_suspicion_of(&grid->members, member, 1, 1).enough;
    fay_refutations_note(&grid->refutations, now, member, alone);
}

/* Among few there is nobody else to believe. */
bool fay_grid_is_muted(const fay_grid *grid, fay_ns now, const fay_grid_accusation *accusation)
{
    return fay_members_alive(&grid->members) > FAY_LONE_ACCUSER &&
           fay_refutations_mutes(&grid->refutations, now, accusation);
}

bool fay_grid_entitled(const fay_grid *grid, fay_ns now, const fay_grid_accusation *accusation)
{
    const fay_grid_member *observer = fay_members_find(&grid->members, &accusation->observer);
    const fay_grid_member *target = fay_members_find(&grid->members, &accusation->target);
    if (observer == NULL || target == NULL || observer->boot != accusation->observer_boot ||
        fay_member_gone(fay_member_state_of(observer)) || fay_grid_is_muted(grid, now, accusation))
        return false;
    return accusation->role == FAY_OBSERVER_AUDITOR ||
           fay_overlay_observes(&grid->overlay, &grid->members, now, observer, target);
}

/* ---- who is a suspect ------------------------------------------------------------------------ */

static fay_suspect *find(const fay_grid *grid, const fay_grid_member *member)
{
    for (size_t i = 0; i < grid->suspects_count; i++) {
        if (grid->suspects[i].member == member)
            return &grid->suspects[i];
    }
    return NULL;
}

static void drop(fay_grid *grid, fay_suspect *suspect)
{
    size_t at = (size_t)(suspect - grid->suspects);
    grid->suspects_count--;
    memmove(suspect, suspect + 1, (grid->suspects_count - at) * sizeof *suspect);
}

static fay_suspect *add(fay_grid *grid, fay_grid_member *member)
{
    FAY_RESERVE(grid->suspects, grid->suspects_capacity, grid->suspects_count + 1);
    fay_suspect *suspect = &grid->suspects[grid->suspects_count++];
    *suspect = (fay_suspect){.member = member, .relay_due = FAY_NEVER, .ask_due = FAY_NEVER};
    return suspect;
}

/* How many could see it. On rings that hardly changes while it is suspected; in a mesh each death
 * makes one less. */
static void count_observers(const fay_grid *grid, fay_suspect *suspect)
{
    fay_neighbours observers;
    if (suspect->observers > 0 && grid->overlay.rings)
        return;
    fay_overlay_neighbours(&grid->overlay, &grid->members, suspect->member, &observers);
    suspect->observers = observers.count;
}

/* Not all in one moment: the first one's answer is everybody's. */
static fay_ns ask_gap(fay_grid *grid)
{
    return grid->params.suspicion_max + fay_prng_below(&grid->prng, 2 * grid->params.suspicion_max);
}

static void look_at(fay_grid *grid, fay_suspect *suspect)
{
    count_observers(grid, suspect);
    suspect->suspicion =
        fay_suspicion_of(&grid->members, suspect->member, suspect->observers, grid->patience);
    if (suspect->ask_due == FAY_NEVER)
        suspect->ask_due = suspect->suspicion.since + ask_gap(grid);
    const fay_charge *ours = fay_member_charge_by(suspect->member, &grid->own.id);
    if (ours == NULL) {
        suspect->relay_due = FAY_NEVER;
    } else if (suspect->relay_due == FAY_NEVER) {
        suspect->relay_due = ours->heard_at + grid->params.suspicion_min;
    }
}

void fay_grid_suspect(fay_grid *grid, fay_grid_member *member)
{
    fay_suspect *suspect = find(grid, member);
    if (fay_member_state_of(member) != FAY_SUSPECT || member == grid->self) {
        if (suspect != NULL)
            drop(grid, suspect);
        return;
    }
    look_at(grid, suspect != NULL ? suspect : add(grid, member));
}

/* Counts those who may speak now. */
static void recount(fay_grid *grid, fay_ns now, fay_grid_member *member)
{
    fay_member_state was = fay_member_state_of(member);
    bool counted = false;
    for (size_t i = 0; i < member->charges_count; i++) {
        fay_charge *charge = &member->charges[i];
        if (charge->counts || !fay_grid_entitled(grid, now, &charge->said))
            continue;
        fay_members_count(&grid->members, now, member, charge);
        counted = true;
    }
    if (!counted)
        return;
    fay_grid_changed(grid, member, was, false);
    fay_grid_suspect(grid, member);
}

void fay_grid_suspects_recount(fay_grid *grid, fay_ns now)
{
    FAY_EACH_MEMBER(member, &grid->members)
    {
        if (member->charges_count > 0 && !member->gone)
            recount(grid, now, member);
    }
    if (grid->overlay.rings)
        return;
    for (size_t i = 0; i < grid->suspects_count; i++) { /* fewer members need fewer accusers */
        look_at(grid, &grid->suspects[i]);
    }
}

/* ---- verdicts -------------------------------------------------------------------------------- */

static void sentence(fay_grid *grid, fay_ns now, fay_grid_member *member)
{
    fay_members_sentence(&grid->members, now, member);
    fay_grid_changed(grid, member, FAY_SUSPECT, false);
    fay_grid_suspect(grid, member);
}

/* Whether all that accuse it would be enough, entitled here or not. */
static bool is_proven(const fay_grid *grid, fay_grid_member *member, bool believed)
{
    uint32_t counts = 0;
    for (size_t i = 0; i < member->charges_count; i++) {
        counts |= (uint32_t)member->charges[i].counts << i;
        member->charges[i].counts = true;
    }
    fay_suspicion s = fay_suspicion_of(&grid->members, member, 1, 1);
    for (size_t i = 0; i < member->charges_count; i++) {
        member->charges[i].counts = (counts >> i & 1) != 0;
    }
    return believed ? s.enough : s.accusers > 0;
}

void fay_grid_bury(fay_grid *grid, fay_ns now, fay_grid_member *member, const fay_bundle *bundle,
                   bool believed)
{
    fay_ns since = now > bundle->age ? now - bundle->age : 0;
    if (member->record == NULL || member->boot != bundle->record.boot ||
        member->inc != bundle->record.inc || member == grid->self)
        return;
    if (!member->gone) {
        if (!is_proven(grid, member, believed)) {
            fay_grid_doubt(grid, now, member);
            return;
        }
        for (size_t i = 0; i < member->charges_count; i++) {
            fay_members_count(&grid->members, now, member, &member->charges[i]);
        }
        fay_members_sentence(&grid->members, now, member);
    }
    if (since < member->gone_at)
        fay_members_backdate(&grid->members, now, member, since);
}

/* ---- when too few accuse --------------------------------------------------------------------- */

/* Asks others to dial the suspect; who cannot reach it accuses it as well. */
static void ask_relays(fay_grid *grid, const fay_grid_member *member)
{
    fay_grid_link *links[FAY_GRID_LINKS_MAX];
    size_t count = 0;
    FAY_EACH_LINK(link, grid)
    {
        if (!fay_node_id_same(&link->id, &member->id))
            links[count++] = link;
    }
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer payload = {0};
    fay_buffer_append(&payload, member->id.bytes, sizeof member->id.bytes);
    for (size_t asked = 0; asked < RELAYS && asked < count; asked++) {
        size_t drawn = asked + fay_prng_below(&grid->prng, count - asked);
        fay_grid_link *link = links[drawn];
        links[drawn] = links[asked];
        fay_grid_send(grid, link, FAY_GRID_RELAY, &payload);
    }
}

/* When to decide without others, since there are none. */
static fay_ns alone_due(const fay_grid *grid, const fay_suspect *suspect)
{
    const fay_charge *ours = fay_member_charge_by(suspect->member, &grid->own.id);
    return ours != NULL && grid->links_count == 0 ? ours->heard_at + alone_wait : FAY_NEVER;
}

static void seek_others(fay_grid *grid, fay_ns now, fay_suspect *suspect)
{
    suspect->relay_due = now + relay_gap;
    ask_relays(grid, suspect->member);
}

/* Too few accuse it, and it has not refuted: it may not have heard. Who is linked to it tells it
 * again, others dial it; either that fails, or it is told then. */
static void ask_suspect(fay_grid *grid, fay_ns now, fay_suspect *suspect)
{
    fay_grid_member *member = suspect->member;
    fay_grid_link *link = fay_grid_link_to(grid, &member->id);
    suspect->ask_due = now + ask_gap(grid);
    if (link != NULL) {
        fay_grid_tell_one(grid, member, link);
    } else {
        (void)fay_grid_contact(grid, &member->id, FAY_CONTACT_AUDIT, now);
    }
}

/* By those who are alive now: where one accuser was enough, others may have come back. */
static bool is_due(const fay_grid *grid, fay_suspect *suspect, fay_ns now)
{
    if (now >= alone_due(grid, suspect))
        return true;
    if (!suspect->suspicion.enough || now < suspect->suspicion.due)
        return false;
    suspect->suspicion =
        fay_suspicion_of(&grid->members, suspect->member, suspect->observers, grid->patience);
    return suspect->suspicion.enough && now >= suspect->suspicion.due;
}

void fay_grid_suspects_step(fay_grid *grid, fay_ns now)
{
    if (fay_refutations_age(&grid->refutations, now))
        fay_grid_suspects_recount(grid, now); /* who was muted speaks again */
    for (size_t i = grid->suspects_count; i-- > 0;) {
        fay_suspect *suspect = &grid->suspects[i];
        if (!suspect->suspicion.enough && now >= suspect->ask_due)
            ask_suspect(grid, now, suspect);
        if (is_due(grid, suspect, now)) {
            sentence(grid, now, suspect->member);
        } else if (!suspect->suspicion.enough && now >= suspect->relay_due) {
            seek_others(grid, now, suspect);
        }
    }
    if (now >= grid->patience_due) {
        grid->patience--;
        grid->patience_due = grid->patience > 1 ? now + patience_for : FAY_NEVER;
    }
}

fay_ns fay_grid_suspects_due(const fay_grid *grid)
{
    fay_ns due = FAY_MIN(grid->patience_due, fay_refutations_due(&grid->refutations));
    for (size_t i = 0; i < grid->suspects_count; i++) {
        const fay_suspect *suspect = &grid->suspects[i];
        fay_ns others = FAY_MIN(suspect->relay_due, suspect->ask_due);
        due = FAY_MIN(due, alone_due(grid, suspect));
        due = FAY_MIN(due, suspect->suspicion.enough ? suspect->suspicion.due : others);
    }
    return due;
}

void fay_grid_doubt_self(fay_grid *grid, fay_ns now)
{
    grid->patience = FAY_MIN(grid->patience + 1, grid->params.health_max);
    grid->patience_due = grid->patience > 1 ? now + patience_for : FAY_NEVER;
    grid->accuse_after = now + accuse_pause;
}
