/* SPDX-License-Identifier: MIT */
/*
 * How fast generated Items come: pieces of time in a row, each with a rate that stays, or rises or
 * falls evenly to another one.
 *
 *     rate  50 |      ______            Item number n is due when the area below reaches n: its
 *              |     |      \           time is a function of its number alone, whatever became of
 *            5 |_____|       \___       those before it (an open loop), so that what a run could
 *              '-----------------> s    not take in time is late and not left out
 *
 * Pure.
 */
#ifndef FAY_PACE_H
#define FAY_PACE_H

#include "base/base.h"

typedef struct fay_pace_piece {
    fay_ns lasts;    /* 0 = without end; the last one alone */
    double from, to; /* Items per second, at its begin and its end */
} fay_pace_piece;

typedef struct fay_pace {
    fay_pace_piece *pieces;
    size_t count; /* 0 = as fast as can be, without end */
} fay_pace;

/* Frees the pieces. */
void fay_pace_deinit(fay_pace *pace);

/* How many Items there are in all; UINT64_MAX = it does not end. */
uint64_t fay_pace_total(const fay_pace *pace);
/* From the begin to the end of the last piece; FAY_NEVER = it does not end. */
fay_ns fay_pace_lasts(const fay_pace *pace);
/* How many are due by that time after the start, and when the one of that number is: FAY_NEVER if
 * it never is. */
uint64_t fay_pace_due_by(const fay_pace *pace, fay_ns time);
fay_ns fay_pace_due(const fay_pace *pace, uint64_t number);

#endif /* FAY_PACE_H */
