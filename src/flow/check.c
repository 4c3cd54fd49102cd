/* SPDX-License-Identifier: MIT */
/*
 * The invariants that the flow can see of itself, by walking everything: each unfinished Item is in
 * exactly one place, and every count equals what it counts. What needs a second book-keeping - the
 * bounds of queues and windows, attempts, lineage, order - is the simulator's (sim/book.c,
 * audit.c).
 */
#include <assert.h>
#include <stdlib.h>

#include "flow/internal.h"

typedef struct tally { /* Items found of one root */
    uint64_t root, found;
    UT_hash_handle hh;
} tally;

/* NOLINTBEGIN(readability-function-size,clang-analyzer-unix.Malloc): of uthash */
static tally *tally_of(tally **tallies, uint64_t root)
{
    tally *t;
    HASH_FIND(hh, *tallies, &root, sizeof root, t);
    return t;
}

static tally *tally_new(tally **tallies, uint64_t root)
{
    tally *t = fay_alloc(sizeof *t);
    t->root = root;
    HASH_ADD(hh, *tallies, root, sizeof t->root, t);
    return t;
}

static void tallies_free(tally **tallies)
{
    while (*tallies != NULL) {
        tally *first = *tallies;
        HASH_DEL(*tallies, first);
        free(first);
    }
}
/* NOLINTEND(readability-function-size,clang-analyzer-unix.Malloc) */

static void count(tally **tallies, uint64_t root, uint64_t items)
{
    tally *t = tally_of(tallies, root);
    if (t == NULL)
        t = tally_new(tallies, root);
    t->found += items;
}

static void check_queue(const fay_stage *stage, tally **tallies)
{
    const fay_queue *queue = &stage->queue;
    uint64_t items = 0;
    uint64_t bytes = 0;
    const fay_segment *segment;
    TAILQ_FOREACH (segment, &queue->segments, link) {
        assert(segment->count > 0);
        items += segment->count;
        if (segment->spool != NULL) {
            assert(segment->spool->refs > 0 && segment->batch == NULL);
            count(tallies, segment->root, segment->count);
            continue;
        }
        bytes += fay_batch_weight(segment->batch, segment->at, segment->count);
        for (size_t i = segment->at; i < segment->at + segment->count; i++) {
            count(tallies, segment->batch->entries[i].root, 1);
        }
    }
    assert(items == queue->items && bytes == queue->bytes);
}

static uint64_t check_leases(const fay_flow *flow, const fay_flow_worker *worker, tally **tallies)
{
    uint64_t items = 0;
    assert(fay_flow_find_link(flow, worker->link->id) == worker->link);
    assert(worker->link->workers[worker->number] == worker);
    for (size_t i = 0; i < worker->leases.count; i++) {
        const fay_lease *lease = &worker->leases.list[worker->leases.first + i];
        items += lease->count;
        assert(lease->count > 0 && lease->tag + lease->count <= worker->link->next_tag);
        for (size_t k = lease->at; k < lease->at + lease->count; k++) {
            count(tallies, lease->batch->entries[k].root, 1);
        }
    }
    assert(items == worker->leases.items);
    assert(!worker->idle || (items == 0 && worker->state == FAY_WORKER_LIVE));
    assert(worker->state != FAY_WORKER_RETIRING || items == 0);
    return items;
}

typedef struct held_walk {
    tally **tallies;
    uint64_t held;
} held_walk;

static void count_held(void *context, uint64_t root)
{
    held_walk *walk = context;
    walk->held++;
    count(walk->tallies, root, 1);
}

static void check_stage(const fay_flow *flow, fay_stage *stage, tally **tallies)
{
    uint64_t leased = 0;
    unsigned states[3] = {0};
    unsigned idle = 0;
    check_queue(stage, tallies);
    const fay_flow_worker *worker;
    TAILQ_FOREACH (worker, &stage->workers, stage_link) {
        leased += check_leases(flow, worker, tallies);
        states[worker->state]++;
        idle += worker->idle;
    }
    assert(leased == stage->leased && idle == stage->idle_count);
    assert(states[FAY_WORKER_STARTING] == stage->starting);
    assert(states[FAY_WORKER_LIVE] == stage->live);
    assert(states[FAY_WORKER_RETIRING] == stage->retiring);
    if (stage->order == NULL)
        return;
    held_walk walk = {.tallies = tallies};
    fay_order_each_held(stage->order, count_held, &walk);
    assert(walk.held == stage->order->held_items);
}

/* Reserved places are those of what is leased upstream. */
static void check_reserved(const fay_flow *flow)
{
    uint64_t sink = 0;
    uint64_t reserved[FAY_TARGETS] = {0};
    for (size_t i = 0; i < flow->stages_count; i++) {
        FAY_EACH_BIT(bit, flow->stages[i].possible & ~FAY_TARGET_SINK)
        {
            reserved[bit] += flow->stages[i].leased;
        }
        if ((flow->stages[i].possible & FAY_TARGET_SINK) != 0)
            sink += flow->stages[i].leased;
    }
    for (size_t i = 0; i < flow->stages_count; i++) {
        assert(flow->stages[i].queue.reserved == reserved[i]);
    }
    assert(flow->sink_reserved == sink);
}

static bool is_member(const fay_roots *roots, uint64_t number, const fay_group *group)
{
    uint64_t key = number / FAY_PAGE_ROOTS;
    const fay_page *page = roots->pages;
    while (page != NULL && page->number != key) {
        page = page->hh.next;
    }
    return page != NULL && page->roots[number % FAY_PAGE_ROOTS].group == group;
}

/* Once for each group: all in its list are in it, and somebody is waited for. */
static void check_group(const fay_flow *flow, uint64_t number, const fay_group *group,
                        tally **tallies)
{
    size_t unfinished = 0;
    if (group->list[0] != number)
        return;
    for (size_t i = 0; i < group->count; i++) {
        assert(is_member(&flow->roots, group->list[i], group));
        unfinished += tally_of(tallies, group->list[i]) != NULL;
    }
    assert(unfinished == group->unfinished && unfinished > 0);
}

/* Each root's count is what was found of it, and no more roots were found than are open. */
static void check_roots(const fay_flow *flow, tally **tallies)
{
    uint64_t open = 0;
    uint64_t waiting = 0;
    for (const fay_page *page = flow->roots.pages; page != NULL; page = page->hh.next) {
        for (size_t i = 0; i < FAY_PAGE_ROOTS; i++) {
            uint64_t number = page->number * FAY_PAGE_ROOTS + i;
            const tally *t = tally_of(tallies, number);
            assert((t != NULL ? t->found : 0) == page->roots[i].open);
            const fay_root *root = &page->roots[i];
            bool waits = root->open == 0 && root->group != NULL;
            assert((root->open == 0 && !waits) || !fay_flow_is_acked(flow, number));
            open += root->open > 0;
            waiting += waits;
            if (root->group != NULL)
                check_group(flow, number, root->group, tallies);
        }
    }
    assert(open + waiting == flow->roots.open && waiting == flow->roots.waiting);
    assert(open == HASH_COUNT(*tallies));
}

void fay_flow_check(const fay_flow *flow)
{
    tally *tallies = NULL;
    for (size_t i = 0; i < flow->stages_count; i++) {
        check_stage(flow, &flow->stages[i], &tallies);
    }
    for (size_t i = 0; i < flow->delays.count; i++) {
        count(&tallies, flow->delays.heap[i].batch->entries[0].root, 1);
    }
    check_reserved(flow);
    check_roots(flow, &tallies);
    tallies_free(&tallies);
    const fay_ranges *acked = &flow->commit.acked;
    for (size_t i = 1; i < acked->count; i++) {
        assert(acked->list[i - 1].to < acked->list[i].from);
    }
}
