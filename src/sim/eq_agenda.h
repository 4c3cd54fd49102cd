/* SPDX-License-Identifier: MIT */
/*
 * What will happen when, in the benchmark's time: a binary heap by time; equal times keep the order
 * in which they were added, so that a run is the same for the same seed.
 */
#ifndef FAY_SIM_EQ_AGENDA_H
#define FAY_SIM_EQ_AGENDA_H

#include "base/base.h"

typedef struct fay_eq_event {
    double time;
    uint64_t order;  /* set by fay_eq_agenda_add() */
    uint32_t serial; /* tells a worker from the one before it with the same id */
    uint16_t kind;   /* of whoever composes the agenda */
    uint16_t subject;
} fay_eq_event;

typedef struct fay_eq_agenda {
    fay_eq_event *heap;
    size_t count, capacity;
    uint64_t added;
} fay_eq_agenda;

void fay_eq_agenda_deinit(fay_eq_agenda *agenda);
void fay_eq_agenda_add(fay_eq_agenda *agenda, fay_eq_event event);
bool fay_eq_agenda_take(fay_eq_agenda *agenda, fay_eq_event *ret); /* the first; false = empty */

#endif /* FAY_SIM_EQ_AGENDA_H */
