/* SPDX-License-Identifier: MIT */
/*
 * What one worker holds: leases, each a run of consecutive Items of a batch under consecutive tags,
 * in the order in which they were given. Answered in that order by most workers, so the search
 * begins at the front; a run that is answered in its middle is split.
 */
#ifndef FAY_LEASES_H
#define FAY_LEASES_H

#include "base/base.h"
#include "wire/batch.h"

typedef struct fay_lease {
    uint64_t tag; /* of the Item at `at` */
    fay_batch *batch;
    size_t at, count;
} fay_lease;

typedef struct fay_leases {
    fay_lease *list;
    size_t first, count, capacity; /* list[first .. first + count) */
    uint64_t items;
} fay_leases;

void fay_leases_deinit(fay_leases *leases); /* gives up the references that are left */
/* At the end: of at least one Item, with tags above all that were given before. Takes over the
 * caller's reference of the batch. */
void fay_leases_add(fay_leases *leases, fay_lease lease);
/* Whether all tags of [tag, tag + count) are held: rule 1 asks it of every answer. */
bool fay_leases_cover(const fay_leases *leases, uint64_t tag, uint64_t count);
/* The lease that holds the tag, or (NULL) the first one; NULL if there is none. */
const fay_lease *fay_leases_find(const fay_leases *leases, const uint64_t *tag);
/* Takes the longest run of [tag, tag + count) that begins at `tag` and lies in one lease; `tag`
 * must be held. The reference of the batch moves to the caller. */
fay_lease fay_leases_take(fay_leases *leases, uint64_t tag, uint64_t count);

#endif /* FAY_LEASES_H */
