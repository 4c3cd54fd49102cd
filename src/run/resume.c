/* SPDX-License-Identifier: MIT */
/*
 * The run's ends and its state: opened in an order in which nothing is touched before all that
 * could refuse has been asked, and committed while the run lasts (docs/ARCHITECTURE.md, "Nothing is
 * lost").
 *
 *     lock, read journal --> source: the same? --> letters: long enough? --> sink: the same, long
 *     enough? then cut --> letters cut --> journal cut, or begun
 */
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/prng.h"
#include "host/file.h"
#include "run/owner.h"

enum {
    LOCK_PATIENCE_MS = 5000
};

static void on_written(void *context, uint64_t items, uint64_t bytes)
{
    fay_owner *owner = context;
    owner->out += items;
    owner->pending.items += items;
    owner->pending.bytes += bytes;
    fay_owner_wake(owner);
}

/* ---- syncs ----------------------------------------------------------------------------------- */

static void on_synced(void *context, int fault)
{
    fay_owner *owner = context;
    owner->sync = NULL;
    if (fault != 0) {
        fay_error err;
        (void)fay_fail_errno(&err, FAY_E_IO, fault, "cannot sync the output");
        fay_owner_report(owner, FAY_EXIT_IO, &err);
    }
    owner->pending.synced = fault == 0 ? FAY_SYNCED_WELL : FAY_SYNCED_BADLY;
    fay_owner_wake(owner);
}

static void on_marked(void *context)
{
    fay_owner *owner = context;
    const int ends[] = {fay_sink_fd(owner->sink), fay_letters_fd(owner->letters)};
    int fds[FAY_COUNT(ends)];
    size_t count = 0;
    for (size_t i = 0; i < FAY_COUNT(ends); i++) {
        if (ends[i] >= 0)
            fds[count++] = ends[i];
    }
    owner->marked = fay_sink_where(owner->sink);
    owner->marked_tally.out = fay_owner_count(owner).out;
    owner->marking = false;
    if (fay_letters_failed(owner->letters)) { /* one of those that belong before the mark */
        owner->pending.synced = FAY_SYNCED_BADLY;
        fay_owner_wake(owner);
        return;
    }
    if (count == 0) {
        owner->pending.synced = FAY_SYNCED_WELL;
        fay_owner_wake(owner);
        return;
    }
    owner->sync = fay_sync_start(&owner->loop, fds, count, on_synced, owner);
}

static void on_refused(void *context, const fay_batch *batch, size_t index)
{
    fay_owner_refuse(context, batch, index);
}

static void on_sink_failed(void *context, bool closed, const fay_error *err)
{
    fay_owner *owner = context;
    owner->sink_failed = true;
    if (owner->syncing && owner->pending.synced == FAY_SYNCED_NOT)
        owner->pending.synced = FAY_SYNCED_BADLY;
    if (closed) { /* the reader has seen enough: no error, and nothing to be said */
        if (owner->exit == 0)
            owner->exit = FAY_EXIT_SIGPIPE;
    } else {
        fay_owner_report(owner, FAY_EXIT_IO, err);
    }
    fay_owner_abort(owner);
}

static void on_sink_finished(void *context, const fay_error *err)
{
    fay_owner *owner = context;
    owner->sink_finished = true;
    if (err != NULL)
        fay_owner_report(owner, FAY_EXIT_IO, err);
    fay_owner_check_end(owner);
}

static const fay_sink_events sink_events = {.written = on_written,
                                            .marked = on_marked,
                                            .refused = on_refused,
                                            .failed = on_sink_failed,
                                            .finished = on_sink_finished};

/* ---- records --------------------------------------------------------------------------------- */

static void on_recorded(void *context, const fay_error *err)
{
    fay_owner *owner = context;
    if (err != NULL)
        fay_owner_report(owner, FAY_EXIT_IO, err);
    if (err == NULL)
        fay_source_recorded(owner->source, owner->recorded);
    (void)fay_owner_feed(owner, &(fay_flow_event){.kind = FAY_FLOW_RECORDED, .ok = err == NULL});
}

static fay_journal_commit commit_of(const fay_owner *owner)
{
    return (fay_journal_commit){.sink_offset = owner->marked.offset,
                                .sink_device = owner->marked.device,
                                .sink_inode = owner->marked.inode,
                                .dead_offset = owner->marked_dead,
                                .out = owner->marked_tally.out,
                                .dead = owner->marked_tally.dead};
}

void fay_owner_record(fay_owner *owner, const fay_flow_action *action)
{
    fay_journal_commit commit = commit_of(owner);
    FAY_RESERVE(owner->ranges, owner->ranges_capacity, action->ranges_count);
    for (size_t i = 0; i < action->ranges_count; i++) {
        owner->ranges[i] =
            (fay_journal_range){.from = action->ranges[i].from, .to = action->ranges[i].to};
    }
    commit.ranges = owner->ranges;
    commit.ranges_count = action->ranges_count;
    commit.position = owner->recorded = action->position;
    FAY_CLEANUP(fay_freep)
    char *notes =
        fay_source_notes(owner->source, action->ranges, action->ranges_count, action->position);
    commit.extra = notes;
    fay_state_record(owner->state, &commit, on_recorded, owner);
}

/* ---- opening --------------------------------------------------------------------------------- */

/* The field of the first line in which two fingerprints differ. */
static int tell_changed(const char *was, const char *is, fay_error *err)
{
    size_t at = 0, line = 0;
    for (; was[at] != '\0' && was[at] == is[at]; at++) {
        line = was[at] == '\n' ? at + 1 : line;
    }
    const char *said = is[at] != '\0' && is[line] != '\0' ? is + line : was + line;
    int field = (int)strcspn(said, "=\n");
    int old = (int)FAY_MIN(strcspn(was + line, "\n"), (size_t)100);
    int new = (int)FAY_MIN(strcspn(is + line, "\n"), (size_t)100);
    int r = fay_fail_with(err, FAY_E_CONFIG,
                          "the pipeline has changed since the state was saved, in '%.*s': it was "
                          "%.*s, it is %.*s",
                          field, said, old, was + line, new, is + line);
    fay_hint(err, "resume with the pipeline as it was, or remove the state to start over");
    return r;
}

static int check_pipeline(const fay_owner *owner, const fay_journal *journal, fay_error *err)
{
    FAY_CLEANUP(fay_freep) char *now = fay_pipeline_fingerprint(owner->pipeline);
    return strcmp(now, journal->header.pipeline) == 0
               ? 0
               : tell_changed(journal->header.pipeline, now, err);
}

/* What an earlier run has left. FAY_E_NOTFOUND: nothing, or no state is kept. */
static int read_past(fay_owner *owner, fay_journal *ret, fay_error *err)
{
    const char *directory = owner->options->state;
    if (directory == NULL)
        return FAY_E_NOTFOUND;
    int r = fay_state_open(&owner->loop, directory, LOCK_PATIENCE_MS, &owner->state, err);
    if (r != 0)
        return r == FAY_E_NOTFOUND ? FAY_E_IO : r;
    r = fay_state_read(owner->state, ret, err);
    if (r == FAY_E_NOTFOUND && owner->options->resume)
        fay_owner_say(owner, "faymora: there is no state in %s yet: starting afresh\n", directory);
    if (r != 0)
        return r;
    if (owner->options->resume)
        return check_pipeline(owner, ret, err);
    r = fay_fail_with(err, FAY_E_CONFIG, "%s holds the state of an earlier run", directory);
    fay_hint(err, "go on with it: --resume; or start over: rm -r %s", directory);
    return r;
}

static int open_source(fay_owner *owner, bool resumed, fay_error *err)
{
    uint64_t item_max = 0;
    for (size_t i = 0; i < owner->pipeline->stages_count; i++) {
        item_max = FAY_MAX(item_max, owner->pipeline->stages[i].item_max);
    }
    const fay_source_config config = {.loop = &owner->loop,
                                      .processes = owner->processes,
                                      .pipeline = owner->pipeline,
                                      .item_max = item_max,
                                      .retry_dead = owner->options->retry_dead,
                                      .state = owner->options->state,
                                      .resumed = resumed,
                                      .ready = fay_owner_source_ready,
                                      .context = owner};
    int r = fay_source_open(&config, &owner->source, err);
    owner->source_ready = true;
    return r;
}

static uint64_t next_root(const fay_source *source, const fay_journal_commit *commit)
{
    if (commit->ranges_count == 0)
        return 0;
    if (!fay_source_is_numbered(source))
        return commit->ranges[commit->ranges_count - 1].to;
    return commit->ranges[0].from == 0 ? commit->ranges[0].to : 0;
}

static int resume_source(fay_owner *owner, const fay_journal *journal, fay_error *err)
{
    const fay_journal_commit *commit = &journal->commit;
    owner->next_root = next_root(owner->source, commit);
    const fay_source_past past = {.identity = journal->header.source,
                                  .notes = commit->extra != NULL ? commit->extra : "",
                                  .position = commit->position,
                                  .root = owner->next_root};
    return fay_source_resume(owner->source, &past, err);
}

static int open_sink(fay_owner *owner, const fay_sink_place *past, fay_error *err)
{
    const fay_sink_config config = {.loop = &owner->loop,
                                    .processes = owner->processes,
                                    .spools = owner->spools,
                                    .def = &owner->pipeline->sink,
                                    .past = past,
                                    .events = &sink_events,
                                    .context = owner};
    return fay_sink_open(&config, &owner->sink, err);
}

static void open_letters(fay_owner *owner)
{
    const char *template = owner->pipeline->dead_letter;
    if (template != NULL)
        owner->dead_path = fay_letters_path(template, owner->pipeline->name, owner->run);
    const char *path = owner->pipeline->path;
    char *real = path != NULL ? realpath(path, NULL) : NULL;
    owner->file = real == NULL && path != NULL ? fay_strdup(path) : real;
    fay_letter_hash(owner->pipeline, owner->hash);
    owner->letters = fay_letters_new(owner->dead_path);
}

/* A record must not outlive the name of the file that it tells of. */
static int sync_sink_entry(const fay_owner *owner, fay_error *err)
{
    const fay_sink_def *def = &owner->pipeline->sink;
    int fault = def->kind == FAY_SINK_FILE ? fay_sync_directory_of(def->file) : 0;
    if (fault == 0)
        return 0;
    return fay_fail_errno(err, FAY_E_IO, fault, "cannot sync the directory of %s", def->file);
}

/* `-a x -o x` would empty the input before it is read. */
static int refuse_own_input(const fay_owner *owner, fay_error *err)
{
    const fay_source_def *source = &owner->pipeline->source;
    const fay_sink_def *sink = &owner->pipeline->sink;
    struct stat out;
    bool files = source->kind == FAY_SOURCE_FILE && sink->kind == FAY_SINK_FILE;
    if (!files || stat(sink->file, &out) != 0 || !S_ISREG(out.st_mode))
        return 0;
    bool same = false;
    for (char **pattern = source->files; *pattern != NULL && !same; pattern++) {
        glob_t found;
        /* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
        if (glob(*pattern, GLOB_NOCHECK, NULL, &found) != 0)
            continue;
        for (size_t i = 0; i < found.gl_pathc && !same; i++) {
            struct stat in;
            same = stat(found.gl_pathv[i], &in) == 0 && in.st_dev == out.st_dev &&
                   in.st_ino == out.st_ino;
        }
        globfree(&found);
    }
    if (!same)
        return 0;
    int r = fay_fail_with(err, FAY_E_CONFIG, "the output %s is the input", sink->file);
    fay_hint(err, "write to another file, and rename it when the run has ended");
    return r;
}

static int open_fresh(fay_owner *owner, fay_error *err)
{
    const char *why = "";
    FAY_CLEANUP(fay_freep) char *identity = NULL;
    owner->run = fay_printed("%04x", (unsigned)(fay_entropy() & 0xffff));
    int r = refuse_own_input(owner, err);
    r = r == 0 ? open_source(owner, false, err) : r;
    if (r == 0 && owner->state != NULL) {
        identity = fay_source_identity(owner->source, &why);
        if (identity == NULL) {
            r = fay_fail_with(err, FAY_E_CONFIG, "--state: %s", why);
            fay_hint(err, "store it first (spool: true), or read a file");
        }
    }
    open_letters(owner);
    if (r == 0)
        r = open_sink(owner, NULL, err);
    if (r != 0 || owner->state == NULL)
        return r;
    owner->marked = fay_sink_where(owner->sink);
    owner->marked_dead = fay_letters_offset(owner->letters);
    r = sync_sink_entry(owner, err);
    if (r != 0)
        return r;
    FAY_CLEANUP(fay_freep) char *pipeline = fay_pipeline_fingerprint(owner->pipeline);
    const fay_journal_header header = {.run = owner->run, .pipeline = pipeline, .source = identity};
    fay_journal_commit first = commit_of(owner);
    return fay_state_begin(owner->state, &header, &first, err);
}

/* Whether an Item came through in an earlier life: it is in the sink, or left nothing (as where
 * nothing comes out by intention) and did not fail. Dropped ones leave nothing either. */
static bool has_worked(const fay_owner *owner)
{
    bool drops = false;
    for (size_t i = 0; i < owner->pipeline->stages_count; i++) {
        drops = drops || owner->pipeline->stages[i].on_error == FAY_ON_ERROR_DROP;
    }
    return owner->past.out > 0 || (!drops && owner->past.in > owner->past.dead);
}

static int open_resumed(fay_owner *owner, const fay_journal *journal, fay_error *err)
{
    const fay_journal_commit *commit = &journal->commit;
    owner->run = fay_strdup(journal->header.run);
    open_letters(owner);
    int r = open_source(owner, true, err);
    if (r == 0)
        r = resume_source(owner, journal, err);
    if (r == 0)
        r = fay_letters_check(owner->letters, commit->dead_offset, err);
    const fay_sink_place past = {
        .offset = commit->sink_offset, .device = commit->sink_device, .inode = commit->sink_inode};
    /* The sink is the last to be asked: it is cut when it agrees. */
    if (r == 0)
        r = open_sink(owner, past.inode != 0 ? &past : NULL, err);
    if (r == 0)
        r = fay_letters_cut(owner->letters, commit->dead_offset, err);
    if (r == 0)
        r = fay_state_go_on(owner->state, journal, err);
    if (r != 0)
        return r;
    owner->marked = past;
    owner->marked_dead = commit->dead_offset;
    owner->past = (fay_owner_tally){.out = commit->out, .dead = commit->dead};
    FAY_CLEANUP(fay_freep)
    fay_range *ranges = fay_alloc((commit->ranges_count + 1) * sizeof *ranges);
    for (size_t i = 0; i < commit->ranges_count; i++) {
        ranges[i] = (fay_range){.from = commit->ranges[i].from, .to = commit->ranges[i].to};
        owner->past.in += ranges[i].to - ranges[i].from;
    }
    owner->marked_tally = owner->past;
    fay_flow_restore(owner->flow, ranges, commit->ranges_count, commit->position);
    if (has_worked(owner))
        fay_flow_unwatch(owner->flow);
    return 0;
}

int fay_owner_open_ends(fay_owner *owner, fay_error *err)
{
    fay_journal journal = {0};
    int r = read_past(owner, &journal, err);
    if (r == FAY_E_NOTFOUND) {
        r = open_fresh(owner, err);
    } else if (r == 0) {
        r = open_resumed(owner, &journal, err);
    }
    fay_journal_deinit(&journal);
    return r;
}
