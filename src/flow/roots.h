/* SPDX-License-Identifier: MIT */
/*
 * The open roots: for each source Item that is not finished, how many Items are left of it.
 *
 *     number:  0 .. 63   64 .. 127   ...          a page of 64 while one of them is open
 *     page:    [ open, end, held ] x 64           found by hash; the last two used are at hand
 *
 * An Item that lags behind keeps one small page, however far the others have gone. Pages are listed
 * in the order of their numbers, so the oldest open root is in the first one.
 *
 * Roots whose Items were answered together by one batch are a group: no one can tell which of its
 * results are whose, so they are done together or not at all. A root of a group that has no Items
 * left (open == 0) stays, waiting, until the last one of them has none. Groups that share a root
 * are one; what is in a group is bounded by the roots that may be open.
 */
#ifndef FAY_ROOTS_H
#define FAY_ROOTS_H

#include "base/base.h"
#include "base/hash.h"
#include "flow/piece.h"

enum {
    FAY_PAGE_ROOTS = 64
};

typedef struct fay_group {
    uint64_t *list; /* numbers of roots */
    size_t count, capacity;
    size_t unfinished; /* of them; the others wait */
} fay_group;

typedef struct fay_root {
    uint64_t open;    /* unfinished Items; 0 = this root is not open, or waits for its group */
    uint64_t end;     /* the source's position behind it */
    fay_pieces *held; /* its output so far, where that waits for the root; NULL = none */
    fay_group *group; /* NULL = it stands alone */
    bool begun;       /* something of it was leased */
} fay_root;

typedef struct fay_page {
    uint64_t number;
    size_t open; /* roots */
    fay_root roots[FAY_PAGE_ROOTS];
    UT_hash_handle hh;
} fay_page;

typedef struct fay_roots {
    fay_page *pages;            /* uthash: in order of insertion, which is that of the numbers */
    fay_page *newest, *current; /* caches: where roots are opened, where they are finished */
    uint64_t open;              /* roots, with those that wait */
    uint64_t waiting;           /* of them */
    fay_group *queue;           /* in ordered runs: the group that is waited for; NULL = none */
} fay_roots;

void fay_roots_deinit(fay_roots *roots); /* what roots hold must have been freed; groups are */
/* Opens a root with one unfinished Item, itself. `number` is above every one opened before. The
 * pointer is valid until the root is closed. */
fay_root *fay_roots_open(fay_roots *roots, uint64_t number, uint64_t end);
/* A root that is open, or whose last Item has just been finished; likewise. */
fay_root *fay_roots_get(fay_roots *roots, uint64_t number);
/* Makes one group of two open roots, with all that they were tied to before, and returns it. A root
 * and itself are none: then it is what the root was in before, or NULL. */
fay_group *fay_roots_tie(fay_roots *roots, uint64_t a, uint64_t b);
/* The last Item of the root has just been finished. Whether it is done, with its group; else it
 * waits. `in_turn`: while some root waits, all that finish later wait with it, so that the roots
 * are done in the order in which they finished. A group that is done is the caller's, who frees it
 * with fay_group_free() and closes its roots. */
bool fay_roots_finish(fay_roots *roots, uint64_t number, bool in_turn, fay_group **ret_group);
void fay_group_free(fay_group *group);
/* The root has no Items left (open == 0), no group and nothing held: forgets it. */
void fay_roots_close(fay_roots *roots, uint64_t number);

#endif /* FAY_ROOTS_H */
