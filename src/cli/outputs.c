/* SPDX-License-Identifier: MIT */
#include "cli/outputs.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "letters/letters.h"

struct output {
    const char *what; /* for people */
    char *path;       /* for people */
    char *place;      /* the same for the same file, whatever its path; NULL = not one for itself */
};

enum {
    LOGS_MAX = 2, /* --events, --joblog */
    OUTPUTS_MAX = 2 + LOGS_MAX + (int)FAY_STAGES_MAX
};

struct outputs {
    struct output all[OUTPUTS_MAX];
    size_t count;
};

static void deinit(struct outputs *outputs)
{
    for (size_t i = 0; i < outputs->count; i++) {
        free(outputs->all[i].path);
        free(outputs->all[i].place);
    }
}

/* Devices and pipes may be shared: what is written there overwrites nothing. */
static char *place_of_file(const struct stat *file)
{
    if (!S_ISREG(file->st_mode))
        return NULL;
    return fay_printed("%llu:%llu", (unsigned long long)file->st_dev,
                       (unsigned long long)file->st_ino);
}

/* One that is not there yet is told by its directory and its name. */
static char *place_of(const char *path)
{
    struct stat now;
    if (stat(path, &now) == 0)
        return place_of_file(&now);
    const char *slash = strrchr(path, '/');
    int length = slash != NULL ? (int)(slash - path) + 1 : 0;
    FAY_CLEANUP(fay_freep) char *directory = fay_printed("%.*s.", length, path);
    FAY_CLEANUP(fay_freep) char *real = realpath(directory, NULL);
    return real != NULL ? fay_printed("%s/%s", real, slash != NULL ? slash + 1 : path) : NULL;
}

static void add(struct outputs *outputs, const char *what, const char *path)
{
    if (path == NULL)
        return;
    outputs->all[outputs->count++] =
        (struct output){.what = what, .path = fay_strdup(path), .place = place_of(path)};
}

static void add_sink(struct outputs *outputs, const fay_sink_def *sink)
{
    struct stat now;
    if (sink->kind == FAY_SINK_FILE) {
        add(outputs, "the sink", sink->file);
    } else if (sink->kind == FAY_SINK_STDOUT && fstat(STDOUT_FILENO, &now) == 0) {
        outputs->all[outputs->count++] = (struct output){
            .what = "the sink", .path = fay_strdup("stdout"), .place = place_of_file(&now)};
    }
}

static void add_letters(struct outputs *outputs, const fay_pipeline *pipeline)
{
    if (pipeline->dead_letter == NULL)
        return;
    FAY_CLEANUP(fay_freep)
    char *path = fay_letters_path(pipeline->dead_letter, pipeline->name, "{run}");
    add(outputs, "the dead letter file", path);
}

static void add_results(struct outputs *outputs, const fay_pipeline *pipeline,
                        const char *directory)
{
    for (size_t i = 0; directory != NULL && i < pipeline->stages_count; i++) {
        FAY_CLEANUP(fay_freep)
        char *path = fay_printed("%s/%s.out", directory, pipeline->stages[i].name);
        add(outputs, "a file of --results", path);
    }
}

static int refuse(const struct output *one, const struct output *other, fay_error *err)
{
    int r = fay_fail_with(err, FAY_E_CONFIG, "%s and %s are the same file, %s", one->what,
                          other->what, other->path);
    fay_hint(err, "give each a file of its own: they would overwrite one another");
    return r;
}

static int compare(const struct outputs *outputs, fay_error *err)
{
    for (size_t i = 0; i < outputs->count; i++) {
        for (size_t k = 0; k < i; k++) {
            const struct output *one = &outputs->all[i], *other = &outputs->all[k];
            if (one->place != NULL && other->place != NULL && strcmp(one->place, other->place) == 0)
                return refuse(one, other, err);
        }
    }
    return 0;
}

int fay_outputs_check(const fay_run_options *options, fay_error *err)
{
    FAY_CLEANUP(deinit) struct outputs outputs = {.count = 0};
    bool stream = options->events != NULL && strcmp(options->events, "-") != 0;
    add_results(&outputs, options->pipeline, options->results);
    add_letters(&outputs, options->pipeline);
    add_sink(&outputs, &options->pipeline->sink);
    add(&outputs, "--joblog", options->joblog);
    add(&outputs, "--events", stream ? options->events : NULL);
    return compare(&outputs, err);
}
