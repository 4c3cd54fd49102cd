/* SPDX-License-Identifier: MIT */
/*
 * What one worker has in hand: its leased Items, oldest first, until they are answered.
 *
 *     runs:  [ tags 100..131: answered 12, batch? ] [ tags 140..140 ] [ ... ]
 *               ^ the oldest unanswered is tag 112
 *
 * A run is what one LEASE brought; tags rise from run to run. Answers in order (the common case)
 * move a counter; only answers out of order make a run keep a bitmap. The Items themselves are kept
 * where a mode needs them again: for attributes that children inherit, for what is not written yet.
 */
#ifndef FAY_HELD_H
#define FAY_HELD_H

#include "base/base.h"
#include "wire/batch.h"

typedef struct fay_held_run {
    uint64_t first;
    uint32_t count;
    uint32_t at;    /* the oldest unanswered one; all before it are answered */
    uint32_t left;  /* not answered */
    uint64_t *done; /* a bit each, once answered out of order; else NULL */
    uint64_t enqueued_ms;
    fay_batch *batch; /* the Items, or NULL */
} fay_held_run;

typedef struct fay_held {
    fay_held_run *runs;
    size_t start, end, capacity; /* those in [start, end) have Items left */
    size_t items;                /* not answered, in all runs */
} fay_held;

void fay_held_deinit(fay_held *held);

/* Takes the reference to `batch`. FAY_E_PEER when the tags are not above all that are held. */
int fay_held_push(fay_held *held, uint64_t first, uint32_t count, fay_batch *batch);

/* The oldest unanswered Item; false = none. */
bool fay_held_oldest(const fay_held *held, uint64_t *ret_tag);

/* Answers the oldest ones: as many as have consecutive tags, at most `want`. Their run, borrowed
 * until the next call but one that takes, and where they begin in it are in *ret_run, *ret_at. */
uint32_t fay_held_take(fay_held *held, size_t want, const fay_held_run **ret_run, uint32_t *ret_at);
/* What the next take of so many would give. */
uint32_t fay_held_peek(const fay_held *held, size_t want, const fay_held_run **ret_run,
                       uint32_t *ret_at);

/* Whether one tag is held and unanswered. */
bool fay_held_has(const fay_held *held, uint64_t tag);
/* Answers these tags, which may be anywhere. FAY_E_PEER if one of them is not held: nothing has
 * changed then. */
int fay_held_answer(fay_held *held, uint64_t first, uint64_t count);

/*
 * Answers the youngest ones, at most `want` of them, a range of consecutive tags at a time: returns
 * how many, *ret_first is the first of them; 0 = none left. For what is given back.
 */
uint32_t fay_held_give_back(fay_held *held, size_t want, uint64_t *ret_first);

#endif /* FAY_HELD_H */
