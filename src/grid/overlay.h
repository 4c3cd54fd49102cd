/* SPDX-License-Identifier: MIT */
/*
 * Who links to whom: a pure function of the table.
 *
 * Few members link each to all others. From mesh_max + 1 on they stand on K rings, each in an order
 * of its own (a hash of id and ring), and link to the next one on either side: 2 K links at most,
 * fewer where rings agree. Rings are left again at mesh_again, so that a Grid of about that size
 * does not change its mind all the time.
 *
 *     ring 1:  .. a  f  c  B  e ..        B's neighbours are c e, then a d, then e f:
 *     ring 2:  .. e  a  B  d  c ..        they link to it, and are its *observers*: if it dies,
 *     ring 3:  .. d  e  B  f  a ..        they see it. Neighbours are so both ways.
 *
 * Only members that are believed alive stand on rings. If one dies whose observers all have died
 * too, then, as these are found dead, its next neighbours move up: somebody alive always stands
 * next to one that is dead and believed alive, so nobody dead is believed alive for ever.
 *
 * Tables differ while news are on their way. So what was said by a neighbour of shortly ago still
 * counts: FAY_OVERLAY_BEFORE sees the rings with those that have gone since then, and without those
 * that have come.
 */
#ifndef FAY_GRID_OVERLAY_H
#define FAY_GRID_OVERLAY_H

#include "grid/members.h"

enum {
    FAY_NEIGHBOURS_MAX = 32 /* 2 K, or all of a mesh but one */
};

typedef struct fay_overlay {
    bool rings; /* else a mesh: it depends on what it was before */
} fay_overlay;

typedef enum fay_overlay_when {
    FAY_OVERLAY_NOW,
    FAY_OVERLAY_BEFORE, /* params.observer_for ago */
} fay_overlay_when;

typedef struct fay_neighbours {
    fay_grid_member *members[FAY_NEIGHBOURS_MAX]; /* each once, never the one itself */
    size_t count;
} fay_neighbours;

/* Mesh or rings, after the table has changed. */
void fay_overlay_update(fay_overlay *overlay, const fay_members *members);

/* K of that many members. */
unsigned fay_overlay_rings(const fay_grid_params *params, size_t alive);

/* The neighbours of a member, which need not be believed alive itself. In the order of rings, or of
 * the table. */
void fay_overlay_neighbours(const fay_overlay *overlay, const fay_members *members,
                            const fay_grid_member *of, fay_neighbours *ret);

/* Whether one may accuse the other: it is its neighbour, or was so shortly before. In a Grid that
 * may be a mesh elsewhere, everybody may. */
bool fay_overlay_observes(const fay_overlay *overlay, const fay_members *members, fay_ns now,
                          const fay_grid_member *observer, const fay_grid_member *target);

#endif /* FAY_GRID_OVERLAY_H */
