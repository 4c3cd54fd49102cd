/* SPDX-License-Identifier: MIT */
#include "pipeline/override.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/schema.h"
#include "pipeline/settle.h"

int fay_mode_parse(const char *text, fay_mode_kind *ret_mode, fay_error *err)
{
    size_t count = 0;
    for (; fay_mode_names[count] != NULL; count++) {
        if (strcmp(text, fay_mode_names[count]) == 0) {
            *ret_mode = (fay_mode_kind)count;
            return 0;
        }
    }
    int r = fay_fail_with(err, FAY_E_NOTFOUND, "unknown mode '%.40s'", text);
    const char *near = fay_suggest(text, fay_mode_names, count);
    if (near != NULL) {
        fay_hint(err, "did you mean '%s'?", near);
    } else {
        fay_hint(err, "exec, lines, batch, json or frames");
    }
    return r;
}

/* -- -j ------------------------------------------------------------------------------------------
 */

static bool parse_jobs(const char *text, size_t length, unsigned *ret)
{
    unsigned value = 0;
    if (length == 0 || length > 5)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        value = value * 10 + (unsigned)(text[i] - '0');
    }
    *ret = value;
    return true;
}

int fay_jobs_parse(const char *text, fay_overrides *options, fay_error *err)
{
    unsigned min = 0;
    unsigned max = 0;
    const char *dash = strchr(text, '-');
    bool good = dash != NULL ? parse_jobs(text, (size_t)(dash - text), &min) &&
                                   parse_jobs(dash + 1, strlen(dash + 1), &max)
                             : parse_jobs(text, strlen(text), &max);
    if (dash == NULL)
        min = max;
    if (!good || max == 0 || max > FAY_WORKERS_MAX || min > max) {
        int r = fay_fail_with(err, FAY_E_INVAL, "-j %.40s is not a number of workers", text);
        fay_hint(err, "-j N or -j MIN-MAX, from 1 to %zu", FAY_WORKERS_MAX);
        return r;
    }
    options->jobs_given = true;
    options->jobs_min = min;
    options->jobs_max = max;
    return 0;
}

/* -- The flags -----------------------------------------------------------------------------------
 */

static void override_stage(fay_stage_def *stage, const fay_overrides *o)
{
    if (o->jobs_given) {
        stage->workers_min = o->jobs_min;
        stage->workers_max = o->jobs_max;
        stage->workers_pinned = stage->workers_start_given = o->jobs_min == o->jobs_max;
        stage->workers_start = o->jobs_min;
    }
    if (o->mode_given) {
        stage->mode = o->mode;
        stage->mode_given = true;
    }
    if (o->format_given)
        stage->format_given = false;
    if (o->keep_order)
        stage->ordered = true;
    if (o->retries_given)
        stage->retries = o->retries;
    if (o->timeout_given)
        stage->timeout = o->timeout;
    if (o->delay_given)
        stage->rate = o->delay > 0 ? (double)FAY_SECOND / (double)o->delay : 0;
}

/* A name from the command line is no pattern: the shell has expanded those already. */
static char *escape_glob(const char *name)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer out = {0};
    for (const char *c = name; *c != '\0'; c++) {
        if (strchr("*?[\\", *c) != NULL)
            fay_buffer_append(&out, "\\", 1);
        fay_buffer_append(&out, c, 1);
    }
    return fay_strdup(fay_buffer_text(&out));
}

static void override_input(fay_source_def *source, const char *input)
{
    source->follow = false;
    if (strcmp(input, "-") == 0) {
        source->kind = FAY_SOURCE_STDIN;
        return;
    }
    FAY_CLEANUP(fay_freep) char *name = escape_glob(input);
    char *files[] = {name};
    source->kind = FAY_SOURCE_FILE;
    fay_texts_replace(&source->files, fay_texts_copy(files, 1));
}

static void override_dead(fay_source_def *source, const char *file)
{
    char *copy = fay_strdup(file);
    char *files[] = {copy};
    source->kind = FAY_SOURCE_DEAD;
    source->follow = false;
    fay_texts_replace(&source->files, fay_texts_copy(files, 1));
    free(copy);
}

static void override_output(fay_sink_def *sink, const char *output)
{
    bool standard = strcmp(output, "-") == 0;
    sink->kind = standard ? FAY_SINK_STDOUT : FAY_SINK_FILE;
    fay_text_replace(&sink->file, fay_strdup(standard ? "" : output));
}

/* As if the file said `key: text`. */
static int set_text(fay_pipeline *pipeline, const fay_field *field, const char *text,
                    fay_error *err)
{
    FAY_CLEANUP(fay_freep) char *copy = fay_strdup(text);
    fay_yaml value = {.kind = FAY_YAML_SCALAR, .text = copy};
    fay_config_errors errors = {0};
    fay_config_reader reader = {.errors = &errors, .where = ""};
    fay_field_read(&reader, field, pipeline, &value);
    int r = fay_config_errors_first(&errors, err);
    fay_config_errors_deinit(&errors);
    return r;
}

static int check_ends(const fay_pipeline *pipeline, const fay_overrides *o, fay_error *err)
{
    bool items = pipeline->source.kind == FAY_SOURCE_ITEMS;
    if (o->input != NULL && o->retry_dead != NULL)
        return fay_fail_with(err, FAY_E_CONFIG, "-a and --retry-dead cannot both be the source");
    if (items && (o->input != NULL || o->retry_dead != NULL)) {
        return fay_fail_with(err, FAY_E_CONFIG, "::: and %s cannot both be the source",
                             o->input != NULL ? "-a" : "--retry-dead");
    }
    if ((o->input != NULL && o->input[0] == '\0') || (o->output != NULL && o->output[0] == '\0'))
        return fay_fail_with(err, FAY_E_CONFIG, "the name of the file is empty");
    if (o->nul_given && o->format_given && o->format != FAY_FORMAT_NUL) {
        return fay_fail_with(err, FAY_E_CONFIG, "-0 and --format %s contradict each other",
                             fay_format_name(o->format));
    }
    return 0;
}

static void override_pipeline(fay_pipeline *pipeline, const fay_overrides *o)
{
    if (o->format_given) {
        pipeline->format = o->format;
        pipeline->source.format_given = pipeline->sink.format_given = false;
    }
    if (o->nul_given) {
        pipeline->source.format = FAY_FORMAT_NUL;
        pipeline->source.format_given = true;
    }
    if (o->input != NULL)
        override_input(&pipeline->source, o->input);
    if (o->retry_dead != NULL)
        override_dead(&pipeline->source, o->retry_dead);
    if (o->output != NULL)
        override_output(&pipeline->sink, o->output);
    if (o->state != NULL)
        fay_text_replace(&pipeline->state, fay_strdup(o->state));
    if (o->dead_letter != NULL) {
        bool none = strcmp(o->dead_letter, "none") == 0;
        fay_text_replace(&pipeline->dead_letter, none ? NULL : fay_strdup(o->dead_letter));
    }
    for (size_t i = 0; i < pipeline->stages_count; i++) {
        override_stage(&pipeline->stages[i], o);
    }
}

int fay_pipeline_override(fay_pipeline *pipeline, const fay_overrides *options, fay_error *err)
{
    int r = check_ends(pipeline, options, err);
    if (r < 0)
        return r;
    if (options->failures_max != NULL) {
        const fay_field *limits = fay_field_find(fay_pipeline_fields, "limits");
        const fay_field *failures = fay_field_find(limits->fields, "failures");
        r = set_text(pipeline, failures, options->failures_max, err);
        if (r < 0)
            return r;
    }
    override_pipeline(pipeline, options);
    return fay_pipeline_settle(pipeline, err);
}

/* -- --set ---------------------------------------------------------------------------------------
 */

/* Where a dotted key leads: a field of the struct at `base`. */
struct target {
    const fay_field *field;
    void *base;
    char where[64]; /* "in stage 'score'" */
};

static int refuse_key(const fay_field *fields, const fay_pipeline *stages, const char *key,
                      const char *whole, fay_error *err)
{
    FAY_CLEANUP(fay_words_deinit) fay_words known = {0};
    for (size_t i = 0; stages != NULL && i < stages->stages_count; i++) {
        fay_words_add(&known, stages->stages[i].name);
    }
    for (const fay_field *f = fields; f->key != NULL; f++) {
        fay_words_add(&known, f->key);
    }
    const char *near = fay_suggest(key, known.items, known.count);
    int r = fay_fail_with(err, FAY_E_CONFIG, "--set %.80s: unknown %s '%.40s'", whole,
                          stages != NULL ? "stage or field" : "field", key);
    if (near != NULL)
        fay_hint(err, "did you mean '%s'?", near);
    return r;
}

/* The first key names a stage or a field of the pipeline; *keys moves past a stage's name, to NULL
 * if nothing follows. */
static const fay_field *enter(fay_pipeline *pipeline, char **keys, struct target *t)
{
    size_t length = strcspn(*keys, ".");
    for (size_t i = 0; i < pipeline->stages_count; i++) {
        fay_stage_def *stage = &pipeline->stages[i];
        if (strlen(stage->name) != length || memcmp(stage->name, *keys, length) != 0)
            continue;
        stage->name_given = true; /* or a new `run` would rename what was just named */
        t->base = stage;
        (void)snprintf(t->where, sizeof t->where, "in stage '%s'", stage->name);
        *keys = (*keys)[length] == '.' ? *keys + length + 1 : NULL;
        return fay_stage_fields;
    }
    t->base = pipeline;
    return fay_pipeline_fields;
}

static int find_target(fay_pipeline *pipeline, char *keys, const char *whole, struct target *t,
                       fay_error *err)
{
    char *rest = keys;
    const fay_field *fields = enter(pipeline, &rest, t);
    if (rest == NULL)
        return fay_fail_with(err, FAY_E_CONFIG, "--set %.80s: which field %s?", whole, t->where);
    while (rest != NULL) {
        const char *key = strsep(&rest, ".");
        const fay_field *field = fay_field_find(fields, key);
        if (field == NULL) {
            return refuse_key(fields, fields == fay_pipeline_fields ? pipeline : NULL, key, whole,
                              err);
        }
        t->field = field;
        if (rest == NULL)
            break;
        if (field->fields == NULL)
            return fay_fail_with(err, FAY_E_CONFIG, "--set %.80s: '%s' has no fields", whole, key);
        t->base = (char *)t->base + field->at;
        fields = field->fields;
    }
    return 0;
}

static bool cannot_be_set(const fay_field *field)
{
    static const char *const keys[] = {"faymora", "defaults", "stages"};
    for (size_t i = 0; i < FAY_COUNT(keys); i++) {
        if (field == fay_field_find(fay_pipeline_fields, keys[i]))
            return true;
    }
    return false;
}

static int apply(const struct target *t, const char *text, fay_error *err)
{
    fay_config_errors errors = {0};
    fay_config_reader reader = {.errors = &errors, .where = t->where};
    bool tree = t->field->kind != FAY_FIELD_TEXT && (text[0] == '[' || text[0] == '{');
    FAY_CLEANUP(fay_yaml_freep) fay_yaml *value = NULL;
    if (tree) {
        value = fay_yaml_parse(text, strlen(text), &errors);
    } else {
        value = fay_alloc(sizeof *value);
        value->text = fay_strdup(text);
    }
    if (value != NULL)
        fay_field_read(&reader, t->field, t->base, value);
    int r = fay_config_errors_first(&errors, err);
    fay_config_errors_deinit(&errors);
    return r;
}

int fay_pipeline_set(fay_pipeline *pipeline, const char *assignment, fay_error *err)
{
    const char *equals = strchr(assignment, '=');
    if (equals == NULL || equals == assignment) {
        int r =
            fay_fail_with(err, FAY_E_CONFIG, "--set %.80s: not of the form key=value", assignment);
        fay_hint(err, "such as score.workers.max=3");
        return r;
    }
    FAY_CLEANUP(fay_freep) char *keys = fay_strndup(assignment, (size_t)(equals - assignment));
    struct target t = {0};
    int r = find_target(pipeline, keys, assignment, &t, err);
    if (r < 0)
        return r;
    assert(t.field != NULL);
    if (cannot_be_set(t.field))
        return fay_fail_with(err, FAY_E_CONFIG, "--set: '%s' cannot be set", t.field->key);
    r = apply(&t, equals + 1, err);
    return r < 0 ? r : fay_pipeline_settle(pipeline, err);
}
