/* SPDX-License-Identifier: MIT */
/*
 * The owner of a simulated run: what run/ is in the product, without the kernel. It reads the
 * source as far as the flow has room, turns frames into events and actions into frames, writes and
 * syncs, and keeps the book beside the flow. One owner is one life; the next one resumes.
 *
 *     frames, timers ──► feed ──► flow ──► step ──► actions ──► frames, writes, timers
 *                          '──────► book ◄───────────'
 */
#ifndef FAY_SIM_OWNER_H
#define FAY_SIM_OWNER_H

#include "sim/book.h"
#include "sim/spools.h"
#include "sim/store.h"
#include "sim/workers.h"

enum {                        /* kinds of events in the world, behind those of store.h */
    FAY_SIM_LINK_COMES = 200, /* value = stage: an Instance has been started */
    FAY_SIM_LINK_LOST,        /* link: the owner notices that it is gone */
    FAY_SIM_LOADED,           /* serial = spool, value = cursor */
    FAY_SIM_SOURCE_HAS,       /* another Item is there */
    FAY_SIM_ANSWERED,         /* value: whether the user, asked after PAUSED, wants to go on */
};

typedef struct fay_sim_owner {
    fay_sim_world *world; /* borrowed, as all six */
    fay_sim_faults *faults;
    const fay_sim_shape *shape;
    fay_sim_oracle *oracle;
    fay_sim_crew *crew;
    fay_sim_trace *trace;
    fay_sim_book *book;
    fay_sim_store *store;
    fay_sim_spools spools;
    fay_flow *flow;
    uint64_t next_root, arrived; /* of the source: read so far, there so far */
    bool ended, drained, aborted, done;
    bool paused; /* the user has not answered yet */
    bool fed;    /* something since the last step */
} fay_sim_owner;

/* A new life: reads the journal, starts the Instances. */
void fay_sim_owner_begin(fay_sim_owner *owner);
/* It is over, by DONE or by death. */
void fay_sim_owner_end(fay_sim_owner *owner);

/* An UPWARD frame or one of the kinds above or of store.h. Does not free event->frame. */
void fay_sim_owner_event(fay_sim_owner *owner, const fay_sim_event *event);
void fay_sim_owner_read_source(fay_sim_owner *owner);
/* Steps the flow, carries out what it wants, checks everything. */
void fay_sim_owner_step(fay_sim_owner *owner);

void fay_sim_owner_scale(fay_sim_owner *owner);
void fay_sim_owner_machine(fay_sim_owner *owner);
void fay_sim_owner_drain(fay_sim_owner *owner);
void fay_sim_owner_abort(fay_sim_owner *owner);

#endif /* FAY_SIM_OWNER_H */
