/* SPDX-License-Identifier: MIT */
/*
 * The DELAYED Items: those that failed and wait before they are tried again. A binary heap by time;
 * equal times keep the order in which they came, so that a run is the same for the same seed. Each
 * Item lies in a small batch of its own, so that one that waits keeps nobody else's memory.
 */
#ifndef FAY_DELAYS_H
#define FAY_DELAYS_H

#include "base/base.h"
#include "wire/batch.h"

typedef struct fay_delay {
    fay_ns due;
    uint64_t serial;
    size_t stage;
    fay_batch *batch; /* of one Item */
} fay_delay;

typedef struct fay_delays {
    fay_delay *heap;
    size_t count, capacity;
    uint64_t serial;
} fay_delays;

void fay_delays_deinit(fay_delays *delays); /* with the Items that still wait */
/* Takes over the caller's reference of the batch. */
void fay_delays_add(fay_delays *delays, fay_ns due, size_t stage, fay_batch *batch);
/* When the first one is due; FAY_NEVER = none waits. */
fay_ns fay_delays_due(const fay_delays *delays);
/* Removes the first one, due or not; there must be one. The reference moves to the caller. */
fay_delay fay_delays_take(fay_delays *delays);

#endif /* FAY_DELAYS_H */
