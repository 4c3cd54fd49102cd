/* SPDX-License-Identifier: MIT */
#include "sim/workers.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void fay_sim_crew_init(fay_sim_crew *crew, fay_sim_world *world, fay_sim_faults *faults,
                       fay_sim_oracle *oracle)
{
    *crew = (fay_sim_crew){.world = world, .faults = faults, .oracle = oracle, .count = 1};
    crew->trace = oracle->trace;
}

void fay_sim_crew_deinit(fay_sim_crew *crew)
{
    for (size_t i = 1; i < crew->count; i++) {
        for (size_t w = 0; w < FAY_SIM_WORKERS_MAX; w++) {
            free(crew->instances[i]->workers[w].tasks);
            free(crew->instances[i]->workers[w].answers);
        }
        free(crew->instances[i]);
    }
}

uint32_t fay_sim_crew_connect(fay_sim_crew *crew, size_t stage)
{
    fay_ns latency = crew->oracle->shape->latency;
    if (crew->count == FAY_SIM_LINKS_MAX) {
        fay_sim_fail(crew->trace, "Instances die and die");
    }
    fay_sim_instance *instance = fay_alloc(sizeof *instance);
    instance->alive = true;
    instance->stage = stage;
    instance->up.latency = instance->down.latency = latency;
    crew->instances[crew->count] = instance;
    return (uint32_t)crew->count++;
}

void fay_sim_crew_kill(fay_sim_crew *crew, uint32_t link)
{
    crew->instances[link]->alive = false;
}

void fay_sim_crew_kill_all(fay_sim_crew *crew)
{
    for (uint32_t link = 1; link < crew->count; link++) {
        fay_sim_crew_kill(crew, link);
    }
}

void fay_sim_crew_stall(fay_sim_crew *crew, uint32_t link, fay_ns time)
{
    fay_sim_instance *instance = crew->instances[link];
    fay_ns until = crew->world->now + time;
    instance->up.last = FAY_MAX(instance->up.last, until);
    instance->down.last = FAY_MAX(instance->down.last, until);
}

fay_sim_frame *fay_sim_frame_new(int kind, uint32_t link, uint16_t worker, size_t items)
{
    fay_sim_frame *frame = fay_alloc(sizeof *frame + items * sizeof frame->items[0]);
    frame->kind = kind;
    frame->link = link;
    frame->worker = worker;
    frame->items_count = items;
    return frame;
}

void fay_sim_crew_send(fay_sim_crew *crew, fay_sim_frame *frame)
{
    fay_sim_world_send(crew->world, &crew->instances[frame->link]->down,
                       (fay_sim_event){.kind = FAY_SIM_DOWNWARD, .frame = frame});
}

static void answer(fay_sim_crew *crew, fay_sim_frame *frame)
{
    fay_sim_world_send(crew->world, &crew->instances[frame->link]->up,
                       (fay_sim_event){.kind = FAY_SIM_UPWARD, .frame = frame});
}

void fay_sim_crew_garble(fay_sim_crew *crew, uint32_t link)
{
    fay_sim_frame *frame = fay_sim_frame_new(FAY_FLOW_RESULTS, link, 1, 0);
    frame->tag = UINT64_C(1) << 40;
    frame->count = 1;
    frame->garbage = true;
    answer(crew, frame);
}

/* ---- one worker ------------------------------------------------------------------------------ */

struct post { /* a worker, and where it is */
    fay_sim_crew *crew;
    fay_sim_instance *instance;
    fay_sim_worker *worker;
    const fay_sim_stage *stage;
    uint32_t link;
    uint16_t number;
};

static struct post post_of(fay_sim_crew *crew, uint32_t link, uint16_t number)
{
    fay_sim_instance *instance = crew->instances[link];
    assert(number < FAY_SIM_WORKERS_MAX);
    return (struct post){.crew = crew,
                         .instance = instance,
                         .worker = &instance->workers[number],
                         .stage = &crew->oracle->shape->stages[instance->stage],
                         .link = link,
                         .number = number};
}

/* Children of a try that go ahead of its answer, if chance wants it so; how many went. */
static uint32_t send_parts(const struct post *p, uint64_t tag, uint32_t try)
{
    const fay_sim_oracle *oracle = p->crew->oracle;
    uint32_t count = oracle->tries[try].count, from = 0;
    while (count > from && fay_sim_chance(p->crew->world, oracle->shape->parts)) {
        uint32_t to = (uint32_t)fay_sim_between(p->crew->world, from + 1, count);
        fay_sim_frame *part = fay_sim_frame_new(FAY_FLOW_PART, p->link, p->number, 1);
        part->tag = tag;
        part->from = from;
        part->to = to;
        part->items[0] = try;
        answer(p->crew, part);
        from = to;
    }
    return from;
}

static void send_set(const struct post *p, const fay_sim_task *task, uint32_t try)
{
    uint32_t from = send_parts(p, task->tag, try);
    fay_sim_frame *results = fay_sim_frame_new(FAY_FLOW_RESULTS, p->link, p->number, 1);
    results->tag = task->tag;
    results->count = 1;
    results->ns = task->took;
    results->from = from;
    results->to = p->crew->oracle->tries[try].count;
    results->items[0] = try;
    answer(p->crew, results);
}

/* The answers that were kept back to travel together. */
static void flush(const struct post *p)
{
    fay_sim_worker *w = p->worker;
    if (w->answers_count == 0)
        return;
    fay_sim_frame *results =
        fay_sim_frame_new(FAY_FLOW_RESULTS, p->link, p->number, w->answers_count);
    results->tag = w->answers_tag;
    results->count = w->answers_count;
    results->ns = w->answers_ns;
    memcpy(results->items, w->answers, w->answers_count * sizeof *w->answers);
    w->answers_count = 0;
    w->answers_ns = 0;
    answer(p->crew, results);
}

/* A batch is answered as one: what was made of it is its first Item's. */
static uint32_t try_of(const struct post *p, uint32_t visit)
{
    const fay_sim_worker *w = p->worker;
    fay_sim_oracle *oracle = p->crew->oracle;
    if (p->stage->mode == FAY_SIM_BATCH && w->answers_count > 0)
        return fay_sim_oracle_mate(oracle, p->crew->world, visit, w->answers[0]);
    return fay_sim_oracle_try(oracle, p->crew->world, visit);
}

static void keep_answer(const struct post *p, const fay_sim_task *task)
{
    fay_sim_worker *w = p->worker;
    if (w->answers_count > 0 && w->answers_tag + w->answers_count != task->tag)
        flush(p);
    if (w->answers_count == 0)
        w->answers_tag = task->tag;
    FAY_RESERVE(w->answers, w->answers_capacity, w->answers_count + 1);
    w->answers[w->answers_count] = try_of(p, task->visit);
    w->answers_count++;
    w->answers_ns += task->took;
}

static void go(const struct post *p, int cause)
{
    flush(p);
    fay_sim_frame *down = fay_sim_frame_new(FAY_FLOW_WORKER_DOWN, p->link, p->number, 0);
    down->cause = cause;
    answer(p->crew, down);
    p->worker->state = FAY_SIM_GONE;
    p->worker->ending = false;
    p->worker->tasks_count = 0;
}

static void drop_task(fay_sim_worker *w, size_t index)
{
    w->tasks_count--;
    memmove(&w->tasks[index], &w->tasks[index + 1], (w->tasks_count - index) * sizeof *w->tasks);
}

/* Gives back what has not begun, in runs of tags; `chance`: how much of it. */
static void give_back(const struct post *p, double chance)
{
    fay_sim_worker *w = p->worker;
    fay_sim_frame *frame = NULL;
    for (size_t i = 0; i < w->tasks_count;) {
        const fay_sim_task *task = &w->tasks[i];
        if (task->begun || !fay_sim_chance(p->crew->world, chance)) {
            i++;
            continue;
        }
        if (frame != NULL && frame->tag + frame->count != task->tag) {
            answer(p->crew, frame);
            frame = NULL;
        }
        if (frame == NULL) {
            frame = fay_sim_frame_new(FAY_FLOW_GIVEN_BACK, p->link, p->number, 0);
            frame->tag = task->tag;
        }
        frame->count++;
        drop_task(w, i);
    }
    if (frame != NULL)
        answer(p->crew, frame);
}

static void ends_with(fay_sim_task *task, int cause)
{
    task->end = FAY_SIM_KILLS;
    task->cause = cause;
}

static void ends_by(fay_sim_task *task, int verdict)
{
    task->end = FAY_SIM_VERDICT;
    task->verdict = verdict;
}

static void draw_poisoned(fay_sim_task *task, uint32_t atom, bool verdicts)
{
    static const int causes[] = {FAY_FLOW_SIGNAL, FAY_FLOW_EXIT, FAY_FLOW_POISONED,
                                 FAY_FLOW_TIMEOUT};
    static const int kinds[] = {FAY_TRY_SIGNAL, FAY_TRY_EXIT, FAY_TRY_POISON, FAY_TRY_TIMEOUT,
                                FAY_TRY_BACK};
    if (verdicts && atom % 3 != 0) {
        ends_by(task, kinds[atom % FAY_COUNT(kinds)]);
    } else {
        ends_with(task, causes[atom % FAY_COUNT(causes)]);
    }
}

/* How this try will end, and when. */
static void draw_end(const struct post *p, fay_sim_task *task)
{
    fay_sim_faults *faults = p->crew->faults;
    bool verdicts = p->stage->mode == FAY_SIM_SOLO || p->stage->mode == FAY_SIM_TAGGED;
    uint32_t atom = p->crew->oracle->visits[task->visit].atom;
    bool slow = p->worker->slow && faults->rates[FAY_SIM_WORKER_SLOW] > 0; /* until faults stop */
    task->took = fay_sim_around(p->crew->world, p->stage->work) * (slow ? 100 : 1);
    if (p->crew->oracle->atoms[atom].poison) {
        draw_poisoned(task, atom, verdicts);
    } else if (p->stage->broken && verdicts) {
        ends_by(task, FAY_TRY_EXIT);
    } else if (p->stage->broken) {
        ends_with(task, FAY_FLOW_EXIT);
    } else if (fay_sim_hit(faults, FAY_SIM_WORKER_STUCK)) {
        task->took = p->stage->timeout;
        if (verdicts && fay_sim_chance(p->crew->world, 0.5)) {
            ends_by(task, FAY_TRY_TIMEOUT);
        } else {
            ends_with(task, FAY_FLOW_TIMEOUT);
        }
    } else if (fay_sim_hit(faults, FAY_SIM_WORKER_DIES)) {
        ends_with(task, fay_sim_chance(p->crew->world, 0.5) ? FAY_FLOW_EXIT : FAY_FLOW_SIGNAL);
    } else if (fay_sim_hit(faults, FAY_SIM_WORKER_BREAKS)) {
        ends_with(task, FAY_FLOW_POISONED);
    } else if (verdicts && fay_sim_hit(faults, FAY_SIM_VERDICT_FAIL)) {
        ends_by(task, (int)fay_sim_between(p->crew->world, FAY_TRY_EXIT, FAY_TRY_TIMEOUT));
    } else if (verdicts && fay_sim_hit(faults, FAY_SIM_VERDICT_RETRY)) {
        ends_by(task, FAY_TRY_AGAIN);
    } else if (verdicts && fay_sim_hit(faults, FAY_SIM_VERDICT_POISON)) {
        ends_by(task, FAY_TRY_POISON);
    }
}

/* Begins what may begin: one line or Item, one whole batch, several tagged Items. */
static void begin(const struct post *p)
{
    fay_sim_worker *w = p->worker;
    unsigned running = 0, most = p->stage->mode == FAY_SIM_TAGGED ? p->stage->concurrency : 1;
    uint32_t unit = w->tasks_count > 0 ? w->tasks[0].unit : 0;
    for (size_t i = 0; i < w->tasks_count; i++) {
        running += w->tasks[i].begun;
    }
    if (p->stage->mode == FAY_SIM_BATCH)
        most = running > 0 ? 0 : UINT32_MAX;
    for (size_t i = 0; i < w->tasks_count && running < most; i++) {
        fay_sim_task *task = &w->tasks[i];
        if (task->begun || (p->stage->mode == FAY_SIM_BATCH && task->unit != unit))
            continue;
        task->begun = true;
        running++;
        draw_end(p, task);
        fay_sim_world_push(p->crew->world, task->took,
                           (fay_sim_event){.kind = FAY_SIM_DONE,
                                           .link = p->link,
                                           .worker = p->number,
                                           .serial = w->serial,
                                           .value = task->tag});
    }
}

/* A batch is answered when the last of it is done. */
static void batch_done(const struct post *p)
{
    fay_sim_worker *w = p->worker;
    size_t count = 0;
    while (count < w->tasks_count && w->tasks[count].unit == w->tasks[0].unit) {
        if (w->tasks[count].begun)
            return;
        count++;
    }
    for (size_t i = 0; i < count; i++) {
        keep_answer(p, &w->tasks[i]);
    }
    flush(p);
    while (count-- > 0) {
        drop_task(w, 0);
    }
}

static void succeeded(const struct post *p, size_t index)
{
    fay_sim_worker *w = p->worker;
    fay_sim_task task = w->tasks[index];
    switch (p->stage->mode) {
    case FAY_SIM_BATCH:
        w->tasks[index].begun = false; /* done, and waits for its fellows */
        batch_done(p);
        return;
    case FAY_SIM_LINES:
        keep_answer(p, &task);
        if (w->tasks_count == 1 || fay_sim_chance(p->crew->world, 0.5))
            flush(p);
        break;
    case FAY_SIM_SOLO:
    case FAY_SIM_TAGGED:
        send_set(p, &task, fay_sim_oracle_try(p->crew->oracle, p->crew->world, task.visit));
        break;
    }
    drop_task(w, index);
}

static void go_on(const struct post *p)
{
    fay_sim_worker *w = p->worker;
    if (w->ending && p->stage->mode != FAY_SIM_LINES && p->stage->mode != FAY_SIM_BATCH)
        give_back(p, 1); /* lines are in the worker's pipe, a batch goes on as a whole */
    if (w->ending && w->tasks_count == 0) {
        go(p, FAY_FLOW_RETIRED);
    } else {
        begin(p);
    }
}

/* A try that fails when parts of its results are on their way: they must not count. */
static void fail_late(const struct post *p, const fay_sim_task *task)
{
    if (!fay_sim_chance(p->crew->world, p->crew->oracle->shape->parts))
        return;
    uint32_t try = fay_sim_oracle_try(p->crew->oracle, p->crew->world, task->visit);
    if (p->crew->oracle->tries[try].count > 0) {
        (void)send_parts(p, task->tag, try);
    } else {
        fay_sim_oracle_untry(p->crew->oracle, try);
    }
}

static void done(const struct post *p, uint64_t tag)
{
    fay_sim_worker *w = p->worker;
    size_t index = 0;
    while (index < w->tasks_count && w->tasks[index].tag != tag) {
        index++;
    }
    assert(index < w->tasks_count);
    fay_sim_task *task = &w->tasks[index];
    if (task->end != FAY_SIM_SUCCEEDS && p->stage->mode == FAY_SIM_TAGGED) {
        fail_late(p, task);
    }
    if (task->end == FAY_SIM_KILLS) {
        go(p, task->cause);
        return;
    }
    if (task->end == FAY_SIM_VERDICT) {
        fay_sim_frame *frame = fay_sim_frame_new(FAY_FLOW_VERDICT, p->link, p->number, 0);
        frame->tag = tag;
        frame->verdict = task->verdict;
        drop_task(w, index);
        answer(p->crew, frame);
    } else {
        succeeded(p, index);
        w->ending = w->ending || fay_sim_hit(p->crew->faults, FAY_SIM_WORKER_RECYCLED);
    }
    go_on(p);
}

/* ---- what comes from the owner --------------------------------------------------------------- */

static void spawned(const struct post *p)
{
    fay_sim_worker *w = p->worker;
    assert(w->state == FAY_SIM_GONE);
    w->state = FAY_SIM_BOOTS;
    w->serial = ++p->crew->serial;
    w->slow = fay_sim_hit(p->crew->faults, FAY_SIM_WORKER_SLOW);
    w->boots_ns = fay_sim_around(p->crew->world, p->stage->start);
    fay_sim_world_push(
        p->crew->world, w->boots_ns,
        (fay_sim_event){
            .kind = FAY_SIM_STARTED, .link = p->link, .worker = p->number, .serial = w->serial});
}

static void started(const struct post *p)
{
    fay_sim_worker *w = p->worker;
    if (fay_sim_hit(p->crew->faults, FAY_SIM_WORKER_WONT_START)) {
        go(p, FAY_FLOW_EXIT);
        return;
    }
    w->state = FAY_SIM_WORKS;
    fay_sim_frame *up = fay_sim_frame_new(FAY_FLOW_WORKER_UP, p->link, p->number, 0);
    up->ns = w->boots_ns;
    answer(p->crew, up);
}

static void leased(const struct post *p, const fay_sim_frame *frame)
{
    fay_sim_worker *w = p->worker;
    if (w->state != FAY_SIM_WORKS)
        return;
    if (w->ending) {
        fay_sim_frame *given = fay_sim_frame_new(FAY_FLOW_GIVEN_BACK, p->link, p->number, 0);
        given->tag = frame->tag;
        given->count = frame->items_count;
        answer(p->crew, given);
        return;
    }
    FAY_RESERVE(w->tasks, w->tasks_capacity, w->tasks_count + frame->items_count);
    uint32_t unit = ++p->instance->units;
    for (size_t i = 0; i < frame->items_count; i++) {
        w->tasks[w->tasks_count++] =
            (fay_sim_task){.tag = frame->tag + i, .visit = frame->items[i], .unit = unit};
    }
    begin(p);
}

static void received(const struct post *p, const fay_sim_frame *frame)
{
    switch (frame->kind) {
    case FAY_FLOW_SPAWN: spawned(p); break;
    case FAY_FLOW_LEASE: leased(p, frame); break;
    case FAY_FLOW_RECALL:
        if (p->worker->state == FAY_SIM_WORKS)
            give_back(p, 0.8);
        break;
    case FAY_FLOW_RETIRE:
        if (p->worker->state == FAY_SIM_GONE)
            break;
        if (p->worker->tasks_count > 0) {
            fay_sim_fail(p->crew->trace, "RETIRE reaches worker %u of link %u, which has %zu Items",
                         p->number, p->link, p->worker->tasks_count);
        }
        p->worker->ending = true;
        p->worker->serial += p->worker->state == FAY_SIM_BOOTS; /* it need not start any more */
        go_on(p);
        break;
    default: assert(false); /* no frame of the owner's */
    }
}

void fay_sim_crew_event(fay_sim_crew *crew, const fay_sim_event *event)
{
    const fay_sim_frame *frame = event->frame;
    struct post p = frame != NULL ? post_of(crew, frame->link, frame->worker)
                                  : post_of(crew, event->link, event->worker);
    if (!p.instance->alive)
        return;
    if (frame != NULL) {
        received(&p, frame);
        return;
    }
    if (p.worker->state == FAY_SIM_GONE || p.worker->serial != event->serial)
        return;
    if (event->kind == FAY_SIM_STARTED) {
        started(&p);
    } else {
        done(&p, event->value);
    }
}
