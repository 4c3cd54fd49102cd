/* SPDX-License-Identifier: MIT */
#include "grid/refutations.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

/* NOLINTBEGIN(readability-function-size,clang-analyzer-unix.Malloc): of uthash */
static fay_refutation *find(const fay_refutations *refutations, const fay_accusing *pair)
{
    fay_refutation *refutation;
    HASH_FIND(hh, refutations->table, pair, sizeof *pair, refutation);
    return refutation;
}

static void drop(fay_refutations *refutations, fay_refutation *refutation)
{
    HASH_DEL(refutations->table, refutation);
    free(refutation);
}

static void add(fay_refutations *refutations, fay_refutation *refutation)
{
    HASH_ADD(hh, refutations->table, pair, sizeof refutation->pair, refutation);
}
/* NOLINTEND(readability-function-size,clang-analyzer-unix.Malloc) */

void fay_refutations_init(fay_refutations *refutations, const fay_grid_params *params)
{
    *refutations = (fay_refutations){.params = params};
}

void fay_refutations_deinit(fay_refutations *refutations)
{
    while (refutations->table != NULL) {
        drop(refutations, refutations->table);
    }
}

static void note(fay_refutations *refutations, fay_ns now, fay_accusing pair, bool alone)
{
    fay_refutation *known = find(refutations, &pair);
    if (known != NULL)
        drop(refutations, known); /* it is the youngest now */
    if (HASH_COUNT(refutations->table) >= FAY_GRID_REFUTED_MAX)
        drop(refutations, refutations->table);
    fay_refutation *fresh = fay_alloc(sizeof *fresh);
    fresh->pair = pair;
    fresh->at = now;
    fresh->alone = alone;
    add(refutations, fresh);
}

void fay_refutations_note(fay_refutations *refutations, fay_ns now, const fay_grid_member *suspect,
                          bool alone)
{
    for (size_t i = 0; i < suspect->charges_count; i++) {
        const fay_charge *charge = &suspect->charges[i];
        if (charge->counts)
            note(refutations, now, (fay_accusing){charge->said.observer, suspect->id}, alone);
    }
}

static bool is_old(const fay_refutations *refutations, fay_ns now, const fay_refutation *refutation)
{
    return now >= refutation->at + refutations->params->mute;
}

bool fay_refutations_mutes(const fay_refutations *refutations, fay_ns now,
                           const fay_grid_accusation *accusation)
{
    fay_accusing pair = {accusation->observer, accusation->target};
    const fay_refutation *refutation = find(refutations, &pair);
    return refutation != NULL && refutation->alone && !is_old(refutations, now, refutation);
}

static const uint8_t *key_of(const fay_members *members, const fay_node_id *id)
{
    const fay_grid_member *member = fay_members_find(members, id);
    return member != NULL && member->record != NULL ? member->record->tls_key : NULL;
}

static bool has_key(const uint8_t *const keys[], size_t count, const uint8_t *key)
{
    for (size_t i = 0; i < count; i++) {
        if (memcmp(keys[i], key, FAY_KEY_HASH_SIZE) == 0)
            return true;
    }
    return false;
}

/* Whoever is not in the table any more has no key to be told apart by: it does not count. */
bool fay_refutations_degraded(const fay_refutations *refutations, fay_ns now,
                              const fay_members *members, const fay_grid_member *target)
{
    const uint8_t *keys[FAY_DEGRADED_BY];
    const uint8_t *own = target->record != NULL ? target->record->tls_key : NULL;
    size_t count = 0;
    for (const fay_refutation *r = refutations->table; r != NULL && count < FAY_DEGRADED_BY;
         r = r->hh.next) {
        if (!fay_node_id_same(&r->pair.target, &target->id) || is_old(refutations, now, r))
            continue;
        const uint8_t *key = key_of(members, &r->pair.observer);
        bool shared = key != NULL && own != NULL && memcmp(key, own, FAY_KEY_HASH_SIZE) == 0;
        if (key != NULL && (shared || !has_key(keys, count, key)))
            keys[count++] = key;
    }
    return count >= FAY_DEGRADED_BY;
}

bool fay_refutations_age(fay_refutations *refutations, fay_ns now)
{
    bool aged = false;
    for (fay_refutation *r = refutations->table, *next; r != NULL && is_old(refutations, now, r);
         r = next) {
        next = r->hh.next;
        drop(refutations, r);
        aged = true;
    }
    return aged;
}

fay_ns fay_refutations_due(const fay_refutations *refutations)
{
    const fay_refutation *oldest = refutations->table;
    return oldest != NULL ? oldest->at + refutations->params->mute : FAY_NEVER;
}
