/* SPDX-License-Identifier: MIT */
#include "sim/eq_line.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/eq_chance.h"
#include "sim/eq_oracle.h"

enum {
    CLOSED_TAKES_MAX = 6, /* times the duration of the trace */
};

enum { /* uses of chance; the stages' follow */
    ARRIVALS,
    LATENCIES,
    DEMANDS = 16,
    ROUTES = DEMANDS + FAY_EQ_STAGES_MAX,
    DEATHS = ROUTES + FAY_EQ_STAGES_MAX
};

static void serve(fay_eq_line *line, size_t stage, fay_eq_hand *hand);
static void hand_on(fay_eq_line *line, fay_eq_hand *hand);

void fay_eq_line_at(fay_eq_line *line, double time, enum fay_eq_event_kind kind,
                    const fay_eq_hand *hand, size_t subject)
{
    fay_eq_event event = {.time = time, .kind = (uint16_t)kind, .subject = (uint16_t)subject};
    if (hand != NULL) {
        event.subject = (uint16_t)hand->worker.id;
        event.serial = hand->serial;
    }
    fay_eq_agenda_add(&line->agenda, event);
}

void fay_eq_line_account(fay_eq_line *line)
{
    fay_eq_record_areas(&line->record, line->now, line->queued, line->workers);
}

/* ---- queues ---------------------------------------------------------------------------------- */

static void make_room(fay_eq_queue *queue)
{
    if (queue->count < queue->capacity)
        return;
    size_t capacity = FAY_MAX(queue->capacity * 2, (size_t)64);
    double *born = fay_alloc(capacity * sizeof *born);
    for (size_t i = 0; i < queue->count; i++) {
        born[i] = queue->born[(queue->head + i) & (queue->capacity - 1)];
    }
    free(queue->born);
    *queue = (fay_eq_queue){.born = born, .count = queue->count, .capacity = capacity};
}

static void append(fay_eq_queue *queue, double born)
{
    make_room(queue);
    queue->born[(queue->head + queue->count++) & (queue->capacity - 1)] = born;
}

static void put_back(fay_eq_queue *queue, double born)
{
    make_room(queue);
    queue->head = (queue->head - 1) & (queue->capacity - 1);
    queue->born[queue->head] = born;
    queue->count++;
}

static double take_first(fay_eq_queue *queue)
{
    assert(queue->count > 0);
    double born = queue->born[queue->head];
    queue->head = (queue->head + 1) & (queue->capacity - 1);
    queue->count--;
    return born;
}

static bool is_full(const fay_eq_stage *s)
{
    return s->plan->queue_max > 0 && s->queue.count >= s->plan->queue_max;
}

static void press(fay_eq_line *line, size_t stage, bool no_room)
{
    if (no_room)
        line->stages[stage].refused_at = line->now;
    if (line->controller->pressure != NULL)
        line->controller->pressure(line->self, line, stage, no_room);
}

/* An Item enters a stage. */
static void enter(fay_eq_line *line, size_t stage, double born)
{
    fay_eq_stage *s = &line->stages[stage];
    s->arrivals++;
    fay_eq_line_account(line);
    append(&s->queue, born);
    line->queued++;
    if (line->controller->arrived != NULL)
        line->controller->arrived(line->self, line, stage);
    fay_eq_hand *hand = fay_eq_crew_wake(line, stage);
    if (hand != NULL) {
        serve(line, stage, hand);
    } else if (s->watch > 0 && s->queue.count >= s->watch) {
        press(line, stage, false);
    }
}

/* ---- the source ------------------------------------------------------------------------------ */

static void inject(fay_eq_line *line)
{
    line->injected++;
    line->inside++;
    enter(line, 0, line->now);
}

/* The next arrival of a Poisson stream whose rate varies: of a stream of the greatest rate as many
 * are kept as the rate of their moment demands (thinning; Lewis and Shedler, 1979). */
static void expect_arrival(fay_eq_line *line)
{
    double most = fay_eq_trace_rate_max(line->trace), time = line->now;
    do {
        time += fay_eq_exponential(&line->arrivals) / most;
        if (time > line->trace->duration)
            return;
    } while (fay_prng_unit(&line->arrivals) * most > fay_eq_trace_rate(line->trace, time));
    fay_eq_line_at(line, time, FAY_EQ_ARRIVAL, NULL, 0);
}

static void read_source(fay_eq_line *line)
{
    if (line->injected >= line->trace->closed)
        return;
    if (is_full(&line->stages[0])) {
        line->stages[0].source_waits = true;
        line->stages[0].kept_out++;
        press(line, 0, true);
        return;
    }
    inject(line);
    fay_eq_line_at(line, line->now + 1 / line->trace->read_rate, FAY_EQ_ARRIVAL, NULL, 0);
}

static void arrive(fay_eq_line *line)
{
    if (line->trace->closed > 0) {
        read_source(line);
    } else {
        inject(line);
        expect_arrival(line);
    }
}

/* ---- work ------------------------------------------------------------------------------------ */

static void give_place(fay_eq_line *line, fay_eq_stage *s)
{
    fay_eq_hand *first = TAILQ_FIRST(&s->waiting);
    if (s->source_waits) {
        s->source_waits = false;
        s->kept_out--;
        read_source(line);
    } else if (first != NULL) {
        hand_on(line, first);
    }
}

static double draw_demand(fay_eq_stage *s)
{
    bool slow = fay_prng_chance(&s->demands, s->plan->slow);
    double demand = fay_eq_demand(&s->demands, s->plan->cv);
    demand = (slow ? FAY_EQ_SLOW_FACTOR : demand) * s->mean;
    if (s->plan->plateau > 0 && s->busy > s->plan->plateau)
        demand *= (double)s->busy / (double)s->plan->plateau;
    return demand;
}

/* The worker begins the first Item of its queue. */
static void serve(fay_eq_line *line, size_t stage, fay_eq_hand *hand)
{
    fay_eq_stage *s = &line->stages[stage];
    fay_eq_line_account(line);
    hand->item_born = take_first(&s->queue);
    line->queued--;
    hand->worker.state = FAY_EQ_BUSY;
    hand->worker.since = line->now;
    s->busy++;
    s->busy_since += line->now;
    double takes = draw_demand(s) / line->speeds[hand->worker.node], dies = FAY_EQ_NEVER;
    if (s->plan->crashes > 0)
        dies = fay_eq_exponential(&s->deaths) / s->plan->crashes;
    fay_eq_line_at(line, line->now + FAY_MIN(takes, dies),
                   dies < takes ? FAY_EQ_CRASH : FAY_EQ_DONE, hand, 0);
    give_place(line, s);
}

/* A worker that has nothing in hand. */
static void release(fay_eq_line *line, fay_eq_hand *hand)
{
    if (hand->worker.draining) {
        fay_eq_crew_leave(line, hand);
    } else if (line->stages[hand->worker.stage].queue.count > 0) {
        serve(line, hand->worker.stage, hand);
    } else {
        fay_eq_crew_idle(line, hand);
    }
}

static void wait_for_room(fay_eq_line *line, fay_eq_hand *hand, size_t to)
{
    fay_eq_stage *s = &line->stages[hand->worker.stage];
    hand->worker.state = FAY_EQ_BLOCKED;
    hand->worker.since = line->now;
    s->blocked++;
    s->blocked_since += line->now;
    TAILQ_INSERT_TAIL(&line->stages[to].waiting, hand, queue);
    line->stages[to].kept_out++;
    press(line, to, true);
}

static void stop_waiting(fay_eq_line *line, fay_eq_hand *hand, size_t to)
{
    fay_eq_stage *s = &line->stages[hand->worker.stage];
    TAILQ_REMOVE(&line->stages[to].waiting, hand, queue);
    line->stages[to].kept_out--;
    s->blocked--;
    s->blocked_since -= hand->worker.since;
    s->waited += line->now - hand->worker.since;
    hand->worker.state = FAY_EQ_BUSY;
    hand->worker.since = line->now;
}

/* The outputs in hand go where they must, as far as there is room. */
static void hand_on(fay_eq_line *line, fay_eq_hand *hand)
{
    fay_eq_stage *s = &line->stages[hand->worker.stage];
    for (; hand->edge < s->plan->edges_count; hand->edge++) {
        size_t to = s->edges[hand->edge].to;
        for (; hand->due[hand->edge] > 0; hand->due[hand->edge]--) {
            bool waits = hand->worker.state == FAY_EQ_BLOCKED;
            if (is_full(&line->stages[to])) {
                if (!waits)
                    wait_for_room(line, hand, to);
                return;
            }
            s->edges[hand->edge].sent++;
            enter(line, to, hand->item_born);
        }
        if (hand->worker.state == FAY_EQ_BLOCKED)
            stop_waiting(line, hand, to);
    }
    release(line, hand);
}

/* How many outputs an Item has, and which way each goes. */
static void draw_outputs(fay_eq_line *line, fay_eq_hand *hand)
{
    fay_eq_stage *s = &line->stages[hand->worker.stage];
    double whole = floor(s->selectivity);
    size_t outputs = (size_t)whole + (fay_prng_chance(&s->routes, s->selectivity - whole) ? 1 : 0);
    s->outputs += outputs;
    hand->edge = 0;
    for (; outputs > 0; outputs--) {
        double share = fay_prng_unit(&s->routes);
        for (size_t i = 0; i < s->plan->edges_count; i++) {
            if (share >= s->plan->edges[i].from && share < s->plan->edges[i].upto) {
                hand->due[i]++;
                line->inside++;
            }
        }
    }
}

/* It is nobody's work any more, and its worker has not got anything else yet. */
static void end_work(fay_eq_line *line, fay_eq_hand *hand)
{
    fay_eq_stage *s = &line->stages[hand->worker.stage];
    s->busy--;
    s->busy_since -= hand->worker.since;
    hand->worker.since = line->now;
}

static void finish(fay_eq_line *line, fay_eq_hand *hand)
{
    size_t stage = hand->worker.stage;
    fay_eq_stage *s = &line->stages[stage];
    double useful = line->now - hand->worker.since;
    end_work(line, hand);
    s->useful += useful;
    s->finished++;
    hand->worker.items++;
    hand->worker.useful += useful;
    line->inside--;
    if (line->controller->finished != NULL)
        line->controller->finished(line->self, line, stage, useful);
    if (s->plan->edges_count == 0) {
        fay_eq_record_latency(&line->record, hand->item_born, line->now);
        line->record.delivered++;
        release(line, hand);
    } else {
        draw_outputs(line, hand);
        hand_on(line, hand);
    }
}

/* The worker dies; its Item is the first in the queue again. */
static void crash(fay_eq_line *line, fay_eq_hand *hand)
{
    size_t stage = hand->worker.stage;
    fay_eq_stage *s = &line->stages[stage];
    end_work(line, hand);
    s->crashes++;
    line->record.repeated++;
    fay_eq_line_account(line);
    put_back(&s->queue, hand->item_born);
    line->queued++;
    fay_eq_crew_leave(line, hand);
    fay_eq_hand *other = fay_eq_crew_wake(line, stage);
    if (other != NULL)
        serve(line, stage, other);
    if (line->controller->crashed != NULL)
        line->controller->crashed(line->self, line, stage);
}

static void started(fay_eq_line *line, fay_eq_hand *hand)
{
    line->stages[hand->worker.stage].starting--;
    hand->worker.state = FAY_EQ_BUSY; /* neither starting nor idle yet */
    hand->worker.since = line->now;
    if (line->controller->ready != NULL) {
        line->controller->ready(line->self, line, hand->worker.stage,
                                line->now - hand->worker.born);
    }
    release(line, hand);
}

/* ---- time ------------------------------------------------------------------------------------ */

static void set_visits(fay_eq_line *line)
{
    double selectivity[FAY_EQ_STAGES_MAX], visits[FAY_EQ_STAGES_MAX];
    for (size_t i = 0; i < line->stages_count; i++) {
        selectivity[i] = line->stages[i].selectivity;
    }
    fay_eq_trace_visits(line->trace, selectivity, visits);
    for (size_t i = 0; i < line->stages_count; i++) {
        line->stages[i].visits = visits[i];
    }
}

static void change(fay_eq_line *line, const fay_eq_change *what)
{
    switch (what->what) {
    case FAY_EQ_MEAN: line->stages[what->index].mean = what->value; break;
    case FAY_EQ_SPEED: line->speeds[what->index] = what->value; break;
    case FAY_EQ_SELECTIVITY:
        line->stages[what->index].selectivity = what->value;
        set_visits(line);
        break;
    }
}

static void tick(fay_eq_line *line)
{
    fay_eq_sample *samples = fay_eq_record_period(&line->record);
    for (size_t i = 0; i < line->stages_count; i++) {
        const fay_eq_stage *s = &line->stages[i];
        samples[i] = (fay_eq_sample){.workers = (uint32_t)s->workers,
                                     .live = (uint32_t)(s->workers - s->starting),
                                     .queued = (uint32_t)s->queue.count};
    }
    if (line->controller->tick != NULL)
        line->controller->tick(line->self, line);
    for (size_t i = 0; i < line->stages_count; i++) {
        bool (*armed)(void *, size_t) = line->controller->armed;
        line->record.armed_of++;
        line->record.armed += armed == NULL || armed(line->self, i);
    }
    fay_eq_line_at(line, line->now + 1, FAY_EQ_TICK, NULL, 0);
}

static void woken(fay_eq_line *line, size_t stage, double time)
{
    fay_eq_stage *s = &line->stages[stage];
    if (time < s->wake_at || time > s->wake_at) /* it was asked for anew, earlier */
        return;
    s->wake_at = FAY_EQ_NEVER;
    if (line->controller->evaluate != NULL)
        line->controller->evaluate(line->self, line, stage);
}

static void happen(fay_eq_line *line, const fay_eq_event *event)
{
    fay_eq_hand *hand = &line->pool[event->subject];
    bool there = event->serial != 0 && hand->serial == event->serial;
    switch ((enum fay_eq_event_kind)event->kind) {
    case FAY_EQ_ARRIVAL: arrive(line); break;
    case FAY_EQ_TICK: tick(line); break;
    case FAY_EQ_CHANGED: change(line, &line->trace->changes[event->subject]); break;
    case FAY_EQ_WAKE: woken(line, event->subject, event->time); break;
    case FAY_EQ_DONE: finish(line, hand); break;
    case FAY_EQ_CRASH: crash(line, hand); break;
    case FAY_EQ_READY:
        if (there) /* it may have been retired while it started */
            started(line, hand);
        break;
    case FAY_EQ_IDLED:
        if (there)
            fay_eq_crew_idled(line, hand);
        break;
    }
}

/* ---- a run ----------------------------------------------------------------------------------- */

static void init_stage(fay_eq_line *line, size_t stage, uint64_t seed)
{
    fay_eq_stage *s = &line->stages[stage];
    s->plan = &line->trace->stages[stage];
    s->mean = s->plan->mean;
    s->selectivity = s->plan->selectivity;
    s->refused_at = -1;
    s->idle_after = s->wake_at = FAY_EQ_NEVER;
    for (size_t i = 0; i < s->plan->edges_count; i++) {
        assert(s->plan->edges[i].to > stage && s->plan->edges[i].to < line->stages_count);
        s->edges[i].to = s->plan->edges[i].to;
    }
    TAILQ_INIT(&s->crew);
    TAILQ_INIT(&s->idle);
    TAILQ_INIT(&s->waiting);
    fay_eq_chance_init(&s->demands, seed, NULL, DEMANDS + stage);
    fay_eq_chance_init(&s->routes, seed, NULL, ROUTES + stage);
    fay_eq_chance_init(&s->deaths, seed, NULL, DEATHS + stage);
}

static void init(fay_eq_line *line, const fay_eq_trace *trace, const fay_eq_controller *controller,
                 uint64_t seed)
{
    *line = (fay_eq_line){.trace = trace,
                          .controller = controller,
                          .end = trace->duration * (trace->closed > 0 ? CLOSED_TAKES_MAX : 1),
                          .stages_count = trace->stages_count,
                          .nodes_count = trace->nodes_count};
    fay_eq_record_init(&line->record, trace);
    fay_eq_chance_init(&line->arrivals, seed, trace->name, ARRIVALS);
    fay_eq_chance_init(&line->latencies, seed, NULL, LATENCIES);
    for (size_t i = 0; i < line->stages_count; i++) {
        init_stage(line, i, seed);
    }
    set_visits(line);
    for (size_t i = 0; i < line->nodes_count; i++) {
        memcpy(line->nodes[i].capacity, trace->nodes[i], sizeof trace->nodes[i]);
        line->speeds[i] = 1;
    }
    fay_eq_crew_init(line);
}

/* The workers that are there at the start have been there for long. */
static void hire_first(fay_eq_line *line)
{
    for (size_t i = 0; i < line->stages_count; i++) {
        const fay_eq_trace *trace = line->trace;
        size_t count = trace->stated_start ? trace->start[i] : fay_eq_staffed(trace, i, 0);
        fay_eq_hand *hand;
        for (; count > 0 && (hand = fay_eq_crew_hire(line, i)) != NULL; count--) {
            line->stages[i].starting--;
            fay_eq_crew_idle(line, hand);
        }
    }
}

/* Every Item is where the counters say, on every edge. */
static bool adds_up(const fay_eq_line *line)
{
    uint64_t expected[FAY_EQ_STAGES_MAX] = {line->injected}, inside = 0;
    bool good = true;
    for (size_t i = 0; i < line->stages_count; i++) {
        const fay_eq_stage *s = &line->stages[i];
        const fay_eq_hand *hand;
        uint64_t held = 0, sent = 0, busy = 0;
        TAILQ_FOREACH (hand, &s->crew, crew) {
            busy += hand->worker.state == FAY_EQ_BUSY;
            for (size_t edge = 0; edge < s->plan->edges_count; edge++) {
                held += hand->due[edge];
            }
        }
        bool split = false;
        for (size_t edge = 0; edge < s->plan->edges_count; edge++) {
            expected[s->edges[edge].to] += s->edges[edge].sent;
            sent += s->edges[edge].sent;
            split = split || s->plan->edges[edge].from > 0 || s->plan->edges[edge].upto < 1;
        }
        uint64_t copies = split ? 1 : s->plan->edges_count; /* shares of a split make a whole */
        good = good && s->arrivals == expected[i];
        good = good && s->arrivals == s->finished + s->queue.count + busy && busy == s->busy;
        good = good && sent + held == s->outputs * copies;
        inside += s->queue.count + busy + held;
    }
    return good && inside == line->inside;
}

/* What has not come out yet counts with its age. */
static void count_inside(fay_eq_line *line)
{
    for (size_t i = 0; i < line->stages_count; i++) {
        const fay_eq_stage *s = &line->stages[i];
        const fay_eq_hand *hand;
        for (size_t k = 0; k < s->queue.count; k++) {
            double born = s->queue.born[(s->queue.head + k) & (s->queue.capacity - 1)];
            fay_eq_record_latency(&line->record, born, line->now);
        }
        TAILQ_FOREACH (hand, &s->crew, crew) {
            if (hand->worker.state == FAY_EQ_BUSY || hand->worker.state == FAY_EQ_BLOCKED)
                fay_eq_record_latency(&line->record, hand->item_born, line->now);
        }
    }
}

void fay_eq_line_run(fay_eq_line *line, const fay_eq_trace *trace,
                     const fay_eq_controller *controller, uint64_t seed)
{
    init(line, trace, controller, seed);
    if (trace->closed > 0) {
        fay_eq_line_at(line, 0, FAY_EQ_ARRIVAL, NULL, 0);
    } else {
        expect_arrival(line);
    }
    for (size_t i = 0; i < trace->changes_count; i++) {
        fay_eq_line_at(line, trace->changes[i].time, FAY_EQ_CHANGED, NULL, i);
    }
    line->self = controller->new != NULL ? controller->new (line) : NULL;
    hire_first(line);
    fay_eq_line_at(line, 0, FAY_EQ_TICK, NULL, 0);
    fay_eq_event event;
    while (fay_eq_agenda_take(&line->agenda, &event) && event.time <= line->end) {
        line->now = event.time;
        happen(line, &event);
        if (trace->closed > 0 && line->injected == trace->closed && line->inside == 0) {
            line->record.finished_at = line->now;
            break;
        }
    }
    fay_eq_line_account(line);
    line->record.end = line->now;
    line->record.lost = !adds_up(line);
    count_inside(line);
    if (controller->free != NULL)
        controller->free(line->self);
    line->self = NULL;
}

void fay_eq_line_deinit(fay_eq_line *line)
{
    for (size_t i = 0; i < line->stages_count; i++) {
        free(line->stages[i].queue.born);
    }
    free(line->pool);
    fay_eq_agenda_deinit(&line->agenda);
    fay_eq_record_deinit(&line->record);
    *line = (fay_eq_line){0};
}
