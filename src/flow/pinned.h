/* SPDX-License-Identifier: MIT */
/*
 * A stage whose number of workers is fixed: it is never asked for more, but when its queue stands
 * that is said, and how many it would take.
 */
#ifndef FAY_PINNED_H
#define FAY_PINNED_H

#include "flow/equalizer_state.h"

/* Cheap, at every step: it looks once a period. */
void fay_pinned_watch(fay_equalizers *all, size_t stage, double now);

#endif /* FAY_PINNED_H */
