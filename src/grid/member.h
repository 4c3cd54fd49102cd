/* SPDX-License-Identifier: MIT */
/*
 * What one Node knows of one member: its latest owner record, who accuses it, and the verdict.
 *
 *                  an accusation that counts            the suspicion has lasted (suspicion.h)
 *     FAY_ALIVE ----------------------------> FAY_SUSPECT -----------------------> FAY_DEAD
 *        ^ ^                                       |                                  |
 *        | '-- owner record, inc or boot greater --'----------------------------------'
 *        '---- likewise ---- FAY_LEFT <--- BYE, from any of the three
 *
 * The state is a pure function of what is kept here. Within one *life*, a (boot, inc), it moves to
 * the right alone, and only the owner raises boot and inc.
 *
 * Accusations are about the present life. One about an earlier life is refuted. One about a later
 * life has outrun its record, which cannot be: whoever passes on an accusation sends the record
 * before it. So records, and accusations that follow the record of their life, merge in any order
 * and any number of times to the same. Of accusers the FAY_GRID_ACCUSERS_MAX with the least ids are
 * kept, which is the same in any order too.
 *
 * Alive and suspect ones are *believed alive*: the overlay is made of these. Dead ones and those
 * that left are *gone*. What is left of a member that has been gone for long is a stub, without a
 * record: it knows which (boot, inc) must not return.
 */
#ifndef FAY_GRID_MEMBER_H
#define FAY_GRID_MEMBER_H

#include "base/hash.h"

#include "grid/record.h"

typedef enum fay_member_state {
    FAY_ALIVE,
    FAY_SUSPECT,
    FAY_DEAD,
    FAY_LEFT,
    FAY_MEMBER_STATES
} fay_member_state;

enum {
    FAY_RINGS_MAX = 4 /* of the overlay (overlay.h) */
};

typedef struct fay_charge {
    fay_grid_accusation said;
    bool counts;     /* the observer was entitled to say it, once; else it is kept and passed on */
    fay_ns heard_at; /* the first of this observer */
} fay_charge;

typedef struct fay_grid_member {
    fay_node_id id;
    uint64_t boot; /* of the record, or of the one that a stub had */
    uint32_t inc;
    fay_grid_record *record; /* NULL: a stub */
    fay_charge *charges;     /* about this life, by each observer one */
    size_t charges_count, charges_capacity;
    bool dead;       /* the verdict on (boot, inc) */
    bool left;       /* a stub's */
    bool expelled;   /* the driver believes its key no more: to us it has left, whatever it says */
    fay_ns known_at; /* since when it was believed alive, the last time */
    fay_ns gone_at;  /* of one that is gone */
    uint64_t places[FAY_RINGS_MAX]; /* on each ring: a hash of its id */
    uint64_t hashed;                /* its part of the table's hash (members.h) */
    bool gone;       /* its state is, when the table last looked: the overlay asks often */
    uint64_t unsent; /* bits of the links that are to be told of it; it stays while there are any */
    bool listed;     /* for the time of a comparison (sync.c) */
    bool doubted;    /* somebody holds this life for gone: it is to be told (sync.c) */
    UT_hash_handle hh;
} fay_grid_member;

fay_grid_member *fay_member_new(const fay_node_id *id);
void fay_member_free(fay_grid_member *member);

fay_member_state fay_member_state_of(const fay_grid_member *member);
static inline bool fay_member_gone(fay_member_state state)
{
    return state == FAY_DEAD || state == FAY_LEFT;
}
const char *fay_member_state_name(fay_member_state state); /* "alive" */

/* Copies the record if it is later than the one that is kept (of a stub: a greater boot or inc).
 * Accusations and verdict of an earlier (boot, inc) are void then. True if it was. */
bool fay_member_merge_record(fay_grid_member *member, fay_ns now, const fay_grid_record *record);

/* True if it is kept, and was not: it is about the present life, and the observer's latest. */
bool fay_member_merge_accusation(fay_grid_member *member, fay_ns now,
                                 const fay_grid_accusation *accusation, bool counts);

/* The charge by that observer; NULL = none. */
fay_charge *fay_member_charge_by(const fay_grid_member *member, const fay_node_id *observer);

/* The verdict: dead since then. It must be suspect. */
void fay_member_sentence(fay_grid_member *member, fay_ns since);

/* To us it has left since now; of a stub nothing changes. */
void fay_member_expel(fay_grid_member *member, fay_ns now);

/* Drops all but what a stub has. It must be gone. */
void fay_member_reduce(fay_grid_member *member);

#endif /* FAY_GRID_MEMBER_H */
