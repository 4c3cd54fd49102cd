/* SPDX-License-Identifier: MIT */
/*
 * How an evaluation is accounted for: the numbers in a stage's view, and what holds it. Called by
 * flow/equalizer.c, shrink.c and pinned.c when all is decided; nothing is decided by the view.
 */
#ifndef FAY_ACCOUNT_H
#define FAY_ACCOUNT_H

#include "flow/plan.h"

/* The word for want of that. */
fay_held fay_account_want(fay_resource resource);
/* The workers there are, and those that `rate` wants, none of them to drain. */
void fay_account_note(fay_equalizer *e, double rate, double item_s);

/* Nothing is there to do, or to be expected. */
void fay_account_rest(fay_equalizer *e);
/* A number that is a guess, and what keeps it from that. */
void fay_account_guess(fay_equalizer *e, double wanted, unsigned spawn, fay_held held);
/* The coldest worker goes, as `rate` does not need it. */
void fay_account_idle(fay_equalizers *all, size_t stage, double now, double rate);
/* Any other evaluation, at its end. */
void fay_account_plan(fay_equalizer *e, const fay_plan *plan,
                      const fay_equalizer_decision *decision);
/* At every step: what is over is not told a moment longer. */
void fay_account_watch(fay_equalizer *e);

#endif /* FAY_ACCOUNT_H */
