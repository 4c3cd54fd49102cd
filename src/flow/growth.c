/* SPDX-License-Identifier: MIT */
#include "flow/growth.h"

#include <math.h>

static const double slower = 1.15;      /* than before: suspect */
static const double slower_still = 1.1; /* at the verdict, when what was rash has settled */
static const double not_ours = 1.25;    /* times as much slower as there are more of us */
static const double worth = 0.5;        /* gain below which growth was useless */
static const double well_worth = 0.7;   /* above which a cap was too low */
static const double least_periods = 3;  /* before the verdict */
static const double most_periods = 30;
static const double sigmas = 3;           /* that half of a gain must stand out of the noise */
static const double calm_periods = 4;     /* since s has changed, for it to be a reference */
static const double backoff_periods = 20; /* before a cap is tried again; doubled each time */
static const double backoff_longest = 320;
static const double tried = 1.1; /* times the cap, and one */
enum {
    KNOWN_FROM = 64 /* results since then, likewise */
};

void fay_growth_init(fay_equalizer *e)
{
    e->cap = (double)INFINITY;
    e->cap_backoff = backoff_periods * fay_equalizer_period(e);
}

void fay_growth_begin(fay_equalizer *e, double now, unsigned live)
{
    if (e->probe.on) {
        e->probe.since = -1;
        return;
    }
    if (live == 0 || e->item_s <= 0)
        return;
    e->probe = (fay_probe){.on = true, .workers = live, .rate = live / e->item_s, .since = -1};
    bool calm = now - e->service.changed > calm_periods * fay_equalizer_period(e) &&
                e->service.pushed - e->service.mark >= KNOWN_FROM;
    e->before_s = calm ? e->item_s : 0;
}

bool fay_growth_is_suspect(const fay_equalizer *e)
{
    return e->probe.on && e->before_s > 0 && e->item_s > slower * e->before_s;
}

double fay_growth_item(fay_equalizer *e)
{
    if (e->before_s <= 0)
        return e->item_s;
    double grown = e->probe.on ? fmax(1, (double)e->last.live / e->probe.workers) : 1;
    bool suspect = e->item_s > slower * e->before_s;
    if (suspect && e->item_s / e->before_s > not_ours * grown) { /* we cannot have done that */
        e->before_s = 0;
        e->probe.on = false;
        return e->item_s;
    }
    return fmin(e->item_s, slower * e->before_s);
}

static void try_cap_again(fay_equalizer *e, double now, double period)
{
    if (isinf(e->cap))
        return;
    if (e->standing >= 0 && now - e->standing >= period)
        e->calm = now;
    if (now - e->calm > backoff_periods * period) {
        /* No queue for long: the cap is not what holds us. */
        e->cap = (double)INFINITY;
        e->cap_backoff = backoff_periods * period;
    } else if (now > e->cap_until && !e->probe.on) {
        e->cap = ceil(e->cap * tried) + 1;
        e->cap_until = now + e->cap_backoff;
    }
}

void fay_growth_judge(fay_equalizer *e, double now)
{
    double period = fay_equalizer_period(e);
    try_cap_again(e, now, period);
    fay_probe *p = &e->probe;
    if (!p->on || e->last.starting > 0)
        return;
    if (p->since < 0) {
        p->since = now;
        p->finished = e->finished;
        return;
    }
    unsigned n = e->last.live;
    double grown = (double)n / p->workers - 1;
    bool standing = e->standing >= 0 && now - e->standing >= period;
    /* So long that the noise of the gain is below a third. */
    double least = least_periods * period, half = grown / 2;
    double noise = grown > 0 ? sigmas * sigmas / (p->rate * half * half) : 0;
    double wait = fmax(least, fmin(most_periods * period, noise));
    if (now - p->since < (standing ? wait : least))
        return;
    double before_s = e->before_s, since = p->since, rate = p->rate;
    double workers = p->workers, done = (double)(e->finished - p->finished);
    p->on = false;
    e->before_s = 0;
    if (grown <= 0 || !standing)
        return;
    double gain = (done / (now - since) / rate - 1) / grown;
    bool ours = e->item_s > slower_still * (before_s > 0 ? before_s : e->item_s);
    if (gain < worth && fay_equalizer_flows(e) && ours) {
        e->cap = fmax(1, workers + ceil(fmax(0, gain) * (n - workers)) + 1);
        e->cap_until = now + e->cap_backoff;
        e->cap_backoff = fmin(backoff_longest * period, e->cap_backoff * 2);
        e->calm = now;
    } else if (!isinf(e->cap) && gain > well_worth) {
        e->cap = n + 2 * (n - workers) + 1;
        e->cap_until = now;
        e->cap_backoff = backoff_periods * period;
    }
}
