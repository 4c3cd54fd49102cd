/* SPDX-License-Identifier: MIT */
#include "flow/service.h"

#include <math.h>

static const double change_sigmas = 4.5;
static const double long_ago_s = 99; /* the last change: calm from the start */
enum {
    YOUNG_LEAST = 16
};

void fay_service_init(fay_service *s, double now)
{
    s->pushed = s->mark = 0;
    s->mean = 0;
    s->changed = now - long_ago_s;
}

void fay_service_add(fay_service *s, double seconds, uint64_t items)
{
    if (items == 0)
        return;
    s->ring[s->pushed++ % FAY_SERVICE_ENTRIES] =
        (fay_served){.seconds = fmax(seconds, 1e-9), .items = (double)items};
}

typedef struct sample {
    double weight, sum, squares; /* of entries, each weighted with its Items */
    size_t entries;
} sample;

static void take(sample *all, const fay_served *one, double most)
{
    double x = fmin(one->seconds, most);
    all->weight += one->items;
    all->sum += one->items * x;
    all->squares += one->items * x * x;
    all->entries++;
}

static double mean(const sample *all)
{
    return all->sum / all->weight;
}

static double variance(const sample *all)
{
    double m = mean(all), n = (double)all->entries;
    return fmax(0, all->squares / all->weight - m * m) * n / fmax(1, n - 1);
}

double fay_service_mean(fay_service *s, double now)
{
    size_t have = (size_t)FAY_MIN(s->pushed, (uint64_t)FAY_SERVICE_ENTRIES);
    if (have == 0)
        return s->mean;
    size_t all = FAY_MIN(have, FAY_MAX((size_t)(s->pushed - s->mark), (size_t)YOUNG_LEAST));
    double most = s->mean > 0 ? FAY_SERVICE_TRIM * s->mean : (double)INFINITY;
    sample young[8] = {{0}}, whole = {0}; /* young[k]: the last 16 << k */
    size_t sizes = 0;
    for (size_t i = 1; i <= all; i++) {
        take(&whole, &s->ring[(s->pushed - i) % FAY_SERVICE_ENTRIES], most);
        if (sizes < FAY_COUNT(young) && i == (size_t)YOUNG_LEAST << sizes && 2 * i <= all)
            young[sizes++] = whole;
    }
    s->mean = mean(&whole);
    for (size_t k = 0; k < sizes; k++) {
        double spread =
            sqrt(fmax(variance(&whole), variance(&young[k])) / (double)young[k].entries);
        if (fabs(mean(&young[k]) - mean(&whole)) > change_sigmas * spread + 0.02 * mean(&whole)) {
            s->mark = s->pushed - young[k].entries;
            s->changed = now;
            s->mean = mean(&young[k]);
            break;
        }
    }
    return s->mean;
}
