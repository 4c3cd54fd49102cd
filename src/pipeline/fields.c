/* SPDX-License-Identifier: MIT */
#include "pipeline/schema.h"

#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define S(member)             offsetof(fay_stage_def, member)
#define P(member)             offsetof(fay_pipeline, member)

#define SIGNAL_MAX            64

#define X(name, number, text) text,
static const char *const emits[] = {FAY_EMITS(X) NULL};
static const char *const bufferings[] = {FAY_BUFFERINGS(X) NULL};
#undef X
static const char *const retry_reasons[] = {"exit", "signal", "timeout", NULL};

const char *const fay_crlf_names[] = {"keep", "strip", NULL};
const char *const fay_format_names[] = {
#define X(name, number, text) text,
    FAY_FORMATS(X)
#undef X
        NULL};

/* -- Fields with a form of their own -- */

static void read_nothing(const fay_config_reader *reader, const fay_field *field, void *base,
                         const fay_yaml *value)
{
    (void)reader; /* `faymora`, `defaults` and `stages` are the loader's */
    (void)field;
    (void)base;
    (void)value;
}

static const fay_field workers_fields[] = {
    {"min", .kind = FAY_FIELD_UNSIGNED, .at = S(workers_min), .most = FAY_WORKERS_MAX},
    {"max", .kind = FAY_FIELD_UNSIGNED, .at = S(workers_max), .least = 1, .most = FAY_WORKERS_MAX,
     .word = "auto"},
    {"start", .kind = FAY_FIELD_UNSIGNED, .at = S(workers_start), .most = FAY_WORKERS_MAX,
     .said = S(workers_start_given)},
    {0},
};

/* `workers: 4` pins; the map opens what `defaults:` may have pinned. */
static void read_workers(const fay_config_reader *reader, const fay_field *field, void *base,
                         const fay_yaml *value)
{
    fay_stage_def *stage = base;
    if (value->kind == FAY_YAML_MAP) {
        if (stage->workers_pinned) {
            stage->workers_pinned = stage->workers_start_given = false;
            stage->workers_min = 1;
            stage->workers_max = 0;
        }
        fay_field map = *field;
        map.kind = FAY_FIELD_MAP;
        fay_field_read(reader, &map, base, value);
        return;
    }
    unsigned pinned = 0;
    fay_field count = {field->key, .kind = FAY_FIELD_UNSIGNED, .least = 1, .most = FAY_WORKERS_MAX};
    fay_field_read(reader, &count, &pinned, value);
    if (pinned == 0)
        return;
    stage->workers_min = stage->workers_max = stage->workers_start = pinned;
    stage->workers_pinned = stage->workers_start_given = true;
}

static void read_when(const fay_config_reader *reader, const fay_field *field, void *base,
                      const fay_yaml *value)
{
    fay_stage_def *stage = base;
    if (value->kind != FAY_YAML_SCALAR || fay_yaml_is_null(value)) {
        (void)fay_field_refuse(reader, field, value, "a test");
        return;
    }
    fay_error err = {0};
    fay_when *when = NULL;
    bool is_else = strcmp(value->text, "else") == 0;
    if (strlen(value->text) > FAY_WHEN_MAX) {
        (void)fay_config_errors_add(reader->errors, value->where,
                                    "'when' %s is longer than %zu bytes", reader->where,
                                    FAY_WHEN_MAX);
        return;
    }
    if (!is_else && value->text[0] != '\0' && (when = fay_when_parse(value->text, &err)) == NULL) {
        fay_place_in_file where = value->where;
        if (!value->block && err.column > 0)
            where.column += err.column - 1 + (value->plain ? 0 : 1); /* behind the quote */
        fay_error *added = fay_config_errors_add(reader->errors, where, "'when' %s: %s",
                                                 reader->where, err.message);
        fay_hint(added, "%s", err.hint);
        return;
    }
    fay_when_free(stage->when);
    stage->when = when;
    stage->when_else = is_else;
    fay_text_replace(&stage->when_text, fay_strdup(value->text));
}

static bool is_env_name(const char *name)
{
    for (const char *c = name; *c != '\0'; c++) {
        bool letter = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || *c == '_';
        if (!letter && !(*c >= '0' && *c <= '9' && c > name))
            return false;
    }
    return name[0] != '\0';
}

/* Sets one "K=V"; what `defaults:` said of the same name goes. */
static void set_env(fay_stage_def *stage, const char *name, const char *value)
{
    size_t length = strlen(name);
    char *line = fay_printed("%s=%s", name, value);
    size_t count = fay_texts_count(stage->env);
    for (size_t i = 0; i < count; i++) {
        if (strncmp(stage->env[i], line, length + 1) == 0) {
            fay_text_replace(&stage->env[i], line);
            return;
        }
    }
    stage->env = fay_realloc(stage->env, (count + 2) * sizeof *stage->env);
    stage->env[count] = line;
    stage->env[count + 1] = NULL;
}

static void read_env(const fay_config_reader *reader, const fay_field *field, void *base,
                     const fay_yaml *value)
{
    if (value->kind != FAY_YAML_MAP) {
        (void)fay_field_refuse(reader, field, value, "a map of names to texts");
        return;
    }
    for (size_t i = 0; i + 1 < value->count; i += 2) {
        const fay_yaml *key = value->items[i];
        const fay_yaml *text = value->items[i + 1];
        if (key->kind != FAY_YAML_SCALAR || key->reported || text->reported)
            continue;
        if (!is_env_name(key->text)) {
            (void)fay_config_errors_add(reader->errors, key->where,
                                        "'%.64s' is not a name of an environment variable",
                                        key->text);
        } else if (strncmp(key->text, "FAYMORA_", 8) == 0) {
            (void)fay_config_errors_add(reader->errors, key->where,
                                        "'%.64s' is set by faymora itself", key->text);
        } else if (text->kind != FAY_YAML_SCALAR) {
            (void)fay_config_errors_add(reader->errors, text->where, "'%.64s' must be a text",
                                        key->text);
        } else {
            set_env(base, key->text, text->text);
        }
    }
}

/* A plain scalar is what JSON would make of it, else a text (YAML 1.2, core schema). */
static json_t *scalar_to_json(const fay_yaml *node)
{
    if (fay_yaml_is_null(node))
        return json_null();
    json_t *value = NULL;
    if (node->plain && strpbrk(node->text, "[{\"") == NULL)
        value = json_loads(node->text, JSON_DECODE_ANY, NULL);
    return value != NULL ? value : json_string(node->text);
}

static json_t *to_json(const fay_yaml *node)
{
    if (node->kind == FAY_YAML_SCALAR)
        return scalar_to_json(node);
    json_t *value = node->kind == FAY_YAML_LIST ? json_array() : json_object();
    if (node->kind == FAY_YAML_LIST) {
        for (size_t i = 0; i < node->count; i++) {
            (void)json_array_append_new(value, to_json(node->items[i]));
        }
    } else {
        for (size_t i = 0; i + 1 < node->count; i += 2) {
            const fay_yaml *key = node->items[i];
            if (key->kind == FAY_YAML_SCALAR)
                (void)json_object_set_new(value, key->text, to_json(node->items[i + 1]));
        }
    }
    return value;
}

static void read_options(const fay_config_reader *reader, const fay_field *field, void *base,
                         const fay_yaml *value)
{
    fay_stage_def *stage = base;
    json_t *json = NULL;
    if (value->kind == FAY_YAML_MAP) {
        json = to_json(value);
    } else if (value->kind == FAY_YAML_SCALAR) {
        json = json_loads(value->text, JSON_REJECT_DUPLICATES, NULL);
    }
    if (!json_is_object(json)) {
        json_decref(json);
        (void)fay_field_refuse(reader, field, value, "a map or the text of a JSON object");
        return;
    }
    fay_text_replace(&stage->options, json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS));
    json_decref(json);
}

/* TERM, SIGTERM or 15; 0 = none of them */
static int parse_signal(const char *text)
{
    const char *name = strncmp(text, "SIG", 3) == 0 ? text + 3 : text;
    for (int i = 1; i < SIGNAL_MAX; i++) {
        char number[8];
        (void)snprintf(number, sizeof number, "%d", i);
        const char *known = sigabbrev_np(i);
        if (strcmp(text, number) == 0 || (known != NULL && strcmp(name, known) == 0))
            return i;
    }
    return 0;
}

static void read_signal(const fay_config_reader *reader, const fay_field *field, void *base,
                        const fay_yaml *value)
{
    int number = value->kind == FAY_YAML_SCALAR ? parse_signal(value->text) : 0;
    if (number == 0) {
        (void)fay_field_refuse(reader, field, value, "a signal such as TERM");
        return;
    }
    ((fay_stage_def *)base)->stop_signal = number;
}

static void read_queue_items(const fay_config_reader *reader, const fay_field *field, void *base,
                             const fay_yaml *value)
{
    fay_stage_def *stage = base;
    fay_field count = *field;
    count.kind = FAY_FIELD_COUNT;
    size_t before = reader->errors->count + reader->errors->more;
    fay_field_read(reader, &count, base, value);
    if (reader->errors->count + reader->errors->more == before)
        stage->queue_items_auto = false;
}

static void read_failures(const fay_config_reader *reader, const fay_field *field, void *base,
                          const fay_yaml *value)
{
    fay_pipeline *pipeline = base;
    size_t length = value->kind == FAY_YAML_SCALAR ? strlen(value->text) : 0;
    if (length == 0 || value->text[length - 1] != '%') {
        fay_field count = {field->key, .kind = FAY_FIELD_COUNT, .at = P(failures_max)};
        pipeline->failures_percent = 0;
        fay_field_read(reader, &count, base, value);
        return;
    }
    fay_yaml number = *value;
    FAY_CLEANUP(fay_freep) char *digits = fay_strndup(value->text, length - 1);
    number.text = digits;
    fay_field percent = {field->key, .kind = FAY_FIELD_NUMBER, .at = P(failures_percent),
                         .most = 100};
    pipeline->failures_max = 0;
    fay_field_read(reader, &percent, base, &number);
}

/* Of the top level: what the source says itself goes first, whichever comes first in the file. */
static void read_crlf(const fay_config_reader *reader, const fay_field *field, void *base,
                      const fay_yaml *value)
{
    fay_source_def *source = &((fay_pipeline *)base)->source;
    fay_crlf said = source->crlf;
    fay_field choice = {field->key, .kind = FAY_FIELD_CHOICE, .names = fay_crlf_names};
    fay_field_read(reader, &choice, &said, value);
    if (!source->crlf_given)
        source->crlf = said;
}

/* {name} and {run} are filled in when the run begins. */
static void check_dead_letter(const fay_config_reader *reader, const fay_yaml *value)
{
    for (const char *at = strchr(value->text, '{'); at != NULL; at = strchr(at + 1, '{')) {
        if (strncmp(at, "{name}", 6) == 0 || strncmp(at, "{run}", 5) == 0)
            continue;
        fay_error *err =
            fay_config_errors_add(reader->errors, value->where,
                                  "unknown placeholder in the name of the dead letter file");
        fay_hint(err, "known here: {name} {run}");
        return;
    }
}

static void read_dead_file(const fay_config_reader *reader, const fay_field *field, void *base,
                           const fay_yaml *value)
{
    fay_field text = *field;
    text.kind = FAY_FIELD_TEXT;
    fay_field_read(reader, &text, base, value);
    if (value->kind == FAY_YAML_SCALAR)
        check_dead_letter(reader, value);
}

static const fay_field dead_letter_fields[] = {
    {"file", .kind = FAY_FIELD_OWN, .at = P(dead_letter), .read = read_dead_file},
    {"nats", .kind = FAY_FIELD_LATER},
    {"redis", .kind = FAY_FIELD_LATER},
    {0},
};

static void read_dead_letter(const fay_config_reader *reader, const fay_field *field, void *base,
                             const fay_yaml *value)
{
    fay_pipeline *pipeline = base;
    if (value->kind == FAY_YAML_MAP) {
        fay_field map = *field;
        map.kind = FAY_FIELD_MAP;
        fay_field_read(reader, &map, base, value);
    } else if (value->kind == FAY_YAML_SCALAR && strcmp(value->text, "none") == 0) {
        fay_text_replace(&pipeline->dead_letter, NULL);
    } else {
        fay_error *err = fay_field_refuse(reader, field, value, "{file: PATH} or none");
        if (value->kind == FAY_YAML_SCALAR && !fay_yaml_is_null(value))
            fay_hint(err, "dead_letter: {file: \"%.100s\"}", value->text);
    }
}

static void read_source(const fay_config_reader *reader, const fay_field *field, void *base,
                        const fay_yaml *value)
{
    static const char *const words[] = {[FAY_SOURCE_STDIN] = "stdin", NULL};
    fay_source_def *source = (void *)((char *)base + field->at);
    source->where = value->where;
    fay_end_read(reader, field, source, value, words);
}

static void read_sink(const fay_config_reader *reader, const fay_field *field, void *base,
                      const fay_yaml *value)
{
    static const char *const words[] = {
        [FAY_SINK_STDOUT] = "stdout", [FAY_SINK_FILE] = "",     [FAY_SINK_EXEC] = "",
        [FAY_SINK_LISTEN] = "",       [FAY_SINK_NULL] = "null", NULL};
    fay_sink_def *sink = (void *)((char *)base + field->at);
    sink->where = value->where;
    fay_end_read(reader, field, sink, value, words);
}

/* -- The tables -- */

static const fay_field equalizer_fields[] = {
    {"period", .kind = FAY_FIELD_DURATION, .at = S(equalizer_period), .least = 1e6,
     .most = FAY_DURATION_MAX, .word = "auto"},
    {"target_wait", .kind = FAY_FIELD_DURATION, .at = S(equalizer_target_wait), .least = 1e3,
     .most = FAY_DURATION_MAX, .word = "auto"},
    {0},
};

static const fay_field resources_fields[] = {
    {"cpu", .kind = FAY_FIELD_NUMBER, .at = S(cpu), .most = FAY_CPU_MAX, .word = "auto",
     .word_value = FAY_AUTO},
    {"memory", .kind = FAY_FIELD_SIZE, .at = S(memory), .least = 1, .word = "auto"},
    {"disk", .kind = FAY_FIELD_SIZE, .at = S(disk)},
    {"tags", .kind = FAY_FIELD_TEXTS, .at = S(tags)},
    {0},
};

static const fay_field backoff_fields[] = {
    {"initial", .kind = FAY_FIELD_DURATION, .at = S(backoff_initial), .most = FAY_DURATION_MAX},
    {"factor", .kind = FAY_FIELD_NUMBER, .at = S(backoff_factor), .least = 1,
     .most = FAY_BACKOFF_FACTOR_MAX},
    {"max", .kind = FAY_FIELD_DURATION, .at = S(backoff_max), .most = FAY_DURATION_MAX},
    {"jitter", .kind = FAY_FIELD_NUMBER, .at = S(backoff_jitter), .most = 1},
    {0},
};

static const fay_field reorder_fields[] = {
    {"items", .kind = FAY_FIELD_COUNT, .at = S(reorder_items), .least = 1,
     .most = FAY_REORDER_ITEMS_MAX},
    {"wait", .kind = FAY_FIELD_DURATION, .at = S(reorder_wait), .most = FAY_DURATION_MAX},
    {0},
};

static const fay_field batch_fields[] = {
    {"items", .kind = FAY_FIELD_COUNT, .at = S(batch_items), .least = 1,
     .most = FAY_BLOCK_ITEMS_MAX},
    {"bytes", .kind = FAY_FIELD_SIZE, .at = S(batch_bytes), .least = 1, .most = FAY_ITEM_MAX},
    {"wait", .kind = FAY_FIELD_DURATION, .at = S(batch_wait), .most = FAY_DURATION_MAX},
    {0},
};

static const fay_field queue_fields[] = {
    {"items", .kind = FAY_FIELD_OWN, .at = S(queue_items), .least = 1, .most = FAY_QUEUE_ITEMS_MAX,
     .read = read_queue_items},
    {"bytes", .kind = FAY_FIELD_SIZE, .at = S(queue_bytes), .least = 1},
    {0},
};

static const fay_field stop_fields[] = {
    {"signal", .kind = FAY_FIELD_OWN, .read = read_signal},
    {"grace", .kind = FAY_FIELD_DURATION, .at = S(stop_grace), .most = FAY_DURATION_MAX},
    {0},
};

static const fay_field recycle_fields[] = {
    {"items", .kind = FAY_FIELD_COUNT, .at = S(recycle_items)},
    {"age", .kind = FAY_FIELD_DURATION, .at = S(recycle_age), .most = FAY_DURATION_MAX},
    {"rss", .kind = FAY_FIELD_SIZE, .at = S(recycle_rss)},
    {0},
};

const fay_field fay_stage_fields[] = {
    {"name", .kind = FAY_FIELD_TEXT, .at = S(name), .said = S(name_given)},
    {"run", .kind = FAY_FIELD_TEXTS, .at = S(words)},
    {"sh", .kind = FAY_FIELD_TEXT, .at = S(shell)},
    {"module", .kind = FAY_FIELD_TEXT, .at = S(module)},
    {"options", .kind = FAY_FIELD_OWN, .read = read_options},
    {"mode", .kind = FAY_FIELD_CHOICE, .at = S(mode), .names = fay_mode_names,
     .said = S(mode_given)},
    {"emit", .kind = FAY_FIELD_CHOICE, .at = S(emit), .names = emits},
    {"input", .kind = FAY_FIELD_TEXTS, .at = S(input_names)},
    {"when", .kind = FAY_FIELD_OWN, .read = read_when},
    {"format", .kind = FAY_FIELD_CHOICE, .at = S(format), .names = fay_format_names,
     .said = S(format_given)},
    {"workers", .kind = FAY_FIELD_OWN, .fields = workers_fields, .read = read_workers},
    {"equalizer", .kind = FAY_FIELD_MAP, .fields = equalizer_fields},
    {"resources", .kind = FAY_FIELD_MAP, .fields = resources_fields},
    {"place", .kind = FAY_FIELD_LATER},
    {"timeout", .kind = FAY_FIELD_DURATION, .at = S(timeout), .most = FAY_DURATION_MAX},
    {"retries", .kind = FAY_FIELD_COUNT, .at = S(retries), .most = (double)FAY_RETRIES_MAX,
     .word = "forever", .word_value = 0x1p64},
    {"backoff", .kind = FAY_FIELD_MAP, .fields = backoff_fields},
    {"on_error", .kind = FAY_FIELD_CHOICE, .at = S(on_error), .names = fay_on_error_names},
    {"retry_on", .kind = FAY_FIELD_CHOICES, .at = S(retry_on), .names = retry_reasons},
    {"ordered", .kind = FAY_FIELD_BOOL, .at = S(ordered)},
    {"reorder", .kind = FAY_FIELD_MAP, .fields = reorder_fields},
    {"batch", .kind = FAY_FIELD_MAP, .fields = batch_fields},
    {"prefetch", .kind = FAY_FIELD_UNSIGNED, .at = S(prefetch), .least = 1, .most = FAY_CREDIT_MAX,
     .word = "auto"},
    {"queue", .kind = FAY_FIELD_MAP, .fields = queue_fields},
    {"max_item", .kind = FAY_FIELD_SIZE, .at = S(item_max), .least = 1, .most = FAY_ITEM_MAX},
    {"max_output", .kind = FAY_FIELD_SIZE, .at = S(output_max), .least = 1},
    {"buffering", .kind = FAY_FIELD_CHOICE, .at = S(buffering), .names = bufferings},
    {"stall", .kind = FAY_FIELD_DURATION, .at = S(stall), .most = FAY_DURATION_MAX},
    {"env", .kind = FAY_FIELD_OWN, .read = read_env},
    {"cwd", .kind = FAY_FIELD_TEXT, .at = S(cwd)},
    {"channels", .kind = FAY_FIELD_LATER},
    {"rate", .kind = FAY_FIELD_NUMBER, .at = S(rate), .most = FAY_RATE_MAX},
    {"files", .kind = FAY_FIELD_LATER},
    {"stop", .kind = FAY_FIELD_MAP, .fields = stop_fields},
    {"recycle", .kind = FAY_FIELD_MAP, .fields = recycle_fields},
    {0},
};

static const fay_field limits_fields[] = {
    {"failures", .kind = FAY_FIELD_OWN, .read = read_failures},
    {"rate", .kind = FAY_FIELD_NUMBER, .at = P(rate), .most = FAY_RATE_MAX},
    {"run_time", .kind = FAY_FIELD_DURATION, .at = P(run_time), .most = FAY_DURATION_MAX},
    {0},
};

static const fay_field on_fields[] = {
    {"item_dead", .kind = FAY_FIELD_TEXTS, .at = P(on.item_dead)},
    {"worker_crash", .kind = FAY_FIELD_TEXTS, .at = P(on.worker_crash)},
    {"node_lost", .kind = FAY_FIELD_TEXTS, .at = P(on.node_lost)},
    {"pressure", .kind = FAY_FIELD_TEXTS, .at = P(on.pressure)},
    {"done", .kind = FAY_FIELD_TEXTS, .at = P(on.done)},
    {0},
};

const fay_field fay_pipeline_fields[] = {
    {"faymora", .kind = FAY_FIELD_OWN, .read = read_nothing},
    {"name", .kind = FAY_FIELD_TEXT, .at = P(name)},
    {"format", .kind = FAY_FIELD_CHOICE, .at = P(format), .names = fay_format_names},
    {"crlf", .kind = FAY_FIELD_OWN, .read = read_crlf},
    {"spool", .kind = FAY_FIELD_BOOL, .at = P(spool)},
    {"source", .kind = FAY_FIELD_OWN, .at = P(source), .fields = fay_source_fields,
     .read = read_source},
    {"defaults", .kind = FAY_FIELD_OWN, .read = read_nothing},
    {"stages", .kind = FAY_FIELD_OWN, .read = read_nothing},
    {"sink", .kind = FAY_FIELD_OWN, .at = P(sink), .fields = fay_sink_fields, .read = read_sink},
    {"dead_letter", .kind = FAY_FIELD_OWN, .fields = dead_letter_fields, .read = read_dead_letter},
    {"state", .kind = FAY_FIELD_TEXT, .at = P(state)},
    {"limits", .kind = FAY_FIELD_MAP, .fields = limits_fields},
    {"on", .kind = FAY_FIELD_MAP, .fields = on_fields},
    {0},
};
