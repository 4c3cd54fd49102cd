/* SPDX-License-Identifier: MIT */
#include "net/slots.h"

#include <assert.h>

#include "base/limits.h"

static const fay_ns stale_after = 300 * FAY_MS;

void fay_slots_init(fay_slots *slots)
{
    *slots = (fay_slots){0};
    TAILQ_INIT(&slots->silent);
    TAILQ_INIT(&slots->waiting);
    TAILQ_INIT(&slots->taken);
}

/* The silent before those who have said something, strangers before members, the oldest first. */
static fay_slot *least_worth(const fay_slots *slots)
{
    fay_slot *slot;
    if (!TAILQ_EMPTY(&slots->silent))
        return TAILQ_FIRST(&slots->silent);
    TAILQ_FOREACH (slot, &slots->waiting, entry) {
        if (!slot->known)
            return slot;
    }
    return TAILQ_FIRST(&slots->waiting);
}

fay_slot *fay_slots_park(fay_slots *slots, fay_slot *slot)
{
    fay_slot *gone = NULL;
    assert(slot->state == FAY_SLOT_NONE);
    if (slots->parked >= FAY_SILENT_MAX) {
        gone = least_worth(slots);
        fay_slots_leave(slots, gone);
    }
    slot->state = FAY_SLOT_SILENT;
    TAILQ_INSERT_TAIL(&slots->silent, slot, entry);
    slots->parked++;
    return gone;
}

void fay_slots_ask(fay_slots *slots, fay_slot *slot)
{
    assert(slot->state == FAY_SLOT_SILENT);
    TAILQ_REMOVE(&slots->silent, slot, entry);
    TAILQ_INSERT_TAIL(&slots->waiting, slot, entry);
    slot->state = FAY_SLOT_WAITING;
}

static size_t taken_from(const fay_slots *slots, uint64_t address)
{
    const fay_slot *slot;
    size_t count = 0;
    TAILQ_FOREACH (slot, &slots->taken, entry)
        count += slot->address == address;
    return count;
}

/* Whether it may begin: at once, or for somebody who has made no progress for long. */
static bool find_room(const fay_slots *slots, const fay_slot *guest, fay_ns now,
                      fay_slot **ret_evicted)
{
    bool crowded =
        !guest->loopback && taken_from(slots, guest->address) >= FAY_HANDSHAKES_ADDRESS_MAX;
    bool strangers_full =
        slots->taken_by_strangers >= FAY_HANDSHAKES_MAX - FAY_HANDSHAKES_KNOWN_KEPT;
    bool full = slots->taken_count >= FAY_HANDSHAKES_MAX || (!guest->known && strangers_full);
    fay_slot *slot;
    *ret_evicted = NULL;
    if (!crowded && !full)
        return true;
    TAILQ_FOREACH (slot, &slots->taken, entry) {
        if (now < slot->progress + stale_after)
            break; /* and so are all behind it */
        bool frees =
            (!crowded || slot->address == guest->address) && (guest->known || !slot->known);
        if (frees && (*ret_evicted == NULL || ((*ret_evicted)->known && !slot->known)))
            *ret_evicted = slot;
    }
    return *ret_evicted != NULL;
}

static fay_slot *find_guest(const fay_slots *slots, bool known, fay_ns now, fay_slot **ret_evicted)
{
    fay_slot *slot;
    TAILQ_FOREACH (slot, &slots->waiting, entry) {
        if (slot->known == known && find_room(slots, slot, now, ret_evicted))
            return slot;
    }
    return NULL;
}

fay_slot *fay_slots_next(fay_slots *slots, fay_ns now, fay_slot **ret_evicted)
{
    *ret_evicted = NULL;
    fay_slot *guest = find_guest(slots, true, now, ret_evicted);
    if (guest == NULL)
        guest = find_guest(slots, false, now, ret_evicted);
    if (guest == NULL)
        return NULL;
    if (*ret_evicted != NULL)
        fay_slots_leave(slots, *ret_evicted);
    fay_slots_leave(slots, guest);
    guest->state = FAY_SLOT_TAKEN;
    guest->progress = now;
    TAILQ_INSERT_TAIL(&slots->taken, guest, entry);
    slots->taken_count++;
    slots->taken_by_strangers += !guest->known;
    return guest;
}

void fay_slots_progress(fay_slots *slots, fay_slot *slot, fay_ns now)
{
    if (slot->state != FAY_SLOT_TAKEN)
        return;
    slot->progress = now;
    TAILQ_REMOVE(&slots->taken, slot, entry);
    TAILQ_INSERT_TAIL(&slots->taken, slot, entry);
}

void fay_slots_leave(fay_slots *slots, fay_slot *slot)
{
    switch (slot->state) {
    case FAY_SLOT_NONE: return;
    case FAY_SLOT_SILENT:
        TAILQ_REMOVE(&slots->silent, slot, entry);
        slots->parked--;
        break;
    case FAY_SLOT_WAITING:
        TAILQ_REMOVE(&slots->waiting, slot, entry);
        slots->parked--;
        break;
    case FAY_SLOT_TAKEN:
        TAILQ_REMOVE(&slots->taken, slot, entry);
        slots->taken_count--;
        slots->taken_by_strangers -= !slot->known;
        break;
    }
    slot->state = FAY_SLOT_NONE;
}

fay_ns fay_slots_due(const fay_slots *slots, fay_ns now)
{
    const fay_slot *slot;
    if (TAILQ_EMPTY(&slots->waiting))
        return FAY_NEVER;
    TAILQ_FOREACH (slot, &slots->taken, entry) {
        if (slot->progress + stale_after > now)
            return slot->progress + stale_after;
    }
    return FAY_NEVER;
}
