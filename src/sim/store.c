/* SPDX-License-Identifier: MIT */
#include "sim/store.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void fay_sim_store_init(fay_sim_store *store, fay_sim_world *world, fay_sim_faults *faults,
                        fay_sim_book *book)
{
    *store = (fay_sim_store){.world = world, .faults = faults, .book = book, .trace = book->trace};
    store->recording = fay_alloc(book->oracle->shape->items * sizeof *store->recording);
}

static void drop_jobs(fay_sim_store *store)
{
    for (size_t i = store->jobs_first; i < store->jobs_count; i++) {
        free(store->jobs[i].text);
        free(store->jobs[i].roots);
    }
    store->jobs_first = store->jobs_count = 0;
}

void fay_sim_store_deinit(fay_sim_store *store)
{
    drop_jobs(store);
    free(store->jobs);
    free(store->recording);
    free(store->sink_lines.list);
    free(store->dead_lines.list);
    fay_sim_file_deinit(&store->sink);
    fay_sim_file_deinit(&store->dead);
    fay_sim_file_deinit(&store->journal);
}

uint64_t fay_sim_store_position(const fay_sim_store *store, uint64_t root)
{
    return store->book->oracle->shape->positions ? 10 * (root + 1) + 3 : 0;
}

static void write_header(fay_sim_store *store)
{
    char run[] = "7f3a", pipeline[] = "p", source[] = "s";
    fay_buffer out FAY_CLEANUP(fay_buffer_deinit) = {0};
    fay_journal_write_header(
        &(fay_journal_header){.run = run, .pipeline = pipeline, .source = source}, &out);
    fay_sim_file_append(&store->journal, fay_buffer_data(&out), fay_buffer_size(&out));
    fay_sim_file_sync(&store->journal,
                      false); /* before anything is read: it is whole or not there */
}

static void cut(fay_sim_store *store, fay_sim_file *file, uint64_t offset, const char *name)
{
    if (offset > fay_sim_file_size(file)) {
        fay_sim_fail(store->trace,
                     "the journal speaks of %" PRIu64 " bytes of the %s, %zu are left", offset,
                     name, fay_sim_file_size(file));
    }
    fay_sim_file_cut(file, offset);
}

void fay_sim_store_open(fay_sim_store *store, fay_journal *ret)
{
    drop_jobs(store);
    store->busy = store->broken = store->record_under_way = false;
    store->sink_lines.count = store->dead_lines.count = 0;
    if (fay_sim_file_size(&store->journal) == 0)
        write_header(store);
    fay_error err;
    int r = fay_journal_read(fay_sim_file_bytes(&store->journal),
                             fay_sim_file_size(&store->journal), ret, &err);
    if (r != 0)
        fay_sim_fail(store->trace, "the journal cannot be read: %s", err.message);
    fay_sim_file_cut(&store->journal, ret->good);
    for (size_t i = 0; i < ret->commit.ranges_count; i++) {
        if (ret->commit.ranges[i].to > store->book->oracle->shape->items)
            fay_sim_fail(store->trace, "the journal speaks of roots that there are not");
    }
    cut(store, &store->sink, ret->commit.sink_offset, "sink");
    cut(store, &store->dead, ret->commit.dead_offset, "dead letters");
    store->synced_sink = ret->commit.sink_offset;
    store->synced_dead = ret->commit.dead_offset;
}

void fay_sim_store_crash(fay_sim_store *store)
{
    fay_sim_file_crash(&store->sink, store->world);
    fay_sim_file_crash(&store->dead, store->world);
    fay_sim_file_crash(&store->journal, store->world);
}

/* ---- sink and dead letters ------------------------------------------------------------------- */

static void next_job(fay_sim_store *store)
{
    if (store->busy || store->jobs_first == store->jobs_count)
        return;
    store->busy = true;
    fay_ns time = fay_sim_around(store->world, store->book->oracle->shape->sink);
    if (fay_sim_hit(store->faults, FAY_SIM_SINK_SLOW))
        time *= 100;
    fay_sim_world_push(store->world, time, (fay_sim_event){.kind = FAY_SIM_SINK_READY});
}

static void add_job(fay_sim_store *store, fay_sim_job job, fay_buffer *text)
{
    job.text = fay_buffer_take(text, &job.size);
    FAY_RESERVE(store->jobs, store->jobs_capacity, store->jobs_count + 1);
    store->jobs[store->jobs_count++] = job;
    next_job(store);
}

void fay_sim_store_write(fay_sim_store *store, const uint32_t *atoms, size_t count, uint64_t bytes)
{
    const fay_sim_oracle *oracle = store->book->oracle;
    fay_buffer text = {0};
    uint32_t *roots = fay_alloc(count * sizeof *roots);
    for (size_t i = 0; i < count; i++) {
        char payload[FAY_SIM_PAYLOAD_MAX];
        fay_buffer_append(&text, payload, fay_sim_oracle_payload(oracle, atoms[i], payload));
        fay_buffer_append(&text, "\n", 1);
        roots[i] = oracle->atoms[atoms[i]].root;
    }
    add_job(
        store,
        (fay_sim_job){.kind = FAY_SIM_JOB_WRITE, .roots = roots, .items = count, .bytes = bytes},
        &text);
}

void fay_sim_store_letter(fay_sim_store *store, uint32_t visit, uint64_t attempts)
{
    const fay_sim_visit *v = &store->book->oracle->visits[visit];
    fay_buffer text = {0};
    uint32_t *roots = fay_alloc(sizeof *roots);
    roots[0] = store->book->oracle->atoms[v->atom].root;
    fay_buffer_printf(&text, "%u %u %" PRIu64 "\n", v->atom, v->stage, attempts);
    add_job(store, (fay_sim_job){.kind = FAY_SIM_JOB_LETTER, .roots = roots}, &text);
}

void fay_sim_store_sync(fay_sim_store *store)
{
    fay_buffer none = {0};
    add_job(store, (fay_sim_job){.kind = FAY_SIM_JOB_SYNC}, &none);
}

static void append(fay_sim_file *file, fay_sim_lines *lines, const fay_sim_job *job)
{
    const char *at = job->text, *end = job->text + job->size;
    size_t begin = fay_sim_file_size(file);
    fay_sim_file_append(file, job->text, job->size);
    for (size_t i = 0; at < end; i++) {
        at = (const char *)memchr(at, '\n', (size_t)(end - at)) + 1;
        FAY_RESERVE(lines->list, lines->capacity, lines->count + 1);
        lines->list[lines->count++] =
            (fay_sim_line){.root = job->roots[i], .end = begin + (size_t)(at - job->text)};
    }
}

/* The disk is full in the middle of a write. Without a journal nobody would cut the torn line. */
static void tear(fay_sim_store *store, fay_sim_file *file, const fay_sim_job *job)
{
    store->broken = true;
    store->book->sync_failed = true;
    if (store->book->oracle->shape->config.journal)
        fay_sim_file_append(file, job->text, fay_sim_below(store->world, job->size));
    fay_sim_say(store->trace, "disk", "full");
}

static bool carry_out(fay_sim_store *store, const fay_sim_job *job, fay_flow_event *ret)
{
    bool letter = job->kind == FAY_SIM_JOB_LETTER;
    if (job->kind == FAY_SIM_JOB_SYNC) {
        bool ok = !store->broken && !fay_sim_hit(store->faults, FAY_SIM_SYNC_FAILS);
        if (ok) {
            fay_sim_file_sync(&store->sink, false);
            fay_sim_file_sync(&store->dead, false);
            store->synced_sink = fay_sim_file_size(&store->sink);
            store->synced_dead = fay_sim_file_size(&store->dead);
        }
        store->book->sync_failed = store->book->sync_failed || !ok;
        *ret = (fay_flow_event){.kind = FAY_FLOW_SYNCED, .ok = ok};
        return true;
    }
    if (store->broken)
        return false;
    fay_sim_file *file = letter ? &store->dead : &store->sink;
    if (fay_sim_hit(store->faults, FAY_SIM_WRITE_FAILS)) {
        tear(store, file, job);
        return false;
    }
    append(file, letter ? &store->dead_lines : &store->sink_lines, job);
    *ret = (fay_flow_event){.kind = FAY_FLOW_WRITTEN, .items = job->items, .bytes = job->bytes};
    return !letter;
}

/* ---- the journal ----------------------------------------------------------------------------- */

/* What stands before the synced offset is done; what is done stands before it. */
static void check_lines(fay_sim_store *store, const fay_sim_lines *lines, size_t synced,
                        const char *name)
{
    for (size_t i = 0; i < lines->count; i++) {
        const fay_sim_line *line = &lines->list[i];
        bool done = store->recording[line->root];
        if (done && line->end > synced) {
            fay_sim_fail(store->trace, "RECORD: root %u is done, but %s of it are not synced",
                         line->root, name);
        }
        if (!done && line->end <= synced) {
            fay_sim_fail(store->trace, "RECORD: root %u is not done, and %s of it would stay",
                         line->root, name);
        }
    }
}

static void check_record(fay_sim_store *store, const fay_flow_action *action)
{
    const fay_sim_book *book = store->book;
    uint64_t items = book->oracle->shape->items;
    memset(store->recording, 0, items * sizeof *store->recording);
    for (size_t i = 0; i < action->ranges_count; i++) {
        const fay_range *range = &action->ranges[i];
        bool apart = i == 0 || range[-1].to < range->from;
        if (range->from >= range->to || range->to > items || !apart) {
            fay_sim_fail(store->trace,
                         "RECORD: range [%" PRIu64 ", %" PRIu64 ") is not well formed", range->from,
                         range->to);
        }
        for (uint64_t root = range->from; root < range->to; root++) {
            store->recording[root] = true;
        }
    }
    for (uint64_t root = 0; root < items; root++) {
        if (book->roots[root].recorded && !store->recording[root]) {
            fay_sim_fail(store->trace, "RECORD: root %" PRIu64 " was done and is not any more",
                         root);
        }
        if (store->recording[root] && !fay_sim_book_settled(book, root))
            fay_sim_fail(store->trace, "RECORD: root %" PRIu64 " is not done", root);
    }
    bool prefix = action->ranges_count > 0 && action->ranges[0].from == 0;
    uint64_t position = prefix ? fay_sim_store_position(store, action->ranges[0].to - 1) : 0;
    /* What a life before had done is known without its position, until it has been read again. */
    bool unknown =
        prefix && action->position == 0 && book->roots[action->ranges[0].to - 1].restored;
    if (action->position != position && !unknown) {
        fay_sim_fail(store->trace, "RECORD: position %" PRIu64 ", it should be %" PRIu64,
                     action->position, position);
    }
    check_lines(store, &store->sink_lines, store->synced_sink, "results");
    check_lines(store, &store->dead_lines, store->synced_dead, "letters");
}

void fay_sim_store_record(fay_sim_store *store, const fay_flow_action *action)
{
    check_record(store, action);
    char extra[] = "";
    fay_journal_commit commit = {.ranges_count = action->ranges_count,
                                 .sink_offset = store->synced_sink,
                                 .dead_offset = store->synced_dead,
                                 .position = action->position,
                                 .extra = extra};
    commit.ranges = fay_alloc(commit.ranges_count * sizeof *commit.ranges);
    for (size_t i = 0; i < commit.ranges_count; i++) {
        commit.ranges[i] =
            (fay_journal_range){.from = action->ranges[i].from, .to = action->ranges[i].to};
    }
    fay_buffer out FAY_CLEANUP(fay_buffer_deinit) = {0};
    fay_journal_write_commit(&commit, fay_sim_file_size(&store->journal), &out);
    fay_sim_file_append(&store->journal, fay_buffer_data(&out), fay_buffer_size(&out));
    free(commit.ranges);
    store->record_under_way = true;
    fay_ns time = fay_sim_around(store->world, store->book->oracle->shape->sink);
    fay_sim_world_push(store->world, time, (fay_sim_event){.kind = FAY_SIM_RECORD_READY});
}

static void recorded(fay_sim_store *store, fay_flow_event *ret)
{
    bool ok = !fay_sim_hit(store->faults, FAY_SIM_RECORD_FAILS);
    store->record_under_way = false;
    if (ok)
        fay_sim_file_sync(&store->journal, fay_sim_hit(store->faults, FAY_SIM_RECORD_LIES));
    store->book->sync_failed = store->book->sync_failed || !ok;
    for (uint64_t root = 0; ok && root < store->book->oracle->shape->items; root++) {
        store->book->roots[root].recorded = store->recording[root];
    }
    *ret = (fay_flow_event){.kind = FAY_FLOW_RECORDED, .ok = ok};
}

bool fay_sim_store_event(fay_sim_store *store, int kind, fay_flow_event *ret)
{
    if (kind == FAY_SIM_RECORD_READY) {
        recorded(store, ret);
        return true;
    }
    assert(kind == FAY_SIM_SINK_READY && store->busy && store->jobs_first < store->jobs_count);
    fay_sim_job job = store->jobs[store->jobs_first++];
    store->busy = false;
    bool told = carry_out(store, &job, ret);
    free(job.text);
    free(job.roots);
    if (store->jobs_first == store->jobs_count)
        store->jobs_first = store->jobs_count = 0;
    next_job(store);
    return told;
}

void fay_sim_store_flush(fay_sim_store *store)
{
    fay_flow_event ignored;
    while (store->jobs_first < store->jobs_count) {
        (void)carry_out(store, &store->jobs[store->jobs_first], &ignored);
        free(store->jobs[store->jobs_first].text);
        free(store->jobs[store->jobs_first++].roots);
    }
}
