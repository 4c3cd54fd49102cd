/* SPDX-License-Identifier: MIT */
/*
 * The world: a virtual clock, what will happen when, and the chance that decides it.
 *
 *     push(time, event) ──► heap ──pop──► the earliest; of equals the one that was pushed first
 *
 * Time moves only when something is popped, so an hour of waiting costs nothing and the same seed
 * always gives the same world. A wire is one direction of a link: frames arrive in the order in
 * which they were sent, whatever each one's delay; a stalled wire holds back all that is sent from
 * then on. Events are plain values; `frame` in one belongs to whoever pops it.
 */
#ifndef FAY_SIM_WORLD_H
#define FAY_SIM_WORLD_H

#include "base/base.h"
#include "base/prng.h"

typedef struct fay_sim_event {
    int kind; /* of whoever composes the world */
    uint32_t link;
    uint16_t worker;
    uint64_t serial, value;
    void *frame; /* malloc()ed, or NULL */
} fay_sim_event;

typedef struct fay_sim_due {
    fay_ns time;
    uint64_t order;
    fay_sim_event event;
} fay_sim_due;

typedef struct fay_sim_world {
    fay_ns now;
    fay_prng prng;
    uint64_t pushed;
    fay_sim_due *heap;
    size_t count, capacity;
} fay_sim_world;

typedef struct fay_sim_wire {
    fay_ns latency; /* the least; each frame takes up to twice as long */
    fay_ns last;    /* when the last frame that was sent arrives */
} fay_sim_wire;

void fay_sim_world_init(fay_sim_world *world, uint64_t seed);
void fay_sim_world_deinit(fay_sim_world *world);

void fay_sim_world_push(fay_sim_world *world, fay_ns delay, fay_sim_event event);
fay_ns fay_sim_world_next(const fay_sim_world *world); /* when; FAY_NEVER = nothing will happen */
/* Takes the earliest event if it is due by now. */
bool fay_sim_world_pop(fay_sim_world *world, fay_sim_event *ret);
/* Forgets everything that would have happened: the owner died, and all its processes with it. */
void fay_sim_world_clear(fay_sim_world *world);

void fay_sim_world_send(fay_sim_world *world, fay_sim_wire *wire, fay_sim_event event);

/* Chance. [0, bound), [from, to], and a time around `mean` whose tail is long. */
uint64_t fay_sim_below(fay_sim_world *world, uint64_t bound);
uint64_t fay_sim_between(fay_sim_world *world, uint64_t from, uint64_t to);
bool fay_sim_chance(fay_sim_world *world, double probability);
fay_ns fay_sim_around(fay_sim_world *world, fay_ns mean);

#endif /* FAY_SIM_WORLD_H */
