/* SPDX-License-Identifier: MIT */
#include "sim/faults.h"

#include <string.h>

static const double rates_max[] = {
#define X(name, rate_max) [FAY_SIM_##name] = (rate_max),
    FAY_SIM_FAULTS(X)
#undef X
};

void fay_sim_faults_draw(fay_sim_faults *faults, fay_sim_world *world)
{
    *faults = (fay_sim_faults){.world = world};
    if (fay_sim_chance(world, 0.1))
        return; /* some runs have none at all: they show what faults would hide */
    for (size_t i = 0; i < FAY_SIM_FAULTS_COUNT; i++) {
        if (fay_sim_chance(world, 0.5))
            faults->rates[i] = rates_max[i] * fay_prng_unit(&world->prng);
    }
}

bool fay_sim_hit(fay_sim_faults *faults, fay_sim_fault fault)
{
    if (faults->rates[fault] <= 0 || !fay_sim_chance(faults->world, faults->rates[fault]))
        return false;
    faults->hits[fault]++;
    return true;
}

void fay_sim_faults_stop(fay_sim_faults *faults)
{
    memset(faults->rates, 0, sizeof faults->rates);
}

const char *fay_sim_fault_name(fay_sim_fault fault)
{
    static const char *const names[] = {
#define X(name, rate_max) #name,
        FAY_SIM_FAULTS(X)
#undef X
    };
    return names[fault];
}
