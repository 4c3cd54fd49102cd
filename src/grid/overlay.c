/* SPDX-License-Identifier: MIT */
#include "grid/overlay.h"

#include <assert.h>

void fay_overlay_update(fay_overlay *overlay, const fay_members *members)
{
    size_t alive = fay_members_alive(members);
    if (alive > members->params->mesh_max) {
        overlay->rings = true;
    } else if (alive <= members->params->mesh_again) {
        overlay->rings = false;
    }
}

unsigned fay_overlay_rings(const fay_grid_params *params, size_t alive)
{
    return alive > params->large_min ? params->rings_large : params->rings;
}

/* Who stands on the rings, seen from now or from shortly before. */
typedef struct view {
    const fay_members *members;
    fay_overlay_when when;
    fay_ns then; /* BEFORE: that time */
} view;

static bool stands(const view *v, const fay_grid_member *member)
{
    if (v->when == FAY_OVERLAY_NOW)
        return !member->gone;
    if (member->record == NULL || member->known_at > v->then)
        return false;
    return !member->gone || member->gone_at > v->then;
}

static void add(fay_neighbours *ret, fay_grid_member *member)
{
    for (size_t i = 0; i < ret->count; i++) {
        if (ret->members[i] == member)
            return;
    }
    assert(ret->count < FAY_NEIGHBOURS_MAX);
    ret->members[ret->count++] = member;
}

/* Whether a is nearer than b, b NULL being the farthest. Places that are equal, one in 2^64, are
 * told apart by id: the greater ones are above. */
static bool is_nearer(uint64_t a_distance, const fay_grid_member *a, uint64_t b_distance,
                      const fay_grid_member *b, bool upwards)
{
    if (b == NULL || a_distance != b_distance)
        return b == NULL || a_distance < b_distance;
    return (fay_node_id_compare(&a->id, &b->id) < 0) == upwards;
}

/* The next one on either side of the ring. */
static void add_next(const view *v, const fay_grid_member *of, size_t ring, fay_neighbours *ret)
{
    fay_grid_member *above = NULL, *below = NULL;
    uint64_t up = 0, down = 0;
    FAY_EACH_MEMBER(member, v->members)
    {
        if (member == of || !stands(v, member))
            continue;
        uint64_t distance = member->places[ring] - of->places[ring]; /* around the ring */
        if (is_nearer(distance, member, up, above, true)) {
            above = member;
            up = distance;
        }
        if (is_nearer(0 - distance, member, down, below, false)) {
            below = member;
            down = 0 - distance;
        }
    }
    if (above != NULL)
        add(ret, above);
    if (below != NULL)
        add(ret, below);
}

static void add_all(const view *v, const fay_grid_member *of, fay_neighbours *ret)
{
    FAY_EACH_MEMBER(member, v->members)
    {
        if (member != of && stands(v, member) && ret->count < FAY_NEIGHBOURS_MAX)
            add(ret, member);
    }
}

static void add_rings(const view *v, const fay_grid_member *of, fay_neighbours *ret)
{
    unsigned rings = fay_overlay_rings(v->members->params, fay_members_alive(v->members));
    for (size_t ring = 0; ring < rings; ring++) {
        add_next(v, of, ring, ret);
    }
}

void fay_overlay_neighbours(const fay_overlay *overlay, const fay_members *members,
                            const fay_grid_member *of, fay_neighbours *ret)
{
    view v = {.members = members, .when = FAY_OVERLAY_NOW};
    ret->count = 0;
    if (overlay->rings) {
        add_rings(&v, of, ret);
    } else {
        add_all(&v, of, ret);
    }
}

static bool contains(const fay_neighbours *list, const fay_grid_member *member)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->members[i] == member)
            return true;
    }
    return false;
}

bool fay_overlay_observes(const fay_overlay *overlay, const fay_members *members, fay_ns now,
                          const fay_grid_member *observer, const fay_grid_member *target)
{
    if (observer == target)
        return false;
    if (!overlay->rings || fay_members_alive(members) <= members->params->mesh_max)
        return true;
    view v = {.members = members, .when = FAY_OVERLAY_NOW};
    fay_neighbours neighbours = {.count = 0};
    add_rings(&v, target, &neighbours);
    if (contains(&neighbours, observer))
        return true;
    fay_ns ago = members->params->observer_for;
    v = (view){.members = members, .when = FAY_OVERLAY_BEFORE, .then = now > ago ? now - ago : 0};
    neighbours.count = 0;
    add_rings(&v, target, &neighbours);
    return contains(&neighbours, observer);
}
