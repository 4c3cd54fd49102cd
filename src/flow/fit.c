/* SPDX-License-Identifier: MIT */
/*
 * How many workers fit: what one needs (stated, or as measured), and what the machine has, for the
 * Equalizers.
 *
 *     cores     those of the machine. While all of them are busy, for a good part with this stage,
 *               it does not grow beyond one worker a core. With `workers: max: auto` a worker
 *               takes one core until it is measured; elsewhere what is not known bounds nothing
 *     memory    what the resident workers were seen to hold, and what is free besides. A worker
 *               that has just started has taken none of the free yet, so it does not count as
 *               resident: its place is not given away twice. Nor is that of one which holds less
 *               than it says that it needs
 */
#include <math.h>

#include "flow/internal.h"

static double cores_of(const fay_stage *stage)
{
    const fay_flow_stage *config = &stage->config;
    if (config->cpu > 0)
        return config->cpu;
    bool counts = config->fits && !config->pinned;
    return stage->cost.cores > 0 || !counts ? stage->cost.cores : 1;
}

static double bytes_of(const fay_stage *stage)
{
    return stage->config.memory > 0 ? (double)stage->config.memory : stage->cost.bytes;
}

static void set_costs(fay_flow *flow, const fay_stage *stage)
{
    fay_equalizers_cost(flow->equalizers, stage->index, FAY_CORES, cores_of(stage));
    fay_equalizers_cost(flow->equalizers, stage->index, FAY_MEMORY, bytes_of(stage));
}

void fay_flow_fit(fay_flow *flow)
{
    if (flow->free_bytes == UINT64_MAX)
        return;
    double bytes = (double)flow->free_bytes;
    for (size_t i = 0; i < flow->stages_count; i++) {
        bytes += flow->stages[i].resident * flow->stages[i].cost.bytes;
    }
    fay_equalizers_capacity(flow->equalizers, FAY_MEMORY, bytes);
}

void fay_flow_fit_init(fay_flow *flow)
{
    flow->free_bytes = UINT64_MAX;
    if (flow->config.cores > 0)
        fay_equalizers_capacity(flow->equalizers, FAY_CORES, flow->config.cores);
    for (size_t i = 0; i < flow->stages_count; i++) {
        set_costs(flow, &flow->stages[i]);
    }
}

/* Of the cores, that a stage's workers have when it is of weight: one in so many. */
static const double weighty_part = 8;

bool fay_flow_fills_cores(const fay_flow *flow, const fay_stage *stage)
{
    double had = fay_cost_had(&stage->cost),
           busy = stage->live - FAY_MIN(stage->idle_count, stage->live);
    return flow->saturated && (had <= 0 || busy * had >= flow->config.cores / weighty_part);
}

void fay_flow_used(fay_flow *flow, const fay_flow_event *event)
{
    fay_stage *stage = &flow->stages[event->stage];
    bool known = stage->cost.cores > 0;
    fay_cost_add(&stage->cost, event->used, known && fay_flow_fills_cores(flow, stage));
    set_costs(flow, stage);
}

void fay_flow_resident(fay_flow *flow, fay_flow_worker *worker, bool resident)
{
    fay_stage *stage = &flow->stages[worker->link->stage];
    if (worker->resident == resident)
        return;
    worker->resident = resident;
    stage->resident += resident ? 1 : -1u;
}
