/* SPDX-License-Identifier: MIT */
/*
 * Who is there to work: links (Instances) and their workers, from SPAWN to the end, and the stack
 * of idle ones: last in first out, so that a surplus sinks to its bottom, where LOW finds it.
 */
#include <assert.h>
#include <stdlib.h>

#include "flow/internal.h"

/* NOLINTBEGIN(readability-function-size,clang-analyzer-unix.Malloc): of uthash */
fay_flow_link *fay_flow_find_link(const fay_flow *flow, uint32_t id)
{
    fay_flow_link *link;
    HASH_FIND(hh, flow->links, &id, sizeof id, link);
    return link;
}

void fay_flow_link_up(fay_flow *flow, const fay_flow_event *event)
{
    fay_flow_link *link = fay_alloc(sizeof *link);
    link->id = event->link;
    link->stage = event->stage;
    HASH_ADD(hh, flow->links, id, sizeof link->id, link);
}

void fay_flow_link_remove(fay_flow *flow, fay_flow_link *link)
{
    HASH_DEL(flow->links, link);
    free(link->workers);
    free(link);
}
/* NOLINTEND(readability-function-size,clang-analyzer-unix.Malloc) */

fay_flow_worker *fay_flow_find_worker(const fay_flow_link *link, uint16_t number)
{
    return number < link->workers_count ? link->workers[number] : NULL;
}

static void unlist_idle(fay_stage *stage, fay_flow_worker *worker)
{
    if (!worker->idle)
        return;
    TAILQ_REMOVE(&stage->idle, worker, idle_link);
    worker->idle = false;
    stage->idle_count--;
}

void fay_flow_worker_idle(fay_flow *flow, fay_flow_worker *worker, fay_ns now)
{
    if (worker->leases.items > 0 || worker->state != FAY_WORKER_LIVE || worker->idle)
        return;
    fay_stage *stage = &flow->stages[worker->link->stage];
    worker->suspect = false;
    worker->recalled = false;
    worker->idle = true;
    worker->idle_since = now;
    TAILQ_INSERT_HEAD(&stage->idle, worker, idle_link);
    stage->idle_count++;
}

void fay_flow_worker_busy(fay_flow *flow, fay_flow_worker *worker)
{
    unlist_idle(&flow->stages[worker->link->stage], worker);
}

void fay_flow_worker_up(fay_flow *flow, fay_ns now, fay_flow_worker *worker, fay_ns took)
{
    fay_stage *stage = &flow->stages[worker->link->stage];
    if (worker->state != FAY_WORKER_STARTING)
        return; /* retired while it started: goes when it says so */
    worker->state = FAY_WORKER_LIVE;
    stage->starting--;
    stage->live++;
    stage->peak = FAY_MAX(stage->peak, stage->live);
    worker->started = took;
    if (!stage->config.start_hidden || stage->item_ns <= 0) /* else its first results tell more */
        fay_equalizers_started(flow->equalizers, stage->index, took);
    fay_flow_worker_idle(flow, worker, now);
}

static void uncount(fay_stage *stage, const fay_flow_worker *worker)
{
    switch (worker->state) {
    case FAY_WORKER_STARTING: stage->starting--; break;
    case FAY_WORKER_LIVE: stage->live--; break;
    case FAY_WORKER_RETIRING: stage->retiring--; break;
    }
}

void fay_flow_worker_remove(fay_flow *flow, fay_flow_worker *worker)
{
    fay_stage *stage = &flow->stages[worker->link->stage];
    assert(worker->leases.items == 0 && TAILQ_EMPTY(&worker->parts));
    unlist_idle(stage, worker);
    uncount(stage, worker);
    fay_flow_resident(flow, worker, false);
    TAILQ_REMOVE(&stage->workers, worker, stage_link);
    worker->link->workers[worker->number] = NULL;
    fay_leases_deinit(&worker->leases);
    free(worker);
    fay_equalizers_freed(flow->equalizers, stage->index, flow->stepped);
}

/* The stage's link with the fewest workers, and its lowest free number. */
static fay_flow_link *place(const fay_flow *flow, const fay_stage *stage, uint16_t *ret_number)
{
    fay_flow_link *best = NULL;
    unsigned least = FAY_WORKERS_MAX;
    for (fay_flow_link *link = flow->links; link != NULL; link = link->hh.next) {
        unsigned used = 0;
        for (size_t i = 0; i < link->workers_count; i++) {
            used += link->workers[i] != NULL;
        }
        if (link->stage == stage->index && used < least) {
            least = used;
            best = link;
        }
    }
    if (best == NULL)
        return NULL;
    size_t number = 0;
    while (number < best->workers_count && best->workers[number] != NULL) {
        number++;
    }
    *ret_number = (uint16_t)number;
    return best;
}

bool fay_flow_worker_spawn(fay_flow *flow, fay_stage *stage)
{
    uint16_t number;
    fay_flow_link *link = place(flow, stage, &number);
    if (link == NULL)
        return false;
    if (number >= link->workers_count) {
        /* NOLINTNEXTLINE(bugprone-sizeof-expression): a list of pointers */
        FAY_RESERVE(link->workers, link->workers_capacity, (size_t)number + 1);
        while (link->workers_count <= number) {
            link->workers[link->workers_count++] = NULL;
        }
    }
    fay_flow_worker *worker = fay_alloc(sizeof *worker);
    worker->link = link;
    worker->number = number;
    worker->state = FAY_WORKER_STARTING;
    TAILQ_INIT(&worker->parts);
    link->workers[number] = worker;
    TAILQ_INSERT_TAIL(&stage->workers, worker, stage_link);
    stage->starting++;
    fay_flow_action *action = fay_flow_act(flow, FAY_FLOW_SPAWN);
    action->link = link->id;
    action->worker = number;
    action->stage = stage->index;
    return true;
}

void fay_flow_worker_retire(fay_flow *flow, fay_flow_worker *worker)
{
    fay_stage *stage = &flow->stages[worker->link->stage];
    assert(worker->leases.items == 0 && worker->state != FAY_WORKER_RETIRING);
    unlist_idle(stage, worker);
    uncount(stage, worker);
    worker->state = FAY_WORKER_RETIRING;
    stage->retiring++;
    fay_flow_action *action = fay_flow_act(flow, FAY_FLOW_RETIRE);
    action->link = worker->link->id;
    action->worker = worker->number;
    action->stage = stage->index;
}

fay_flow_worker *fay_flow_longest_idle(const fay_stage *stage)
{
    return TAILQ_LAST(&stage->idle, fay_idle_stack);
}
