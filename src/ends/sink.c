/* SPDX-License-Identifier: MIT */
#include "ends/sink.h"

#include <assert.h>
#include <bsd/sys/queue.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "ends/sink_kind.h"
#include "item/attrs.h"
#include "loop/sync.h"
#include "wire/block.h"

#define JOB_BYTES   (256 * FAY_KIB)
#define FLUSH_BYTES (16 * FAY_MIB) /* in one go: the loop has others to look after */

enum job_kind {
    BYTES,
    SPOOL,
    MARK
};

struct job {
    TAILQ_ENTRY(job) link;
    enum job_kind kind;
    fay_buffer data;        /* BYTES; SPOOL: the piece under way */
    size_t sent;            /* of data */
    uint64_t items, weight; /* to be told when it is written; SPOOL: of the piece, 0 */
    uint64_t left;          /* SPOOL: Items not told yet */
    uint32_t spool;
    uint64_t cursor;
    bool open; /* SPOOL: there may be more in the file */
};

struct fay_sink {
    fay_sink_config config;
    fay_drain *drain;
    TAILQ_HEAD(job_list, job) jobs;
    fay_sync_work *sync; /* running: nothing is written meanwhile */
    bool sync_each;      /* sync: batch, item */
    bool sync_last;      /* sync: end, and not done yet */
    bool failed, finishing, ended;
    bool flushing; /* no way back into fay_sink_flush() */
    bool more;     /* a flush stopped although the sink takes more */
};

/* ---- life ------------------------------------------------------------------------------------ */

static int open_drain(fay_sink *sink, fay_error *err)
{
    const fay_sink_config *config = &sink->config;
    switch (config->def->kind) {
    case FAY_SINK_STDOUT: return fay_drain_open_stdout(config, sink, &sink->drain, err);
    case FAY_SINK_FILE: return fay_drain_open_file(config, sink, &sink->drain, err);
    case FAY_SINK_EXEC: return fay_drain_open_exec(config, sink, &sink->drain, err);
    case FAY_SINK_LISTEN: return fay_drain_open_listen(config, sink, &sink->drain, err);
    case FAY_SINK_NULL: return fay_drain_open_null(config, sink, &sink->drain, err);
    }
    return FAY_E_INVAL;
}

int fay_sink_open(const fay_sink_config *config, fay_sink **ret, fay_error *err)
{
    fay_sink *sink = fay_alloc(sizeof *sink);
    sink->config = *config;
    TAILQ_INIT(&sink->jobs);
    int r = open_drain(sink, err);
    if (r != 0) {
        free(sink);
        return r;
    }
    sink->sync_last = config->def->kind == FAY_SINK_FILE;
    sink->sync_each = config->def->sync != FAY_SYNC_END && sink->drain->fd >= 0;
    *ret = sink;
    return 0;
}

/* The first one: jobs are done in order. */
static void drop_job(fay_sink *sink)
{
    struct job *job = TAILQ_FIRST(&sink->jobs);
    TAILQ_REMOVE(&sink->jobs, job, link);
    assert(TAILQ_FIRST(&sink->jobs) != job);
    if (job->kind == SPOOL)
        fay_spools_unref(sink->config.spools, job->spool);
    fay_buffer_deinit(&job->data);
    free(job);
}

static void drop_jobs(fay_sink *sink)
{
    while (!TAILQ_EMPTY(&sink->jobs)) {
        drop_job(sink);
    }
}

void fay_sink_free(fay_sink *sink)
{
    if (sink == NULL)
        return;
    drop_jobs(sink);
    fay_sync_forget(sink->sync);
    sink->drain->ops->free(sink->drain);
    free(sink);
}

void fay_sink_lost(fay_sink *sink, bool closed, const fay_error *err)
{
    if (sink->failed || sink->ended)
        return;
    sink->failed = true;
    drop_jobs(sink);
    sink->config.events->failed(sink->config.context, closed, err);
}

void fay_sink_ended(fay_sink *sink, const fay_error *err)
{
    if (sink->ended)
        return;
    sink->ended = true;
    sink->config.events->finished(sink->config.context, err);
}

/* ---- jobs ------------------------------------------------------------------------------------ */

static struct job *add_job(fay_sink *sink, enum job_kind kind)
{
    struct job *job = fay_alloc(sizeof *job);
    job->kind = kind;
    TAILQ_INSERT_TAIL(&sink->jobs, job, link);
    return job;
}

/* The job that takes more Items: the last one, while it is small and not under way. */
static struct job *bytes_job(fay_sink *sink)
{
    struct job *last = TAILQ_LAST(&sink->jobs, job_list);
    bool takes = last != NULL && last->kind == BYTES && last->sent == 0 &&
                 fay_buffer_size(&last->data) < JOB_BYTES;
    bool single = sink->config.def->sync == FAY_SYNC_ITEM;
    return takes && !(sink->sync_each && (single || last == TAILQ_FIRST(&sink->jobs)))
               ? last
               : add_job(sink, BYTES);
}

/* An Item that is attributes alone is said as those, where the format can. */
static int join(fay_format format, const fay_batch *batch, const fay_entry *entry, fay_buffer *out)
{
    const uint8_t *attrs = batch->bytes + entry->attrs_at;
    if (entry->size == 0 && entry->attrs_size > 0 && format == FAY_FORMAT_JSONL) {
        fay_attrs_to_json(attrs, entry->attrs_size, out);
        fay_buffer_append(out, "\n", 1);
        return 0;
    }
    if (entry->size == 0 && entry->attrs_size > 0 && format == FAY_FORMAT_MSGPACK)
        return fay_join(format, attrs, entry->attrs_size, out);
    return fay_join(format, batch->bytes + entry->at, entry->size, out);
}

static void join_item(fay_sink *sink, const fay_batch *batch, size_t index, fay_buffer *out)
{
    if (join(sink->config.def->format, batch, &batch->entries[index], out) != 0)
        sink->config.events->refused(sink->config.context, batch, index);
}

void fay_sink_write(fay_sink *sink, const fay_batch *batch, size_t at, size_t count)
{
    size_t weight = fay_batch_weight(batch, at, count);
    if (sink->failed)
        return;
    if (sink->config.def->kind == FAY_SINK_NULL && TAILQ_EMPTY(&sink->jobs)) {
        sink->config.events->written(sink->config.context, count, weight);
        return;
    }
    size_t size;
    bool text = batch->gap == 1 && sink->config.def->format == FAY_FORMAT_LINES;
    if (text && sink->config.def->sync != FAY_SYNC_ITEM &&
        fay_batch_contiguous(batch, at, count, &size)) { /* the hot way: one piece of text */
        struct job *job = bytes_job(sink);
        fay_buffer_append(&job->data, batch->bytes + batch->entries[at].at, size);
        job->items += count;
        job->weight += weight;
        return;
    }
    for (size_t i = at; i < at + count; i++) {
        struct job *job = bytes_job(sink);
        join_item(sink, batch, i, &job->data);
        job->items++;
        job->weight += fay_batch_weight(batch, i, 1);
    }
}

void fay_sink_write_spool(fay_sink *sink, uint32_t spool, uint64_t items)
{
    if (sink->failed)
        return;
    struct job *job = add_job(sink, SPOOL);
    job->spool = spool;
    job->left = items;
    job->open = true;
    fay_spools_ref(sink->config.spools, spool);
}

void fay_sink_mark(fay_sink *sink)
{
    if (!sink->failed)
        (void)add_job(sink, MARK);
}

/* ---- syncs ----------------------------------------------------------------------------------- */

static void tell_first(fay_sink *sink)
{
    struct job *job = TAILQ_FIRST(&sink->jobs);
    uint64_t items = job->items, weight = job->weight;
    drop_job(sink);
    sink->config.events->written(sink->config.context, items, weight);
}

static void synced(void *context, int fault)
{
    fay_sink *sink = context;
    sink->sync = NULL;
    if (fault == 0 || fault == EINVAL) { /* EINVAL: a file that has no such thing */
        if (!TAILQ_EMPTY(&sink->jobs))
            tell_first(sink);
        fay_sink_flush(sink);
        return;
    }
    fay_error err;
    (void)fay_fail_errno(&err, FAY_E_IO, fault, "cannot sync the sink");
    if (sink->finishing && TAILQ_EMPTY(&sink->jobs)) {
        fay_sink_ended(sink, &err);
    } else {
        fay_sink_lost(sink, false, &err);
    }
}

static void start_sync(fay_sink *sink)
{
    sink->sync = fay_sync_start(sink->config.loop, &sink->drain->fd, 1, synced, sink);
}

/* ---- writing --------------------------------------------------------------------------------- */

enum {
    GONE_ON = 0,
    BLOCKED = 1,
    LOST = 2
};

static int send_data(fay_sink *sink, struct job *job, size_t *room)
{
    if (sink->drain->interrupted)
        job->sent = 0;
    sink->drain->interrupted = false;
    size_t size = fay_buffer_size(&job->data);
    while (job->sent < size) {
        fay_error err = {0};
        ssize_t n = sink->drain->ops->write(sink->drain, fay_buffer_data(&job->data) + job->sent,
                                            size - job->sent, &err);
        if (n < 0) {
            fay_sink_lost(sink, err.sys_errno == EPIPE && err.message[0] == '\0', &err);
            return LOST;
        }
        if (n == 0)
            return BLOCKED;
        job->sent += (size_t)n;
        *room -= FAY_MIN(*room, (size_t)n);
    }
    return GONE_ON;
}

/* Joins the next record of the spool; when there is none the job is no longer `open`. */
static int next_piece(fay_sink *sink, struct job *job)
{
    FAY_CLEANUP(fay_spooled_deinit) fay_spooled items = {0};
    fay_error err;
    int r = fay_spools_load(sink->config.spools, job->spool, job->cursor, &items, &err);
    if (r != 0) {
        fay_sink_lost(sink, false, &err);
        return LOST;
    }
    job->open = items.count > 0;
    job->cursor = items.next;
    fay_buffer_clear(&job->data);
    job->sent = 0;
    for (size_t i = 0; i < items.count; i++) {
        if (items.targets != NULL && (items.targets[i] & FAY_TARGET_SINK) == 0)
            continue;
        join_item(sink, items.batch, i, &job->data);
        job->items++;
    }
    return GONE_ON;
}

static int write_spool(fay_sink *sink, struct job *job, size_t *room)
{
    int r = send_data(sink, job, room);
    if (r != GONE_ON)
        return r;
    /* Items that the flow did not count are not told, those that are missing are: it balances. */
    uint64_t told = job->open ? FAY_MIN(job->items, job->left) : job->left;
    job->items = 0;
    job->left -= told;
    if (told > 0)
        sink->config.events->written(sink->config.context, told, 0);
    if (job->open)
        return next_piece(sink, job);
    drop_job(sink);
    return GONE_ON;
}

static int write_bytes(fay_sink *sink, struct job *job, size_t *room)
{
    int r = send_data(sink, job, room);
    if (r != GONE_ON)
        return r;
    if (sink->sync_each) {
        start_sync(sink);
        return BLOCKED;
    }
    tell_first(sink);
    return GONE_ON;
}

static int write_job(fay_sink *sink, struct job *job, size_t *room)
{
    switch (job->kind) {
    case BYTES: return write_bytes(sink, job, room);
    case SPOOL: return write_spool(sink, job, room);
    case MARK:
        drop_job(sink);
        sink->config.events->marked(sink->config.context);
        break;
    }
    return GONE_ON;
}

static void end_if_asked(fay_sink *sink)
{
    fay_error err = {0};
    if (!sink->finishing || sink->ended || sink->sync != NULL)
        return;
    if (sink->sync_last && sink->drain->fd >= 0) {
        sink->sync_last = false;
        start_sync(sink);
        return;
    }
    int r = sink->drain->ops->finish != NULL ? sink->drain->ops->finish(sink->drain, &err) : 0;
    if (r <= 0)
        fay_sink_ended(sink, r < 0 ? &err : NULL);
}

void fay_sink_flush(fay_sink *sink)
{
    size_t room = FLUSH_BYTES;
    sink->more = false;
    if (sink->flushing || sink->sync != NULL)
        return;
    sink->flushing = true;
    int r = GONE_ON;
    while (r == GONE_ON && !sink->failed && room > 0 && !TAILQ_EMPTY(&sink->jobs)) {
        fay_error err;
        struct job *job = TAILQ_FIRST(&sink->jobs);
        if (job->kind != MARK && job->sent == 0 && sink->drain->ops->begin != NULL &&
            sink->drain->ops->begin(sink->drain, &err) != 0) {
            fay_sink_lost(sink, false, &err);
        } else {
            r = write_job(sink, job, &room);
        }
    }
    sink->more = room == 0;
    sink->flushing = false;
    if (TAILQ_EMPTY(&sink->jobs))
        end_if_asked(sink);
}

void fay_sink_finish(fay_sink *sink, bool drop)
{
    sink->finishing = true;
    if (drop && sink->sync == NULL)
        drop_jobs(sink);
    fay_sink_flush(sink);
}

/* ---- questions ------------------------------------------------------------------------------- */

fay_sink_place fay_sink_where(const fay_sink *sink)
{
    return sink->drain->place;
}

int fay_sink_fd(const fay_sink *sink)
{
    return sink->drain->fd;
}

bool fay_sink_has_more(const fay_sink *sink)
{
    return sink->more;
}
