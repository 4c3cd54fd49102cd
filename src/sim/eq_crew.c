/* SPDX-License-Identifier: MIT */
/* The workers of the line, and what a controller may read and do (eq_controller.h). */
#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "sim/eq_line.h"

#define IDLE_AGAIN_MIN  0.04 /* an idle worker is not spoken of more often */
#define TIME_ROUNDING   1e-9 /* of a time that is a sum of others */
#define AMOUNT_ROUNDING 1e-9

static double latency(fay_eq_line *line)
{
    return line->trace->spawn_latency * (0.8 + 0.4 * fay_prng_unit(&line->latencies));
}

/* So many workers can there be at once, at most. */
static size_t pool_size(const fay_eq_line *line)
{
    double slots = 0;
    for (size_t resource = 0; resource < FAY_EQ_RESOURCES; resource++) {
        double least = HUGE_VAL, sum = 0;
        for (size_t i = 0; i < line->stages_count; i++) {
            least = FAY_MIN(least, line->stages[i].plan->needs[resource]);
        }
        for (size_t i = 0; i < line->nodes_count; i++) {
            sum += line->nodes[i].capacity[resource];
        }
        if (least > 0)
            slots = slots > 0 ? FAY_MIN(slots, sum / least) : sum / least;
    }
    return (size_t)(slots + AMOUNT_ROUNDING);
}

void fay_eq_crew_init(fay_eq_line *line)
{
    size_t size = pool_size(line);
    assert(size > 0 && size <= UINT16_MAX); /* each worker needs something that is bounded */
    TAILQ_INIT(&line->spare);
    line->pool = fay_alloc(size * sizeof *line->pool);
    for (size_t i = 0; i < size; i++) {
        line->pool[i].worker.id = (uint32_t)i;
        TAILQ_INSERT_TAIL(&line->spare, &line->pool[i], crew);
    }
}

/* ---- places ---------------------------------------------------------------------------------- */

static bool has_room(const fay_eq_node *node, const fay_eq_stage_plan *plan)
{
    for (size_t i = 0; i < FAY_EQ_RESOURCES; i++) {
        if (node->used[i] + plan->needs[i] > node->capacity[i] + AMOUNT_ROUNDING)
            return false;
    }
    return true;
}

static double fullness(const fay_eq_node *node)
{
    double full = 0;
    for (size_t i = 0; i < FAY_EQ_RESOURCES; i++) {
        if (node->capacity[i] > 0)
            full = FAY_MAX(full, node->used[i] / node->capacity[i]);
    }
    return full;
}

static fay_eq_node *choose_node(fay_eq_line *line, size_t stage)
{
    fay_eq_node *best = NULL;
    double least = HUGE_VAL;
    for (size_t i = 0; i < line->nodes_count; i++) {
        if (!has_room(&line->nodes[i], line->stages[stage].plan))
            continue;
        double score = line->controller->score != NULL
                           ? line->controller->score(line->self, line, stage, i)
                           : fullness(&line->nodes[i]);
        if (best == NULL || score < least) {
            best = &line->nodes[i];
            least = score;
        }
    }
    return best;
}

static void occupy(fay_eq_node *node, const fay_eq_stage_plan *plan, double sign)
{
    for (size_t i = 0; i < FAY_EQ_RESOURCES; i++) {
        node->used[i] += sign * plan->needs[i];
    }
}

/* ---- come and go ----------------------------------------------------------------------------- */

fay_eq_hand *fay_eq_crew_hire(fay_eq_line *line, size_t stage)
{
    fay_eq_stage *s = &line->stages[stage];
    fay_eq_node *node = choose_node(line, stage);
    if (node == NULL || s->workers - s->draining >= line->trace->workers_max)
        return NULL;
    fay_eq_hand *hand = TAILQ_FIRST(&line->spare);
    assert(hand != NULL);
    TAILQ_REMOVE(&line->spare, hand, crew);
    *hand = (fay_eq_hand){.worker = {.id = hand->worker.id,
                                     .stage = (uint32_t)stage,
                                     .node = (uint32_t)(node - line->nodes),
                                     .state = FAY_EQ_STARTING,
                                     .born = line->now,
                                     .since = line->now},
                          .serial = ++line->serial};
    fay_eq_line_account(line);
    occupy(node, s->plan, 1);
    TAILQ_INSERT_TAIL(&s->crew, hand, crew);
    s->workers++;
    s->starting++;
    line->workers++;
    return hand;
}

void fay_eq_crew_leave(fay_eq_line *line, fay_eq_hand *hand)
{
    size_t stage = hand->worker.stage;
    fay_eq_stage *s = &line->stages[stage];
    fay_eq_line_account(line);
    occupy(&line->nodes[hand->worker.node], s->plan, -1);
    TAILQ_REMOVE(&s->crew, hand, crew);
    s->workers--;
    line->workers--;
    if (hand->worker.draining)
        s->draining--;
    hand->serial = 0;
    TAILQ_INSERT_HEAD(&line->spare, hand, crew);
    if (line->controller->slot_freed != NULL)
        line->controller->slot_freed(line->self, line, stage);
}

static void time_idleness(fay_eq_line *line, fay_eq_hand *hand, double not_before)
{
    double after = line->stages[hand->worker.stage].idle_after;
    if (line->controller->idled == NULL || isinf(after))
        return;
    hand->timed = true;
    fay_eq_line_at(line, FAY_MAX(not_before, hand->worker.since + after), FAY_EQ_IDLED, hand, 0);
}

void fay_eq_crew_idle(fay_eq_line *line, fay_eq_hand *hand)
{
    fay_eq_stage *s = &line->stages[hand->worker.stage];
    hand->worker.state = FAY_EQ_IDLE;
    hand->worker.since = line->now;
    s->idlers++;
    TAILQ_INSERT_HEAD(&s->idle, hand, queue);
    if (!hand->timed)
        time_idleness(line, hand, line->now);
}

static void not_idle(fay_eq_line *line, fay_eq_hand *hand)
{
    fay_eq_stage *s = &line->stages[hand->worker.stage];
    TAILQ_REMOVE(&s->idle, hand, queue);
    s->idlers--;
}

fay_eq_hand *fay_eq_crew_wake(fay_eq_line *line, size_t stage)
{
    fay_eq_hand *hand = TAILQ_FIRST(&line->stages[stage].idle);
    if (hand != NULL)
        not_idle(line, hand);
    return hand;
}

void fay_eq_crew_idled(fay_eq_line *line, fay_eq_hand *hand)
{
    size_t stage = hand->worker.stage;
    uint32_t serial = hand->serial;
    double again = 0;
    hand->timed = false;
    if (hand->worker.state != FAY_EQ_IDLE)
        return;
    if (line->now - hand->worker.since >= line->stages[stage].idle_after - TIME_ROUNDING)
        again = line->controller->idled(line->self, line, stage, &hand->worker);
    if (hand->serial == serial && hand->worker.state == FAY_EQ_IDLE) /* it may have been retired */
        time_idleness(line, hand, line->now + FAY_MAX(IDLE_AGAIN_MIN, again));
}

/* ---- reading --------------------------------------------------------------------------------- */

double fay_eq_now(const fay_eq_line *line)
{
    return line->now;
}

size_t fay_eq_stages_count(const fay_eq_line *line)
{
    return line->stages_count;
}

void fay_eq_read(const fay_eq_line *line, size_t stage, fay_eq_reading *ret)
{
    const fay_eq_stage *s = &line->stages[stage];
    const fay_eq_hand *coldest = TAILQ_LAST(&s->idle, fay_eq_hands);
    *ret = (fay_eq_reading){
        .arrivals = s->arrivals,
        .finished = s->finished,
        .outputs = s->outputs,
        .crashes = s->crashes,
        .useful = s->useful + (double)s->busy * line->now - s->busy_since,
        .blocked = s->waited + (double)s->blocked * line->now - s->blocked_since,
        .queued = s->queue.count,
        .workers = s->workers,
        .live = s->workers - s->starting,
        .starting = s->starting,
        .draining = s->draining,
        .idle = s->idlers,
        .busy = s->busy,
        .waiting = s->blocked,
        .coldest_since = coldest != NULL ? coldest->worker.since : FAY_EQ_NEVER,
        .kept_out = s->kept_out,
        .refused_at = s->refused_at,
    };
}

void fay_eq_facts_of(const fay_eq_line *line, size_t stage, fay_eq_facts *ret)
{
    const fay_eq_stage *s = &line->stages[stage];
    bool may_rest = line->trace->zero && s->arrivals == s->finished && s->queue.count == 0;
    *ret = (fay_eq_facts){.queue_max = s->plan->queue_max,
                          .workers_min = may_rest ? 0 : 1,
                          .workers_max = line->trace->workers_max,
                          .selectivity = s->selectivity,
                          .visits = s->visits,
                          .edges = s->edges,
                          .edges_count = s->plan->edges_count};
    for (size_t i = 0; i < FAY_EQ_RESOURCES; i++) {
        ret->needs[i] = s->plan->needs[i];
    }
}

fay_eq_source fay_eq_source_of(const fay_eq_line *line)
{
    bool closed = line->trace->closed > 0;
    return (fay_eq_source){.closed = closed,
                           .exhausted = closed && line->injected >= line->trace->closed,
                           .rate = closed ? line->trace->read_rate : 0};
}

static const fay_eq_worker *seen(const fay_eq_hand *hand)
{
    return hand != NULL ? &hand->worker : NULL;
}

const fay_eq_worker *fay_eq_worker_first(const fay_eq_line *line, size_t stage)
{
    return seen(TAILQ_FIRST(&line->stages[stage].crew));
}

const fay_eq_worker *fay_eq_worker_next(const fay_eq_line *line, const fay_eq_worker *worker)
{
    return seen(TAILQ_NEXT(&line->pool[worker->id], crew));
}

const fay_eq_worker *fay_eq_coldest(const fay_eq_line *line, size_t stage)
{
    return seen(TAILQ_LAST(&line->stages[stage].idle, fay_eq_hands));
}

const fay_eq_worker *fay_eq_warmer(const fay_eq_line *line, const fay_eq_worker *worker)
{
    return seen(TAILQ_PREV(&line->pool[worker->id], fay_eq_hands, queue));
}

size_t fay_eq_nodes_count(const fay_eq_line *line)
{
    return line->nodes_count;
}

const fay_eq_node *fay_eq_node_of(const fay_eq_line *line, size_t node)
{
    return &line->nodes[node];
}

/* ---- acting ---------------------------------------------------------------------------------- */

size_t fay_eq_spawn(fay_eq_line *line, size_t stage, size_t count)
{
    size_t got = 0;
    fay_eq_hand *hand;
    for (; got < count && (hand = fay_eq_crew_hire(line, stage)) != NULL; got++) {
        fay_eq_line_at(line, line->now + latency(line), FAY_EQ_READY, hand, 0);
    }
    fay_eq_record_action(&line->record, stage, line->now, (long)got);
    return got;
}

static int cost(const fay_eq_hand *hand)
{
    return hand->worker.state == FAY_EQ_STARTING ? 0 : hand->worker.state == FAY_EQ_IDLE ? 1 : 2;
}

static fay_eq_hand *cheapest(const fay_eq_stage *s)
{
    fay_eq_hand *hand, *best = NULL;
    TAILQ_FOREACH (hand, &s->crew, crew) { /* oldest first: of equals the last is the youngest */
        if (!hand->worker.draining && (best == NULL || cost(hand) <= cost(best)))
            best = hand;
    }
    return best;
}

bool fay_eq_retire(fay_eq_line *line, size_t stage, uint32_t worker)
{
    fay_eq_stage *s = &line->stages[stage];
    fay_eq_hand *hand = worker == FAY_EQ_CHEAPEST  ? cheapest(s)
                        : worker == FAY_EQ_COLDEST ? TAILQ_LAST(&s->idle, fay_eq_hands)
                                                   : &line->pool[worker];
    if (hand == NULL || hand->worker.draining || hand->serial == 0 || hand->worker.stage != stage)
        return false;
    fay_eq_record_action(&line->record, stage, line->now, -1);
    switch (hand->worker.state) {
    case FAY_EQ_STARTING:
        s->starting--;
        fay_eq_crew_leave(line, hand);
        break;
    case FAY_EQ_IDLE:
        not_idle(line, hand);
        fay_eq_crew_leave(line, hand);
        break;
    case FAY_EQ_BUSY:
    case FAY_EQ_BLOCKED:
        hand->worker.draining = true;
        s->draining++;
        break;
    }
    return true;
}

void fay_eq_wake(fay_eq_line *line, size_t stage, double at)
{
    double time = FAY_MAX(at, line->now);
    if (time >= line->stages[stage].wake_at || isinf(time))
        return;
    line->stages[stage].wake_at = time;
    fay_eq_line_at(line, time, FAY_EQ_WAKE, NULL, stage);
}

void fay_eq_watch(fay_eq_line *line, size_t stage, size_t queued)
{
    line->stages[stage].watch = queued;
}

void fay_eq_idle_after(fay_eq_line *line, size_t stage, double after)
{
    fay_eq_hand *hand;
    line->stages[stage].idle_after = after;
    TAILQ_FOREACH (hand, &line->stages[stage].idle, queue) {
        if (!hand->timed)
            time_idleness(line, hand, line->now);
    }
}

void fay_eq_evaluated(fay_eq_line *line)
{
    line->record.evaluations++;
}
