/* SPDX-License-Identifier: MIT */
#include "report/events.h"

#include <bsd/sys/queue.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "host/file.h"
#include "item/json.h"

enum {
    WAITING_MAX = 1000
};

struct line {
    STAILQ_ENTRY(line) link;
    char *text;
};

struct hook {
    fay_events *events;
    char **argv; /* NULL = none */
    fay_process *process;
    STAILQ_HEAD(line_list, line) waiting;
    size_t count;
};

struct fay_events {
    fay_events_config config;
    fay_logfile *stream; /* NULL = none */
    struct hook hooks[FAY_HOOK_NONE];
};

int fay_events_open(const fay_events_config *config, fay_events **ret, fay_error *err)
{
    fay_events *events = fay_alloc(sizeof *events);
    events->config = *config;
    const fay_hooks *on = config->hooks;
    char **commands[] = {on->item_dead, on->worker_crash, on->node_lost, on->pressure, on->done};
    for (size_t i = 0; i < FAY_HOOK_NONE; i++) {
        char **argv = commands[i];
        bool some = argv != NULL && argv[0] != NULL;
        events->hooks[i] = (struct hook){.events = events, .argv = some ? argv : NULL};
        STAILQ_INIT(&events->hooks[i].waiting);
    }
    if (config->path != NULL && strcmp(config->path, "-") == 0) {
        int fd = config->stdout_taken ? STDERR_FILENO : STDOUT_FILENO;
        events->stream = fay_logfile_on("--events", fd, &config->watch);
    } else if (config->path != NULL) {
        int r = fay_logfile_open("--events", config->path, O_APPEND, &config->watch,
                                 &events->stream, err);
        if (r != 0) {
            free(events);
            return r;
        }
    }
    *ret = events;
    return 0;
}

static void drop_line(struct hook *hook)
{
    struct line *line = STAILQ_FIRST(&hook->waiting);
    STAILQ_REMOVE_HEAD(&hook->waiting, link);
    hook->count--;
    free(line->text);
    free(line);
}

void fay_events_finish(fay_events *events, fay_ns by)
{
    fay_logfile_finish(events->stream, by);
}

void fay_events_free(fay_events *events)
{
    if (events == NULL)
        return;
    for (size_t i = 0; i < FAY_HOOK_NONE; i++) {
        fay_process_free(events->hooks[i].process);
        while (!STAILQ_EMPTY(&events->hooks[i].waiting)) {
            drop_line(&events->hooks[i]);
        }
    }
    fay_logfile_free(events->stream);
    free(events);
}

/* The event as a file that the command may read, or not, as it likes. */
static int as_stdin(const char *text)
{
    int fd = memfd_create("faymora-event", MFD_CLOEXEC);
    if (fd < 0)
        return -1;
    if (fay_file_write(fd, text, strlen(text)) != 0 || lseek(fd, 0, SEEK_SET) != 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

static void run_next(struct hook *hook);

static void on_ended(void *context, int status)
{
    struct hook *hook = context;
    if (status != 0) {
        FAY_CLEANUP(fay_freep) char *how = fay_process_ending(status);
        fay_log(FAY_WARN, "hook.failed", "command=%s status=\"%s\"", hook->argv[0], how);
    }
    fay_process_free(FAY_STEAL(hook->process));
    run_next(hook);
    fay_events *events = hook->events;
    if (fay_events_idle(events))
        events->config.idle(events->config.context);
}

static void run_next(struct hook *hook)
{
    while (hook->process == NULL && !STAILQ_EMPTY(&hook->waiting)) {
        int in = as_stdin(STAILQ_FIRST(&hook->waiting)->text);
        drop_line(hook);
        fay_spawn spawn = {.argv = (const char *const *)hook->argv,
                           .fds = {in, STDERR_FILENO, STDERR_FILENO, -1},
                           .death_signal = SIGKILL};
        int fault = 0;
        hook->process =
            fay_process_start(hook->events->config.processes, &spawn, on_ended, hook, &fault);
        if (in >= 0)
            (void)close(in);
        if (hook->process == NULL)
            fay_log(FAY_WARN, "hook.failed", "command=%s errno=%d", hook->argv[0], fault);
    }
}

/* Changes of pressure are many, and the decisions that they lead to. */
static fay_level level_of(fay_hook hook)
{
    return hook == FAY_HOOK_PRESSURE || hook == FAY_HOOK_NONE_OFTEN ? FAY_DEBUG : FAY_INFO;
}

bool fay_events_wanted(const fay_events *events, fay_hook hook)
{
    return fay_logfile_is_open(events->stream) || fay_log_wants(level_of(hook)) ||
           (hook < FAY_HOOK_NONE && events->hooks[hook].argv != NULL);
}

static void call(struct hook *hook, const char *text)
{
    if (hook->count == WAITING_MAX) { /* the oldest news is worth least */
        drop_line(hook);
        fay_log(FAY_WARN, "hook.dropped", "command=%s", hook->argv[0]);
    }
    struct line *line = fay_alloc(sizeof *line);
    line->text = fay_strdup(text);
    STAILQ_INSERT_TAIL(&hook->waiting, line, link);
    hook->count++;
    run_next(hook);
}

/* The end of the JSON value at `at`, which is a number, a word or a string. */
static const char *value_end(const char *at)
{
    if (*at != '"')
        return at + strcspn(at, ",");
    for (at++; *at != '\0' && *at != '"'; at++) {
        at += *at == '\\' && at[1] != '\0';
    }
    return *at == '"' ? at + 1 : at;
}

/* What is told is logged too: ,"key":"two words","n":3 becomes key="two words" n=3. */
static void log_event(const char *name, fay_hook hook, const char *members)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer fields = {0};
    for (const char *at = members; at[0] == ',' && at[1] == '"';) {
        const char *key = at + 2, *key_end = strchr(key, '"');
        const char *end = key_end != NULL && key_end[1] == ':' ? value_end(key_end + 2) : NULL;
        if (end == NULL)
            break;
        fay_buffer_printf(&fields, "%s%.*s=%.*s", at > members ? " " : "", (int)(key_end - key),
                          key, (int)(end - key_end - 2), key_end + 2);
        at = end;
    }
    fay_log(level_of(hook), name, "%s", fay_buffer_text(&fields));
}

void fay_events_emit(fay_events *events, const char *name, fay_hook hook, const char *members)
{
    if (!fay_events_wanted(events, hook))
        return;
    if (fay_log_wants(level_of(hook)))
        log_event(name, hook, members);
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer line = {0};
    fay_buffer_printf(&line, "{\"ts\":%lld.%03ld,\"event\":\"%s\",\"run\":\"%s\"%s}\n",
                      (long long)now.tv_sec, now.tv_nsec / 1000000, name, events->config.run,
                      members);
    fay_logfile_write(events->stream, fay_buffer_data(&line), fay_buffer_size(&line));
    fay_logfile_flush(events->stream); /* who follows them waits for each */
    if (hook < FAY_HOOK_NONE && events->hooks[hook].argv != NULL)
        call(&events->hooks[hook], fay_buffer_text(&line));
}

bool fay_events_idle(const fay_events *events)
{
    for (size_t i = 0; i < FAY_HOOK_NONE; i++) {
        if (events->hooks[i].process != NULL)
            return false;
    }
    return true;
}

void fay_events_member(fay_buffer *members, const char *name, const char *text, size_t size)
{
    fay_buffer_printf(members, ",\"%s\":", name);
    fay_json_append_string(members, text, size);
}
