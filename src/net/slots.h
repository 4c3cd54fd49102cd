/* SPDX-License-Identifier: MIT */
/*
 * Who of those that have connected may shake hands now: a policy that is told what happens, and
 * opens no socket and reads no clock.
 *
 *     park --> SILENT --ask--> WAITING --next--> TAKEN --leave-->
 *                |                |                '-- evicted: no progress, and others wait
 *                '----------------'-- evicted: too many are parked
 *
 * A silent connection costs a descriptor, so many may be parked. A handshake costs a TLS session,
 * hence slots, some of them kept for the addresses of known members, and no more than some for one
 * address (but for loopback: there all are one). Who is slow is not sent away while nobody waits.
 */
#ifndef FAY_NET_SLOTS_H
#define FAY_NET_SLOTS_H

#include <bsd/sys/queue.h>

#include "base/base.h"

typedef struct fay_slot {
    /* of who connects; set before park() */
    uint64_t address; /* the same for all from there, such as a hash */
    bool loopback, known;
    /* the policy's */
    enum {
        FAY_SLOT_NONE,
        FAY_SLOT_SILENT,
        FAY_SLOT_WAITING,
        FAY_SLOT_TAKEN
    } state;
    fay_ns progress;
    TAILQ_ENTRY(fay_slot) entry;
} fay_slot;

TAILQ_HEAD(fay_slot_list, fay_slot);

typedef struct fay_slots {
    struct fay_slot_list silent, waiting, taken; /* the oldest first; taken: in order of progress */
    size_t parked, taken_count, taken_by_strangers;
} fay_slots;

void fay_slots_init(fay_slots *slots);

/* It has connected, and said nothing yet. Returns who has to go for it; NULL = nobody. */
fay_slot *fay_slots_park(fay_slots *slots, fay_slot *slot);
/* It has said the first word of its handshake. */
void fay_slots_ask(fay_slots *slots, fay_slot *slot);
/* Who begins now, known members first; NULL = nobody may. `*ret_evicted`: whose slot it was, and
 * who has to go; NULL = it was free. */
fay_slot *fay_slots_next(fay_slots *slots, fay_ns now, fay_slot **ret_evicted);
/* Bytes have come from who has a slot. */
void fay_slots_progress(fay_slots *slots, fay_slot *slot, fay_ns now);
/* It is gone, or through. Does nothing if it is none of ours. */
void fay_slots_leave(fay_slots *slots, fay_slot *slot);
/* When next() may answer otherwise though nothing has happened; FAY_NEVER. */
fay_ns fay_slots_due(const fay_slots *slots, fay_ns now);

#endif /* FAY_NET_SLOTS_H */
