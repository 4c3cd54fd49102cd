/* SPDX-License-Identifier: MIT */
/*
 * How an evaluation is accounted for: the numbers in a stage's view, and what holds it. Inside
 * flow/equalizer*.c only. None of it decides anything.
 */
#ifndef FAY_ACCOUNT_H
#define FAY_ACCOUNT_H

#include "flow/board.h"

/* Cut where no number of workers is larger. */
unsigned fay_account_whole(double workers);
/* The workers there are, and those that `rate` wants, none of them to drain. */
void fay_account_note(fay_equalizer *e, double rate, double item_s);
/* At the end of an evaluation: who may not grow, whatever for, is under pressure all the same; who
 * sleeps wants nothing. */
void fay_account_settle(fay_equalizer *e);
/* A pinned stage is never asked for more; when its queue stands that is said, and how many it would
 * take. Cheap, at every step. */
void fay_account_pinned(fay_equalizers *all, size_t stage, double now);

#endif /* FAY_ACCOUNT_H */
