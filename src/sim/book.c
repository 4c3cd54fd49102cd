/* SPDX-License-Identifier: MIT */
#include "sim/book.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

void fay_sim_book_init(fay_sim_book *book, fay_sim_oracle *oracle, fay_sim_trace *trace)
{
    *book = (fay_sim_book){.oracle = oracle, .trace = trace};
    book->roots = fay_alloc(oracle->shape->items * sizeof *book->roots);
}

static void drop_links(fay_sim_book *book)
{
    for (size_t i = 0; i < book->links_count; i++) {
        free(book->links[i].leases);
    }
    book->links_count = 0;
}

void fay_sim_book_deinit(fay_sim_book *book)
{
    drop_links(book);
    free(book->links);
    free(book->stays);
    free(book->outputs);
    free(book->grants);
    free(book->roots);
}

void fay_sim_book_begin(fay_sim_book *book, const fay_range *ranges, size_t count)
{
    const fay_sim_shape *shape = book->oracle->shape;
    book->life++;
    book->begun = *book->trace->now;
    drop_links(book);
    memset(book->tallies, 0, sizeof book->tallies);
    for (size_t i = 0; i < shape->count; i++) {
        book->tallies[i].min = shape->flow_stages[i].workers_min;
        book->tallies[i].max = book->tallies[i].most = shape->flow_stages[i].workers_max;
    }
    book->failures = book->unwritten = 0;
    book->grants_count = 0;
    book->stopped = book->sync_failed = book->aborted = false;
    for (uint64_t root = 0; root < shape->items; root++) {
        book->roots[root] = (fay_sim_root){.group = (uint32_t)root};
    }
    for (size_t i = 0; i < count; i++) {
        for (uint64_t root = ranges[i].from; root < ranges[i].to; root++) {
            fay_sim_root *r = &book->roots[root];
            r->acked = r->restored = r->recorded = true;
        }
    }
}

/* ---- where things are ------------------------------------------------------------------------ */

static fay_sim_stay *stay(fay_sim_book *book, uint32_t visit)
{
    FAY_RESERVE(book->stays, book->stays_capacity, (size_t)visit + 1);
    while (book->stays_count <= visit) {
        book->stays[book->stays_count++] = (fay_sim_stay){0};
    }
    return &book->stays[visit];
}

static uint32_t *output(fay_sim_book *book, uint32_t atom)
{
    FAY_RESERVE(book->outputs, book->outputs_capacity, (size_t)atom + 1);
    while (book->outputs_count <= atom) {
        book->outputs[book->outputs_count++] = 0;
    }
    return &book->outputs[atom];
}

static const fay_sim_visit *visit_of(const fay_sim_book *book, uint32_t visit)
{
    return &book->oracle->visits[visit];
}

static fay_sim_root *root_of(fay_sim_book *book, uint32_t visit)
{
    return &book->roots[book->oracle->atoms[visit_of(book, visit)->atom].root];
}

/* An atom leaves a stage, or the source. */
static void leave(fay_sim_book *book, uint32_t atom)
{
    uint64_t targets = fay_sim_oracle_targets(book->oracle, atom);
    fay_sim_root *root = &book->roots[book->oracle->atoms[atom].root];
    if ((targets & FAY_TARGET_SINK) != 0) {
        *output(book, atom) = 2 * book->life;
        root->due++;
    }
    for (size_t stage = 0; stage < book->oracle->shape->count; stage++) {
        if ((targets >> stage & 1) == 0)
            continue;
        uint32_t visit = fay_sim_oracle_visit(book->oracle, atom, stage);
        *stay(book, visit) = (fay_sim_stay){.life = book->life, .place = FAY_SIM_WAITING};
        book->tallies[stage].waiting++;
        root->open++;
    }
}

/* Something is open of the root, or of one that is tied to it. */
static bool ring_is_open(const fay_sim_book *book, uint32_t number)
{
    uint32_t at = number;
    do {
        if (book->roots[at].open > 0)
            return true;
        at = book->roots[at].group;
    } while (at != number);
    return false;
}

uint64_t fay_sim_book_open(const fay_sim_book *book)
{
    uint64_t count = 0;
    for (uint32_t root = 0; root < book->oracle->shape->items; root++) {
        count += ring_is_open(book, root);
    }
    return count;
}

/* Joins two rings; nothing if they are one. */
static void tie(fay_sim_book *book, uint32_t a, uint32_t b)
{
    for (uint32_t at = book->roots[a].group; at != a; at = book->roots[at].group) {
        if (at == b)
            return;
    }
    if (a == b)
        return;
    uint32_t next = book->roots[a].group;
    book->roots[a].group = book->roots[b].group;
    book->roots[b].group = next;
}

static void finish(fay_sim_book *book, uint32_t visit)
{
    fay_sim_root *root = root_of(book, visit);
    stay(book, visit)->place = FAY_SIM_FINISHED;
    root->open--;
}

void fay_sim_book_source(fay_sim_book *book, uint32_t number)
{
    fay_sim_root *root = &book->roots[number];
    if (root->restored)
        return; /* read again on the way to those that are not done */
    root->fed = true;
    root->proven = (fay_sim_oracle_targets(book->oracle, number) & FAY_TARGET_SINK) != 0;
    leave(book, number);
}

/* ---- links, workers -------------------------------------------------------------------------- */

void fay_sim_book_link_up(fay_sim_book *book, uint32_t link, size_t stage)
{
    FAY_RESERVE(book->links, book->links_capacity, (size_t)link + 1);
    while (book->links_count <= link) {
        book->links[book->links_count++] = (fay_sim_link){0};
    }
    book->links[link].up = true;
    book->links[link].stage = stage;
}

static fay_sim_link *live_link(fay_sim_book *book, uint32_t number, const char *what)
{
    if (number >= book->links_count || !book->links[number].up)
        fay_sim_fail(book->trace, "%s: link %u is not up", what, number);
    return &book->links[number];
}

static void back(fay_sim_book *book, fay_sim_link *link, fay_sim_lease *lease)
{
    stay(book, lease->visit)->place = FAY_SIM_WAITING;
    book->tallies[link->stage].leased--;
    book->tallies[link->stage].waiting++;
    link->posts[lease->worker].held--;
    lease->open = false;
}

enum {
    ALL_WORKERS = -1
};

/* All that a worker holds, or ALL_WORKERS of a link. */
static void back_all(fay_sim_book *book, fay_sim_link *link, int worker)
{
    for (size_t i = 0; i < link->leases_count; i++) {
        fay_sim_lease *lease = &link->leases[i];
        if (lease->open && (worker == ALL_WORKERS || lease->worker == worker))
            back(book, link, lease);
    }
}

void fay_sim_book_link_down(fay_sim_book *book, uint32_t number)
{
    fay_sim_link *link = live_link(book, number, "LINK_DOWN");
    back_all(book, link, ALL_WORKERS);
    link->up = false;
    book->tallies[link->stage].crashes++;
}

void fay_sim_book_worker_up(fay_sim_book *book, uint32_t number, uint16_t worker)
{
    fay_sim_link *link = live_link(book, number, "WORKER_UP");
    link->posts[worker].state = FAY_SIM_UP;
}

static void failed(fay_sim_book *book, fay_sim_link *link, fay_sim_lease *lease, bool for_good)
{
    uint32_t visit = lease->visit;
    const fay_flow_stage *config = &book->oracle->shape->flow_stages[link->stage];
    back(book, link, lease);
    fay_sim_stay *s = stay(book, visit);
    s->attempts++;
    root_of(book, visit)->proven = true;
    if (!for_good && s->attempts <= config->retries)
        return;
    book->failures++;
    if (config->on_error == FAY_ON_ERROR_STOP) {
        book->stopped = true; /* the run ends; its Item stays where it is */
        return;
    }
    book->tallies[link->stage].waiting--;
    if (config->on_error == FAY_ON_ERROR_DEAD) {
        s->letter_due = true;
        root_of(book, visit)->due++;
    }
    if (config->on_error == FAY_ON_ERROR_DROP)
        book->oracle->visits[visit].may_drop = true;
    finish(book, visit);
}

void fay_sim_book_worker_down(fay_sim_book *book, const fay_flow_event *event)
{
    static const unsigned retried[] = {[FAY_FLOW_EXIT] = FAY_RETRY_ON_EXIT,
                                       [FAY_FLOW_SIGNAL] = FAY_RETRY_ON_SIGNAL,
                                       [FAY_FLOW_TIMEOUT] = FAY_RETRY_ON_TIMEOUT};
    fay_sim_link *link = live_link(book, event->link, "WORKER_DOWN");
    fay_sim_post *post = &link->posts[event->worker];
    unsigned retry_on = book->oracle->shape->flow_stages[link->stage].retry_on;
    bool counts = event->cause != FAY_FLOW_RETIRED && post->held == 1 && !book->aborted;
    bool for_good =
        counts && event->cause != FAY_FLOW_POISONED && (retry_on & retried[event->cause]) == 0;
    if (post->retiring && post->held > 0) {
        fay_sim_fail(book->trace, "worker %u of link %u was retired with %" PRIu64 " Items in hand",
                     event->worker, event->link, post->held);
    }
    if (event->cause != FAY_FLOW_RETIRED && post->held == 0)
        book->tallies[link->stage].crashes++;
    for (size_t i = 0; counts && i < link->leases_count; i++) {
        if (link->leases[i].open && link->leases[i].worker == event->worker)
            failed(book, link, &link->leases[i], for_good);
    }
    back_all(book, link, event->worker);
    *post = (fay_sim_post){0};
}

bool fay_sim_book_holds(const fay_sim_book *book, const fay_flow_event *event, uint64_t count)
{
    if (event->link >= book->links_count || !book->links[event->link].up)
        return false;
    const fay_sim_link *link = &book->links[event->link];
    for (uint64_t tag = event->tag; tag < event->tag + count; tag++) {
        uint64_t at = tag - link->first_tag;
        if (tag < link->first_tag || at >= link->leases_count || !link->leases[at].open ||
            link->leases[at].worker != event->worker)
            return false;
    }
    return true;
}

static fay_sim_lease *lease_of(fay_sim_book *book, const fay_flow_event *event, uint64_t tag)
{
    fay_flow_event one = *event;
    one.tag = tag;
    if (!fay_sim_book_holds(book, &one, 1)) {
        fay_sim_fail(book->trace,
                     "an answer to tag %" PRIu64 " of link %u was taken twice, or from"
                     " who does not hold it",
                     tag, event->link);
    }
    fay_sim_link *link = &book->links[event->link];
    return &link->leases[tag - link->first_tag];
}

void fay_sim_book_results(fay_sim_book *book, const fay_flow_event *event, const uint32_t *tries)
{
    for (uint64_t i = 0; i < event->count; i++) {
        fay_sim_lease *lease = lease_of(book, event, event->tag + i);
        fay_sim_link *link = &book->links[event->link];
        const fay_sim_try *try = &book->oracle->tries[tries[i]];
        assert(try->visit == lease->visit);
        uint32_t visit = lease->visit, first = try->first, count = try->count;
        const fay_sim_visit *mate = visit_of(book, book->oracle->tries[try->batch].visit);
        tie(book, book->oracle->atoms[mate->atom].root,
            book->oracle->atoms[visit_of(book, visit)->atom].root);
        back(book, link, lease);
        book->tallies[link->stage].waiting--;
        book->tallies[link->stage].crashes = 0;
        root_of(book, visit)->proven = true;
        for (uint32_t child = first; child < first + count; child++) {
            leave(book, child);
        }
        finish(book, visit);
    }
}

static void handed_back(fay_sim_book *book, fay_sim_link *link, fay_sim_lease *lease)
{
    fay_sim_stay *s = stay(book, lease->visit);
    if (s->backs == FAY_GIVE_BACKS_MAX) {
        failed(book, link, lease, false);
    } else {
        s->backs++;
        back(book, link, lease);
    }
}

void fay_sim_book_verdict(fay_sim_book *book, const fay_flow_event *event)
{
    fay_sim_lease *lease = lease_of(book, event, event->tag);
    fay_sim_link *link = &book->links[event->link];
    unsigned retry_on = book->oracle->shape->flow_stages[link->stage].retry_on;
    switch (event->verdict) {
    case FAY_TRY_EXIT: failed(book, link, lease, (retry_on & FAY_RETRY_ON_EXIT) == 0); break;
    case FAY_TRY_SIGNAL: failed(book, link, lease, (retry_on & FAY_RETRY_ON_SIGNAL) == 0); break;
    case FAY_TRY_TIMEOUT: failed(book, link, lease, (retry_on & FAY_RETRY_ON_TIMEOUT) == 0); break;
    case FAY_TRY_AGAIN: failed(book, link, lease, false); break;
    case FAY_TRY_POISON: failed(book, link, lease, true); break;
    case FAY_TRY_BACK: handed_back(book, link, lease); break;
    }
}

void fay_sim_book_given_back(fay_sim_book *book, const fay_flow_event *event)
{
    for (uint64_t tag = event->tag; tag < event->tag + event->count; tag++) {
        back(book, &book->links[event->link], lease_of(book, event, tag));
    }
}

static unsigned workers_of(const fay_sim_book *book, size_t stage)
{
    unsigned count = 0;
    for (size_t i = 0; i < book->links_count; i++) {
        const fay_sim_link *link = &book->links[i];
        for (size_t w = 0; link->up && link->stage == stage && w < FAY_SIM_WORKERS_MAX; w++) {
            count += link->posts[w].state != FAY_SIM_FREE && !link->posts[w].retiring;
        }
    }
    return count;
}

void fay_sim_book_scale(fay_sim_book *book, size_t stage, unsigned min, unsigned max)
{
    fay_sim_tally *tally = &book->tallies[stage];
    bool more = workers_of(book, stage) > tally->most;
    tally->min = min;
    tally->max = max;
    tally->most = more ? FAY_MIN(tally->most, max) : max;
}

/* ---- actions --------------------------------------------------------------------------------- */

static void lease_one(fay_sim_book *book, fay_sim_link *link, const fay_flow_action *action,
                      size_t i)
{
    const fay_entry *entry = &action->batch->entries[action->at + i];
    const fay_sim_oracle *oracle = book->oracle;
    uint32_t atom = fay_sim_oracle_parse(oracle, action->batch->bytes + entry->at, entry->size);
    uint32_t visit = atom == FAY_SIM_NONE ? atom : oracle->atoms[atom].visits[link->stage];
    if (visit == FAY_SIM_NONE) {
        fay_sim_fail(book->trace, "LEASE of what is not for stage %zu: '%.*s'", link->stage,
                     (int)FAY_MIN(entry->size, 40u),
                     (const char *)action->batch->bytes + entry->at);
    }
    fay_sim_stay *s = stay(book, visit);
    const fay_sim_visit *v = visit_of(book, visit);
    if (s->life != book->life || s->place != FAY_SIM_WAITING) {
        fay_sim_fail(book->trace, "LEASE of atom %u at stage %zu, which is %s", atom, link->stage,
                     s->life != book->life        ? "not there"
                     : s->place == FAY_SIM_LEASED ? "leased already"
                                                  : "finished");
    }
    if (entry->root != oracle->atoms[atom].root || fay_path_compare(&entry->path, &v->path) != 0)
        fay_sim_fail(book->trace, "LEASE of atom %u: it has another root or path", atom);
    if (entry->attempt != s->attempts) {
        fay_sim_fail(book->trace, "LEASE of atom %u says attempt %u, %" PRIu64 " were counted",
                     atom, entry->attempt, s->attempts);
    }
    s->place = FAY_SIM_LEASED;
    book->tallies[link->stage].waiting--;
    book->tallies[link->stage].leased++;
    book->tallies[link->stage].granted++;
    link->posts[action->worker].held++;
    FAY_RESERVE(link->leases, link->leases_capacity, link->leases_count + 1);
    link->leases[link->leases_count++] =
        (fay_sim_lease){.visit = visit, .worker = action->worker, .open = true};
}

void fay_sim_book_lease(fay_sim_book *book, const fay_flow_action *action)
{
    fay_sim_link *link = live_link(book, action->link, "LEASE");
    const fay_flow_stage *config = &book->oracle->shape->flow_stages[link->stage];
    if (link->leases_count == 0)
        link->first_tag = action->tag;
    if (action->tag != link->first_tag + link->leases_count) {
        fay_sim_fail(book->trace, "LEASE with tag %" PRIu64 " on link %u: tags are not dense",
                     action->tag, action->link);
    }
    if (action->worker >= FAY_SIM_WORKERS_MAX || link->posts[action->worker].state != FAY_SIM_UP ||
        link->posts[action->worker].retiring) {
        fay_sim_fail(book->trace, "LEASE to worker %u of link %u, which is not there or retiring",
                     action->worker, action->link);
    }
    FAY_RESERVE(book->grants, book->grants_capacity, book->grants_count + 1);
    fay_sim_grant *grant = &book->grants[book->grants_count++];
    *grant = (fay_sim_grant){.stage = link->stage,
                             .count = action->count,
                             .only = book->tallies[link->stage].leased == 0};
    for (size_t i = 0; i < action->count; i++) {
        lease_one(book, link, action, i);
    }
    grant->visit = link->leases[link->leases_count - 1].visit;
    uint64_t held = link->posts[action->worker].held;
    uint64_t ahead = config->prefetch == 1 ? 1 : 2;
    uint64_t most = config->solo              ? FAY_MAX(ahead, action->count)
                    : config->batch_items > 0 ? FAY_MAX(config->batch_items, action->count)
                    : config->prefetch > 0    ? FAY_MAX(config->prefetch, action->count)
                                              : FAY_CREDIT_MAX;
    if (action->count == 0 || held > most) {
        fay_sim_fail(book->trace,
                     "LEASE of %zu: worker %u of link %u holds %" PRIu64 ", its credit is %" PRIu64,
                     action->count, action->worker, action->link, held, most);
    }
}

void fay_sim_book_spawn(fay_sim_book *book, const fay_flow_action *action)
{
    fay_sim_link *link = live_link(book, action->link, "SPAWN");
    if (action->worker >= FAY_SIM_WORKERS_MAX ||
        link->posts[action->worker].state != FAY_SIM_FREE) {
        fay_sim_fail(book->trace, "SPAWN of worker %u on link %u: the number is not free",
                     action->worker, action->link);
    }
    link->posts[action->worker].state = FAY_SIM_STARTING;
    if (workers_of(book, link->stage) > book->tallies[link->stage].max) {
        fay_sim_fail(book->trace, "SPAWN at stage %zu: more than its %u workers", link->stage,
                     book->tallies[link->stage].max);
    }
    book->trace->counts.woken += book->tallies[link->stage].emptied;
    book->tallies[link->stage].emptied = false;
}

void fay_sim_book_retire(fay_sim_book *book, const fay_flow_action *action)
{
    fay_sim_link *link = live_link(book, action->link, "RETIRE");
    fay_sim_post *post = &link->posts[action->worker];
    if (post->state == FAY_SIM_FREE || post->retiring) {
        fay_sim_fail(book->trace,
                     "RETIRE of worker %u on link %u: there is none, or it is asked"
                     " already",
                     action->worker, action->link);
    }
    post->retiring = true;
    fay_sim_tally *tally = &book->tallies[link->stage];
    unsigned left = workers_of(book, link->stage);
    if (tally->retired++ > 0 && left < tally->most) {
        fay_sim_fail(book->trace, "RETIRE at stage %zu: two at once, and %u are left of %u",
                     link->stage, left, tally->most);
    }
    if (left <= tally->most)
        tally->most = tally->max;
    tally->emptied = left == 0;
    book->trace->counts.retired++;
    book->trace->counts.emptied += tally->emptied;
}

uint32_t fay_sim_book_write(fay_sim_book *book, const fay_batch *batch, size_t at)
{
    const fay_entry *entry = &batch->entries[at];
    uint32_t atom = fay_sim_oracle_parse(book->oracle, batch->bytes + entry->at, entry->size);
    if (atom == FAY_SIM_NONE) {
        fay_sim_fail(book->trace, "WRITE of what is nobody's: '%.*s'",
                     (int)FAY_MIN(entry->size, 40u), (const char *)batch->bytes + entry->at);
    }
    uint32_t *state = output(book, atom), number = book->oracle->atoms[atom].root;
    if (*state != 2 * book->life) {
        fay_sim_fail(book->trace, "WRITE of atom %u of root %u, which is %s", atom, number,
                     *state == 2 * book->life + 1 ? "written already" : "not for the sink");
    }
    fay_sim_root *root = &book->roots[number];
    if (book->oracle->shape->config.journal && ring_is_open(book, number)) {
        fay_sim_fail(book->trace, "WRITE of atom %u: root %u, or one tied to it, is open", atom,
                     number);
    }
    *state = 2 * book->life + 1;
    root->due--;
    book->unwritten++;
    return atom;
}

void fay_sim_book_written(fay_sim_book *book, uint64_t items)
{
    book->unwritten -= items;
}

uint32_t fay_sim_book_letter(fay_sim_book *book, const fay_flow_action *action)
{
    const fay_entry *entry = &action->batch->entries[action->at];
    uint32_t atom =
        fay_sim_oracle_parse(book->oracle, action->batch->bytes + entry->at, entry->size);
    uint32_t visit = atom == FAY_SIM_NONE || action->stage >= book->oracle->shape->count
                         ? FAY_SIM_NONE
                         : book->oracle->atoms[atom].visits[action->stage];
    if (visit == FAY_SIM_NONE || stay(book, visit)->life != book->life ||
        !stay(book, visit)->letter_due) {
        fay_sim_fail(book->trace, "LETTER of atom %u at stage %zu, for which none is due", atom,
                     action->stage);
    }
    fay_sim_stay *s = stay(book, visit);
    if (entry->attempt != s->attempts) {
        fay_sim_fail(book->trace, "LETTER of atom %u says %u attempts, %" PRIu64 " were counted",
                     atom, entry->attempt, s->attempts);
    }
    if (book->oracle->shape->config.journal &&
        ring_is_open(book, book->oracle->atoms[visit_of(book, visit)->atom].root))
        fay_sim_fail(book->trace, "LETTER of atom %u: its root is open", atom);
    s->letter_due = false;
    root_of(book, visit)->due--;
    return visit;
}

bool fay_sim_book_settled(const fay_sim_book *book, uint64_t root)
{
    uint32_t at = (uint32_t)root;
    do {
        const fay_sim_root *r = &book->roots[at];
        if (!r->restored && (!r->fed || r->open > 0 || r->due > 0))
            return false;
        at = r->group;
    } while (at != root);
    return true;
}

void fay_sim_book_acked(fay_sim_book *book, uint64_t from, uint64_t count, bool journal)
{
    for (uint64_t number = from; number < from + count; number++) {
        if (number >= book->oracle->shape->items)
            fay_sim_fail(book->trace, "ACKED root %" PRIu64 ", which is not of the source", number);
        fay_sim_root *root = &book->roots[number];
        if (root->acked)
            fay_sim_fail(book->trace, "ACKED root %" PRIu64 " twice", number);
        if (!fay_sim_book_settled(book, number)) {
            fay_sim_fail(book->trace,
                         "ACKED root %" PRIu64 ": %u Items open, %u outputs due, or of those that"
                         " are tied to it",
                         number, root->open, root->due);
        }
        if (journal && !root->recorded)
            fay_sim_fail(book->trace, "ACKED root %" PRIu64 ", which is not on record", number);
        root->acked = true;
    }
}

void fay_sim_book_fail(fay_sim_book *book, const fay_flow_action *action)
{
    const fay_flow_config *config = &book->oracle->shape->config;
    bool right = false;
    switch (action->why) {
    case FAY_FAIL_NONE: break;
    case FAY_FAIL_ON_ERROR: right = book->stopped; break;
    case FAY_FAIL_LIMIT:
        right = book->failures > 0 &&
                (config->failures_percent > 0 ||
                 (config->failures_max > 0 && book->failures >= config->failures_max));
        break;
    case FAY_FAIL_CRASHLOOP: right = book->tallies[action->stage].crashes >= 5; break;
    case FAY_FAIL_SYNC: right = book->sync_failed; break;
    }
    if (!right) {
        fay_sim_fail(book->trace, "FAIL %d at stage %zu without a cause", (int)action->why,
                     action->stage);
    }
}
