/* SPDX-License-Identifier: MIT */
#include "sim/world.h"

#include <assert.h>
#include <stdlib.h>

void fay_sim_world_init(fay_sim_world *world, uint64_t seed)
{
    *world = (fay_sim_world){.now = FAY_SECOND}; /* not 0: a time of 0 may mean "never was" */
    fay_prng_init(&world->prng, seed);
}

void fay_sim_world_clear(fay_sim_world *world)
{
    for (size_t i = 0; i < world->count; i++) {
        free(world->heap[i].event.frame);
    }
    world->count = 0;
}

void fay_sim_world_deinit(fay_sim_world *world)
{
    fay_sim_world_clear(world);
    free(world->heap);
    world->heap = NULL;
}

static bool before(const fay_sim_due *a, const fay_sim_due *b)
{
    return a->time != b->time ? a->time < b->time : a->order < b->order;
}

static void push_at(fay_sim_world *world, fay_ns time, fay_sim_event event)
{
    FAY_RESERVE(world->heap, world->capacity, world->count + 1);
    fay_sim_due due = {.time = time, .order = world->pushed++, .event = event};
    size_t at = world->count++;
    while (at > 0 && before(&due, &world->heap[(at - 1) / 2])) {
        world->heap[at] = world->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    world->heap[at] = due;
}

void fay_sim_world_push(fay_sim_world *world, fay_ns delay, fay_sim_event event)
{
    push_at(world, world->now + delay, event);
}

fay_ns fay_sim_world_next(const fay_sim_world *world)
{
    return world->count > 0 ? world->heap[0].time : FAY_NEVER;
}

bool fay_sim_world_pop(fay_sim_world *world, fay_sim_event *ret)
{
    if (world->count == 0 || world->heap[0].time > world->now)
        return false;
    *ret = world->heap[0].event;
    fay_sim_due last = world->heap[--world->count];
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < world->count; at = child) {
        if (child + 1 < world->count && before(&world->heap[child + 1], &world->heap[child]))
            child++;
        if (!before(&world->heap[child], &last))
            break;
        world->heap[at] = world->heap[child];
    }
    if (world->count > 0)
        world->heap[at] = last;
    return true;
}

void fay_sim_world_send(fay_sim_world *world, fay_sim_wire *wire, fay_sim_event event)
{
    fay_ns arrives = world->now + wire->latency + fay_sim_below(world, wire->latency + 1);
    wire->last = FAY_MAX(wire->last, arrives);
    push_at(world, wire->last, event);
}

uint64_t fay_sim_below(fay_sim_world *world, uint64_t bound)
{
    return fay_prng_below(&world->prng, bound);
}

uint64_t fay_sim_between(fay_sim_world *world, uint64_t from, uint64_t to)
{
    assert(from <= to);
    return from + fay_prng_below(&world->prng, to - from + 1);
}

bool fay_sim_chance(fay_sim_world *world, double probability)
{
    return fay_prng_chance(&world->prng, probability);
}

fay_ns fay_sim_around(fay_sim_world *world, fay_ns mean)
{
    /* Most of them between 0 and the mean, some up to 2, 4, 8 times as long, ever more seldom. */
    fay_ns scale = mean;
    while (scale < 8 * mean && fay_sim_chance(world, 0.3)) {
        scale *= 2;
    }
    return 1 + fay_sim_below(world, scale + 1);
}
