/* SPDX-License-Identifier: MIT */
#include "flow/arrivals.h"

#include <math.h>

static const double memory_periods = 20;
static const double threshold = 8; /* h: false alarms once in some e^8 looks */
static const double trend_sigmas = 3;
static const double calm_periods = 3;
static const double grains = 64;     /* a period */
static const double long_ago_s = 99; /* the last change: calm from the start */
enum {
    MEMORY_LEAST = 48, /* Items */
    YOUNG_LEAST = 8,
    YOUNG_MOST = 512,
    LEARNED_FROM = 256, /* entries */
    LEARNED_LEAST = 64
};

void fay_arrivals_init(fay_arrivals *a, double now)
{
    a->pushed = a->total = a->before = 0;
    a->from = now;
    a->changed = now - long_ago_s;
    a->gaps = 1;
}

static size_t count(const fay_arrivals *a)
{
    return (size_t)FAY_MIN(a->pushed, (uint64_t)FAY_ARRIVALS_ENTRIES);
}

/* The n-th youngest, from 1 on. */
static const fay_arrival *young(const fay_arrivals *a, size_t n)
{
    return &a->ring[(a->pushed - n) % FAY_ARRIVALS_ENTRIES];
}

/* Items that were there before that entry. */
static uint64_t before(const fay_arrivals *a, size_t n)
{
    return n < count(a) ? young(a, n + 1)->upto : n == a->pushed ? 0 : young(a, n)->first - 1;
}

void fay_arrivals_add(fay_arrivals *a, double now, uint64_t items, double period)
{
    a->total += items;
    if (a->pushed > 0 && now - young(a, 1)->at < period / grains) {
        a->ring[(a->pushed - 1) % FAY_ARRIVALS_ENTRIES].upto = a->total;
        return;
    }
    a->ring[a->pushed++ % FAY_ARRIVALS_ENTRIES] =
        (fay_arrival){.at = now, .first = a->total, .upto = a->total};
}

/* How many entries, from the youngest on, are not older than `time`. */
static size_t since(const fay_arrivals *a, double time)
{
    size_t least = 0, most = count(a);
    while (least < most) {
        size_t middle = (least + most + 1) / 2;
        if (young(a, middle)->at >= time) {
            least = middle;
        } else {
            most = middle - 1;
        }
    }
    return least;
}

static void forget_old(fay_arrivals *a, double now, double period)
{
    size_t have = count(a);
    if (now - a->from <= memory_periods * period || a->total - a->before <= MEMORY_LEAST)
        return;
    size_t keep = since(a, now - memory_periods * period);
    while (keep < have && a->total - before(a, keep + 1) < MEMORY_LEAST) {
        keep++;
    }
    if (keep == 0)
        return;
    const fay_arrival *first = young(a, keep);
    if (first->at <= a->from)
        return;
    bool all = keep == have; /* older ones are not known: the memory begins with an arrival */
    a->from = all ? first->at : fmax(a->from, now - memory_periods * period);
    a->from = fmin(a->from, first->at);
    a->before = before(a, keep);
}

/* A jump: the young arrivals, as many as it shows most clearly in, make the memory from now on. */
static bool jumped(fay_arrivals *a, double now, double mean, double dispersion, double *ret)
{
    size_t have = FAY_MIN(count(a), (size_t)YOUNG_MOST);
    double best = threshold, from = a->from;
    bool found = false;
    for (size_t m = YOUNG_LEAST; m <= have; m += m / 2) {
        const fay_arrival *first = young(a, m);
        if (first->at <= from)
            break;
        double items = (double)(a->total - first->first); /* the first ones open the window */
        double rate = items / fmax(now - first->at, 1e-9);
        if (mean <= 0 || rate <= 0)
            continue;
        double ratio = items * (log(rate / mean) - 1 + mean / rate) / dispersion;
        if (ratio <= best)
            continue;
        best = ratio;
        found = true;
        a->from = first->at;
        a->before = first->first;
        double doubt = sqrt(dispersion / items); /* who looks for extremes finds them too large */
        *ret = rate > mean ? fmax(mean, rate * (1 - doubt)) : fmin(mean, rate * (1 + doubt));
    }
    if (found)
        a->changed = now;
    return found;
}

static double with_trend(const fay_arrivals *a, double now, double mean, double dispersion,
                         double period, double ahead)
{
    size_t have = count(a);
    double window = now - fmax(a->from, young(a, have)->at);
    if (window < 2 * period)
        return mean;
    size_t late = since(a, now - window / 2), all = since(a, now - window);
    if (late == 0 || all == late)
        return mean;
    double second = (double)(a->total - before(a, late));
    double first = (double)(before(a, late) - before(a, all));
    if (fabs(second - first) <= trend_sigmas * sqrt((first + second) * dispersion))
        return mean;
    double slope = (second - first) / (window / 2 * (window / 2));
    double reach = window / 4 + (slope > 0 ? ahead : 0);
    return fmax(0, second / (window / 2) + slope * reach);
}

/* Of a compound renewal process: the sizes' variance by their mean, and their mean times the
 * squared coefficient of variation of the gaps. */
static double dispersion_of(const fay_arrivals *a)
{
    size_t n = FAY_MIN(count(a) - 1, (size_t)LEARNED_FROM);
    double size = 0, sizes = 0;
    for (size_t i = 1; i <= n; i++) {
        double s = (double)(young(a, i)->upto - young(a, i + 1)->upto);
        size += s;
        sizes += s * s;
    }
    size /= (double)n;
    return fmax(1, (sizes / (double)n - size * size) / size + size * a->gaps);
}

/* The gaps since the last change: a silence before a burst is a change itself, not a gap, and
 * would hide the next burst. */
static void learn_gaps(fay_arrivals *a, double now, double period)
{
    size_t have = FAY_MIN(since(a, a->from), (size_t)LEARNED_FROM + 1);
    if (now - a->changed <= calm_periods * period || have <= LEARNED_LEAST)
        return;
    size_t n = have - 1;
    double gap = 0, gaps = 0;
    for (size_t i = 1; i <= n; i++) {
        double g = young(a, i)->at - young(a, i + 1)->at;
        gap += g;
        gaps += g * g;
    }
    gap /= (double)n;
    double seen = gaps / (double)n / (gap * gap) - 1;
    a->gaps += 0.1 * (fmin(seen, 16) - a->gaps);
}

double fay_arrivals_rate(fay_arrivals *a, double now, double period, double ahead)
{
    forget_old(a, now, period);
    double elapsed = now - a->from, rate;
    double mean = elapsed > 1e-9 ? (double)(a->total - a->before) / elapsed : 0;
    size_t have = count(a);
    if (have < 2 * (size_t)YOUNG_LEAST)
        return mean;
    double dispersion = dispersion_of(a);
    if (jumped(a, now, mean, dispersion, &rate))
        return rate;
    learn_gaps(a, now, period);
    return with_trend(a, now, mean, dispersion, period, ahead);
}
