/* SPDX-License-Identifier: MIT */
/*
 * What happens to the stages, as the ledger tells it: estimates and costs, and who is to be looked
 * at again for it.
 */
#include <math.h>

#include "flow/equalizer_state.h"

static const double forget_after = 4096; /* Items: as many again count twice as much */
static const double start_weight = 0.3;  /* of the last start, in L */

void fay_equalizers_capacity(fay_equalizers *all, fay_resource resource, double capacity)
{
    all->capacity[resource] = capacity;
}

void fay_equalizers_cost(fay_equalizers *all, size_t stage, fay_resource resource, double cost)
{
    all->stages[stage].cost[resource] = cost;
}

void fay_equalizers_arrived(fay_equalizers *all, size_t stage, fay_ns now, uint64_t items)
{
    fay_equalizer *e = &all->stages[stage];
    fay_arrivals_add(&e->arrivals, fay_equalizer_seconds(all, now), items, fay_equalizer_period(e));
}

void fay_equalizers_started(fay_equalizers *all, size_t stage, fay_ns took)
{
    fay_equalizer *e = &all->stages[stage];
    double seconds = (double)took / 1e9;
    e->spawn_s = e->spawn_known ? e->spawn_s + start_weight * (seconds - e->spawn_s) : seconds;
    e->spawn_known = true;
    fay_equalizer_guess_spawn(all, e->spawn_s);
}

void fay_equalizers_finished(fay_equalizers *all, size_t stage, fay_ns useful, uint64_t items)
{
    fay_equalizer *e = &all->stages[stage];
    fay_service_add(&e->service, (double)useful / 1e9, items);
    e->finished += items;
    e->done += (double)items;
    if (e->done < 2 * forget_after)
        return;
    double keep = forget_after / e->done;
    e->done *= keep;
    FAY_EACH_BIT(to, e->config.feeds)
    {
        all->sent[stage * all->count + to] *= keep;
    }
}

void fay_equalizers_sent(fay_equalizers *all, size_t stage, size_t to, double items)
{
    all->sent[stage * all->count + to] += items;
}

/* A place is free: who found none may have it, and who takes a share may take more. */
void fay_equalizers_freed(fay_equalizers *all, size_t stage, fay_ns now)
{
    double at = fay_equalizer_seconds(all, now);
    for (size_t i = 0; i < all->count; i++) {
        fay_equalizer *e = &all->stages[i];
        if (i != stage && (e->capped || e->denied) && !e->config.pinned)
            fay_equalizer_wake(e, fmax(at, e->evaluated + fay_equalizer_soon(e)));
    }
}
