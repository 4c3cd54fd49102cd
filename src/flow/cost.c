/* SPDX-License-Identifier: MIT */
#include "flow/cost.h"

#include <math.h>

static const double memory_s = 10;  /* of busy time: then all that was counts half */
static const double release = 0.1;  /* of the way down to a smaller measurement */
static const double least_s = 0.01; /* that a worker was busy and did not wait */

void fay_cost_add(fay_cost *c, const fay_used *used)
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
    double several = (c->cpu + c->waited) / c->busy;
    double one = c->cpu / fmax(c->busy - c->waited, least_s);
    c->cores = fmax(FAY_COST_CORES_LEAST, several > 1 ? several : fmin(one, 1));
    c->bytes = fmax((double)used->bytes, c->bytes - release * (c->bytes - (double)used->bytes));
}
