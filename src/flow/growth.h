/* SPDX-License-Identifier: MIT */
/*
 * Was the last growth worth it?
 *
 *     gain = (throughput after / before - 1) / (workers after / before - 1)
 *
 * Below a half, while a queue stands and the Items take longer than before: something that the
 * workers share is full (a disk, a database, a lock). The stage is capped where the gain ended;
 * the cap is tried again a tenth higher, after 20, 40, .. 320 periods.
 */
#ifndef FAY_GROWTH_H
#define FAY_GROWTH_H

#include "flow/equalizer_state.h"

void fay_growth_init(fay_equalizer *e);
/* Before workers are added to `live` ones. */
void fay_growth_begin(fay_equalizer *e, double now, unsigned live);
/* All of them have started; may cap the stage, or lift its cap. */
void fay_growth_judge(fay_equalizer *e, double now);
/* The useful time to reckon with: not the contention that our own growth has caused. */
double fay_growth_item(fay_equalizer *e);
/* The Items have become slower since we grew: wait for the verdict before growing more. */
bool fay_growth_is_suspect(const fay_equalizer *e);

#endif /* FAY_GROWTH_H */
