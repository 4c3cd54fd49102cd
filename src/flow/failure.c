/* SPDX-License-Identifier: MIT */
/*
 * LEASED -> back, DELAYED or DEAD.
 *
 *     a verdict names its Item: it counts                        attempt + 1
 *     a worker died with one Item in hand: it counts             attempt + 1
 *     a worker died with several: nobody knows whose fault it
 *       was, so all go back uncounted, as two halves that are
 *       leased alone; the halves halve until the culprit is one  uncounted
 *     a link died, an Item was given back, a worker retired      uncounted, at the head
 *     an Item was given back unasked, FAY_GIVE_BACKS_MAX times
 *       before                                                   attempt + 1
 *
 * And the circuit breaker: the first tries of a stage, until one goes well or fails in another way.
 *
 *     WATCHING --(20 have failed alike)--> PAUSED: nothing is begun, what is in workers may finish
 *        |                                    |-- GO_ON --> the stage is not watched any more
 *        '--(another outcome)--> no more      '-- ABORT --> the run ends
 *
 * It is for stages that have never worked. In a resumed run where Items came through before it is
 * off: what that run begins with are those that were left over, such as all that waited for their
 * next try, and they may well fail alike once more in every life.
 */
#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "flow/internal.h"

/* `note`, `signature` and kind of what went wrong, and whether it may be tried again at all. */
typedef struct failure {
    const uint8_t *note;
    size_t note_size;
    uint64_t signature;
    bool again;
} failure;

static bool is_watched(const fay_flow *flow, const fay_stage *stage)
{
    return flow->config.breaker && !stage->proven && !flow->aborted && !flow->failed;
}

static void pause_for(fay_flow *flow, fay_stage *stage, fay_batch *batch, size_t at,
                      const failure *why)
{
    flow->paused = stage;
    fay_flow_act_items(flow, FAY_FLOW_PAUSED, batch, at, 1);
    fay_flow_action *action = &flow->actions[flow->actions_count - 1];
    action->stage = stage->index;
    action->items = stage->alike;
    fay_flow_act_note(flow, action, why->note, why->note_size);
}

/* The first 20 Items of a stage all fail alike, and none has succeeded: something is wrong with the
 * stage, not with the Items. If that is seen while another stage has the flow paused, the next
 * failure after that tells it. */
static void watch_breaker(fay_flow *flow, fay_stage *stage, fay_batch *batch, size_t at,
                          const failure *why)
{
    if (!is_watched(flow, stage) || batch->entries[at].attempt > 1)
        return;
    if (stage->alike > 0 && stage->signature != why->signature) {
        stage->proven = true; /* they fail, but each in its own way */
        return;
    }
    stage->signature = why->signature;
    stage->alike++;
    if (stage->alike >= FAY_BREAKER_ITEMS && flow->paused == NULL)
        pause_for(flow, stage, batch, at, why);
}

void fay_flow_unwatch(fay_flow *flow)
{
    flow->config.breaker = false;
}

void fay_flow_go_on(fay_flow *flow, fay_ns now)
{
    if (flow->paused == NULL)
        return;
    flow->paused->proven = true;
    flow->paused = NULL;
    for (size_t i = 0; i < flow->stages_count; i++) {
        if (flow->stages[i].order != NULL)
            flow->stages[i].order->stuck_since = now; /* nobody was waited for meanwhile */
    }
}

bool fay_flow_watches(const fay_flow *flow, uint32_t link_id, uint16_t number, const uint64_t *tag,
                      const uint8_t **ret_item, size_t *ret_size)
{
    const fay_flow_link *link = fay_flow_find_link(flow, link_id);
    const fay_flow_worker *worker = link != NULL ? fay_flow_find_worker(link, number) : NULL;
    if (worker == NULL || !is_watched(flow, &flow->stages[link->stage]))
        return false;
    const fay_lease *lease = fay_leases_find(&worker->leases, tag);
    if (lease == NULL)
        return false;
    const fay_entry *item = &lease->batch->entries[lease->at + (tag ? *tag - lease->tag : 0)];
    *ret_item = lease->batch->bytes + item->at;
    *ret_size = item->size;
    return item->attempt == 0;
}

static void watch_limits(fay_flow *flow, fay_stage *stage, const failure *why)
{
    uint64_t failed = flow->totals.dead;
    for (size_t i = 0; i < flow->stages_count; i++) {
        failed += flow->stages[i].stats.dropped;
    }
    uint64_t max = flow->config.failures_max;
    double percent = flow->config.failures_percent;
    double finished = (double)flow->finished + 1;
    bool many = max > 0 && failed > max;
    bool often = percent > 0 && finished >= 20 && (double)failed * 100 > percent * finished;
    if (many || often)
        fay_flow_act_fail(flow, FAY_FAIL_LIMIT, stage->index, why->note, why->note_size);
}

/* The Item has failed for good. */
static void die(fay_flow *flow, fay_ns now, fay_stage *stage, fay_batch *batch, size_t at,
                const failure *why)
{
    const fay_entry item = batch->entries[at];
    if (stage->config.on_error == FAY_ON_ERROR_STOP) {
        fay_queue_push_head(&stage->queue, now, batch, at, 1, false);
        fay_flow_act_fail(flow, FAY_FAIL_ON_ERROR, stage->index, why->note, why->note_size);
        return;
    }
    if (stage->config.on_error == FAY_ON_ERROR_DROP) {
        stage->stats.dropped++;
    } else {
        stage->stats.dead++;
        fay_flow_letter(flow, stage, batch, at, why->note, why->note_size);
    }
    fay_pieces none;
    TAILQ_INIT(&none);
    fay_flow_finish(flow, stage, now, &item, &none);
    watch_limits(flow, stage, why);
}

void fay_flow_refuse(fay_flow *flow, fay_ns now, fay_stage *stage, fay_batch *batch, size_t at)
{
    const failure why = {0};
    if (batch->entries[at].attempt < UINT16_MAX)
        batch->entries[at].attempt++;
    die(flow, now, stage, batch, at, &why);
}

static fay_ns backoff(fay_flow *flow, const fay_stage *stage, unsigned attempt)
{
    const fay_flow_stage *config = &stage->config;
    double wait = (double)config->backoff_initial * pow(config->backoff_factor, attempt - 1.0);
    wait = fmin(wait, (double)config->backoff_max);
    double jitter = (2 * fay_prng_unit(&flow->prng) - 1) * config->backoff_jitter;
    return (fay_ns)(wait * (1 + jitter));
}

/* One try of one Item has failed. Takes the lease's Item at `at`. */
static void fail(fay_flow *flow, fay_ns now, fay_stage *stage, fay_batch *batch, size_t at,
                 const failure *why)
{
    fay_entry *item = &batch->entries[at];
    if (item->attempt < UINT16_MAX)
        item->attempt++;
    watch_breaker(flow, stage, batch, at, why);
    if (!why->again || item->attempt > stage->config.retries) {
        die(flow, now, stage, batch, at, why);
        return;
    }
    stage->stats.retried++;
    stage->delayed++;
    fay_batch *alone = fay_batch_new();
    (void)fay_batch_copy(alone, batch, at);
    fay_delays_add(&flow->delays, now + backoff(flow, stage, item->attempt), stage->index, alone);
}

static void back_to_head(fay_flow *flow, fay_ns now, fay_stage *stage, fay_lease lease)
{
    fay_flow_unreserve(flow, stage, lease.count);
    fay_queue_push_head(&stage->queue, now, lease.batch, lease.at, lease.count, false);
    fay_batch_unref(lease.batch);
}

bool fay_flow_may_retry(unsigned retry_on, fay_flow_try how)
{
    switch (how) {
    case FAY_TRY_EXIT: return (retry_on & FAY_RETRY_ON_EXIT) != 0;
    case FAY_TRY_SIGNAL: return (retry_on & FAY_RETRY_ON_SIGNAL) != 0;
    case FAY_TRY_TIMEOUT: return (retry_on & FAY_RETRY_ON_TIMEOUT) != 0;
    case FAY_TRY_AGAIN:
    case FAY_TRY_BACK: return true;
    case FAY_TRY_POISON: break;
    }
    return false;
}

int fay_flow_verdict(fay_flow *flow, fay_ns now, fay_flow_worker *worker,
                     const fay_flow_event *event)
{
    if (!fay_leases_cover(&worker->leases, event->tag, 1))
        return FAY_E_PEER;
    fay_stage *stage = &flow->stages[worker->link->stage];
    if (!TAILQ_EMPTY(&worker->parts) && worker->parts_tag == event->tag)
        fay_flow_drop_parts(flow, worker);
    fay_lease lease = fay_leases_take(&worker->leases, event->tag, 1);
    fay_entry *item = &lease.batch->entries[lease.at];
    if (event->verdict == FAY_TRY_BACK && item->backs < FAY_GIVE_BACKS_MAX) {
        item->backs++;
        back_to_head(flow, now, stage, lease);
    } else {
        failure why = {.note = event->note,
                       .note_size = event->note_size,
                       .signature = event->signature,
                       .again = fay_flow_may_retry(stage->config.retry_on, event->verdict)};
        stage->crashes = 0;
        fay_flow_unreserve(flow, stage, 1);
        fail(flow, now, stage, lease.batch, lease.at, &why);
        fay_batch_unref(lease.batch);
    }
    fay_flow_worker_idle(flow, worker, now);
    return 0;
}

int fay_flow_given_back(fay_flow *flow, fay_ns now, fay_flow_worker *worker,
                        const fay_flow_event *event)
{
    if (event->count == 0 || !fay_leases_cover(&worker->leases, event->tag, event->count))
        return FAY_E_PEER;
    fay_stage *stage = &flow->stages[worker->link->stage];
    /* From the end, so that the head of the queue is the first of them. */
    uint64_t left = event->count;
    while (left > 0) {
        uint64_t tag = event->tag + left - 1;
        fay_lease lease = fay_leases_take(&worker->leases, tag, 1);
        back_to_head(flow, now, stage, lease);
        left--;
    }
    /* It may be about to go: nothing is sent ahead before it has answered the rest. */
    worker->recalled = worker->leases.items > 0;
    fay_flow_worker_idle(flow, worker, now);
    return 0;
}

static const fay_lease *last_lease(const fay_leases *leases)
{
    return &leases->list[leases->first + leases->count - 1];
}

/* All that the worker holds, back to the head in its order. */
static void all_back(fay_flow *flow, fay_ns now, fay_stage *stage, fay_flow_worker *worker)
{
    while (worker->leases.items > 0) {
        const fay_lease *last = last_lease(&worker->leases);
        back_to_head(flow, now, stage, fay_leases_take(&worker->leases, last->tag, last->count));
    }
}

/* Leases that crossed its end on their way: no fault of theirs, nor of the worker. */
static void unseen_back(fay_flow *flow, fay_ns now, fay_stage *stage, fay_flow_worker *worker,
                        uint64_t seen)
{
    while (worker->leases.items > 0) {
        const fay_lease *last = last_lease(&worker->leases);
        if (last->tag + last->count <= seen)
            return;
        uint64_t from = FAY_MAX(last->tag, seen);
        uint64_t count = last->tag + last->count - from;
        back_to_head(flow, now, stage, fay_leases_take(&worker->leases, from, count));
    }
}

/* Several were in hand: two halves, each to be leased alone. */
static void halve(fay_flow *flow, fay_ns now, fay_stage *stage, fay_flow_worker *worker)
{
    FAY_CLEANUP(fay_batch_unrefp) fay_batch *suspects = fay_batch_new();
    while (worker->leases.items > 0) {
        const fay_lease *first = &worker->leases.list[worker->leases.first];
        fay_lease lease = fay_leases_take(&worker->leases, first->tag, first->count);
        for (size_t i = lease.at; i < lease.at + lease.count; i++) {
            (void)fay_batch_copy(suspects, lease.batch, i);
        }
        fay_flow_unreserve(flow, stage, lease.count);
        fay_batch_unref(lease.batch);
    }
    size_t half = (suspects->count + 1) / 2;
    fay_queue_push_head(&stage->queue, now, suspects, half, suspects->count - half, true);
    fay_queue_push_head(&stage->queue, now, suspects, 0, half, true);
}

/*
 * Workers or Instances that die again and again without a result: the run cannot go on. A death
 * counts where a result could have come (BUSY), or where none has ever come: IDLE ones that are
 * killed prove nothing. It is FRUITLESS if Items had been leased to the worker and none has reached
 * it: no attempt is counted then, so that nothing else ends this, however far apart they die.
 */
typedef enum death {
    IDLE,
    BUSY,
    FRUITLESS
} death;

static void watch_crashes(fay_flow *flow, fay_ns now, fay_stage *stage, death how,
                          const fay_flow_event *event)
{
    if (how == IDLE && stage->proven) {
        stage->spawn_after = now + 50 * FAY_MS;
        return;
    }
    bool late = how != FRUITLESS && now - stage->crashed_at > 10 * FAY_SECOND;
    if (stage->crashes == 0 || late) {
        stage->crashes = 0;
        stage->crashed_at = now;
    }
    if (++stage->crashes >= FAY_CRASHES_MAX) {
        fay_flow_act_fail(flow, FAY_FAIL_CRASHLOOP, stage->index, event->note, event->note_size);
        return;
    }
    /* The first two are replaced at once: a result soon tells whether it was chance. */
    stage->spawn_after = stage->crashes > 2 ? now + ((fay_ns)50 * FAY_MS << stage->crashes) : 0;
}

static void one_dies(fay_flow *flow, fay_ns now, fay_stage *stage, fay_flow_worker *worker,
                     const fay_flow_event *event)
{
    static const fay_flow_try verdicts[] = {[FAY_FLOW_EXIT] = FAY_TRY_EXIT,
                                            [FAY_FLOW_SIGNAL] = FAY_TRY_SIGNAL,
                                            [FAY_FLOW_TIMEOUT] = FAY_TRY_TIMEOUT,
                                            [FAY_FLOW_POISONED] = FAY_TRY_AGAIN};
    const fay_lease *first = &worker->leases.list[worker->leases.first];
    fay_lease lease = fay_leases_take(&worker->leases, first->tag, 1);
    failure why = {.note = event->note,
                   .note_size = event->note_size,
                   .signature = event->signature,
                   .again = fay_flow_may_retry(stage->config.retry_on, verdicts[event->cause])};
    fay_flow_unreserve(flow, stage, 1);
    fail(flow, now, stage, lease.batch, lease.at, &why);
    fay_batch_unref(lease.batch);
}

void fay_flow_worker_down(fay_flow *flow, fay_ns now, fay_flow_worker *worker,
                          const fay_flow_event *event)
{
    fay_stage *stage = &flow->stages[worker->link->stage];
    uint64_t held = worker->leases.items;
    fay_flow_drop_parts(flow, worker);
    if (event->ok)
        unseen_back(flow, now, stage, worker, event->tag);
    if (event->cause == FAY_FLOW_RETIRED || flow->aborted) {
        all_back(flow, now, stage, worker);
    } else if (worker->leases.items == 0) {
        death idle_or_busy = stage->queue.items > 0 ? BUSY : IDLE;
        watch_crashes(flow, now, stage, held > 0 ? FRUITLESS : idle_or_busy, event);
    } else if (worker->leases.items == 1) {
        one_dies(flow, now, stage, worker, event);
    } else {
        halve(flow, now, stage, worker);
    }
    fay_flow_worker_remove(flow, worker);
}

void fay_flow_link_down(fay_flow *flow, fay_ns now, fay_flow_link *link,
                        const fay_flow_event *event)
{
    fay_stage *stage = &flow->stages[link->stage];
    bool busy = stage->leased > 0 || stage->queue.items > 0;
    for (size_t number = link->workers_count; number-- > 0;) {
        fay_flow_worker *worker = link->workers[number];
        if (worker == NULL)
            continue;
        fay_flow_drop_parts(flow, worker);
        all_back(flow, now, stage, worker);
        fay_flow_worker_remove(flow, worker);
    }
    fay_flow_link_remove(flow, link);
    if (!flow->aborted && !flow->done)
        watch_crashes(flow, now, stage, busy ? BUSY : IDLE, event);
}
