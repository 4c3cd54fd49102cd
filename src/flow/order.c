/* SPDX-License-Identifier: MIT */
#include "flow/order.h"

#include <assert.h>
#include <stdlib.h>

static int compare(const fay_place *a, const fay_place *b)
{
    if (a->root != b->root)
        return a->root < b->root ? -1 : 1;
    return fay_path_compare(&a->path, &b->path);
}

/* RB_GENERATE_STATIC relies on a macro that glibc's headers undefine. */
/* cppcheck-suppress unknownMacro */
RB_GENERATE_INTERNAL(fay_places, fay_place, node, compare, __attribute__((unused)) static)

void fay_order_init(fay_order *order)
{
    *order = (fay_order){0};
    RB_INIT(&order->unfinished);
    RB_INIT(&order->held);
}

static void free_all(struct fay_places *places)
{
    fay_place *place;
    while ((place = RB_ROOT(places)) != NULL) {
        RB_REMOVE(fay_places, places, place);
        fay_piece *piece;
        while ((piece = TAILQ_FIRST(&place->results)) != NULL) {
            if (piece->spool != NULL && --piece->spool->refs == 0)
                free(piece->spool);
            piece->spool = NULL;
            fay_pieces_remove(&place->results, piece);
        }
        free(place);
    }
}

void fay_order_deinit(fay_order *order)
{
    free_all(&order->unfinished);
    free_all(&order->held);
}

static fay_place *place_new(uint64_t root, const fay_path *path, size_t stage)
{
    fay_place *place = fay_alloc(sizeof *place);
    place->root = root;
    place->path = *path;
    place->stage = stage;
    TAILQ_INIT(&place->results);
    return place;
}

void fay_order_enter(fay_order *order, uint64_t root, const fay_path *path, size_t stage)
{
    fay_place *place = place_new(root, path, stage);
    fay_place *twin = RB_INSERT(fay_places, &order->unfinished, place);
    assert(twin == NULL); /* paths are unique */
}

void fay_order_leave(fay_order *order, uint64_t root, const fay_path *path)
{
    fay_place key = {.root = root, .path = *path};
    fay_place *place = RB_FIND(fay_places, &order->unfinished, &key);
    assert(place != NULL);
    RB_REMOVE(fay_places, &order->unfinished, place);
    free(place);
}

const fay_place *fay_order_frontier(const fay_order *order)
{
    struct fay_places places =
        order->unfinished; /* RB_MIN wants no const; the head is one pointer */
    return RB_MIN(fay_places, &places);
}

void fay_order_each_held(const fay_order *order, void (*each)(void *context, uint64_t root),
                         void *context)
{
    struct fay_places places = order->held;
    fay_place *place;
    RB_FOREACH(place, fay_places, &places)
    {
        each(context, place->root);
    }
}

void fay_order_hold(fay_order *order, const fay_entry *item, fay_pieces *results)
{
    fay_place *place = place_new(item->root, &item->path, 0);
    place->item = *item;
    fay_piece *piece;
    TAILQ_FOREACH (piece, results, link) {
        order->held_bytes += piece->weight;
    }
    TAILQ_CONCAT(&place->results, results, link);
    fay_place *twin = RB_INSERT(fay_places, &order->held, place);
    assert(twin == NULL);
    order->held_items++;
}

fay_place *fay_order_release(fay_order *order)
{
    fay_place *first = RB_MIN(fay_places, &order->held);
    if (first == NULL)
        return NULL;
    const fay_place *frontier = fay_order_frontier(order);
    if (frontier != NULL && compare(frontier, first) < 0)
        return NULL;
    RB_REMOVE(fay_places, &order->held, first);
    order->held_items--;
    fay_piece *piece;
    TAILQ_FOREACH (piece, &first->results, link) {
        order->held_bytes -= piece->weight;
    }
    return first;
}

void fay_place_free(fay_place *place)
{
    assert(TAILQ_EMPTY(&place->results));
    free(place);
}
