/* SPDX-License-Identifier: MIT */
/*
 * The open roots: for each source Item that is not finished, how many Items are left of it.
 *
 *     number:  0 .. 63   64 .. 127   ...          a page of 64 while one of them is open
 *     page:    [ open, end, held ] x 64           found by hash; the last two used are at hand
 *
 * An Item that lags behind keeps one small page, however far the others have gone. Pages are listed
 * in the order of their numbers, so the oldest open root is in the first one.
 */
#ifndef FAY_ROOTS_H
#define FAY_ROOTS_H

#include "base/base.h"
#include "base/hash.h"
#include "flow/piece.h"

enum {
    FAY_PAGE_ROOTS = 64
};

typedef struct fay_root {
    uint64_t open;    /* unfinished Items; 0 = this root is not open */
    uint64_t end;     /* the source's position behind it */
    fay_pieces *held; /* its output so far, where that waits for the root; NULL = none */
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
    uint64_t open;
} fay_roots;

void fay_roots_deinit(fay_roots *roots); /* what roots hold must have been freed */
/* Opens a root with one unfinished Item, itself. `number` is above every one opened before. The
 * pointer is valid until the root is closed. */
fay_root *fay_roots_open(fay_roots *roots, uint64_t number, uint64_t end);
/* A root that is open, or whose last Item has just been finished; likewise. */
fay_root *fay_roots_get(fay_roots *roots, uint64_t number);
/* The root has no Items left (open == 0) and nothing held: forgets it. */
void fay_roots_close(fay_roots *roots, uint64_t number);

#endif /* FAY_ROOTS_H */
