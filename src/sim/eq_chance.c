/* SPDX-License-Identifier: MIT */
#include "sim/eq_chance.h"

#include <math.h>

void fay_eq_chance_init(fay_prng *prng, uint64_t seed, const char *name, uint64_t use)
{
    uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */
    for (; name != NULL && *name != '\0'; name++) {
        hash = (hash ^ (uint8_t)*name) * 0x100000001b3u;
    }
    fay_prng_init(prng, seed * 1000003 + use * 7919 + hash);
}

double fay_eq_exponential(fay_prng *prng)
{
    return -log(1 - fay_prng_unit(prng));
}

double fay_eq_demand(fay_prng *prng, double cv)
{
    double first = fay_prng_unit(prng), second = fay_prng_unit(prng);
    if (cv <= 0)
        return 1;
    if (fabs(cv - 1) < 1e-9)
        return -log(1 - first);
    double variance = log(1 + cv * cv); /* of the logarithm, which is normal: Box and Muller */
    double normal = sqrt(-2 * log(1 - first)) * cos(2 * M_PI * second);
    return exp(sqrt(variance) * normal - variance / 2);
}
