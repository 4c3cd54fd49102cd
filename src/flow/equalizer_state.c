/* SPDX-License-Identifier: MIT */
#include "flow/equalizer_state.h"

#include <math.h>

static const double least_load = 0.25;   /* under the root */
static const double least_period = 0.05; /* seconds: a start may take next to nothing */
static const double soon_part = 8;       /* of a period */
static const double blocked_part = 0.2;  /* of the workers: more are not its own matter */

double fay_equalizer_seconds(const fay_equalizers *all, fay_ns time)
{
    return (double)(time - all->epoch) / 1e9;
}

unsigned fay_equalizer_workers(const fay_equalizer *e)
{
    return e->last.live + e->last.starting;
}

double fay_equalizer_places(const fay_equalizer *e)
{
    return (double)e->last.live + e->last.starting + e->last.retiring;
}

double fay_equalizer_root(double load)
{
    return sqrt(fmax(load, least_load));
}

double fay_equalizer_period(const fay_equalizer *e)
{
    return e->config.period > 0 ? (double)e->config.period / 1e9
                                : fmax(least_period, e->spawn_s / 2);
}

double fay_equalizer_target_wait(const fay_equalizer *e)
{
    return e->config.target_wait > 0 ? (double)e->config.target_wait / 1e9
                                     : fay_equalizer_period(e) / 2;
}

double fay_equalizer_soon(const fay_equalizer *e)
{
    return fay_equalizer_period(e) / soon_part;
}

bool fay_equalizer_flows(const fay_equalizer *e)
{
    return e->last.blocked <= blocked_part * fay_equalizer_workers(e);
}

void fay_equalizer_wake(fay_equalizer *e, double at)
{
    e->full_due = fmin(e->full_due, at);
}

void fay_equalizer_guess_spawn(fay_equalizers *all, double seconds)
{
    for (size_t i = 0; i < all->count; i++) {
        fay_equalizer *e = &all->stages[i];
        if (!e->spawn_known)
            e->spawn_s = seconds;
    }
}
