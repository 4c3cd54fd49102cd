/* SPDX-License-Identifier: MIT */
/*
 * The exit of one ordered stage: results leave in the order of their Items' paths.
 *
 *     Items not finished, at this stage or upstream of it      results that are held
 *     7.2   7.3   9 ...                                        7.4 -> [..]   8 -> [..]
 *      '-- the frontier: the least of them; what is held leaves while it is before the frontier
 *
 * An Item that is finished without results, or dead, just leaves the first set: no hole remains.
 * This is rule 8; that the frontier may always be leased is rule 4, and schedule.c's.
 */
#ifndef FAY_ORDER_H
#define FAY_ORDER_H

#include <bsd/sys/tree.h>

#include "base/base.h"
#include "flow/piece.h"

typedef struct fay_place {
    RB_ENTRY(fay_place) node;
    uint64_t root;
    fay_path path;
    size_t stage;       /* where the Item is */
    fay_pieces results; /* of a held one */
    fay_entry item;     /* of a held one: what it was */
} fay_place;

RB_HEAD(fay_places, fay_place);

typedef struct fay_order {
    struct fay_places unfinished, held;
    uint64_t held_items; /* Items whose results are held */
    uint64_t held_bytes; /* of their results */
    fay_ns stuck_since;  /* since when the frontier is the same while results are held */
    uint64_t stuck_root;
    fay_path stuck_path;
    bool reported;
    /* The frontier was searched for in vain in its stage's queue, when that had this many pushes.
     */
    uint64_t vain_root, vain_pushes;
    fay_path vain_path;
} fay_order;

void fay_order_init(fay_order *order);
void fay_order_deinit(fay_order *order); /* with the results that are held, and their spools */
/* The Item is unfinished, now at `stage`, which is this one or upstream. It is not in the set. */
void fay_order_enter(fay_order *order, uint64_t root, const fay_path *path, size_t stage);
/* It is unfinished no more, or no longer in that stage. It is in the set. */
void fay_order_leave(fay_order *order, uint64_t root, const fay_path *path);
/* The least unfinished Item, valid until it leaves; NULL if there is none. */
const fay_place *fay_order_frontier(const fay_order *order);
/* Holds the results of an Item that has left the unfinished: the pieces move, the list is empty
 * then. */
void fay_order_hold(fay_order *order, const fay_entry *item, fay_pieces *results);
/* Calls `each` for every Item whose results are held, in order. */
void fay_order_each_held(const fay_order *order, void (*each)(void *context, uint64_t root),
                         void *context);
/* The held results that may leave next, removed; NULL if none may. Move them on before the next
 * call, since their children may be unfinished before this stage again, and free the place with
 * fay_place_free(). */
fay_place *fay_order_release(fay_order *order);
void fay_place_free(fay_place *place); /* its results must have been taken */

#endif /* FAY_ORDER_H */
