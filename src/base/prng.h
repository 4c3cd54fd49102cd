/* SPDX-License-Identifier: MIT */
/*
 * A seeded pseudo random generator: xoshiro256** (Blackman and Vigna, "Scrambled linear
 * pseudorandom number generators", 2021, section 5), seeded by splitmix64. The same seed gives the
 * same numbers on every machine. Not for secrets.
 */
#ifndef FAY_PRNG_H
#define FAY_PRNG_H

#include "base/base.h"

typedef struct fay_prng {
    uint64_t state[4];
} fay_prng;

void fay_prng_init(fay_prng *prng, uint64_t seed);
uint64_t fay_prng_next(fay_prng *prng);
uint64_t fay_prng_below(fay_prng *prng, uint64_t bound); /* [0, bound), bound > 0 */
double fay_prng_unit(fay_prng *prng);                    /* [0, 1) */
bool fay_prng_chance(fay_prng *prng, double probability);

/* A seed from the kernel (getrandom); the only entropy in the project. Never in a core. */
uint64_t fay_entropy(void);

#endif /* FAY_PRNG_H */
