/* SPDX-License-Identifier: MIT */
#include "pipeline/pipeline.h"

#include <assert.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/texts.h"

const char *const fay_source_names[] = {"stdin",    "file",  "dir",  "exec", "listen",
                                        "generate", "items", "dead", NULL};
const char *const fay_after_names[] = {"keep", "delete", "move", NULL};
const char *const fay_sink_names[] = {"stdout", "file", "exec", "listen", "null", NULL};
const char *const fay_sync_names[] = {"end", "batch", "item", NULL};
const char *const fay_mode_names[] = {
#define X(name, number, text) text,
    FAY_MODES(X)
#undef X
        NULL};
const char *const fay_on_error_names[] = {"dead", "drop", "stop", NULL};

/* -- Defaults: those of docs/pipeline.yaml, and nowhere else ------------------------------------
 */

static void stage_init(fay_stage_def *stage)
{
    *stage = (fay_stage_def){
        .workers_min = 1,
        .workers_start = 1,
        .cpu = FAY_AUTO,
        .retries = 2,
        .backoff_initial = 100 * FAY_MS,
        .backoff_max = 30 * FAY_SECOND,
        .backoff_factor = 2,
        .backoff_jitter = 0.2,
        .retry_on = FAY_RETRY_ON_EXIT | FAY_RETRY_ON_SIGNAL | FAY_RETRY_ON_TIMEOUT,
        .reorder_items = 1024,
        .reorder_wait = 30 * FAY_SECOND,
        .batch_items = 64,
        .batch_bytes = FAY_MIB,
        .batch_wait = 10 * FAY_MS,
        .queue_items = 1024,
        .queue_items_auto = true,
        .queue_bytes = 64 * FAY_MIB,
        .item_max = FAY_ITEM_MAX_DEFAULT,
        .output_max = FAY_OUTPUT_MAX_DEFAULT,
        .stall = 2 * FAY_SECOND,
        .stop_signal = SIGTERM,
        .stop_grace = 10 * FAY_SECOND,
    };
    stage->name = fay_strdup("");
    stage->options = fay_strdup("{}");
    stage->when_text = fay_strdup("");
    stage->cwd = fay_strdup(".");
    stage->tags = fay_texts_new();
    stage->env = fay_texts_new();
}

fay_pipeline *fay_pipeline_new(void)
{
    fay_pipeline *p = fay_alloc(sizeof *p);
    p->name = fay_strdup("");
    p->dead_letter = fay_strdup("{name}-{run}.dead.jsonl");
    p->state = fay_strdup("");
    p->source.generate_size = 64;
    p->source.dir = fay_strdup("");
    p->source.glob = fay_strdup("*");
    p->source.move_to = fay_strdup("");
    p->source.address = fay_strdup("");
    p->source.files = fay_texts_new();
    p->sink.file = fay_strdup("");
    p->sink.address = fay_strdup("");
    return p;
}

fay_stage_def *fay_pipeline_add_stage(fay_pipeline *pipeline)
{
    size_t count = pipeline->stages_count + 1;
    pipeline->stages = fay_realloc(pipeline->stages, count * sizeof *pipeline->stages);
    pipeline->stages_count = count;
    stage_init(&pipeline->stages[count - 1]);
    return &pipeline->stages[count - 1];
}

static void stage_deinit(fay_stage_def *stage)
{
    free(stage->name);
    fay_texts_free(stage->argv);
    fay_texts_free(stage->words);
    free(stage->module);
    free(stage->shell);
    free(stage->options);
    fay_texts_free(stage->input_names);
    free(stage->inputs);
    free(stage->when_text);
    fay_when_free(stage->when);
    fay_texts_free(stage->tags);
    fay_texts_free(stage->env);
    free(stage->cwd);
}

void fay_pipeline_free(fay_pipeline *pipeline)
{
    if (pipeline == NULL)
        return;
    for (size_t i = 0; i < pipeline->stages_count; i++) {
        stage_deinit(&pipeline->stages[i]);
    }
    free(pipeline->stages);
    free(pipeline->name);
    free(pipeline->path);
    free(pipeline->dead_letter);
    free(pipeline->state);
    fay_texts_free(pipeline->source.files);
    free(pipeline->source.dir);
    free(pipeline->source.glob);
    free(pipeline->source.move_to);
    fay_texts_free(pipeline->source.argv);
    free(pipeline->source.address);
    fay_pace_deinit(&pipeline->source.generate_pace);
    free(pipeline->sink.file);
    fay_texts_free(pipeline->sink.argv);
    free(pipeline->sink.address);
    fay_texts_free(pipeline->on.item_dead);
    fay_texts_free(pipeline->on.worker_crash);
    fay_texts_free(pipeline->on.node_lost);
    fay_texts_free(pipeline->on.pressure);
    fay_texts_free(pipeline->on.done);
    free(pipeline);
}

void fay_pipeline_freep(fay_pipeline **pipeline)
{
    fay_pipeline_free(*pipeline);
}

/* -- Questions ----------------------------------------------------------------------------------
 */

int fay_pipeline_find(const fay_pipeline *pipeline, const char *name)
{
    for (size_t i = 0; i < pipeline->stages_count; i++) {
        if (strcmp(pipeline->stages[i].name, name) == 0)
            return (int)i;
    }
    return -1;
}

bool fay_pipeline_feeds(const fay_pipeline *pipeline, int from, size_t to)
{
    assert(to < pipeline->stages_count);
    const fay_stage_def *stage = &pipeline->stages[to];
    for (size_t k = 0; k < stage->inputs_count; k++) {
        if (stage->inputs[k] == from)
            return true;
    }
    return false;
}

bool fay_pipeline_has_successor(const fay_pipeline *pipeline, int from)
{
    for (size_t i = 0; i < pipeline->stages_count; i++) {
        if (fay_pipeline_feeds(pipeline, from, i))
            return true;
    }
    return false;
}

uint64_t fay_pipeline_generated(const fay_source_def *source)
{
    uint64_t most = fay_pace_total(&source->generate_pace);
    if (source->generate_count > 0)
        return FAY_MIN(source->generate_count, most);
    return most;
}

/* -- Fingerprint --------------------------------------------------------------------------------
 */

struct lines {
    char **items;
    size_t count, capacity;
};

/* One line a field: whatever would break a line is escaped. */
static void add(struct lines *lines, const char *prefix, const char *field, const char *value)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer line = {0};
    fay_buffer_printf(&line, "%s%s=", prefix, field);
    for (const char *c = value; *c != '\0'; c++) {
        if (*c == '\n' || *c == '\\' || *c == '\r') {
            fay_buffer_append_text(&line, *c == '\n' ? "\\n" : *c == '\r' ? "\\r" : "\\\\");
        } else {
            fay_buffer_append(&line, c, 1);
        }
    }
    FAY_RESERVE(lines->items, lines->capacity, lines->count + 1);
    lines->items[lines->count++] = fay_strdup(fay_buffer_text(&line));
}

static void add_number(struct lines *lines, const char *prefix, const char *field, uint64_t value)
{
    FAY_CLEANUP(fay_freep) char *text = fay_printed("%" PRIu64, value);
    add(lines, prefix, field, text);
}

/* Each text with its length, so that no two lists look alike. */
static void add_texts(struct lines *lines, const char *prefix, const char *field,
                      char *const *texts)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer list = {0};
    for (size_t i = 0; texts != NULL && texts[i] != NULL; i++) {
        fay_buffer_printf(&list, "%s%zu:%s", i > 0 ? " " : "", strlen(texts[i]), texts[i]);
    }
    add(lines, prefix, field, fay_buffer_text(&list));
}

static void add_source(struct lines *lines, const fay_pipeline *pipeline)
{
    const fay_source_def *s = &pipeline->source;
    add(lines, "source", "", fay_source_names[s->kind]);
    add(lines, "source.", "format", fay_format_name(s->format));
    add(lines, "source.", "crlf", s->crlf == FAY_CRLF_STRIP ? "strip" : "keep");
    add(lines, "", "spool", pipeline->spool ? "true" : "false");
    switch (s->kind) {
    case FAY_SOURCE_STDIN: break;
    case FAY_SOURCE_FILE:
    case FAY_SOURCE_ITEMS:
    case FAY_SOURCE_DEAD: add_texts(lines, "source.", "files", s->files); break;
    case FAY_SOURCE_DIR:
        add(lines, "source.", "dir", s->dir);
        add(lines, "source.", "glob", s->glob);
        break;
    case FAY_SOURCE_EXEC: add_texts(lines, "source.", "exec", s->argv); break;
    case FAY_SOURCE_LISTEN: add(lines, "source.", "listen", s->address); break;
    case FAY_SOURCE_GENERATE:
        add_number(lines, "source.", "count", fay_pipeline_generated(s));
        add_number(lines, "source.", "size", s->generate_size);
        break;
    }
}

static void add_sink(struct lines *lines, const fay_sink_def *s)
{
    add(lines, "sink", "", fay_sink_names[s->kind]);
    add(lines, "sink.", "format", fay_format_name(s->format));
    if (s->kind == FAY_SINK_FILE) {
        add(lines, "sink.", "file", s->file);
        add(lines, "sink.", "append", s->append ? "true" : "false");
    } else if (s->kind == FAY_SINK_EXEC) {
        add_texts(lines, "sink.", "exec", s->argv);
    } else if (s->kind == FAY_SINK_LISTEN) {
        add(lines, "sink.", "listen", s->address);
    }
}

static void add_inputs(struct lines *lines, const char *prefix, const fay_pipeline *pipeline,
                       const fay_stage_def *stage)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer list = {0};
    for (size_t k = 0; k < stage->inputs_count; k++) {
        int from = stage->inputs[k];
        fay_buffer_printf(&list, "%s%s", k > 0 ? "," : "",
                          from == FAY_INPUT_SOURCE ? "source" : pipeline->stages[from].name);
    }
    add(lines, prefix, "input", fay_buffer_text(&list));
}

static void add_stage(struct lines *lines, const fay_pipeline *pipeline, size_t index)
{
    static const char *const modes[] = {"exec", "lines", "batch", "json", "frames"};
    const fay_stage_def *stage = &pipeline->stages[index];
    FAY_CLEANUP(fay_freep) char *prefix = fay_printed("stages.%s.", stage->name);
    if (stage->module != NULL) {
        add(lines, prefix, "module", stage->module);
    } else if (stage->shell != NULL) {
        add(lines, prefix, "sh", stage->shell);
    } else {
        add_texts(lines, prefix, "run", stage->argv);
    }
    add(lines, prefix, "options", stage->options);
    add(lines, prefix, "mode", modes[stage->mode]);
    add(lines, prefix, "emit", stage->emit == FAY_EMIT_WHOLE ? "whole" : "lines");
    add_inputs(lines, prefix, pipeline, stage);
    add(lines, prefix, "when", stage->when_text);
    add(lines, prefix, "on_error", fay_on_error_names[stage->on_error]);
    add(lines, prefix, "ordered", stage->ordered ? "true" : "false");
    add(lines, prefix, "format", fay_format_name(stage->format));
    add_texts(lines, prefix, "env", stage->env);
    add(lines, prefix, "cwd", stage->cwd);
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

char *fay_pipeline_fingerprint(const fay_pipeline *pipeline)
{
    struct lines lines = {0};
    add(&lines, "", "name", pipeline->name);
    add(&lines, "", "dead_letter", pipeline->dead_letter != NULL ? pipeline->dead_letter : "none");
    add_source(&lines, pipeline);
    for (size_t i = 0; i < pipeline->stages_count; i++) {
        add_stage(&lines, pipeline, i);
    }
    add_sink(&lines, &pipeline->sink);
    qsort(lines.items, lines.count, sizeof *lines.items, compare);

    FAY_CLEANUP(fay_buffer_deinit) fay_buffer text = {0};
    for (size_t i = 0; i < lines.count; i++) {
        fay_buffer_printf(&text, "%s\n", lines.items[i]);
        free(lines.items[i]);
    }
    free(lines.items);
    return fay_strdup(fay_buffer_text(&text));
}
