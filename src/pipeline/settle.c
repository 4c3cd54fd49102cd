/* SPDX-License-Identifier: MIT */
#include "pipeline/settle.h"

#include <stdlib.h>
#include <string.h>

#include "item/template.h"
#include "pipeline/graph.h"
#include "pipeline/schema.h"

struct settling {
    fay_pipeline *pipeline;
    const fay_yaml *root;
    fay_config_errors *errors;
};

static const fay_yaml *stage_node(const struct settling *s, size_t stage)
{
    const fay_yaml *stages = fay_yaml_get(s->root, "stages");
    bool there = stages != NULL && stages->kind == FAY_YAML_LIST && stage < stages->count;
    return there ? stages->items[stage] : NULL;
}

/* The value of a field of a stage, its own or that of `defaults:`; NULL = not stated. */
static const fay_yaml *value_of(const struct settling *s, size_t stage, const char *key)
{
    const fay_yaml *own = fay_yaml_get(stage_node(s, stage), key);
    return own != NULL ? own : fay_yaml_get(fay_yaml_get(s->root, "defaults"), key);
}

/* Where a field of a stage was stated, else where the stage begins. */
static fay_place_in_file place_of(const struct settling *s, size_t stage, const char *key)
{
    const fay_yaml *value = key != NULL ? value_of(s, stage, key) : NULL;
    return value != NULL ? value->where : s->pipeline->stages[stage].where;
}

static fay_place_in_file place_of_element(const struct settling *s, size_t stage, const char *key,
                                          size_t element)
{
    const fay_yaml *value = value_of(s, stage, key);
    if (value != NULL && value->kind == FAY_YAML_LIST && element < value->count)
        return value->items[element]->where;
    return place_of(s, stage, key);
}

/* -- Names ---------------------------------------------------------------------------------------
 */

static bool is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

static bool is_name(const char *name)
{
    size_t length = 0;
    while (is_name_byte(name[length])) {
        length++;
    }
    return name[length] == '\0' && length >= 1 && length <= FAY_STAGE_NAME_MAX;
}

static char lower_case(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c + ('a' - 'A'));
    return c;
}

void fay_name_fit(const char *text, fay_buffer *out)
{
    size_t length = 0;
    bool dash = true; /* none at the front, no two in a row */
    for (const char *c = text; *c != '\0' && length < FAY_STAGE_NAME_MAX; c++) {
        char lower = lower_case(*c);
        bool fits = is_name_byte(lower) && lower != '-';
        if (!fits && dash)
            continue;
        fay_buffer_append(out, fits ? &lower : "-", 1);
        dash = !fits;
        length++;
    }
    if (length > 0 && dash) {
        out->end--;
        length--;
    }
    if (length == 0)
        fay_buffer_append_text(out, "stage");
}

/* "./bin/score.py" -> "score-py" */
static char *default_name(const fay_stage_def *stage)
{
    const char *program = stage->module != NULL                             ? stage->module
                          : stage->shell != NULL                            ? "sh"
                          : stage->words != NULL && stage->words[0] != NULL ? stage->words[0]
                                                                            : "";
    const char *slash = strrchr(program, '/');
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer name = {0};
    fay_name_fit(slash != NULL ? slash + 1 : program, &name);
    return fay_strdup(fay_buffer_text(&name));
}

static bool is_reserved(const char *name)
{
    return strcmp(name, "source") == 0 || strcmp(name, "sink") == 0;
}

static bool is_taken(const fay_pipeline *p, size_t but, const char *name)
{
    for (size_t i = 0; i < p->stages_count; i++) {
        if (i != but && strcmp(p->stages[i].name, name) == 0)
            return true;
    }
    return is_reserved(name);
}

static void check_name(const struct settling *s, size_t stage)
{
    const char *name = s->pipeline->stages[stage].name;
    if (!is_name(name)) {
        FAY_CLEANUP(fay_buffer_deinit) fay_buffer fitting = {0};
        fay_name_fit(name, &fitting);
        fay_error *err =
            fay_config_errors_add(s->errors, place_of(s, stage, "name"),
                                  "'%.40s' is not a name of a stage: [a-z0-9-], 1 to %zu of them",
                                  name, FAY_STAGE_NAME_MAX);
        fay_hint(err, "say '%s'", fay_buffer_text(&fitting));
        return;
    }
    if (is_reserved(name)) {
        (void)fay_config_errors_add(s->errors, place_of(s, stage, "name"),
                                    "a stage cannot be named '%s'", name);
        return;
    }
    for (size_t i = 0; i < stage; i++) {
        const fay_stage_def *other = &s->pipeline->stages[i];
        if (!other->name_given || strcmp(other->name, name) != 0)
            continue;
        fay_error *err = fay_config_errors_add(s->errors, place_of(s, stage, "name"),
                                               "two stages are named '%s'", name);
        if (other->where.line > 0)
            fay_hint(err, "the other one is in line %d", place_of(s, i, "name").line);
        return;
    }
}

/* Stated names first, so that a default gives way to one stated later. */
static void settle_names(const struct settling *s)
{
    fay_pipeline *p = s->pipeline;
    for (size_t i = 0; i < p->stages_count; i++) {
        if (p->stages[i].name_given) {
            check_name(s, i);
        } else {
            fay_text_replace(&p->stages[i].name, fay_strdup(""));
        }
    }
    for (size_t i = 0; i < p->stages_count; i++) {
        if (p->stages[i].name_given)
            continue;
        FAY_CLEANUP(fay_freep) char *base = default_name(&p->stages[i]);
        char *name = fay_strdup(base);
        for (unsigned n = 2; is_taken(p, i, name); n++) {
            FAY_CLEANUP(fay_freep) char *tail = fay_printed("-%u", n);
            int room = (int)(FAY_STAGE_NAME_MAX - strlen(tail));
            fay_text_replace(&name, fay_printed("%.*s%s", room, base, tail));
        }
        fay_text_replace(&p->stages[i].name, name);
    }
}

static void settle_pipeline_name(const struct settling *s)
{
    const char *name = s->pipeline->name;
    size_t length =
        strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");
    if (name[length] == '\0' && length >= 1 && length <= FAY_PIPELINE_NAME_MAX && name[0] != '.')
        return;
    const fay_yaml *node = fay_yaml_get(s->root, "name");
    (void)fay_config_errors_add(
        s->errors, node != NULL ? node->where : (fay_place_in_file){0, 0},
        "'%.40s' is not a name of a pipeline: letters, digits, . _ -, 1 to %zu of them", name,
        FAY_PIPELINE_NAME_MAX);
}

/* -- Commands ------------------------------------------------------------------------------------
 */

/* run, sh, module: exactly one. false = there is nothing to look at further. */
static bool check_command(const struct settling *s, size_t stage)
{
    static const char *const keys[] = {"run", "sh", "module"};
    const fay_stage_def *def = &s->pipeline->stages[stage];
    const bool set[] = {def->words != NULL, def->shell != NULL, def->module != NULL};
    size_t first = FAY_COUNT(keys);
    const fay_yaml *node = stage_node(s, stage);
    bool stated = node != NULL && node->kind != FAY_YAML_MAP; /* or refused: reported already */
    for (size_t i = 0; i < FAY_COUNT(keys); i++) {
        stated |= fay_yaml_get(node, keys[i]) != NULL;
        if (set[i] && first < i) {
            (void)fay_config_errors_add(s->errors, place_of(s, stage, keys[i]),
                                        "stage '%s' has both '%s' and '%s'", def->name, keys[first],
                                        keys[i]);
        } else if (set[i]) {
            first = i;
        }
    }
    if (first < FAY_COUNT(keys))
        return true;
    if (!stated) {
        fay_error *err =
            fay_config_errors_add(s->errors, def->where, "stage '%s' has no command", def->name);
        fay_hint(err, "run: [PROGRAM, ARGUMENT..], sh: \"..\" or module: ./x.so");
    }
    return false;
}

static void replace_argv(fay_stage_def *stage, char **argv)
{
    fay_texts_replace(&stage->argv, argv);
    stage->argc = fay_texts_count(argv);
}

static bool check_word(const struct settling *s, size_t stage, size_t word, bool *ret_placeholder)
{
    const fay_stage_def *def = &s->pipeline->stages[stage];
    fay_place_in_file where = place_of_element(s, stage, "run", word);
    fay_error err = {0};
    FAY_CLEANUP(fay_template_freep)
    fay_template *t = fay_template_parse(def->words[word], &err);
    if (t == NULL) {
        fay_error *added = fay_config_errors_add(s->errors, where, "%s in the command of '%s'",
                                                 err.message, def->name);
        fay_hint(added, "%s", err.hint);
        return false;
    }
    if (!fay_template_has_placeholders(t))
        return true;
    *ret_placeholder = true;
    if (word > 0)
        return true;
    fay_error *added = fay_config_errors_add(
        s->errors, where, "the program of '%s' cannot be a placeholder", def->name);
    fay_hint(added, "run it by env: [env, \"%s\"]", def->words[word]);
    return false;
}

/* A word without placeholders, its escapes undone. */
static char *literal(const char *word)
{
    static const fay_template_values none = {.id = "", .node = ""};
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer out = {0};
    FAY_CLEANUP(fay_template_freep) fay_template *t = fay_template_parse(word, NULL);
    if (t != NULL)
        (void)fay_template_expand(t, &none, &out);
    return fay_strdup(fay_buffer_text(&out));
}

static void settle_run(const struct settling *s, size_t stage)
{
    fay_stage_def *def = &s->pipeline->stages[stage];
    size_t count = fay_texts_count(def->words);
    if (count == 0 || def->words[0][0] == '\0') {
        (void)fay_config_errors_add(s->errors, place_of(s, stage, "run"),
                                    "the command of '%s' is empty", def->name);
        return;
    }
    if (count == 1 && strpbrk(def->words[0], " \t\n") != NULL && s->root != NULL &&
        value_of(s, stage, "run")->kind == FAY_YAML_SCALAR) {
        fay_error *err = fay_config_errors_add(s->errors, place_of(s, stage, "run"),
                                               "'run' in stage '%s' is a list of words", def->name);
        fay_hint(err, "[PROGRAM, ARGUMENT..]; a line for the shell goes into sh:");
        return;
    }
    bool placeholders = false;
    bool good = true;
    size_t first = 0; /* word with a placeholder */
    for (size_t i = 0; i < count; i++) {
        bool before = placeholders;
        good &= check_word(s, stage, i, &placeholders);
        if (placeholders && !before)
            first = i;
    }
    if (!good)
        return;
    if (!def->mode_given)
        def->mode = placeholders ? FAY_MODE_EXEC : FAY_MODE_LINES;
    if (def->mode == FAY_MODE_EXEC) {
        replace_argv(def, fay_texts_copy(def->words, count));
        return;
    }
    if (placeholders) {
        fay_error *err = fay_config_errors_add(
            s->errors, place_of_element(s, stage, "run", first),
            "a placeholder in the command of '%s' needs mode: exec", def->name);
        fay_hint(err, "workers of the other modes are started before there is an Item");
        return;
    }
    char **argv = fay_alloc((count + 1) * sizeof *argv);
    for (size_t i = 0; i < count; i++) {
        argv[i] = literal(def->words[i]);
    }
    replace_argv(def, argv);
}

static void settle_shell(const struct settling *s, size_t stage)
{
    fay_stage_def *def = &s->pipeline->stages[stage];
    size_t length = 0;
    const char *found = fay_template_find(def->shell, &length);
    if (found != NULL) {
        fay_error *err = fay_config_errors_add(
            s->errors, place_of(s, stage, "sh"),
            "%.*s in 'sh' of stage '%s': the shell would run what is in the Item",
            (int)FAY_MIN(length, (size_t)64), found, def->name);
        fay_hint(err, "use \"$FAYMORA_ITEM\"");
        return;
    }
    if (!def->mode_given)
        def->mode = strstr(def->shell, "FAYMORA_ITEM") != NULL ? FAY_MODE_EXEC : FAY_MODE_LINES;
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer text = {0};
    if (def->mode == FAY_MODE_EXEC) {
        fay_template_escape(def->shell, &text);
    } else {
        fay_buffer_append_text(&text, def->shell);
    }
    FAY_CLEANUP(fay_freep) char *line = fay_strdup(fay_buffer_text(&text));
    char sh[] = "sh";
    char minus_c[] = "-c";
    char *argv[] = {sh, minus_c, line};
    replace_argv(def, fay_texts_copy(argv, FAY_COUNT(argv)));
}

static void settle_module(const struct settling *s, size_t stage)
{
    static const char *const modes[] = {"exec", "lines", "batch", "json", "frames"};
    fay_stage_def *def = &s->pipeline->stages[stage];
    if (!def->mode_given)
        def->mode = FAY_MODE_FRAMES;
    if (def->mode != FAY_MODE_FRAMES) {
        fay_error *err = fay_config_errors_add(s->errors, place_of(s, stage, "mode"),
                                               "stage '%s' is a module, which cannot be mode: %s",
                                               def->name, modes[def->mode]);
        fay_hint(err, "leave it out: modules are mode: frames");
    }
    replace_argv(def, NULL);
}

static void settle_command(const struct settling *s, size_t stage)
{
    if (!check_command(s, stage))
        return;
    const fay_stage_def *def = &s->pipeline->stages[stage];
    if (def->module != NULL) {
        settle_module(s, stage);
    } else if (def->shell != NULL) {
        settle_shell(s, stage);
    } else {
        settle_run(s, stage);
    }
}

/* -- Numbers that belong together
 * ------------------------------------------------------------------ */

static void settle_workers(const struct settling *s, size_t stage)
{
    fay_stage_def *def = &s->pipeline->stages[stage];
    unsigned most = def->workers_max > 0 ? def->workers_max : (unsigned)FAY_WORKERS_MAX;
    fay_place_in_file where = place_of(s, stage, "workers");
    if (def->workers_pinned && def->workers_min != def->workers_max)
        def->workers_pinned = false; /* --set has opened it */
    if (!def->workers_start_given)
        def->workers_start = FAY_MIN(FAY_MAX(def->workers_min, 1u), most);
    if (def->workers_min > most) {
        (void)fay_config_errors_add(s->errors, where, "stage '%s': workers min %u is above max %u",
                                    def->name, def->workers_min, most);
    } else if (def->workers_start < def->workers_min || def->workers_start > most) {
        (void)fay_config_errors_add(s->errors, where,
                                    "stage '%s': workers start %u is not between min %u and max %u",
                                    def->name, def->workers_start, def->workers_min, most);
    }
}

static void settle_rest(const struct settling *s, size_t stage)
{
    fay_pipeline *p = s->pipeline;
    fay_stage_def *def = &p->stages[stage];
    if (!def->format_given)
        def->format = p->format;
    if (def->backoff_initial > def->backoff_max) {
        (void)fay_config_errors_add(s->errors, place_of(s, stage, "backoff"),
                                    "stage '%s': backoff initial is above its max", def->name);
    }
    if (def->retries == UINT64_MAX && p->dead_letter != NULL) {
        fay_error *err = fay_config_errors_add(
            s->errors, place_of(s, stage, "retries"),
            "stage '%s': retries: forever needs dead_letter: none to be said too", def->name);
        fay_hint(err, "an Item that always fails then holds its place for ever");
    }
}

static void settle_argv(const struct settling *s, char **argv, bool is_used,
                        fay_place_in_file where, const char *what)
{
    if (is_used && (argv == NULL || argv[0] == NULL || argv[0][0] == '\0'))
        (void)fay_config_errors_add(s->errors, where, "%s is empty", what);
}

static void settle_ends(const struct settling *s)
{
    fay_pipeline *p = s->pipeline;
    fay_source_def *source = &p->source;
    fay_sink_def *sink = &p->sink;
    if (!source->format_given)
        source->format = p->format;
    if (!sink->format_given)
        sink->format = p->format;
    settle_argv(s, source->files, source->kind == FAY_SOURCE_FILE, source->where,
                "the list of files of 'source'");
    settle_argv(s, source->argv, source->kind == FAY_SOURCE_EXEC, source->where,
                "the command of 'source'");
    settle_argv(s, sink->argv, sink->kind == FAY_SINK_EXEC, sink->where, "the command of 'sink'");
    if (source->kind == FAY_SOURCE_DIR && source->dir[0] == '\0')
        (void)fay_config_errors_add(s->errors, source->where, "'dir' of 'source' is empty");
    if (sink->kind == FAY_SINK_FILE && sink->file[0] == '\0')
        (void)fay_config_errors_add(s->errors, sink->where, "'file' of 'sink' is empty");
    if ((source->after == FAY_AFTER_MOVE) != (source->move_to[0] != '\0')) {
        (void)fay_config_errors_add(s->errors, source->where,
                                    "'after: move' and 'move_to' of 'source' need each other");
    }
    if (p->state[0] != '\0' && sink->kind == FAY_SINK_FILE &&
        (sink->rotate_bytes > 0 || sink->rotate_age > 0)) {
        fay_error *err =
            fay_config_errors_add(s->errors, sink->where,
                                  "a sink that rotates cannot be resumed: 'state' needs one file");
        fay_hint(err, "leave out 'rotate' or 'state'");
    }
    char ***hooks[] = {&p->on.item_dead, &p->on.worker_crash, &p->on.node_lost, &p->on.pressure,
                       &p->on.done};
    for (size_t i = 0; i < FAY_COUNT(hooks); i++) {
        if (*hooks[i] != NULL && (*hooks[i])[0] == NULL)
            fay_texts_replace(hooks[i], NULL); /* [] = none */
    }
}

/* -- Inputs
 * ------------------------------------------------------------------------------------------ */

static void refuse_input(const struct settling *s, size_t stage, size_t k)
{
    const fay_pipeline *p = s->pipeline;
    const char *name = p->stages[stage].input_names[k];
    FAY_CLEANUP(fay_words_deinit) fay_words known = {0};
    fay_words_add(&known, "source");
    for (size_t i = 0; i < p->stages_count; i++) {
        if (i != stage)
            fay_words_add(&known, p->stages[i].name);
    }
    fay_error *err = fay_config_errors_add(s->errors, place_of_element(s, stage, "input", k),
                                           "stage '%s' has an unknown input '%.40s'",
                                           p->stages[stage].name, name);
    const char *near = fay_suggest(name, known.items, known.count);
    if (near != NULL)
        fay_hint(err, "did you mean '%s'?", near);
}

static void add_input(const struct settling *s, size_t stage, size_t k)
{
    fay_stage_def *def = &s->pipeline->stages[stage];
    int from = FAY_INPUT_SOURCE;
    if (strcmp(def->input_names[k], "source") != 0) {
        from = fay_pipeline_find(s->pipeline, def->input_names[k]);
        if (from < 0) {
            refuse_input(s, stage, k);
            return;
        }
    }
    if (fay_pipeline_feeds(s->pipeline, from, stage)) {
        (void)fay_config_errors_add(s->errors, place_of_element(s, stage, "input", k),
                                    "stage '%s' has the input '%s' twice", def->name,
                                    def->input_names[k]);
        return;
    }
    def->inputs[def->inputs_count++] = from;
}

static void settle_inputs(const struct settling *s, size_t stage)
{
    fay_stage_def *def = &s->pipeline->stages[stage];
    size_t count = def->input_names != NULL ? fay_texts_count(def->input_names) : 1;
    free(def->inputs);
    def->inputs = fay_alloc(FAY_MAX(count, (size_t)1) * sizeof *def->inputs);
    def->inputs_count = 0;
    if (def->input_names == NULL) {
        def->inputs[def->inputs_count++] = (int)stage - 1; /* FAY_INPUT_SOURCE for the first */
        return;
    }
    if (count == 0) {
        (void)fay_config_errors_add(s->errors, place_of(s, stage, "input"),
                                    "stage '%s' has no input", def->name);
    }
    for (size_t k = 0; k < count; k++) {
        add_input(s, stage, k);
    }
}

static void report_graph(void *context, size_t stage, const char *message, const char *hint)
{
    const struct settling *s = context;
    fay_error *err = fay_config_errors_add(s->errors, place_of(s, stage, "input"), "%s", message);
    fay_hint(err, "%s", hint);
}

static void report_when(void *context, size_t stage, const char *message, const char *hint)
{
    const struct settling *s = context;
    fay_error *err = fay_config_errors_add(s->errors, place_of(s, stage, "when"), "%s", message);
    fay_hint(err, "%s", hint);
}

void fay_settle(fay_pipeline *pipeline, const fay_yaml *root, fay_config_errors *errors)
{
    struct settling s = {pipeline, root, errors};
    settle_pipeline_name(&s);
    settle_names(&s);
    for (size_t i = 0; i < pipeline->stages_count; i++) {
        settle_command(&s, i);
        settle_workers(&s, i);
        settle_rest(&s, i);
        settle_inputs(&s, i);
    }
    settle_ends(&s);
    if (pipeline->stages_count <= FAY_STAGES_MAX) {
        fay_graph_check(pipeline, report_graph, &s);
        fay_graph_check_when(pipeline, report_when, &s);
    }
    /* A file's own list errors are the loader's; without a file this is the only place. */
    if (root == NULL && pipeline->stages_count == 0)
        (void)fay_config_errors_add(errors, (fay_place_in_file){0, 0}, "there are no stages");
    if (root == NULL && pipeline->stages_count > FAY_STAGES_MAX) {
        (void)fay_config_errors_add(errors, (fay_place_in_file){0, 0}, "more than %zu stages",
                                    FAY_STAGES_MAX);
    }
}

int fay_pipeline_settle(fay_pipeline *pipeline, fay_error *err)
{
    fay_config_errors errors = {0};
    fay_settle(pipeline, NULL, &errors);
    int r = fay_config_errors_first(&errors, err);
    fay_config_errors_deinit(&errors);
    return r;
}
