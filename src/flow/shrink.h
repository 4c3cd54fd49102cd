/* SPDX-License-Identifier: MIT */
/*
 * LOW: when the coldest idle worker of a stage goes.
 *
 *     idle --(for max(2 T, 1.5 L, s/2) (1 + flaps))--> spare? --yes--> it goes; the next T/8 later
 *                                                        '---no---> not asked again until fewer
 *                                                                   Items arrive
 *
 * Idle workers are a stack, so that what is too many sinks to its bottom and its age is the signal.
 * Growth within 30 T of a release says that it came too early: each such flap (6 at most, fading
 * within 40 T) lengthens the hold.
 */
#ifndef FAY_SHRINK_H
#define FAY_SHRINK_H

#include "flow/equalizer_state.h"

/* When to ask fay_shrink(); INFINITY = not before something changes. As long as Items arrive as
 * they did when it was refused, this moves on with them, so that no timer fires. */
double fay_shrink_due(fay_equalizers *all, size_t stage, double now);
/* Whether the coldest worker shall go now. */
bool fay_shrink(fay_equalizers *all, size_t stage, double now);
void fay_shrink_forget(fay_equalizer *e); /* a refusal: the number of workers is another */
/* A worker goes: when the next one may, which is sooner the longer they go. */
void fay_shrink_note(fay_equalizer *e, double now);
/* The stage grows: was a worker let go too early? */
void fay_shrink_regret(fay_equalizer *e, double now);

#endif /* FAY_SHRINK_H */
