/* SPDX-License-Identifier: MIT */
#include "report/trail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "base/hash.h"
#include "item/json.h"
#include "report/joblog.h"

struct key {
    uint64_t tag, link;
};

/* A leased Item. */
struct leased {
    struct key key;
    uint64_t root;
    fay_path path;
    double start_s;
    uint64_t sent;
    unsigned attempt;
    uint16_t worker;
    uint8_t backs;
    UT_hash_handle hh;
};

struct fay_trail {
    const fay_pipeline *pipeline;
    char **commands; /* one a stage */
    fay_logfile_watch watch;
    fay_logfile *joblog;
    fay_logfile **results; /* one a stage, NULL = not wanted */
    struct leased *leased;
};

static double now_s(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static char *command_of(const fay_stage_def *stage)
{
    if (stage->shell != NULL || stage->module != NULL)
        return fay_strdup(stage->shell != NULL ? stage->shell : stage->module);
    fay_buffer text = {0};
    for (size_t i = 0; i < stage->argc; i++) {
        fay_buffer_printf(&text, "%s%s", i > 0 ? " " : "", stage->argv[i]);
    }
    (void)fay_buffer_text(&text);
    size_t size;
    return fay_buffer_take(&text, &size);
}

static int open_results(fay_trail *trail, const char *directory, fay_error *err)
{
    size_t count = trail->pipeline->stages_count;
    if (mkdir(directory, 0777) != 0 && errno != EEXIST)
        return fay_fail_errno(err, FAY_E_IO, errno, "cannot make %s", directory);
    trail->results = fay_alloc(count * sizeof(fay_logfile *));
    int r = 0;
    for (size_t i = 0; r == 0 && i < count; i++) {
        FAY_CLEANUP(fay_freep)
        char *path = fay_printed("%s/%s.out", directory, trail->pipeline->stages[i].name);
        r = fay_logfile_open("--results", path, O_TRUNC, &trail->watch, &trail->results[i], err);
    }
    return r;
}

static int open_joblog(fay_trail *trail, const char *path, fay_error *err)
{
    int r = fay_logfile_open("--joblog", path, O_APPEND, &trail->watch, &trail->joblog, err);
    if (r != 0 || !fay_logfile_is_empty(trail->joblog))
        return r; /* what holds something goes on with an earlier one */
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer head = {0};
    fay_joblog_header(&head);
    fay_logfile_write(trail->joblog, fay_buffer_data(&head), fay_buffer_size(&head));
    return 0;
}

int fay_trail_open(const fay_pipeline *pipeline, const char *joblog, const char *results,
                   const fay_logfile_watch *watch, fay_trail **ret, fay_error *err)
{
    if (joblog == NULL && results == NULL)
        return 0;
    fay_trail *trail = fay_alloc(sizeof *trail);
    trail->pipeline = pipeline;
    trail->watch = *watch;
    trail->commands = fay_alloc(pipeline->stages_count * sizeof(char *));
    for (size_t i = 0; i < pipeline->stages_count; i++) {
        trail->commands[i] = command_of(&pipeline->stages[i]);
    }
    int r = joblog != NULL ? open_joblog(trail, joblog, err) : 0;
    if (r == 0 && results != NULL)
        r = open_results(trail, results, err);
    if (r != 0) {
        fay_trail_free(trail);
        return r;
    }
    *ret = trail;
    return 0;
}

/* NOLINTBEGIN(readability-function-size,clang-analyzer-*): uthash is macros */
static struct leased *find(const fay_trail *trail, uint32_t link, uint64_t tag)
{
    struct key key = {.tag = tag, .link = link};
    struct leased *item;
    HASH_FIND(hh, trail->leased, &key, sizeof key, item);
    return item;
}

static void add(fay_trail *trail, struct leased *item)
{
    HASH_ADD(hh, trail->leased, key, sizeof item->key, item);
}

static void forget(fay_trail *trail, struct leased *item)
{
    HASH_DEL(trail->leased, item);
    free(item);
}
/* NOLINTEND(readability-function-size,clang-analyzer-*) */

void fay_trail_free(fay_trail *trail)
{
    if (trail == NULL)
        return;
    struct leased *next = trail->leased;
    HASH_CLEAR(hh, trail->leased); /* the table: the entries are still chained */
    while (next != NULL) {
        struct leased *item = next;
        next = item->hh.next;
        free(item);
    }
    for (size_t i = 0; i < trail->pipeline->stages_count; i++) {
        free(trail->commands[i]);
        if (trail->results != NULL)
            fay_logfile_free(trail->results[i]);
    }
    fay_logfile_free(trail->joblog);
    free(trail->commands);
    free(trail->results);
    free(trail);
}

void fay_trail_flush(fay_trail *trail)
{
    if (trail == NULL)
        return;
    fay_logfile_flush(trail->joblog);
    for (size_t i = 0; trail->results != NULL && i < trail->pipeline->stages_count; i++) {
        fay_logfile_flush(trail->results[i]);
    }
}

void fay_trail_finish(fay_trail *trail, fay_ns by)
{
    if (trail == NULL)
        return;
    fay_logfile_finish(trail->joblog, by);
    for (size_t i = 0; trail->results != NULL && i < trail->pipeline->stages_count; i++) {
        fay_logfile_finish(trail->results[i], by);
    }
}

void fay_trail_leased(fay_trail *trail, const fay_flow_action *lease)
{
    if (trail == NULL)
        return;
    double now = now_s();
    for (size_t i = 0; i < lease->count; i++) {
        const fay_entry *entry = &lease->batch->entries[lease->at + i];
        struct leased *item = fay_alloc(sizeof *item);
        *item = (struct leased){.key = {.tag = lease->tag + i, .link = lease->link},
                                .root = entry->root,
                                .path = entry->path,
                                .start_s = now,
                                .sent = entry->size,
                                .attempt = (unsigned)entry->attempt + 1,
                                .worker = lease->worker,
                                .backs = entry->backs};
        add(trail, item);
    }
}

static void log_try(fay_trail *trail, size_t stage, const struct leased *item, fay_job job)
{
    if (!fay_logfile_is_open(trail->joblog))
        return;
    char id[FAY_PATH_TEXT_MAX];
    (void)fay_path_text(item->root, &item->path, false, id);
    job.seq = item->root + 1;
    job.host = ":"; /* as GNU parallel says this machine */
    job.start_s = item->start_s;
    job.runtime_s = now_s() - item->start_s;
    job.sent = item->sent;
    job.command = trail->commands[stage];
    job.stage = trail->pipeline->stages[stage].name;
    job.attempt = item->attempt;
    job.worker = item->worker + 1u;
    job.item_id = id;
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer line = {0};
    fay_joblog_line(&job, &line);
    fay_logfile_write(trail->joblog, fay_buffer_data(&line), fay_buffer_size(&line));
}

/* Writes children [at, at + count) and returns their bytes. */
static uint64_t keep(fay_trail *trail, size_t stage, const struct leased *item,
                     const fay_batch *batch, size_t at, size_t count)
{
    char id[FAY_PATH_TEXT_MAX];
    (void)fay_path_text(item->root, &item->path, false, id);
    uint64_t bytes = 0;
    for (size_t i = at; i < at + count; i++) {
        const fay_entry *child = &batch->entries[i];
        bytes += child->size;
        if (trail->results == NULL || !fay_logfile_is_open(trail->results[stage]))
            continue;
        FAY_CLEANUP(fay_buffer_deinit) fay_buffer line = {0};
        fay_buffer_printf(&line, "{\"id\":\"%s\",\"item\":", id);
        fay_json_append_payload(&line, batch->bytes + child->at, child->size);
        fay_buffer_append_text(&line, "}\n");
        fay_logfile_write(trail->results[stage], fay_buffer_data(&line), fay_buffer_size(&line));
    }
    return bytes;
}

void fay_trail_results(fay_trail *trail, size_t stage, const fay_flow_event *results)
{
    size_t at = 0;
    for (uint64_t i = 0; trail != NULL && i < results->count; i++) {
        size_t children = results->children != NULL ? results->children[i] : 1;
        struct leased *item = find(trail, results->link, results->tag + i);
        if (item != NULL) {
            uint64_t bytes = keep(trail, stage, item, results->batch, at, children);
            log_try(trail, stage, item,
                    (fay_job){.received = bytes, .outcome = children > 0 ? "ok" : "filtered"});
            forget(trail, item);
        }
        at += children;
    }
}

void fay_trail_part(fay_trail *trail, size_t stage, const fay_flow_event *part)
{
    const struct leased *item = trail != NULL ? find(trail, part->link, part->tag) : NULL;
    if (item != NULL)
        (void)keep(trail, stage, item, part->batch, 0, part->batch->count);
}

static const char *outcome_of(const fay_stage_def *stage, const struct leased *item,
                              fay_news_kind kind)
{
    if (fay_flow_may_retry(stage->retry_on, fay_news_try(kind)) && item->attempt <= stage->retries)
        return "retried";
    return stage->on_error == FAY_ON_ERROR_DROP ? "dropped" : "dead";
}

void fay_trail_verdict(fay_trail *trail, size_t stage, const fay_flow_event *verdict,
                       const fay_news *news)
{
    struct leased *item = trail != NULL ? find(trail, verdict->link, verdict->tag) : NULL;
    if (item == NULL)
        return;
    if (verdict->verdict == FAY_TRY_BACK && item->backs < FAY_GIVE_BACKS_MAX) {
        forget(trail, item); /* no try */
        return;
    }
    fay_job job = {.exit = news->exit,
                   .signal = news->signal,
                   .outcome = outcome_of(&trail->pipeline->stages[stage], item, news->kind)};
    log_try(trail, stage, item, job);
    forget(trail, item);
}

void fay_trail_given_back(fay_trail *trail, const fay_flow_event *event)
{
    for (uint64_t i = 0; trail != NULL && i < event->count; i++) {
        struct leased *item = find(trail, event->link, event->tag + i);
        if (item != NULL)
            forget(trail, item);
    }
}

void fay_trail_gone(fay_trail *trail, size_t stage, uint32_t link, int worker, const fay_news *news)
{
    struct leased *next = trail != NULL ? trail->leased : NULL;
    struct leased *only = NULL;
    size_t held = 0;
    while (next != NULL) {
        struct leased *item = next;
        next = item->hh.next;
        if (item->key.link != link || (worker >= 0 && item->worker != worker))
            continue;
        bool there = worker >= 0 && item->key.tag < news->seen; /* it had reached the worker */
        if (there && ++held == 1) {
            only = item; /* until there is another: then it is not known whose fault it was */
        } else {
            forget(trail, item);
        }
    }
    if (only == NULL)
        return;
    if (held == 1 && news->kind != FAY_NEWS_RETIRED) {
        fay_job job = {.exit = news->exit,
                       .signal = news->signal,
                       .outcome = outcome_of(&trail->pipeline->stages[stage], only, news->kind)};
        log_try(trail, stage, only, job);
    }
    forget(trail, only);
}
