/* SPDX-License-Identifier: MIT */
#include "flow/shrink.h"

#include <math.h>

#include "flow/account.h"
#include "flow/board.h"

enum {
    FLAPS_MAX = 6,
    ZERO_PERIODS = 15 /* the last worker of a stage may idle for so long */
};
static const double regret_periods = 30; /* growth so soon after a release was its fault */
static const double flap_periods = 40;   /* in which a flap fades to 1/e */
static const double gap_shorter = 0.85;  /* of two workers that go, each time .. */
static const double gap_least = 0.04;    /* .. down to this, in T */
static const double hold_periods = 2;    /* idle for so long, .. */
static const double hold_starts = 1.5;   /* .. and for so many L, before one goes */

static double flaps(const fay_equalizer *e, double now)
{
    return e->flaps * exp(-(now - e->flapped) / (flap_periods * fay_equalizer_period(e)));
}

void fay_shrink_note(fay_equalizer *e, double now)
{
    double period = fay_equalizer_period(e);
    if (now - e->shrunk > 2 * period)
        e->gap = fay_equalizer_soon(e);
    e->shrunk = now;
    e->gap = fmax(gap_least * period, e->gap * gap_shorter);
}

void fay_shrink_regret(fay_equalizer *e, double now)
{
    double period = fay_equalizer_period(e);
    if (now - e->shrunk >= regret_periods * period || now - e->flapped <= period)
        return;
    e->flaps = fmin(FLAPS_MAX, flaps(e, now) + 1);
    e->flapped = now;
}

/* How long the coldest must have been idle before it goes. */
static double hold(const fay_equalizer *e, double now)
{
    double period = fay_equalizer_period(e);
    double least = fmax(fmax(hold_periods * period, hold_starts * e->spawn_s), e->item_s / 2);
    return least * (1 + flaps(e, now));
}

/* The greatest rate that one worker less could carry with its head room. */
static double rate_without_one(const fay_equalizer *e)
{
    double n = fay_equalizer_workers(e) - 1.0;
    double r = (sqrt(FAY_HEAD_ROOM * FAY_HEAD_ROOM + 4 * n) - FAY_HEAD_ROOM) / 2;
    bool hardly = r * r < fay_equalizer_root(0) * fay_equalizer_root(0);
    double load = hardly ? fmax(0, n - FAY_HEAD_ROOM * fay_equalizer_root(0)) : r * r;
    return e->item_s > 0 ? load / e->item_s : 0;
}

void fay_shrink_forget(fay_equalizer *e)
{
    e->refused_at = 0;
}

/* After a refusal nothing is evaluated until Items arrive more slowly than they did: as long as
 * they keep coming, that is seen without a timer. */
static double refused_until(fay_equalizer *e, double now, double wait)
{
    double since = now - e->refused_at;
    double got = (double)(e->arrivals.total - e->refused_total);
    if (since >= wait && got >= e->refused_rate * since) { /* still as many: look anew */
        e->refused_at = now;
        e->refused_total = e->arrivals.total;
        return now + wait;
    }
    double fewer = e->refused_rate > 0 ? e->refused_at + got / e->refused_rate : now;
    return fmax(e->refused_at + wait, fewer);
}

double fay_shrink_due(fay_equalizers *all, size_t stage, double now)
{
    fay_equalizer *e = &all->stages[stage];
    unsigned n = fay_equalizer_workers(e);
    if (e->last.idle_since == FAY_NEVER || e->last.queued > 0 || n <= e->config.min) {
        fay_shrink_forget(e);
        return (double)INFINITY;
    }
    double wait = hold(e, now);
    if (n == 1) {
        bool fed = fay_board_is_fed(all, stage);
        FAY_EACH_BIT(from, e->feeders)
        { /* those that are never none count while they have something */
            const fay_equalizer *f = &all->stages[from];
            fed = fed || (f->config.min == 0 && fay_equalizer_workers(f) > 0);
        }
        if (fed)
            return (double)INFINITY;
        wait = fmax(wait, ZERO_PERIODS * fay_equalizer_period(e));
    }
    double due = fmax(fay_equalizer_seconds(all, e->last.idle_since) + wait, e->shrunk + e->gap);
    return e->refused_at > 0 ? fmax(due, refused_until(e, now, wait)) : due;
}

static bool spare(fay_equalizers *all, size_t stage, double now, double *ret_rate)
{
    fay_equalizer *e = &all->stages[stage];
    double hinted, drained, age;
    *ret_rate = 0;
    if (fay_equalizer_workers(e) == 1)
        return true; /* nothing has come for long, and nothing will */
    double rate = fay_arrivals_rate(&e->arrivals, now, fay_equalizer_period(e), e->spawn_s);
    e->item_s = fay_service_mean(&e->service, now);
    if (fay_board_hint(all, stage, now, &hinted, &drained, &age) && age < fay_equalizer_period(e))
        rate = fmax(rate, hinted);
    fay_board_visit(all);
    *ret_rate = fmin(rate, fay_board_ceiling(all).rate * e->visits);
    double load = *ret_rate * e->item_s;
    return e->item_s <= 0 || fay_equalizer_workers(e) - 1.0 >=
                                 load + FAY_HEAD_ROOM * fay_equalizer_root(load) - FAY_ROUNDING;
}

bool fay_shrink(fay_equalizers *all, size_t stage, double now)
{
    fay_equalizer *e = &all->stages[stage];
    if (fay_shrink_due(all, stage, now) > now + FAY_ROUNDING)
        return false;
    double rate;
    e->evaluations++;
    if (!spare(all, stage, now, &rate)) {
        e->refused_at = now;
        e->refused_total = e->arrivals.total;
        e->refused_rate = rate_without_one(e);
        return false;
    }
    fay_shrink_forget(e);
    fay_account_idle(all, stage, now, rate);
    fay_shrink_note(e, now);
    e->armed = true;
    e->evens = 0;
    fay_equalizer_wake(e, now + fay_equalizer_period(e));
    return true;
}
