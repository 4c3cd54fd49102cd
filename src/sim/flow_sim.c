/* SPDX-License-Identifier: MIT */
#include "sim/flow_sim.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/owner.h"

enum {
    FAULTY_WAKES = 1500, /* and so many more for each source Item: */
    FAULTY_WAKES_PER_ITEM = 20,
    WAKES_MAX = 400000, /* a run that has not ended by then does not end */
    WAKES_WITHOUT_TIME = 5000,
    LIVES_MAX = 12,  /* a run that fails that often is left as it is */
    LEASE_MS = 3500, /* silence after which the owner closes a link */
};

typedef struct run {
    fay_sim_trace *trace;
    fay_sim_world world;
    fay_sim_faults faults;
    fay_sim_shape shape;
    fay_sim_oracle oracle;
    fay_sim_book book;
    fay_sim_crew crew;
    fay_sim_store store;
    fay_sim_owner owner;
    uint64_t wakes, wakes_now;
    bool calm; /* faults have stopped */
} run;

static void init(run *r, fay_sim_trace *trace)
{
    r->trace = trace;
    fay_sim_world_init(&r->world, trace->seed);
    trace->now = &r->world.now;
    fay_sim_faults_draw(&r->faults, &r->world);
    fay_sim_shape_draw(&r->shape, &r->world);
    fay_sim_oracle_init(&r->oracle, &r->shape, &r->faults, trace);
    fay_sim_book_init(&r->book, &r->oracle, trace);
    fay_sim_crew_init(&r->crew, &r->world, &r->faults, &r->oracle);
    fay_sim_store_init(&r->store, &r->world, &r->faults, &r->book);
    r->owner = (fay_sim_owner){.world = &r->world,
                               .faults = &r->faults,
                               .shape = &r->shape,
                               .oracle = &r->oracle,
                               .crew = &r->crew,
                               .trace = trace,
                               .book = &r->book,
                               .store = &r->store,
                               .spools = {.oracle = &r->oracle}};
}

static void deinit(run *r)
{
    fay_sim_spools_deinit(&r->owner.spools);
    fay_sim_store_deinit(&r->store);
    fay_sim_crew_deinit(&r->crew);
    fay_sim_book_deinit(&r->book);
    fay_sim_oracle_deinit(&r->oracle);
    fay_sim_shape_deinit(&r->shape);
    fay_sim_world_deinit(&r->world);
    r->trace->now = NULL;
}

static void describe(const run *r)
{
    char text[512];
    fay_sim_shape_text(&r->shape, text, sizeof text);
    fay_sim_say(r->trace, "shape", "%s", text);
    for (size_t i = 0; i < r->shape.count; i++) {
        const fay_flow_stage *s = &r->shape.flow_stages[i];
        fay_sim_say(r->trace, "shape",
                    "stage %zu: queue %" PRIu64 " reorder %" PRIu64 " retries %" PRIu64
                    " on_error %d batch %" PRIu64 " prefetch %" PRIu64 " workers %u..%u rate %g",
                    i, s->queue_items, s->ordered ? s->reorder_items : 0, s->retries,
                    (int)s->on_error, s->batch_items, s->prefetch, s->workers_min, s->workers_max,
                    s->rate);
    }
    fay_sim_say(r->trace, "shape", "bursts of %" PRIu64 ", pauses of %" PRIu64 " ms",
                r->shape.burst, r->shape.pause / FAY_MS);
    fay_sim_say(r->trace, "shape", "%" PRIu64 " Items, journal %d, held %" PRIu64 ", sink %" PRIu64,
                r->shape.items, r->shape.config.journal, r->shape.config.held_bytes,
                r->shape.config.sink_items);
    for (int i = 0; i < FAY_SIM_FAULTS_COUNT; i++) {
        if (r->faults.rates[i] > 0) {
            fay_sim_say(r->trace, "fault", "%-16s %.4f", fay_sim_fault_name((fay_sim_fault)i),
                        r->faults.rates[i]);
        }
    }
}

/* What stands where, for a run that does not end. */
static void print_state(const run *r)
{
    const fay_sim_owner *owner = &r->owner;
    fay_flow_totals totals;
    fay_flow_total(owner->flow, &totals);
    (void)printf("  open %" PRIu64 ", acked %" PRIu64 ", read %" PRIu64 " of %" PRIu64
                 ", ended %d, drained %d, aborted %d\n",
                 totals.open, totals.acked, owner->next_root, r->shape.items, owner->ended,
                 owner->drained, owner->aborted);
    for (size_t i = 0; i < r->shape.count; i++) {
        fay_flow_stats s;
        fay_flow_stage_stats(owner->flow, r->world.now, i, &s);
        (void)printf("  stage %zu: queued %" PRIu64 " of %" PRIu64 ", leased %" PRIu64
                     ", delayed %" PRIu64 ", held %" PRIu64
                     ", workers %u starting %u idle %u retiring %u target %u %s\n",
                     i, s.queued, s.queue_limit, s.leased, s.delayed, s.held, s.workers, s.starting,
                     s.idle, s.retiring, s.target, fay_held_name(s.held_by));
    }
}

/* ---- faults ---------------------------------------------------------------------------------- */

/* A link that is up, of all of them the same chance; 0 = none. */
static uint32_t some_link(run *r)
{
    uint32_t found = 0;
    uint64_t seen = 0;
    for (uint32_t link = 1; link < r->book.links_count; link++) {
        if (r->book.links[link].up && r->crew.instances[link]->alive &&
            fay_sim_below(&r->world, ++seen) == 0)
            found = link;
    }
    return found;
}

static void hurt_links(run *r)
{
    uint32_t link;
    if (fay_sim_hit(&r->faults, FAY_SIM_LINK_DIES) && (link = some_link(r)) != 0) {
        fay_sim_say(r->trace, "fault", "the Instance of link %u dies", link);
        fay_sim_crew_kill(&r->crew, link);
        fay_sim_world_push(&r->world, fay_sim_around(&r->world, r->shape.latency),
                           (fay_sim_event){.kind = FAY_SIM_LINK_LOST, .link = link});
    }
    if (fay_sim_hit(&r->faults, FAY_SIM_LINK_STALLS) && (link = some_link(r)) != 0) {
        fay_ns time = fay_sim_around(&r->world, FAY_SECOND);
        fay_sim_say(r->trace, "fault", "link %u stalls for %" PRIu64 " ms", link, time / FAY_MS);
        fay_sim_crew_stall(&r->crew, link, time);
        if (time > LEASE_MS * FAY_MS) {
            fay_sim_world_push(&r->world, LEASE_MS * FAY_MS,
                               (fay_sim_event){.kind = FAY_SIM_LINK_LOST, .link = link});
        }
    }
    if (fay_sim_hit(&r->faults, FAY_SIM_LINK_GARBAGE) && (link = some_link(r)) != 0)
        fay_sim_crew_garble(&r->crew, link);
}

static void meddle(run *r)
{
    if (r->owner.done)
        return;
    if (fay_sim_hit(&r->faults, FAY_SIM_SCALED))
        fay_sim_owner_scale(&r->owner);
    if (fay_sim_hit(&r->faults, FAY_SIM_MEASURED))
        fay_sim_owner_machine(&r->owner);
    if (!r->owner.drained && fay_sim_hit(&r->faults, FAY_SIM_DRAINED))
        fay_sim_owner_drain(&r->owner);
    if (fay_sim_hit(&r->faults, FAY_SIM_ABORTED))
        fay_sim_owner_abort(&r->owner);
}

static bool owner_dies(run *r)
{
    return fay_sim_hit(&r->faults, FAY_SIM_OWNER_DIES) ||
           (r->store.record_under_way && fay_sim_hit(&r->faults, FAY_SIM_RECORD_CUT));
}

/* ---- time ------------------------------------------------------------------------------------ */

static void advance(run *r)
{
    fay_ns next = FAY_MIN(fay_sim_world_next(&r->world), fay_flow_deadline(r->owner.flow));
    next = r->owner.fed ? r->world.now : next;
    if (next == FAY_NEVER) {
        print_state(r);
        fay_sim_fail(r->trace, "the run stands still: nothing will happen any more");
    }
    r->wakes_now = next > r->world.now ? 0 : r->wakes_now + 1;
    r->world.now = FAY_MAX(r->world.now, next);
    if (++r->wakes > WAKES_MAX || r->wakes_now > WAKES_WITHOUT_TIME) {
        print_state(r);
        fay_sim_fail(r->trace,
                     "the run does not end: %" PRIu64 " wake-ups, %" PRIu64 " without time",
                     r->wakes, r->wakes_now);
    }
    uint64_t faulty = FAULTY_WAKES + FAULTY_WAKES_PER_ITEM * r->shape.items;
    if (!r->calm && r->wakes > faulty) {
        fay_sim_say(r->trace, "fault", "all faults stop");
        fay_sim_faults_stop(&r->faults);
        r->calm = true;
    }
}

/* What is due now: all of it, or as much as one read would bring. */
static void dispatch(run *r)
{
    uint64_t most = fay_sim_chance(&r->world, 0.5) ? UINT64_MAX : 1;
    fay_sim_event event;
    for (; most > 0 && fay_sim_world_pop(&r->world, &event); most--) {
        if (event.kind > FAY_SIM_UPWARD && event.kind < FAY_SIM_KINDS_OF_WORKERS) {
            fay_sim_crew_event(&r->crew, &event);
        } else {
            fay_sim_owner_event(&r->owner, &event);
        }
        free(event.frame);
    }
}

/* One owner, from its start to DONE or its death, which may follow DONE; true = it is alive. */
static bool live(run *r)
{
    bool journal = r->shape.config.journal, alive = true;
    fay_sim_owner_begin(&r->owner);
    while (alive && !r->owner.done) {
        advance(r);
        dispatch(r);
        hurt_links(r);
        meddle(r);
        fay_sim_owner_read_source(&r->owner);
        fay_sim_owner_step(&r->owner);
        if (journal && owner_dies(r)) {
            fay_sim_say(r->trace, "fault", "the owner dies");
            fay_sim_store_crash(&r->store);
            alive = false;
        }
    }
    fay_sim_owner_end(&r->owner);
    return alive;
}

/* ---- the end --------------------------------------------------------------------------------- */

static bool all_done(const run *r)
{
    for (uint64_t root = 0; root < r->shape.items; root++) {
        if (!r->book.roots[root].recorded)
            return false;
    }
    return true;
}

/* With a journal, what counts is what it says: the next owner would believe it. */
static void judge_by_journal(run *r, fay_sim_fate *fates)
{
    fay_journal journal = {0};
    fay_sim_store_open(&r->store, &journal);
    for (uint64_t root = 0; root < r->shape.items; root++) {
        fates[root] = FAY_SIM_ABSENT;
    }
    for (size_t i = 0; i < journal.commit.ranges_count; i++) {
        for (uint64_t root = journal.commit.ranges[i].from; root < journal.commit.ranges[i].to;
             root++) {
            fates[root] = FAY_SIM_WHOLE;
        }
    }
    fay_journal_deinit(&journal);
}

static void judge(run *r)
{
    FAY_CLEANUP(fay_freep) fay_sim_fate *fates = fay_alloc(r->shape.items * sizeof *fates);
    for (uint64_t root = 0; root < r->shape.items; root++) {
        const fay_sim_root *state = &r->book.roots[root];
        bool some = state->acked || state->proven;
        bool whole = state->acked && !r->store.broken; /* else a line of it may be torn */
        fates[root] = whole ? FAY_SIM_WHOLE : some ? FAY_SIM_PARTIAL : FAY_SIM_ABSENT;
    }
    if (r->shape.config.journal)
        judge_by_journal(r, fates);
    fay_sim_oracle_judge(&r->oracle, &r->store.sink, &r->store.dead, fates);
}

void fay_sim_flow(fay_sim_trace *trace)
{
    FAY_CLEANUP(fay_freep) run *r = fay_alloc(sizeof *r);
    init(r, trace);
    describe(r);
    uint32_t ends = 0;
    bool alive;
    do {
        alive = live(r);
        ends += alive;
    } while (r->shape.config.journal && (!alive || (!all_done(r) && ends < LIVES_MAX)));
    judge(r);
    fay_sim_say(trace, "end", "%" PRIu64 " wake-ups, %u lives, %zu tries", r->wakes, r->book.life,
                r->oracle.tries_count);
    deinit(r);
}
