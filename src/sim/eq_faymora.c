/* SPDX-License-Identifier: MIT */
/*
 * The production Equalizer in the benchmark's socket: what happens on the line is told to it as the
 * ledger would, and what it decides is done.
 *
 * A period of the line is a second here, which it is told; everything else it measures.
 */
#include <stdlib.h>

#include "flow/equalizer.h"
#include "sim/eq_controllers.h"

typedef struct faymora {
    fay_equalizers *all;
    size_t count;
    uint64_t sent[FAY_EQ_STAGES_MAX][FAY_EQ_EDGES_MAX]; /* told so far */
} faymora;

static const double second = 1e9;

static fay_ns time_of(const fay_eq_line *line)
{
    return (fay_ns)(fay_eq_now(line) * second + 0.5);
}

static unsigned stuck(const faymora *f, const fay_eq_line *line, size_t stage)
{
    fay_ns after = fay_equalizers_stuck_after(f->all, stage);
    unsigned count = 0;
    if (after == FAY_NEVER)
        return 0;
    const fay_eq_worker *w = fay_eq_worker_first(line, stage);
    for (; w != NULL; w = fay_eq_worker_next(line, w)) {
        bool busy = w->state == FAY_EQ_BUSY && !w->draining;
        count += busy && fay_eq_now(line) - w->since > (double)after / second;
    }
    return count;
}

static fay_equalizer_counters counters(const fay_eq_line *line, size_t stage)
{
    fay_eq_reading r;
    fay_eq_facts facts;
    fay_eq_read(line, stage, &r);
    fay_eq_facts_of(line, stage, &facts);
    fay_eq_source source = fay_eq_source_of(line);
    bool reads_on = source.closed && !source.exhausted;
    bool cold = r.coldest_since < FAY_EQ_NEVER;
    return (fay_equalizer_counters){
        .queued = r.queued,
        .room = facts.queue_max == 0          ? UINT64_MAX
                : r.queued >= facts.queue_max ? 0
                                              : facts.queue_max - r.queued,
        .kept_out = r.kept_out > 0,
        .live = (unsigned)(r.live - FAY_MIN(r.draining, r.live)),
        .starting = (unsigned)r.starting,
        .retiring = (unsigned)r.draining,
        .idle = (unsigned)r.idle,
        .blocked = (unsigned)r.waiting,
        .idle_since = cold ? (fay_ns)(r.coldest_since * second) : FAY_NEVER,
        .drying = source.exhausted,
        .source_rate = stage == 0 && reads_on ? source.rate : 0,
    };
}

/* What a stage has sent since it was told last. */
static void tell_sent(faymora *f, const fay_eq_line *line, size_t stage)
{
    fay_eq_facts facts;
    fay_eq_facts_of(line, stage, &facts);
    for (size_t i = 0; i < facts.edges_count; i++) {
        uint64_t *told = &f->sent[stage][i];
        fay_equalizers_sent(f->all, stage, facts.edges[i].to,
                            (double)(facts.edges[i].sent - *told));
        *told = facts.edges[i].sent;
    }
}

static void set_wakes(faymora *f, fay_eq_line *line)
{
    for (size_t i = 0; i < f->count; i++) {
        fay_ns due = fay_equalizers_due(f->all, i);
        if (due != FAY_NEVER)
            fay_eq_wake(line, i, (double)due / second);
    }
}

static void look(faymora *f, fay_eq_line *line, size_t stage)
{
    fay_equalizer_counters c = counters(line, stage);
    fay_equalizers_watch(f->all, stage, time_of(line), &c);
    set_wakes(f, line);
}

static void act(fay_eq_line *line, size_t stage, const fay_equalizer_decision *d)
{
    if (d->spawn > 0)
        (void)fay_eq_spawn(line, stage, d->spawn);
    if (d->retire)
        (void)fay_eq_retire(line, stage, FAY_EQ_COLDEST);
    if (d->shed)
        (void)fay_eq_retire(line, stage, FAY_EQ_CHEAPEST);
}

/* ---- hooks ----------------------------------------------------------------------------------- */

static void *faymora_new(fay_eq_line *line)
{
    faymora *f = fay_alloc(sizeof *f);
    fay_equalizer_stage stages[FAY_EQ_STAGES_MAX] = {{0}};
    double capacity[FAY_EQ_RESOURCES] = {0};
    f->count = fay_eq_stages_count(line);
    for (size_t i = 0; i < f->count; i++) {
        fay_eq_facts facts;
        fay_eq_facts_of(line, i, &facts);
        stages[i] = (fay_equalizer_stage){.min = (unsigned)facts.workers_min,
                                          .max = (unsigned)facts.workers_max,
                                          .period = FAY_SECOND,
                                          .sourced = i == 0};
        for (size_t k = 0; k < facts.edges_count; k++) {
            stages[i].feeds |= UINT64_C(1) << facts.edges[k].to;
        }
    }
    f->all = fay_equalizers_new(stages, f->count, 0);
    for (size_t n = 0; n < fay_eq_nodes_count(line); n++) {
        for (size_t r = 0; r < FAY_EQ_RESOURCES; r++) {
            capacity[r] += fay_eq_node_of(line, n)->capacity[r];
        }
    }
    for (size_t r = 0; r < FAY_EQ_RESOURCES; r++) {
        fay_equalizers_capacity(f->all, (fay_resource)r, capacity[r]);
        for (size_t i = 0; i < f->count; i++) {
            fay_eq_facts facts;
            fay_eq_facts_of(line, i, &facts);
            fay_equalizers_cost(f->all, i, (fay_resource)r, facts.needs[r]);
        }
    }
    return f;
}

static void faymora_free(void *self)
{
    faymora *f = self;
    fay_equalizers_free(f->all);
    free(f);
}

static void arrived(void *self, fay_eq_line *line, size_t stage)
{
    faymora *f = self;
    fay_equalizers_arrived(f->all, stage, time_of(line), 1);
    look(f, line, stage);
}

static void finished(void *self, fay_eq_line *line, size_t stage, double useful)
{
    faymora *f = self;
    fay_equalizers_finished(f->all, stage, (fay_ns)(useful * second), 1);
    look(f, line, stage);
}

static void pressure(void *self, fay_eq_line *line, size_t stage, bool no_room)
{
    (void)no_room;
    look(self, line, stage);
}

static void ready(void *self, fay_eq_line *line, size_t stage, double took)
{
    faymora *f = self;
    fay_equalizers_started(f->all, stage, (fay_ns)(took * second));
    look(f, line, stage);
}

static void tick(void *self, fay_eq_line *line)
{
    faymora *f = self;
    for (size_t i = 0; i < f->count; i++) {
        look(f, line, i);
    }
}

static void evaluate(void *self, fay_eq_line *line, size_t stage)
{
    faymora *f = self;
    fay_equalizer_view view;
    fay_ns now = time_of(line);
    tell_sent(f, line, stage);
    fay_equalizer_counters c = counters(line, stage);
    fay_equalizers_watch(f->all, stage, now, &c);
    if (fay_equalizers_due(f->all, stage) <= now) {
        fay_equalizers_view(f->all, stage, &view);
        uint64_t before = view.evaluations;
        c.stuck = stuck(f, line, stage);
        fay_equalizer_decision d = fay_equalizers_evaluate(f->all, stage, now, &c);
        fay_equalizers_view(f->all, stage, &view);
        if (view.evaluations > before)
            fay_eq_evaluated(line);
        act(line, stage, &d);
        look(f, line, stage);
    }
    set_wakes(f, line);
}

static void slot_freed(void *self, fay_eq_line *line, size_t stage)
{
    faymora *f = self;
    fay_equalizers_freed(f->all, stage, time_of(line));
    look(f, line, stage);
}

static bool armed(void *self, size_t stage)
{
    fay_equalizer_view view;
    fay_equalizers_view(((faymora *)self)->all, stage, &view);
    return view.armed;
}

const fay_eq_controller fay_eq_faymora = {
    .name = "faymora",
    .what = "the Equalizer of Faymora (flow/equalizer)",
    .new = faymora_new,
    .free = faymora_free,
    .tick = tick,
    .arrived = arrived,
    .finished = finished,
    .pressure = pressure,
    .ready = ready,
    .evaluate = evaluate,
    .slot_freed = slot_freed,
    .crashed = slot_freed,
    .armed = armed,
};
