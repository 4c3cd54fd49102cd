/* SPDX-License-Identifier: MIT */
/*
 * The table of all members, oneself included, and its hash.
 *
 *     hash = XOR over the members of hash(id, boot, inc, seq, gone)      told ones only
 *
 * Two Nodes whose tables have the same hash need not compare them. It is kept in 256 buckets, by
 * the first byte of the id, so that tables that differ need only compare buckets that do. Suspicion
 * is no part of it: it passes.
 *
 *     believed alive --gone--> told --gone_told--> kept --gone_kept--> stub --stub--> forgotten
 *
 * Members that are gone are told of, and hashed, for gone_told; a little later, since not all
 * Nodes heard of it in the same moment, they are dropped to a stub, which holds what must not
 * return. `gone_at` may lie before one heard of it: then it was told with its age.
 *
 * Pointers to members stay valid until fay_members_age() has removed them, which is only ever a
 * stub's fate.
 */
#ifndef FAY_GRID_MEMBERS_H
#define FAY_GRID_MEMBERS_H

#include "grid/member.h"
#include "grid/params.h"

enum {
    FAY_MEMBERS_BUCKETS = 256
};

typedef struct fay_members {
    const fay_grid_params *params; /* borrowed */
    fay_grid_member *table;        /* uthash, by id */
    size_t states[FAY_MEMBER_STATES];
    size_t stubs;        /* of those gone */
    uint64_t generation; /* of the set that is believed alive: rises with each change */
    uint64_t buckets[FAY_MEMBERS_BUCKETS], hash;
    fay_ns due; /* of the next that grows old */
} fay_members;

/* In the order in which they came. */
/* NOLINTBEGIN(bugprone-macro-parentheses): `member` is declared here */
#define FAY_EACH_MEMBER(member, members)                                                           \
    for (fay_grid_member *member = (members)->table; member != NULL; member = member->hh.next)
/* NOLINTEND(bugprone-macro-parentheses) */

void fay_members_init(fay_members *members, const fay_grid_params *params);
void fay_members_deinit(fay_members *members);

fay_grid_member *fay_members_find(const fay_members *members, const fay_node_id *id);
size_t fay_members_alive(const fay_members *members); /* believed to be */
uint64_t fay_members_hash(const fay_members *members);
static inline size_t fay_members_bucket(const fay_node_id *id)
{
    return id->bytes[0];
}

enum {
    FAY_MERGE_NEW = 0,    /* kept, and it was not known: pass it on */
    FAY_MERGE_KNOWN = 1,  /* nothing has changed */
    FAY_MERGE_STALE = 2,  /* something later is known, or that it is gone: tell the sender */
    FAY_MERGE_AHEAD = 3,  /* an accusation whose record is not there */
    FAY_MERGE_NO_ROOM = 4 /* the table is full of members that are not stubs */
};
/* Statements whose signature is good. The record is copied. *ret_member (NULL is fine) is set
 * unless the member is not known afterwards. */
int fay_members_merge_record(fay_members *members, fay_ns now, const fay_grid_record *record,
                             fay_grid_member **ret_member);
int fay_members_merge_accusation(fay_members *members, fay_ns now,
                                 const fay_grid_accusation *accusation, bool counts);

/* A charge that did not count does now: its observer has become a neighbour of the accused. */
void fay_members_count(fay_members *members, fay_ns now, fay_grid_member *member,
                       fay_charge *charge);

/* The verdict on a suspect. */
void fay_members_sentence(fay_members *members, fay_ns now, fay_grid_member *member);
/* Its key is believed no more. */
void fay_members_expel(fay_members *members, fay_ns now, fay_grid_member *member);
/* One that is gone has been so for longer than we knew. */
void fay_members_backdate(fay_members *members, fay_ns now, fay_grid_member *member, fay_ns since);

/* Whether members are told of it, and its hash is in the table's. */
bool fay_members_tells(const fay_members *members, fay_ns now, const fay_grid_member *member);

/* At fay_members_due() at the latest. Members that are stubs may be removed. */
void fay_members_age(fay_members *members, fay_ns now);
fay_ns fay_members_due(const fay_members *members);

/* Asserts that counts, buckets and states are those of the members; for tests and simulator. */
void fay_members_check(const fay_members *members, fay_ns now);

#endif /* FAY_GRID_MEMBERS_H */
