/* SPDX-License-Identifier: MIT */
#include "base/prng.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/random.h>

static uint64_t rotate(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

void fay_prng_init(fay_prng *prng, uint64_t seed)
{
    for (size_t i = 0; i < FAY_COUNT(prng->state); i++) {
        uint64_t z = (seed += 0x9e3779b97f4a7c15u);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        prng->state[i] = z ^ (z >> 31);
    }
}

uint64_t fay_prng_next(fay_prng *prng)
{
    uint64_t *s = prng->state;
    uint64_t result = rotate(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

uint64_t fay_prng_below(fay_prng *prng, uint64_t bound)
{
    assert(bound > 0);
    /* Numbers above the last whole multiple of bound would favour the small ones: draw again. */
    uint64_t limit = UINT64_MAX - UINT64_MAX % bound;
    uint64_t x;
    do {
        x = fay_prng_next(prng);
    } while (x >= limit);
    return x % bound;
}

double fay_prng_unit(fay_prng *prng)
{
    return (double)(fay_prng_next(prng) >> 11) * 0x1.0p-53;
}

bool fay_prng_chance(fay_prng *prng, double probability)
{
    return fay_prng_unit(prng) < probability;
}

uint64_t fay_entropy(void)
{
    uint64_t seed;
    if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed)
        abort(); /* cannot happen for 8 bytes once the kernel is up (getrandom(2)) */
    return seed;
}
