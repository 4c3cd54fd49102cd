/* SPDX-License-Identifier: MIT */
#include "grid/member.h"

#include <assert.h>
#include <stdlib.h>

#include "base/limits.h"

fay_grid_member *fay_member_new(const fay_node_id *id)
{
    fay_grid_member *member = fay_alloc(sizeof *member);
    member->id = *id;
    for (size_t ring = 0; ring < FAY_RINGS_MAX; ring++) {
        member->places[ring] = fay_hash64(id->bytes, sizeof id->bytes, ring + 1);
    }
    return member;
}

void fay_member_free(fay_grid_member *member)
{
    if (member == NULL)
        return;
    free(member->record);
    free(member->charges);
    free(member);
}

/* ---- state ----------------------------------------------------------------------------------- */

fay_member_state fay_member_state_of(const fay_grid_member *member)
{
    if (member->record == NULL ? member->left : member->record->bye || member->expelled)
        return FAY_LEFT;
    if (member->record == NULL || member->dead)
        return FAY_DEAD;
    for (size_t i = 0; i < member->charges_count; i++) {
        if (member->charges[i].counts)
            return FAY_SUSPECT;
    }
    return FAY_ALIVE;
}

const char *fay_member_state_name(fay_member_state state)
{
    static const char *const names[] = {"alive", "suspect", "dead", "left"};
    return names[state];
}

/* ---- owner records --------------------------------------------------------------------------- */

/* < 0: about an earlier life than the present one, > 0: about a later one. */
static int compare_life(const fay_grid_member *member, uint64_t boot, uint32_t inc)
{
    if (boot != member->boot)
        return boot < member->boot ? -1 : 1;
    return inc < member->inc ? -1 : inc > member->inc;
}

bool fay_member_merge_record(fay_grid_member *member, fay_ns now, const fay_grid_record *record)
{
    assert(fay_node_id_same(&member->id, &record->id));
    int later = compare_life(member, record->boot, record->inc);
    if (member->record == NULL ? later <= 0 : fay_record_compare(record, member->record) <= 0)
        return false;
    bool was_gone = fay_member_gone(fay_member_state_of(member));
    free(member->record);
    member->record = fay_record_copy(record);
    member->boot = record->boot;
    member->inc = record->inc;
    if (later > 0) {
        member->dead = false;
        member->expelled = false;
        member->charges_count = 0; /* refuted */
        member->doubted = false;
        member->known_at = was_gone || member->known_at == 0 ? now : member->known_at;
    }
    if (record->bye && (later > 0 || !was_gone))
        member->gone_at = now;
    return true;
}

/* ---- accusations ----------------------------------------------------------------------------- */

fay_charge *fay_member_charge_by(const fay_grid_member *member, const fay_node_id *observer)
{
    for (size_t i = 0; i < member->charges_count; i++) {
        if (fay_node_id_same(&member->charges[i].said.observer, observer))
            return &member->charges[i];
    }
    return NULL;
}

/* Room for one more; when all is taken, in place of the greatest observer above this one. */
static fay_charge *make_room(fay_grid_member *member, const fay_node_id *observer)
{
    if (member->charges_count < FAY_GRID_ACCUSERS_MAX) {
        FAY_RESERVE(member->charges, member->charges_capacity, member->charges_count + 1);
        return &member->charges[member->charges_count++];
    }
    fay_charge *greatest = &member->charges[0];
    for (size_t i = 1; i < member->charges_count; i++) {
        if (fay_node_id_compare(&member->charges[i].said.observer, &greatest->said.observer) > 0)
            greatest = &member->charges[i];
    }
    return fay_node_id_compare(observer, &greatest->said.observer) < 0 ? greatest : NULL;
}

bool fay_member_merge_accusation(fay_grid_member *member, fay_ns now,
                                 const fay_grid_accusation *accusation, bool counts)
{
    assert(fay_node_id_same(&member->id, &accusation->target));
    if (member->record == NULL || compare_life(member, accusation->boot, accusation->inc) != 0)
        return false;
    fay_charge *charge = fay_member_charge_by(member, &accusation->observer);
    if (charge != NULL) {
        if (fay_accusation_compare(accusation, &charge->said) <= 0)
            return false;
        charge->said = *accusation;
        charge->counts = charge->counts || counts;
        return true;
    }
    charge = make_room(member, &accusation->observer);
    if (charge == NULL)
        return false;
    *charge = (fay_charge){.said = *accusation, .counts = counts, .heard_at = now};
    return true;
}

/* ---- the end --------------------------------------------------------------------------------- */

void fay_member_sentence(fay_grid_member *member, fay_ns since)
{
    assert(fay_member_state_of(member) == FAY_SUSPECT);
    member->dead = true;
    member->gone_at = since;
}

void fay_member_expel(fay_grid_member *member, fay_ns now)
{
    if (member->record == NULL || member->expelled)
        return;
    if (!fay_member_gone(fay_member_state_of(member)))
        member->gone_at = now;
    member->expelled = true;
}

void fay_member_reduce(fay_grid_member *member)
{
    fay_member_state state = fay_member_state_of(member);
    assert(fay_member_gone(state));
    member->left = state == FAY_LEFT;
    free(member->record);
    member->record = NULL;
    free(member->charges);
    member->charges = NULL;
    member->charges_count = 0;
    member->charges_capacity = 0;
}
