/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "grid/internal.h"

static const fay_ns settle = 10 * FAY_SECOND; /* after the start all links are made at once */
static const fay_ns backoff_least = 200 * FAY_MS, backoff_most = 5 * FAY_SECOND;

/* Half to one and a half times as long as it says, so that those who failed together do not come
 * back together. */
static fay_ns backoff(fay_grid *grid, unsigned failures)
{
    fay_ns wait = backoff_least << FAY_MIN(failures > 0 ? failures - 1 : 0, 10u);
    wait = FAY_MIN(wait, backoff_most);
    return wait / 2 + fay_prng_below(&grid->prng, wait);
}

static fay_contact *find(const fay_grid *grid, const fay_node_id *id)
{
    for (size_t i = 0; i < grid->contacts_count; i++) {
        fay_contact *contact = &grid->contacts[i];
        if (contact->address == NULL && fay_node_id_same(&contact->id, id))
            return contact;
    }
    return NULL;
}

/* An address alone is never linked: it is not known whose it is. */
static bool is_linked(const fay_grid *grid, const fay_contact *contact)
{
    return contact->address == NULL && fay_grid_link_to(grid, &contact->id) != NULL;
}

static fay_contact *find_dial(const fay_grid *grid, uint64_t dial)
{
    for (size_t i = 0; i < grid->contacts_count; i++) {
        if (grid->contacts[i].dial == dial)
            return &grid->contacts[i];
    }
    return NULL;
}

static fay_contact *add(fay_grid *grid, fay_contact_why why)
{
    if (grid->contacts_count >= FAY_GRID_CONTACTS_MAX + FAY_GRID_SEEDS_MAX)
        return NULL;
    FAY_RESERVE(grid->contacts, grid->contacts_capacity, grid->contacts_count + 1);
    fay_contact *contact = &grid->contacts[grid->contacts_count++];
    *contact = (fay_contact){.why = why};
    return contact;
}

/* Those behind it move up: the order is that in which they are dialled. */
static void drop(fay_grid *grid, fay_contact *contact)
{
    size_t at = (size_t)(contact - grid->contacts);
    grid->dials -= contact->dial != 0;
    free(contact->address);
    grid->contacts_count--;
    memmove(contact, contact + 1, (grid->contacts_count - at) * sizeof *contact);
}

/* NULL: it is known for that already, or there are too many. */
static fay_contact *add_address(fay_grid *grid, fay_ns now, fay_contact_why why,
                                fay_grid_bytes address)
{
    for (size_t i = 0; i < grid->contacts_count; i++) {
        const fay_contact *known = &grid->contacts[i];
        if (known->why == why && strlen(known->address) == address.size &&
            memcmp(known->address, address.bytes, address.size) == 0)
            return NULL;
    }
    fay_contact *contact = add(grid, why);
    if (contact == NULL)
        return NULL;
    contact->address = fay_grid_text(address);
    contact->due = now;
    return contact;
}

void fay_grid_seed(fay_grid *grid, fay_ns now, fay_grid_bytes address, bool permanent)
{
    fay_contact *contact = add_address(grid, now, FAY_CONTACT_SEED, address);
    if (contact != NULL)
        contact->permanent = permanent;
}

void fay_grid_contact_twin(fay_grid *grid, fay_ns now, fay_grid_bytes address)
{
    fay_contact *contact = add_address(grid, now, FAY_CONTACT_TWIN, address);
    if (contact != NULL)
        contact->id = grid->own.id;
}

bool fay_grid_contacts_twin(const fay_grid *grid)
{
    for (size_t i = 0; i < grid->contacts_count; i++) {
        if (grid->contacts[i].why == FAY_CONTACT_TWIN)
            return true;
    }
    return false;
}

fay_contact *fay_grid_contact(fay_grid *grid, const fay_node_id *id, fay_contact_why why,
                              fay_ns due)
{
    if (fay_grid_link_to(grid, id) != NULL)
        return NULL;
    fay_contact *contact = find(grid, id);
    if (contact == NULL) {
        contact = add(grid, why);
        if (contact == NULL)
            return NULL;
        contact->id = *id;
        contact->due = due;
    }
    contact->why = FAY_MIN(contact->why, why);
    if (contact->dial == 0)
        contact->due = FAY_MIN(contact->due, due);
    return contact;
}

/* ---- how dials end --------------------------------------------------------------------------- */

bool fay_grid_contact_up(fay_grid *grid, uint64_t dial)
{
    fay_contact *contact = dial != 0 ? find_dial(grid, dial) : NULL;
    if (contact == NULL)
        return false;
    if (contact->permanent) {
        contact->dial = 0;
        contact->due = FAY_NEVER;
        contact->failures = 0;
        grid->dials--;
    } else {
        drop(grid, contact);
    }
    return true;
}

void fay_grid_contact_done(fay_grid *grid, const fay_node_id *id)
{
    fay_contact *contact = find(grid, id);
    if (contact != NULL && contact->dial == 0)
        drop(grid, contact);
}

/* The member's neighbour, or an auditor, could not reach it. */
static void blame(fay_grid *grid, fay_ns now, const fay_contact *contact, fay_evidence evidence)
{
    fay_grid_member *member = fay_members_find(&grid->members, &contact->id);
    bool neighbour = contact->why == FAY_CONTACT_NEIGHBOUR;
    if (member == NULL || member->record == NULL)
        return;
    fay_grid_accuse(grid, now, member, evidence,
                    neighbour ? FAY_OBSERVER_NEIGHBOUR : FAY_OBSERVER_AUDITOR);
}

/* A handshake may fail for want of time here. */
static bool proves(const fay_grid *grid, fay_ns now, fay_evidence evidence)
{
    bool settled = now >= grid->begun_at + settle && now >= grid->late_at + grid->params.handshake;
    return evidence != FAY_EVIDENCE_HANDSHAKE || settled;
}

void fay_grid_contact_failed(fay_grid *grid, fay_ns now, uint64_t dial, fay_evidence evidence)
{
    fay_contact *contact = dial != 0 ? find_dial(grid, dial) : NULL;
    if (contact == NULL)
        return;
    grid->dials--;
    if (evidence == FAY_EVIDENCE_REFUSED)
        grid->refused_at = now;
    contact->dial = 0;
    contact->failures++;
    contact->due = now + backoff(grid, contact->failures);
    bool linked = is_linked(grid, contact);
    /* A process that ends closes its connections before its port: the next dial is refused. */
    bool ending = evidence == FAY_EVIDENCE_HANDSHAKE && contact->failures == 1;
    bool sure =
        contact->why == FAY_CONTACT_AUDIT || contact->failures > 1 || (contact->lost && !ending);
    if (!linked && sure && contact->why <= FAY_CONTACT_AUDIT && proves(grid, now, evidence))
        blame(grid, now, contact, evidence);
    bool again = contact->why == FAY_CONTACT_NEIGHBOUR || contact->permanent;
    if (linked || !again)
        drop(grid, contact);
}

/* ---- who is wished --------------------------------------------------------------------------- */

static bool is_among(const fay_neighbours *wished, const fay_node_id *id)
{
    for (size_t i = 0; i < wished->count; i++) {
        if (fay_node_id_same(&wished->members[i]->id, id))
            return true;
    }
    return false;
}

void fay_grid_contacts_keep(fay_grid *grid, const fay_neighbours *wished)
{
    for (size_t i = grid->contacts_count; i-- > 0;) {
        fay_contact *contact = &grid->contacts[i];
        if (contact->why != FAY_CONTACT_NEIGHBOUR || is_among(wished, &contact->id))
            continue;
        if (contact->dial == 0) {
            drop(grid, contact);
        } else {
            contact->why = FAY_CONTACT_GONE; /* how that dial ends says nothing any more */
        }
    }
}

bool fay_grid_contacts_wished(const fay_grid *grid)
{
    for (size_t i = 0; i < grid->contacts_count; i++) {
        if (grid->contacts[i].why == FAY_CONTACT_NEIGHBOUR)
            return true;
    }
    return false;
}

/* ---- dialling -------------------------------------------------------------------------------- */

static fay_grid_bytes address_of(const fay_grid *grid, const fay_contact *contact)
{
    if (contact->address != NULL)
        return (fay_grid_bytes){(const uint8_t *)contact->address, strlen(contact->address)};
    const fay_grid_member *member = fay_members_find(&grid->members, &contact->id);
    bool has = member != NULL && member->record != NULL;
    return has ? member->record->address : (fay_grid_bytes){NULL, 0};
}

/* False: there is nowhere to dial, any more. */
static bool dial(fay_grid *grid, fay_ns now, fay_contact *contact)
{
    fay_grid_bytes address = address_of(grid, contact);
    if (address.size == 0)
        return false;
    contact->dial = ++grid->next_dial;
    contact->due = FAY_NEVER;
    contact->stalled_due = contact->lost ? now + grid->params.stalled : FAY_NEVER;
    grid->dials++;
    fay_grid_action *action = fay_grid_act(grid, FAY_GRID_DIAL);
    action->dial = contact->dial;
    action->address = fay_grid_lend(grid, address.bytes, address.size);
    if (contact->why != FAY_CONTACT_SEED) {
        action->id =
            (const fay_node_id *)fay_grid_lend(grid, &contact->id, sizeof contact->id).bytes;
    }
    return true;
}

static bool is_known_alive(const fay_grid *grid, const char *address)
{
    size_t size = strlen(address);
    FAY_EACH_MEMBER(member, &grid->members)
    {
        if (!fay_member_gone(fay_member_state_of(member)) && member->record->address.size == size &&
            memcmp(member->record->address.bytes, address, size) == 0)
            return true;
    }
    return false;
}

/* Seeds: all of them until there is a link, then one now and then, in case the Grid is in parts. */
static void wake_seeds(fay_grid *grid, fay_ns now)
{
    bool alone = grid->links_count == 0;
    bool one = !alone && now >= grid->seed_due;
    fay_contact *drawn = NULL;
    uint64_t seen = 0;
    for (size_t i = 0; i < grid->contacts_count; i++) {
        fay_contact *contact = &grid->contacts[i];
        if (!contact->permanent || contact->dial != 0)
            continue;
        if (alone && contact->due == FAY_NEVER) {
            contact->due = now + backoff(grid, ++contact->failures);
        } else if (!alone) {
            contact->due = FAY_NEVER;
        }
        if (one && !is_known_alive(grid, contact->address) &&
            fay_prng_below(&grid->prng, ++seen) == 0)
            drawn = contact;
    }
    if (now >= grid->seed_due) /* also while alone: else it would stay due */
        grid->seed_due = now + grid->params.recontact_seed;
    if (drawn != NULL)
        drawn->due = now;
}

/* Members that none of our links goes to: one of those, if the draw is for it. */
static fay_grid_member *draw_member(fay_grid *grid, bool gone)
{
    fay_grid_member *drawn = NULL;
    uint64_t seen = 0;
    FAY_EACH_MEMBER(member, &grid->members)
    {
        if (member != grid->self && member->record != NULL &&
            fay_member_gone(fay_member_state_of(member)) == gone &&
            fay_member_state_of(member) != FAY_LEFT && fay_prng_below(&grid->prng, ++seen) == 0)
            drawn = member;
    }
    return drawn;
}

static void contact_drawn(fay_grid *grid, fay_ns now, fay_contact_why why)
{
    const fay_grid_member *member = draw_member(grid, why == FAY_CONTACT_GONE);
    if (member != NULL)
        (void)fay_grid_contact(grid, &member->id, why, now);
}

/* Who has lost all links has nobody to ask, and nothing else to do: it looks for everybody. */
static bool is_alone(const fay_grid *grid)
{
    return grid->links_count == 0 && fay_members_alive(&grid->members) > 1;
}

static size_t dials_max(const fay_grid *grid)
{
    return (size_t)grid->params.dials * (is_alone(grid) ? FAY_ALONE_DIALS : 1);
}

/* One at random, whether it can be reached; and one that is dead, whether it is. */
static void look_around(fay_grid *grid, fay_ns now)
{
    fay_ns gap = is_alone(grid) ? grid->params.connect / 4 : grid->params.audit;
    grid->audit_due = FAY_MIN(grid->audit_due, now + gap);
    if (now >= grid->audit_due) {
        grid->audit_due = now + gap;
        contact_drawn(grid, now, FAY_CONTACT_AUDIT);
    }
    if (now >= grid->recontact_due) {
        grid->recontact_due = now + grid->params.recontact;
        double dead = (double)grid->members.states[FAY_DEAD];
        double alive = (double)FAY_MAX(fay_members_alive(&grid->members), (size_t)1);
        if (dead > 0 && fay_prng_chance(&grid->prng, dead / alive))
            contact_drawn(grid, now, FAY_CONTACT_GONE);
    }
}

/* A process that was stopped takes connections, since its kernel does, and says nothing on them:
 * who has fallen silent before is not waited for as long as a handshake may take. */
static void blame_stalled(fay_grid *grid, fay_ns now)
{
    for (size_t i = 0; i < grid->contacts_count; i++) {
        fay_contact *contact = &grid->contacts[i];
        if (contact->dial == 0 || now < contact->stalled_due)
            continue;
        contact->stalled_due = FAY_NEVER;
        if (!is_linked(grid, contact) && contact->why <= FAY_CONTACT_AUDIT &&
            proves(grid, now, FAY_EVIDENCE_HANDSHAKE))
            blame(grid, now, contact, FAY_EVIDENCE_SILENT);
    }
}

void fay_grid_contacts_step(fay_grid *grid, fay_ns now)
{
    look_around(grid, now);
    blame_stalled(grid, now);
    wake_seeds(grid, now);
    for (size_t i = 0; i < grid->contacts_count && grid->dials < dials_max(grid);) {
        fay_contact *contact = &grid->contacts[i];
        bool due = contact->dial == 0 && now >= contact->due;
        if (due && !dial(grid, now, contact)) {
            drop(grid, contact);
        } else {
            i++;
        }
    }
}

fay_ns fay_grid_contacts_due(const fay_grid *grid)
{
    fay_ns due = FAY_MIN(grid->audit_due, FAY_MIN(grid->recontact_due, grid->seed_due));
    bool full = grid->dials >= dials_max(grid);
    for (size_t i = 0; i < grid->contacts_count; i++) {
        const fay_contact *contact = &grid->contacts[i];
        due = FAY_MIN(due, contact->dial != 0 ? contact->stalled_due
                           : full             ? FAY_NEVER
                                              : contact->due);
    }
    return due;
}
