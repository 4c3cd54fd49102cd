/* SPDX-License-Identifier: MIT */
#include "sim/audit.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    LEASE_LARGE = 20
};

static uint64_t possible(const fay_sim_book *book, size_t stage)
{
    return fay_router_possible(book->oracle->shape->router, stage);
}

/* All from which an Item may come to `stage`, itself included. */
static uint64_t upstream(const fay_sim_book *book, size_t stage)
{
    uint64_t found = UINT64_C(1) << stage;
    for (size_t from = stage; from-- > 0;) { /* stages are numbered downstream */
        if ((possible(book, from) & found) != 0)
            found |= UINT64_C(1) << from;
    }
    return found;
}

static bool before(const fay_sim_book *book, uint32_t a, uint32_t b)
{
    const fay_sim_visit *v = &book->oracle->visits[a], *w = &book->oracle->visits[b];
    uint32_t a_root = book->oracle->atoms[v->atom].root, b_root = book->oracle->atoms[w->atom].root;
    return a_root != b_root ? a_root < b_root : fay_path_compare(&v->path, &w->path) < 0;
}

/* Whether it is the least unfinished path before some ordered stage: that may always be leased. */
static bool is_least(const fay_sim_book *book, uint32_t visit)
{
    for (size_t exit = 0; exit < book->oracle->shape->count; exit++) {
        uint64_t stages = upstream(book, exit);
        bool least = book->oracle->shape->flow_stages[exit].ordered &&
                     (stages >> book->oracle->visits[visit].stage & 1) != 0;
        for (uint32_t i = 0; least && i < book->stays_count; i++) {
            const fay_sim_stay *s = &book->stays[i];
            bool there = s->life == book->life && s->place != FAY_SIM_FINISHED;
            least = !there || (stages >> book->oracle->visits[i].stage & 1) == 0 ||
                    !before(book, i, visit);
        }
        if (least)
            return true;
    }
    return false;
}

/* The leases of this step whose stage is in `stages`: is there one that needed room, and how many
 * Items did the others take that need none (the least path; suspects, leased whole and alone)? */
static bool needed_room(const fay_sim_book *book, uint64_t stages, uint64_t *ret_exempt)
{
    bool needed = false;
    *ret_exempt = 0;
    for (size_t i = 0; i < book->grants_count; i++) {
        const fay_sim_grant *grant = &book->grants[i];
        if ((stages >> grant->stage & 1) == 0)
            continue;
        if (grant->only || (grant->count == 1 && is_least(book, grant->visit))) {
            *ret_exempt += grant->count;
        } else {
            needed = true;
        }
    }
    return needed;
}

/* Places taken where the children of these stages go: if a lease needed one, there was one. */
static void check_room(const fay_sim_book *book, const char *what, uint64_t stages, uint64_t taken,
                       uint64_t limit)
{
    uint64_t exempt;
    if (taken > limit && needed_room(book, stages, &exempt) && taken > limit + exempt) {
        fay_sim_fail(book->trace,
                     "leased without room: %" PRIu64 " places of %" PRIu64 " are taken in the %s",
                     taken, limit, what);
    }
}

static void check_rooms(const fay_sim_book *book, const fay_flow_stats *stats)
{
    const fay_sim_shape *shape = book->oracle->shape;
    uint64_t into[FAY_SIM_STAGES_MAX + 1] = {0}, leased[FAY_SIM_STAGES_MAX + 1] = {0};
    for (size_t i = 0; i < shape->count; i++) {
        uint64_t targets = possible(book, i);
        for (size_t to = 0; to <= shape->count; to++) {
            if ((targets >> (to < shape->count ? to : 63) & 1) == 0)
                continue;
            into[to] |= UINT64_C(1) << i;
            leased[to] += stats[i].leased;
        }
    }
    for (size_t i = 0; i < shape->count; i++) {
        char what[40];
        (void)snprintf(what, sizeof what, "queue of stage %zu", i);
        check_room(book, what, into[i], stats[i].queued + leased[i], stats[i].queue_limit);
        if (shape->flow_stages[i].ordered) {
            check_room(book, "reorder window", UINT64_C(1) << i, stats[i].held + stats[i].leased,
                       shape->flow_stages[i].reorder_items);
        }
    }
    if (shape->config.sink_items > 0) {
        check_room(book, "sink", into[shape->count], book->unwritten + leased[shape->count],
                   shape->config.sink_items);
    }
}

/* `rate`: a burst of 50 ms of it, and one lease that is larger than what is left. */
static void check_rate(const fay_sim_book *book, size_t stage, fay_ns now)
{
    double rate = book->oracle->shape->flow_stages[stage].rate;
    double seconds = (double)(now - book->begun) / 1e9;
    double most = rate * (seconds + 0.05) + LEASE_LARGE;
    if (rate > 0 && (double)book->tallies[stage].granted > most) {
        fay_sim_fail(book->trace, "stage %zu: %" PRIu64 " leases in %.3f s, its rate is %g", stage,
                     book->tallies[stage].granted, seconds, rate);
    }
}

/* Whoever is asked to go has nothing in hand, and is given nothing any more. */
static void check_retiring(const fay_sim_book *book)
{
    for (uint32_t number = 1; number < book->links_count; number++) {
        const fay_sim_link *link = &book->links[number];
        for (uint16_t i = 0; link->up && i < FAY_SIM_WORKERS_MAX; i++) {
            const fay_sim_post *post = &link->posts[i];
            if (post->retiring && post->held > 0) {
                fay_sim_fail(book->trace,
                             "worker %u of link %u is to retire and has %" PRIu64 " Items", i,
                             number, post->held);
            }
        }
    }
}

void fay_sim_audit_lull(const fay_sim_book *book, const fay_flow *flow, fay_ns now)
{
    for (size_t i = 0; i < book->oracle->shape->count; i++) {
        if (book->tallies[i].waiting + book->tallies[i].leased > 0)
            return;
    }
    for (size_t i = 0; i < book->oracle->shape->count; i++) {
        fay_flow_stats stats;
        fay_flow_stage_stats(flow, now, i, &stats);
        unsigned count = stats.workers + stats.starting + stats.retiring;
        unsigned least = book->tallies[i].min;
        if (count != least) {
            fay_sim_fail(book->trace, "stage %zu: %u workers after a long rest, not the least, %u",
                         i, count, least);
        }
    }
}

void fay_sim_audit(fay_sim_book *book, const fay_flow *flow, fay_ns now)
{
    fay_flow_totals totals;
    fay_flow_stats stats[FAY_SIM_STAGES_MAX];
    uint64_t waiting = 0, queued = 0, held = 0;
    bool ordered = false;
    fay_flow_total(flow, &totals);
    for (size_t i = 0; i < book->oracle->shape->count; i++) {
        fay_flow_stage_stats(flow, now, i, &stats[i]);
        waiting += book->tallies[i].waiting;
        queued += stats[i].queued + stats[i].delayed;
        held += stats[i].held;
        book->tallies[i].retired = 0;
        ordered = ordered || book->oracle->shape->flow_stages[i].ordered;
        if (stats[i].leased != book->tallies[i].leased) {
            fay_sim_fail(book->trace, "stage %zu says %" PRIu64 " leased, %" PRIu64 " are", i,
                         stats[i].leased, book->tallies[i].leased);
        }
    }
    for (size_t i = 0; i < book->oracle->shape->count; i++) {
        check_rate(book, i, now);
    }
    check_retiring(book);
    if (totals.not_begun == 0) /* a drain does not say which roots it forgets, so which is least */
        check_rooms(book, stats);
    book->grants_count = 0;
    /* Results that an ordered stage holds are finished here, and one Item each there. Where order
     * and a journal meet, roots wait also for those of a batch before them. A root that a drain
     * forgets waits with its one Item. */
    uint64_t open = fay_sim_book_open(book) - totals.not_begun;
    waiting -= totals.not_begun;
    bool more = held > 0 || (ordered && book->oracle->shape->config.journal);
    if (more ? totals.open < open : totals.open != open) {
        fay_sim_fail(book->trace, "the flow says %" PRIu64 " open roots, %" PRIu64 " are",
                     totals.open, open);
    }
    if (held > 0 ? queued > waiting : queued != waiting) {
        fay_sim_fail(book->trace, "the flow says %" PRIu64 " Items wait, %" PRIu64 " do", queued,
                     waiting);
    }
}
