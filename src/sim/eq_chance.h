/* SPDX-License-Identifier: MIT */
/*
 * Random numbers of the benchmark: each use has a stream of its own, so that all controllers see
 * the same arrivals and the same demand of the k-th Item that a stage starts, whatever they do.
 */
#ifndef FAY_SIM_EQ_CHANCE_H
#define FAY_SIM_EQ_CHANCE_H

#include "base/prng.h"

/* The stream of a seed for one use; `name` may be NULL. */
void fay_eq_chance_init(fay_prng *prng, uint64_t seed, const char *name, uint64_t use);

double fay_eq_exponential(fay_prng *prng); /* of mean 1 */
/* Mean 1, this coefficient of variation: 0 constant, 1 exponential, else log-normal. Draws two
 * numbers always. */
double fay_eq_demand(fay_prng *prng, double cv);

#endif /* FAY_SIM_EQ_CHANCE_H */
