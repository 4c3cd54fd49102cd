/* SPDX-License-Identifier: MIT */
#include "sim/owner.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "sim/audit.h"
#include "sim/text.h"

static const fay_ns long_rest = 300 * FAY_SECOND;

static int feed(fay_sim_owner *owner, const fay_flow_event *event)
{
    fay_sim_say_event(owner->trace, event);
    owner->fed = true;
    return fay_flow_feed(owner->flow, owner->world->now, event);
}

/* Events that nobody can refuse. */
static void must_feed(fay_sim_owner *owner, const fay_flow_event *event)
{
    int r = feed(owner, event);
    if (r != 0) {
        fay_sim_fail(owner->trace, "the flow answers %d to %s", r,
                     fay_sim_event_name((int)event->kind));
    }
}

/* ---- life ------------------------------------------------------------------------------------ */

static void start_instance(fay_sim_owner *owner, size_t stage)
{
    fay_sim_world_push(owner->world, fay_sim_around(owner->world, 10 * FAY_MS),
                       (fay_sim_event){.kind = FAY_SIM_LINK_COMES, .value = stage});
}

void fay_sim_owner_begin(fay_sim_owner *owner)
{
    fay_journal journal = {0};
    owner->done = owner->ended = owner->drained = owner->aborted = owner->paused = false;
    owner->next_root = owner->arrived = 0;
    owner->flow = fay_flow_new(&owner->shape->config, owner->world->now);
    fay_sim_store_open(owner->store, &journal);
    const fay_journal_commit *commit = &journal.commit;
    fay_range *ranges = fay_alloc(commit->ranges_count * sizeof *ranges);
    for (size_t i = 0; i < commit->ranges_count; i++) {
        ranges[i] = (fay_range){.from = commit->ranges[i].from, .to = commit->ranges[i].to};
    }
    fay_flow_restore(owner->flow, ranges, commit->ranges_count, commit->position);
    fay_sim_book_begin(owner->book, ranges, commit->ranges_count);
    bool prefix = commit->ranges_count > 0 && ranges[0].from == 0 && commit->position > 0;
    if (prefix)
        owner->next_root = owner->arrived = ranges[0].to;
    fay_sim_say(owner->trace, "owner", "life %u: %zu ranges done, reads from %" PRIu64,
                owner->book->life, commit->ranges_count, owner->next_root);
    free(ranges);
    fay_journal_deinit(&journal);
    for (size_t stage = 0; stage < owner->shape->count; stage++) {
        for (unsigned i = 0; i < owner->shape->stages[stage].instances; i++) {
            start_instance(owner, stage);
        }
    }
    fay_sim_world_push(owner->world, 0, (fay_sim_event){.kind = FAY_SIM_SOURCE_HAS});
}

void fay_sim_owner_end(fay_sim_owner *owner)
{
    fay_flow_free(owner->flow);
    owner->flow = NULL;
    fay_sim_spools_clear(&owner->spools);
    fay_sim_crew_kill_all(owner->crew);
    fay_sim_world_clear(owner->world);
}

/* ---- links ----------------------------------------------------------------------------------- */

static bool is_up(const fay_sim_owner *owner, uint32_t link)
{
    return link < owner->book->links_count && owner->book->links[link].up;
}

static void link_comes(fay_sim_owner *owner, size_t stage)
{
    uint32_t link = fay_sim_crew_connect(owner->crew, stage);
    must_feed(owner, &(fay_flow_event){.kind = FAY_FLOW_LINK_UP, .stage = stage, .link = link});
    fay_sim_book_link_up(owner->book, link, stage);
}

static void link_lost(fay_sim_owner *owner, uint32_t link)
{
    if (!is_up(owner, link))
        return;
    fay_sim_crew_kill(owner->crew, link);
    must_feed(owner, &(fay_flow_event){.kind = FAY_FLOW_LINK_DOWN, .link = link});
    fay_sim_book_link_down(owner->book, link);
    start_instance(owner, owner->book->links[link].stage);
}

/* ---- frames ---------------------------------------------------------------------------------- */

/* Adds an Item to a batch; its targets, where the router looks at Items at all, as an Instance
 * would. */
static void add_item(fay_sim_owner *owner, fay_batch *batch, uint32_t atom, size_t from,
                     uint64_t *targets)
{
    char payload[FAY_SIM_PAYLOAD_MAX];
    size_t size = fay_sim_oracle_payload(owner->oracle, atom, payload);
    if (targets != NULL) {
        targets[batch->count] =
            fay_router_targets(owner->shape->router, from, NULL, 0, (const uint8_t *)payload, size);
    }
    (void)fay_batch_append(batch, payload, size);
}

static uint32_t children_in(const fay_sim_owner *owner, const fay_sim_frame *frame, size_t i)
{
    if (frame->to > 0)
        return frame->to - frame->from; /* one Item, maybe a part of its set */
    return owner->oracle->tries[frame->items[i]].count;
}

/* The children of a RESULTS or PART. A single set may come from its middle on. */
static void add_children(fay_sim_owner *owner, const fay_sim_frame *frame, fay_batch *batch,
                         uint32_t *counts, uint64_t *targets)
{
    size_t stage = owner->crew->instances[frame->link]->stage;
    for (size_t i = 0; i < frame->items_count; i++) {
        uint32_t first = owner->oracle->tries[frame->items[i]].first + frame->from;
        counts[i] = children_in(owner, frame, i);
        for (uint32_t child = 0; child < counts[i]; child++) {
            add_item(owner, batch, first + child, stage, targets);
        }
    }
}

static int feed_results(fay_sim_owner *owner, const fay_sim_frame *frame, fay_flow_event *event)
{
    size_t stage = owner->crew->instances[frame->link]->stage, total = 0;
    bool one_each = true;
    FAY_CLEANUP(fay_batch_unrefp) fay_batch *batch = fay_batch_new();
    FAY_CLEANUP(fay_freep) uint32_t *counts = fay_alloc((frame->items_count + 1) * sizeof *counts);
    for (size_t i = 0; i < frame->items_count; i++) {
        total += children_in(owner, frame, i);
        one_each = one_each && children_in(owner, frame, i) == 1;
    }
    FAY_CLEANUP(fay_freep) uint64_t *targets = NULL;
    if (fay_router_tests(owner->shape->router, stage))
        targets = fay_alloc((total + 1) * sizeof *targets);
    batch->gap = owner->shape->stages[stage].mode == FAY_SIM_LINES;
    add_children(owner, frame, batch, counts, targets);
    event->batch = batch;
    event->targets = targets;
    event->children = one_each && !frame->garbage ? NULL : counts;
    return feed(owner, event);
}

static void enter_in_book(fay_sim_owner *owner, const fay_sim_frame *frame,
                          const fay_flow_event *event)
{
    switch (frame->kind) {
    case FAY_FLOW_WORKER_UP: fay_sim_book_worker_up(owner->book, frame->link, frame->worker); break;
    case FAY_FLOW_WORKER_DOWN: fay_sim_book_worker_down(owner->book, event); break;
    case FAY_FLOW_RESULTS: fay_sim_book_results(owner->book, event, frame->items); break;
    case FAY_FLOW_VERDICT: fay_sim_book_verdict(owner->book, event); break;
    case FAY_FLOW_GIVEN_BACK: fay_sim_book_given_back(owner->book, event); break;
    default: break; /* a PART changes nothing yet */
    }
}

static void frame_came(fay_sim_owner *owner, const fay_sim_frame *frame)
{
    fay_flow_event event = {.link = frame->link,
                            .worker = frame->worker,
                            .tag = frame->tag,
                            .count = frame->count,
                            .ns = frame->ns,
                            .cause = (fay_flow_cause)frame->cause,
                            .note = (const uint8_t *)"why",
                            .note_size = 3,
                            .signature = (uint64_t)(frame->cause + 8 * frame->verdict)};
    event.kind = (__typeof__(event.kind))frame->kind;
    event.verdict = (__typeof__(event.verdict))frame->verdict;
    bool has_items = frame->kind == FAY_FLOW_RESULTS || frame->kind == FAY_FLOW_PART;
    int r = has_items ? feed_results(owner, frame, &event) : feed(owner, &event);
    if (!is_up(owner, frame->link)) {
        if (r != FAY_FLOW_STALE) {
            fay_sim_fail(owner->trace, "a late %s of link %u is not stale: %d",
                         fay_sim_event_name(frame->kind), frame->link, r);
        }
    } else if (frame->garbage) {
        if (r >= 0)
            fay_sim_fail(owner->trace, "garbage of link %u is taken: %d", frame->link, r);
        link_lost(owner, frame->link);
    } else if (r != 0) {
        fay_sim_fail(owner->trace, "the flow answers %d to %s of link %u", r,
                     fay_sim_event_name(frame->kind), frame->link);
    } else {
        enter_in_book(owner, frame, &event);
    }
}

static void loaded(fay_sim_owner *owner, uint32_t spool, uint64_t cursor)
{
    if (!fay_sim_spools_is_open(&owner->spools, spool))
        return;
    FAY_CLEANUP(fay_freep) uint64_t *targets = NULL;
    fay_flow_event event = {.kind = FAY_FLOW_LOADED, .spool = spool, .tag = cursor};
    size_t most = fay_sim_between(owner->world, 1, 20);
    event.batch = fay_sim_spools_load(&owner->spools, spool, cursor, most, &targets, &event.ns);
    event.targets = targets;
    must_feed(owner, &event);
    fay_batch_unref(event.batch);
}

/* The last burst comes after such a long rest that all workers that may go have gone. */
static void burst_comes(fay_sim_owner *owner, bool rested)
{
    const fay_sim_shape *shape = owner->shape;
    if (rested && !owner->drained && !owner->aborted)
        fay_sim_audit_lull(owner->book, owner->flow, owner->world->now);
    owner->arrived = FAY_MIN(owner->arrived + shape->burst, shape->items);
    uint64_t more = shape->items - owner->arrived;
    bool last = more > 0 && more <= shape->burst;
    if (more > 0) {
        fay_sim_world_push(owner->world,
                           last ? long_rest : fay_sim_around(owner->world, shape->pause),
                           (fay_sim_event){.kind = FAY_SIM_SOURCE_HAS, .value = last});
    }
}

static void source_has(fay_sim_owner *owner, bool rested)
{
    if (owner->shape->burst > 0) {
        burst_comes(owner, rested);
    } else if (owner->shape->gap == 0) {
        owner->arrived = owner->shape->items;
    } else if (owner->arrived < owner->shape->items) {
        owner->arrived++;
        fay_sim_world_push(owner->world, fay_sim_around(owner->world, owner->shape->gap),
                           (fay_sim_event){.kind = FAY_SIM_SOURCE_HAS});
    }
}

static void answered(fay_sim_owner *owner, bool go_on)
{
    owner->paused = false;
    if (go_on) {
        must_feed(owner, &(fay_flow_event){.kind = FAY_FLOW_GO_ON});
    } else {
        fay_sim_owner_abort(owner);
    }
}

void fay_sim_owner_event(fay_sim_owner *owner, const fay_sim_event *event)
{
    fay_flow_event told = {0};
    switch (event->kind) {
    case FAY_SIM_UPWARD: frame_came(owner, event->frame); break;
    case FAY_SIM_LINK_COMES: link_comes(owner, event->value); break;
    case FAY_SIM_LINK_LOST: link_lost(owner, event->link); break;
    case FAY_SIM_LOADED: loaded(owner, (uint32_t)event->serial, event->value); break;
    case FAY_SIM_SOURCE_HAS: source_has(owner, event->value != 0); break;
    case FAY_SIM_ANSWERED: answered(owner, event->value != 0); break;
    default:
        if (fay_sim_store_event(owner->store, event->kind, &told)) {
            must_feed(owner, &told);
            fay_sim_book_written(owner->book, told.items);
        }
        if (owner->store->broken)
            fay_sim_owner_abort(owner);
    }
}

/* ---- source ---------------------------------------------------------------------------------- */

static void read_items(fay_sim_owner *owner, uint64_t count)
{
    FAY_CLEANUP(fay_batch_unrefp) fay_batch *batch = fay_batch_new();
    FAY_CLEANUP(fay_freep) uint64_t *ends = fay_alloc(count * sizeof *ends);
    batch->gap = fay_sim_chance(owner->world, 0.5);
    for (uint64_t i = 0; i < count; i++) {
        add_item(owner, batch, (uint32_t)(owner->next_root + i), owner->shape->count, NULL);
        batch->entries[i].root = owner->next_root + i;
        ends[i] = fay_sim_store_position(owner->store, owner->next_root + i);
    }
    fay_flow_event event = {
        .kind = FAY_FLOW_SOURCE, .batch = batch, .ends = owner->shape->positions ? ends : NULL};
    if (owner->shape->letters) { /* each into the stage where it died, so one by one */
        event.kind = FAY_FLOW_REENTER;
        event.stage = fay_sim_shape_reenters(owner->shape, owner->next_root);
    }
    must_feed(owner, &event);
    for (uint64_t i = 0; i < count; i++) {
        fay_sim_book_source(owner->book, (uint32_t)owner->next_root++);
    }
}

/* As many Items as the source has and there is room for, or a few more: what one read brings. */
static uint64_t readable(const fay_sim_owner *owner)
{
    uint64_t items, bytes, ready = owner->arrived - owner->next_root, count = 0;
    fay_flow_source_room(owner->flow, owner->world->now, &items, &bytes);
    char payload[FAY_SIM_PAYLOAD_MAX];
    for (uint64_t used = 0; count < FAY_MIN(items, ready) && used < bytes; count++) {
        used +=
            fay_sim_oracle_payload(owner->oracle, (uint32_t)(owner->next_root + count), payload);
    }
    if (owner->shape->letters)
        return FAY_MIN(count, (uint64_t)1);
    return count > 0 && owner->shape->greedy ? FAY_MIN(count + 2, ready) : count;
}

void fay_sim_owner_read_source(fay_sim_owner *owner)
{
    bool fails = false;
    if (owner->ended || owner->drained || owner->aborted)
        return;
    for (uint64_t count; !fails && (count = readable(owner)) > 0;) {
        read_items(owner, count);
        fails = fay_sim_hit(owner->faults, FAY_SIM_SOURCE_FAILS);
    }
    if (owner->next_root < owner->shape->items && !fails)
        return;
    owner->ended = true;
    must_feed(owner, &(fay_flow_event){.kind = FAY_FLOW_SOURCE_END});
}

/* ---- what a user does ------------------------------------------------------------------------ */

void fay_sim_owner_scale(fay_sim_owner *owner)
{
    size_t stage = fay_sim_below(owner->world, owner->shape->count);
    unsigned max = (unsigned)fay_sim_between(owner->world, 1, 5);
    unsigned min = (unsigned)fay_sim_between(owner->world, 0, max);
    must_feed(owner,
              &(fay_flow_event){.kind = FAY_FLOW_SCALE, .stage = stage, .min = min, .max = max});
    fay_sim_book_scale(owner->book, stage, min, max);
}

/* The machine is full, or has room again; its workers are measured. */
void fay_sim_owner_machine(fay_sim_owner *owner)
{
    bool known = fay_sim_below(owner->world, 4) > 0;
    must_feed(owner,
              &(fay_flow_event){.kind = FAY_FLOW_MACHINE,
                                .ok = fay_sim_below(owner->world, 2) == 0,
                                .bytes = known ? fay_sim_below(owner->world, 1000) : UINT64_MAX});
    const fay_used used = {.busy = FAY_SECOND,
                           .cpu = fay_sim_below(owner->world, FAY_SECOND),
                           .waited = fay_sim_below(owner->world, FAY_SECOND),
                           .bytes = fay_sim_below(owner->world, 1000)};
    size_t stage = fay_sim_below(owner->world, owner->shape->count);
    must_feed(owner, &(fay_flow_event){.kind = FAY_FLOW_USED, .stage = stage, .used = &used});
}

void fay_sim_owner_drain(fay_sim_owner *owner)
{
    owner->drained = true;
    must_feed(owner, &(fay_flow_event){.kind = FAY_FLOW_DRAIN});
}

void fay_sim_owner_abort(fay_sim_owner *owner)
{
    if (owner->aborted)
        return;
    owner->aborted = owner->book->aborted = true;
    must_feed(owner, &(fay_flow_event){.kind = FAY_FLOW_ABORT});
}

/* ---- actions --------------------------------------------------------------------------------- */

static void send_lease(fay_sim_owner *owner, const fay_flow_action *action)
{
    if (owner->aborted || owner->paused)
        fay_sim_fail(owner->trace, "LEASE after %s", owner->paused ? "PAUSED" : "ABORT");
    fay_sim_book_lease(owner->book, action);
    fay_sim_frame *frame =
        fay_sim_frame_new(FAY_FLOW_LEASE, action->link, action->worker, action->count);
    const fay_sim_link *link = &owner->book->links[action->link];
    frame->tag = action->tag;
    for (size_t i = 0; i < action->count; i++) {
        frame->items[i] = link->leases[action->tag - link->first_tag + i].visit;
    }
    fay_sim_crew_send(owner->crew, frame);
}

static void write_batch(fay_sim_owner *owner, const fay_flow_action *action)
{
    FAY_CLEANUP(fay_freep) uint32_t *atoms = fay_alloc(action->count * sizeof *atoms);
    for (size_t i = 0; i < action->count; i++) {
        atoms[i] = fay_sim_book_write(owner->book, action->batch, action->at + i);
    }
    fay_sim_store_write(owner->store, atoms, action->count,
                        fay_batch_weight(action->batch, action->at, action->count));
}

static void write_spool(fay_sim_owner *owner, const fay_flow_action *action)
{
    size_t count;
    FAY_CLEANUP(fay_freep)
    uint32_t *atoms = fay_sim_spools_for_sink(&owner->spools, action->spool, &count);
    if (count != action->items) {
        fay_sim_fail(owner->trace,
                     "WRITE_SPOOL of %" PRIu64 " Items: spool %u has %zu for the sink",
                     action->items, action->spool, count);
    }
    FAY_CLEANUP(fay_batch_unrefp) fay_batch *batch = fay_batch_new();
    for (size_t i = 0; i < count; i++) {
        add_item(owner, batch, atoms[i], 0, NULL);
        (void)fay_sim_book_write(owner->book, batch, i);
    }
    if (count > 0)
        fay_sim_store_write(owner->store, atoms, count, 0);
}

static void send(fay_sim_owner *owner, const fay_flow_action *action)
{
    fay_sim_crew_send(owner->crew,
                      fay_sim_frame_new((int)action->kind, action->link, action->worker, 0));
}

static void load(fay_sim_owner *owner, const fay_flow_action *action)
{
    if (!fay_sim_spools_is_open(&owner->spools, action->spool))
        fay_sim_fail(owner->trace, "LOAD: there is no spool %u", action->spool);
    fay_sim_world_push(
        owner->world, fay_sim_around(owner->world, FAY_MS),
        (fay_sim_event){.kind = FAY_SIM_LOADED, .serial = action->spool, .value = action->tag});
}

static void paused(fay_sim_owner *owner, const fay_flow_action *action)
{
    if (!owner->shape->config.breaker || owner->paused || owner->aborted || action->items < 20) {
        fay_sim_fail(owner->trace, "PAUSED for stage %zu without a cause: %" PRIu64 " alike",
                     action->stage, action->items);
    }
    owner->paused = true;
    bool go_on = fay_sim_chance(owner->world, 0.7);
    fay_sim_world_push(owner->world, fay_sim_around(owner->world, FAY_SECOND),
                       (fay_sim_event){.kind = FAY_SIM_ANSWERED, .value = go_on});
}

static void finished(fay_sim_owner *owner)
{
    const fay_sim_book *book = owner->book;
    bool cut_short = owner->aborted || book->sync_failed;
    if (owner->paused && !owner->aborted)
        fay_sim_fail(owner->trace, "DONE before the user has answered");
    owner->done = true;
    fay_sim_store_flush(owner->store);
    for (uint64_t root = 0; root < owner->shape->items && !cut_short; root++) {
        const fay_sim_root *r = &book->roots[root];
        bool begun = r->fed && (r->proven || !owner->drained);
        if (begun && !r->acked) {
            fay_sim_fail(owner->trace, "DONE, but root %" PRIu64 " is not: %u Items open, %u due",
                         root, r->open, r->due);
        }
    }
    if (!owner->ended && !owner->drained && !cut_short)
        fay_sim_fail(owner->trace, "DONE before the source has ended");
}

static void carry_out(fay_sim_owner *owner, const fay_flow_action *action)
{
    fay_sim_say_action(owner->trace, action);
    if (owner->done)
        fay_sim_fail(owner->trace, "%s after DONE", fay_sim_action_name((int)action->kind));
    switch (action->kind) {
    case FAY_FLOW_LEASE: send_lease(owner, action); break;
    case FAY_FLOW_RECALL: send(owner, action); break;
    case FAY_FLOW_SPAWN:
        if (owner->paused)
            fay_sim_fail(owner->trace, "SPAWN after PAUSED");
        fay_sim_book_spawn(owner->book, action);
        send(owner, action);
        break;
    case FAY_FLOW_RETIRE:
        fay_sim_book_retire(owner->book, action);
        send(owner, action);
        break;
    case FAY_FLOW_WRITE: write_batch(owner, action); break;
    case FAY_FLOW_WRITE_SPOOL: write_spool(owner, action); break;
    case FAY_FLOW_LETTER:
        fay_sim_store_letter(owner->store, fay_sim_book_letter(owner->book, action),
                             action->batch->entries[action->at].attempt);
        break;
    case FAY_FLOW_SPILL: fay_sim_spools_spill(&owner->spools, action); break;
    case FAY_FLOW_LOAD: load(owner, action); break;
    case FAY_FLOW_UNSPOOL: fay_sim_spools_drop(&owner->spools, action->spool); break;
    case FAY_FLOW_SYNC: fay_sim_store_sync(owner->store); break;
    case FAY_FLOW_RECORD: fay_sim_store_record(owner->store, action); break;
    case FAY_FLOW_ACKED:
        fay_sim_book_acked(owner->book, action->root, action->count, owner->shape->config.journal);
        break;
    case FAY_FLOW_HOLDING:
    case FAY_FLOW_DECISION:
    case FAY_FLOW_PRESSURE: break;
    case FAY_FLOW_FAIL: fay_sim_book_fail(owner->book, action); break;
    case FAY_FLOW_PAUSED: paused(owner, action); break;
    case FAY_FLOW_DONE: finished(owner); break;
    }
}

/* A decision that is told is carried out in the same step; and who gets less than it wants is told
 * why. */
static void check_decision(const fay_sim_owner *owner, const fay_flow_actions *actions, size_t at)
{
    size_t stage = actions->items[at].stage;
    const fay_equalizer_view *view = fay_flow_stage_view(owner->flow, stage);
    unsigned spawned = 0, retired = 0;
    for (size_t i = 0; i < at; i++) {
        const fay_flow_action *a = &actions->items[i];
        spawned += a->kind == FAY_FLOW_SPAWN && a->stage == stage;
        retired += a->kind == FAY_FLOW_RETIRE && a->stage == stage;
    }
    if (view->spawn > spawned || (view->retire && retired == 0)) {
        fay_sim_fail(owner->trace, "stage %zu: told of +%u%s, done +%u -%u", stage, view->spawn,
                     view->retire ? " -1" : "", spawned, retired);
    }
    unsigned count = view->serving + view->stuck + view->starting + spawned;
    if (spawned > 0 && view->wanted > count && view->held_by == FAY_HELD_NONE) {
        fay_sim_fail(owner->trace, "stage %zu: wants %u, has %u, and is held by nothing", stage,
                     view->wanted, count);
    }
}

void fay_sim_owner_step(fay_sim_owner *owner)
{
    fay_flow_actions actions;
    bool failed = false;
    owner->fed = false;
    fay_flow_step(owner->flow, owner->world->now, &actions);
    for (size_t i = 0; i < actions.count; i++) {
        failed = failed || actions.items[i].kind == FAY_FLOW_FAIL;
        if (actions.items[i].kind == FAY_FLOW_DECISION)
            check_decision(owner, &actions, i);
        carry_out(owner, &actions.items[i]);
    }
    fay_flow_check(owner->flow);
    fay_sim_audit(owner->book, owner->flow, owner->world->now);
    if (failed)
        fay_sim_owner_abort(owner);
}
