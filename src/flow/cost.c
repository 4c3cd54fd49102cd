/* SPDX-License-Identifier: MIT */
#include "flow/cost.h"

#include <math.h>

#include "base/limits.h"

static const double memory_s = 10;  /* of busy time: then all that was counts half */
static const double least_s = 0.01; /* that a worker was busy and did not wait */

static double need(const fay_cost *c)
{
    double several = (c->cpu + c->waited) / c->busy;
    double one = c->cpu / fmax(c->busy - c->waited, least_s);
    return fmin(fmax(several > 1 ? several : fmin(one, 1), FAY_COST_CORES_LEAST), FAY_CPU_MAX);
}

void fay_cost_add(fay_cost *c, const fay_used *used, bool full)
{
    if (used->busy == 0)
        return;
    c->busy += (double)used->busy / 1e9;
    c->cpu += (double)used->cpu / 1e9;
    c->waited += (double)used->waited / 1e9;
    if (c->busy > memory_s) {
        c->busy /= 2;
        c->cpu /= 2;
        c->waited /= 2;
    }
    c->cores = full ? fmax(c->cores, need(c)) : need(c);
    c->bytes = fmax(c->bytes, (double)used->bytes);
}

double fay_cost_had(const fay_cost *c)
{
    return c->busy > 0 ? c->cpu / c->busy : 0;
}
