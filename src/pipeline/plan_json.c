/* SPDX-License-Identifier: MIT */
/*
 * The plan for programs: plan.c's text, member by member. Words that come from users go through
 * fay_json_append_payload(), so no byte of theirs can break the object.
 */
#include <inttypes.h>
#include <string.h>

#include "base/texts.h"
#include "item/json.h"
#include "pipeline/plan.h"

/* -- Members --------------------------------------------------------------------------------------
 */

/* A comma where one is needed: everything but a first member stands behind a whole value. */
static void put_comma(fay_buffer *out)
{
    size_t size = fay_buffer_size(out);
    uint8_t last = size > 0 ? fay_buffer_data(out)[size - 1] : '{';
    if (last != '{' && last != '[' && last != ':')
        fay_buffer_append(out, ",", 1);
}

static void put_key(fay_buffer *out, const char *key)
{
    put_comma(out);
    fay_buffer_printf(out, "\"%s\":", key);
}

static void put_text(fay_buffer *out, const char *key, const char *text)
{
    put_key(out, key);
    if (text == NULL) {
        fay_buffer_append_text(out, "null");
    } else {
        fay_json_append_payload(out, text, strlen(text));
    }
}

static void put_bool(fay_buffer *out, const char *key, bool value)
{
    put_key(out, key);
    fay_buffer_append_text(out, value ? "true" : "false");
}

static void put_count(fay_buffer *out, const char *key, uint64_t value)
{
    put_key(out, key);
    fay_buffer_printf(out, "%" PRIu64, value);
}

/* A number of which one value means "none" or "no bound". */
static void put_bound(fay_buffer *out, const char *key, uint64_t value, uint64_t none)
{
    if (value == none) {
        put_text(out, key, NULL);
    } else {
        put_count(out, key, value);
    }
}

static void put_float(fay_buffer *out, const char *key, double value)
{
    put_key(out, key);
    fay_json_append_float(out, value);
}

static void put_seconds(fay_buffer *out, const char *key, fay_ns duration)
{
    if (duration == 0) {
        put_text(out, key, NULL);
    } else {
        put_float(out, key, (double)duration / (double)FAY_SECOND);
    }
}

static void put_texts(fay_buffer *out, const char *key, char *const *texts)
{
    put_key(out, key);
    fay_buffer_append(out, "[", 1);
    for (size_t i = 0; texts != NULL && texts[i] != NULL; i++) {
        put_comma(out);
        fay_json_append_payload(out, texts[i], strlen(texts[i]));
    }
    fay_buffer_append(out, "]", 1);
}

static void open_object(fay_buffer *out, const char *key)
{
    put_key(out, key);
    fay_buffer_append(out, "{", 1);
}

static void close_object(fay_buffer *out)
{
    fay_buffer_append(out, "}", 1);
}

/* -- Source and sink ------------------------------------------------------------------------------
 */

/* Null as fast as can be; "for" is null where it does not end. */
static void put_pace(fay_buffer *out, const fay_pace *pace)
{
    if (pace->count == 0) {
        put_text(out, "rate", NULL);
        return;
    }
    put_key(out, "rate");
    fay_buffer_append(out, "[", 1);
    for (size_t i = 0; i < pace->count; i++) {
        put_comma(out);
        fay_buffer_append(out, "{", 1);
        put_seconds(out, "for", pace->pieces[i].lasts);
        put_float(out, "rate", pace->pieces[i].from);
        put_float(out, "to", pace->pieces[i].to);
        close_object(out);
    }
    fay_buffer_append(out, "]", 1);
}

static void put_source(const fay_pipeline *p, const fay_plan_facts *facts, fay_buffer *out)
{
    const fay_source_def *s = &p->source;
    open_object(out, "source");
    put_text(out, "kind", fay_source_names[s->kind]);
    switch (s->kind) {
    case FAY_SOURCE_STDIN: put_bool(out, "regular_file", facts->stdin_is_file); break;
    case FAY_SOURCE_FILE:
        put_texts(out, "files", s->files);
        put_bool(out, "follow", s->follow);
        break;
    case FAY_SOURCE_DIR:
        put_text(out, "dir", s->dir);
        put_text(out, "glob", s->glob);
        put_text(out, "after", fay_after_names[s->after]);
        if (s->after == FAY_AFTER_MOVE)
            put_text(out, "move_to", s->move_to);
        break;
    case FAY_SOURCE_EXEC: put_texts(out, "run", s->argv); break;
    case FAY_SOURCE_LISTEN: put_text(out, "listen", s->address); break;
    case FAY_SOURCE_GENERATE:
        put_bound(out, "count", fay_pipeline_generated(s), UINT64_MAX);
        put_count(out, "size", s->generate_size);
        put_pace(out, &s->generate_pace);
        break;
    case FAY_SOURCE_ITEMS: put_count(out, "count", fay_texts_count(s->files)); break;
    case FAY_SOURCE_DEAD: put_texts(out, "files", s->files); break;
    }
    put_text(out, "format", fay_format_name(s->format));
    put_bool(out, "spool", p->spool);
    close_object(out);
}

static void put_sink(const fay_pipeline *p, const fay_plan_facts *facts, fay_buffer *out)
{
    const fay_sink_def *s = &p->sink;
    open_object(out, "sink");
    put_text(out, "kind", fay_sink_names[s->kind]);
    switch (s->kind) {
    case FAY_SINK_STDOUT: put_bool(out, "regular_file", facts->stdout_is_file); break;
    case FAY_SINK_FILE:
        put_text(out, "file", s->file);
        put_bool(out, "append", s->append);
        put_text(out, "sync", fay_sync_names[s->sync]);
        break;
    case FAY_SINK_EXEC: put_texts(out, "run", s->argv); break;
    case FAY_SINK_LISTEN: put_text(out, "listen", s->address); break;
    case FAY_SINK_NULL: break;
    }
    put_text(out, "format", fay_format_name(s->format));
    put_key(out, "input");
    fay_buffer_append(out, "[", 1);
    for (size_t i = 0; i < p->stages_count; i++) {
        if (fay_pipeline_has_successor(p, (int)i))
            continue;
        put_comma(out);
        fay_json_append_payload(out, p->stages[i].name, strlen(p->stages[i].name));
    }
    fay_buffer_append(out, "]", 1);
    close_object(out);
}

/* -- Stages ---------------------------------------------------------------------------------------
 */

static void put_inputs(const fay_pipeline *p, const fay_stage_def *stage, fay_buffer *out)
{
    put_key(out, "input");
    fay_buffer_append(out, "[", 1);
    for (size_t k = 0; k < stage->inputs_count; k++) {
        int from = stage->inputs[k];
        const char *name = from == FAY_INPUT_SOURCE ? "source" : p->stages[from].name;
        put_comma(out);
        fay_json_append_payload(out, name, strlen(name));
    }
    fay_buffer_append(out, "]", 1);
    put_text(out, "when", stage->when_text[0] != '\0' ? stage->when_text : NULL);
}

/* One of run, sh and module is not null. */
static void put_command(const fay_stage_def *stage, fay_buffer *out)
{
    if (stage->module == NULL && stage->shell == NULL) {
        put_texts(out, "run", stage->argv);
    } else {
        put_text(out, "run", NULL);
    }
    put_text(out, "sh", stage->shell);
    put_text(out, "module", stage->module);
    put_text(out, "mode", fay_mode_names[stage->mode]);
    bool batch = stage->mode == FAY_MODE_BATCH;
    put_bound(out, "batch", batch ? stage->batch_items : 0, 0);
    bool emits = batch || stage->mode == FAY_MODE_EXEC;
    const char *emit = stage->emit == FAY_EMIT_WHOLE ? "whole" : "lines";
    put_text(out, "emit", emits ? emit : NULL);
    put_bool(out, "ordered", stage->ordered);
}

static void put_workers(const fay_stage_def *stage, fay_buffer *out)
{
    open_object(out, "workers");
    put_count(out, "min", stage->workers_min);
    put_bound(out, "max", stage->workers_pinned ? stage->workers_min : stage->workers_max, 0);
    put_count(out, "start", stage->workers_pinned ? stage->workers_min : stage->workers_start);
    put_bool(out, "pinned", stage->workers_pinned);
    close_object(out);
}

static void put_failure(const fay_stage_def *stage, fay_buffer *out)
{
    put_bound(out, "retries", stage->retries, UINT64_MAX);
    open_object(out, "backoff");
    put_float(out, "initial", (double)stage->backoff_initial / (double)FAY_SECOND);
    put_float(out, "factor", stage->backoff_factor);
    put_float(out, "max", (double)stage->backoff_max / (double)FAY_SECOND);
    close_object(out);
    put_text(out, "on_error", fay_on_error_names[stage->on_error]);
    put_seconds(out, "timeout", stage->timeout);
}

static void put_stages(const fay_pipeline *p, fay_buffer *out)
{
    put_key(out, "stages");
    fay_buffer_append(out, "[", 1);
    for (size_t i = 0; i < p->stages_count; i++) {
        const fay_stage_def *stage = &p->stages[i];
        put_comma(out);
        fay_buffer_append(out, "{", 1);
        put_text(out, "name", stage->name);
        put_inputs(p, stage, out);
        put_command(stage, out);
        put_workers(stage, out);
        put_failure(stage, out);
        close_object(out);
    }
    fay_buffer_append(out, "]", 1);
}

/* -- Promises and warnings ------------------------------------------------------------------------
 */

static void put_promises(const fay_pipeline *p, const fay_plan_facts *facts, fay_buffer *out)
{
    FAY_CLEANUP(fay_sentences_deinit) fay_sentences promises = {0};
    fay_pipeline_promises(p, facts, &promises);
    put_bool(out, "resumable", fay_pipeline_check_state(p, facts->stdin_is_file, NULL) == 0);
    put_key(out, "exactly_once");
    fay_buffer_append(out, "[", 1);
    for (size_t i = 0; i < promises.count; i++) {
        put_comma(out);
        fay_buffer_append(out, "{", 1);
        put_bool(out, "kept", promises.items[i].kept);
        put_text(out, "about", promises.items[i].about);
        put_text(out, "text", promises.items[i].text);
        close_object(out);
    }
    fay_buffer_append(out, "]", 1);
}

static void put_warnings(const fay_pipeline *p, fay_buffer *out)
{
    FAY_CLEANUP(fay_sentences_deinit) fay_sentences warnings = {0};
    fay_pipeline_warnings(p, &warnings);
    put_key(out, "warnings");
    fay_buffer_append(out, "[", 1);
    for (size_t i = 0; i < warnings.count; i++) {
        put_comma(out);
        fay_buffer_append(out, "{", 1);
        put_text(out, "stage", warnings.items[i].about);
        put_text(out, "text", warnings.items[i].text);
        close_object(out);
    }
    fay_buffer_append(out, "]", 1);
}

void fay_plan_json(const fay_pipeline *pipeline, const fay_plan_facts *facts, fay_buffer *out)
{
    fay_buffer_append(out, "{", 1);
    put_count(out, "schema", 1);
    put_text(out, "pipeline", pipeline->name);
    put_text(out, "file", pipeline->path);
    put_source(pipeline, facts, out);
    put_stages(pipeline, out);
    put_sink(pipeline, facts, out);
    put_text(out, "dead_letter", pipeline->dead_letter);
    put_text(out, "state", pipeline->state[0] != '\0' ? pipeline->state : NULL);
    put_promises(pipeline, facts, out);
    put_warnings(pipeline, out);
    fay_buffer_append_text(out, "}\n");
}
