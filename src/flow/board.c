/* SPDX-License-Identifier: MIT */
#include "flow/board.h"

#include <math.h>

static const double rounding = 1e-9;  /* of workers that fit */
static const double idle_core = 0.4;  /* as much of one as is worth another worker */
static const double hint_periods = 3; /* and a start: a hint that is older counts no more */
static const double news = 1.05;      /* more than was known of: worth a look */
static const double least_rate = 1e-9;

/* ---- visits ---------------------------------------------------------------------------------- */

/* Before it is known: one each. */
double fay_board_selectivity(const fay_equalizers *all, size_t from, size_t to)
{
    const fay_equalizer *e = &all->stages[from];
    return e->done >= 1 ? all->sent[from * all->count + to] / e->done : 1;
}

void fay_board_visit(fay_equalizers *all)
{
    for (size_t k = 0; k < all->count; k++) {
        size_t i = all->order[k];
        fay_equalizer *e = &all->stages[i];
        e->visits = e->config.sourced ? 1 : 0;
        FAY_EACH_BIT(from, e->feeders)
        {
            e->visits += all->stages[from].visits * fay_board_selectivity(all, from, i);
        }
    }
}

/* ---- the ceiling ----------------------------------------------------------------------------- */

double fay_board_slack(const fay_equalizer *e)
{
    double each = e->visits * e->item_s;
    return each > 0 ? fay_equalizer_places(e) / each : (double)INFINITY;
}

/* Source Items per second that there is enough of a resource for; INFINITY = no bound. */
static double allows(const fay_equalizers *all, fay_resource resource)
{
    double sum = 0;
    for (size_t i = 0; i < all->count; i++) {
        const fay_equalizer *e = &all->stages[i];
        sum += e->visits * e->item_s * e->cost[resource];
    }
    return sum > 0 ? all->capacity[resource] / sum : (double)INFINITY;
}

bool fay_board_is_known(const fay_equalizers *all)
{
    for (size_t i = 0; i < all->count; i++) {
        const fay_equalizer *e = &all->stages[i];
        if (e->item_s <= 0 && e->visits > 0)
            return false;
    }
    return true;
}

fay_ceiling fay_board_ceiling(const fay_equalizers *all)
{
    fay_ceiling c = {
        .rate = (double)INFINITY, .shared = (double)INFINITY, .slack = (double)INFINITY};
    if (!fay_board_is_known(all))
        return c;
    for (size_t i = 0; i < all->count; i++) {
        const fay_equalizer *e = &all->stages[i];
        double each = e->visits * e->item_s;
        if (each > 0)
            c.rate = fmin(c.rate, fmin(e->config.max, e->cap) / each);
        if (e->config.rate > 0 && e->visits > 0)
            c.rate = fmin(c.rate, e->config.rate / e->visits);
        c.slack = fmin(c.slack, fay_board_slack(e));
    }
    for (fay_resource r = 0; r < FAY_RESOURCES; r++) {
        double most = allows(all, r);
        if (most < c.shared) {
            c.shared = most;
            c.scarce = r;
        }
    }
    c.rate = fmin(c.rate, c.shared);
    return c;
}

static unsigned busy(const fay_equalizer *e)
{
    return e->last.live - FAY_MIN(e->last.idle, e->last.live);
}

/* More workers of that stage that there is enough of one resource for. */
static double free_of(const fay_equalizers *all, const fay_equalizer *e, fay_resource resource)
{
    double used = 0;
    for (size_t i = 0; i < all->count; i++) {
        used += fay_equalizer_places(&all->stages[i]) * all->stages[i].cost[resource];
    }
    double cost = e->cost[resource];
    return cost > 0 ? fmax(0, floor((all->capacity[resource] - used) / cost + rounding))
                    : (double)INFINITY;
}

double fay_board_free(const fay_equalizers *all, const fay_equalizer *e, fay_resource *ret_scarce)
{
    double cores = free_of(all, e, FAY_CORES), bytes = free_of(all, e, FAY_MEMORY);
    *ret_scarce = cores <= bytes ? FAY_CORES : FAY_MEMORY;
    return fmin(cores, bytes);
}

double fay_board_share(const fay_equalizers *all, const fay_equalizer *e, fay_resource resource)
{
    double rate = allows(all, resource);
    return isinf(rate) || !fay_board_is_known(all) ? 0 : round(rate * e->visits * e->item_s);
}

/* Cores that a stage's workers are on: those that work at the moment, but no more than its Items
 * need in the long run. */
static double cores_of(const fay_equalizer *e)
{
    double working = busy(e) + e->last.starting;
    return (e->item_s > 0 ? fmin(working, e->rate * e->item_s) : working) * e->cost[FAY_CORES];
}

/* Of cores those of other stages are free that do not work. A core of which enough is left is given
 * to one more: better two who share one than one that idles. */
static double free_cores(const fay_equalizers *all, const fay_equalizer *e)
{
    double used = fay_equalizer_places(e) * e->cost[FAY_CORES];
    for (size_t i = 0; i < all->count; i++) {
        const fay_equalizer *other = &all->stages[i];
        if (other != e)
            used += cores_of(other);
    }
    return e->cost[FAY_CORES] > 0
               ? floor((all->capacity[FAY_CORES] - used) / e->cost[FAY_CORES] + 1 - idle_core)
               : (double)INFINITY;
}

double fay_board_room(const fay_equalizers *all, const fay_equalizer *e, fay_resource *ret_scarce)
{
    double most = fay_board_share(all, e, FAY_CORES) - fay_equalizer_places(e);
    double cores = fmax(free_cores(all, e), most), bytes = free_of(all, e, FAY_MEMORY);
    *ret_scarce = cores <= bytes ? FAY_CORES : FAY_MEMORY;
    return fmax(fmin(cores, bytes), fay_equalizer_places(e) > 0 ? 0 : 1);
}

double fay_board_even_share(const fay_equalizers *all, const fay_equalizer *e)
{
    double share = (double)INFINITY;
    if (all->count == 1 || fay_board_is_known(all))
        return share;
    for (fay_resource r = 0; r < FAY_RESOURCES; r++) {
        if (e->cost[r] > 0)
            share = fmin(share, floor(all->capacity[r] / (double)all->count / e->cost[r]));
    }
    return fmax(1, share);
}

/* ---- hints ----------------------------------------------------------------------------------- */

bool fay_board_hint(const fay_equalizers *all, size_t stage, double now, double *ret_rate,
                    double *ret_drain, double *ret_age)
{
    const fay_equalizer *e = &all->stages[stage];
    *ret_rate = *ret_drain = *ret_age = 0;
    if (e->config.sourced || e->feeders == 0)
        return false;
    FAY_EACH_BIT(from, e->feeders)
    {
        const fay_equalizer *f = &all->stages[from];
        double age = now - f->hint_at;
        if (age >= e->spawn_s + hint_periods * fay_equalizer_period(e))
            return false;
        double share = fay_board_selectivity(all, from, stage);
        *ret_rate += f->hint_rate * share;
        *ret_drain += f->hint_drain * share;
        *ret_age = fmax(*ret_age, age);
    }
    return true;
}

void fay_board_publish(fay_equalizers *all, size_t stage, double now, double rate, double drain)
{
    fay_equalizer *e = &all->stages[stage];
    e->hint_rate = rate;
    e->hint_drain = drain;
    e->hint_at = now;
    FAY_EACH_BIT(to, e->config.feeds)
    {
        fay_equalizer *d = &all->stages[to];
        double share = fay_board_selectivity(all, stage, to);
        bool asleep =
            fay_equalizer_places(d) == 0 && (fay_equalizer_places(e) > 0 || e->last.queued > 0);
        if (asleep || (rate + drain) * share > news * fmax(d->rate, least_rate))
            fay_equalizer_wake(d, fmax(now, d->evaluated + fay_equalizer_soon(d)));
    }
}

bool fay_board_is_fed(const fay_equalizers *all, size_t stage)
{
    bool fed = false;
    FAY_EACH_BIT(from, all->stages[stage].feeders)
    {
        const fay_equalizer *f = &all->stages[from];
        fed = fed || f->last.queued > 0 || busy(f) > 0 || f->last.starting > 0;
    }
    return fed;
}

double fay_board_rest(const fay_equalizers *all, size_t stage)
{
    double rest[FAY_STAGES_MAX] = {0};
    for (size_t k = 0; k < all->count; k++) {
        size_t i = all->order[k];
        const fay_equalizer *e = &all->stages[i];
        rest[i] = (double)e->last.queued;
        FAY_EACH_BIT(from, e->feeders)
        {
            rest[i] +=
                fay_board_selectivity(all, from, i) * (rest[from] + busy(&all->stages[from]));
        }
    }
    return rest[stage];
}
