/* SPDX-License-Identifier: MIT */
#include "pipeline/load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pipeline/document.h"
#include "pipeline/schema.h"
#include "pipeline/settle.h"

static const fay_place_in_file nowhere = {0, 0};

/* false = of a version this program does not know, so that nothing else can be said about it */
static bool check_version(const fay_yaml *root, fay_config_errors *errors)
{
    const fay_yaml *version = fay_yaml_get(root, "faymora");
    if (version == NULL) {
        fay_error *err = fay_config_errors_add(errors, root->where, "'faymora' is missing");
        fay_hint(err, "begin the file with `faymora: %d`", FAY_PIPELINE_VERSION);
        return true;
    }
    const char *text = version->kind == FAY_YAML_SCALAR ? version->text : "";
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 9 || text[digits] != '\0' || text[0] == '0') {
        (void)fay_config_errors_add(errors, version->where,
                                    "'faymora' must be the version of the format: %d",
                                    FAY_PIPELINE_VERSION);
        return true;
    }
    if (strtoul(text, NULL, 10) <= FAY_PIPELINE_VERSION)
        return true;
    fay_error *err = fay_config_errors_add(errors, version->where,
                                           "this pipeline needs faymora >= %s.0.0; this is %s",
                                           text, FAY_VERSION_STRING);
    fay_hint(err, "format %d is what it reads", FAY_PIPELINE_VERSION);
    return false;
}

/* Refuses what belongs to one stage and cannot be the same in all; it is then passed over. */
static void check_defaults(const fay_yaml *defaults, fay_config_errors *errors)
{
    static const char *const own[] = {"name", "run", "sh", "module", "input", "when"};
    for (size_t i = 0; i + 1 < defaults->count; i += 2) {
        fay_yaml *key = defaults->items[i];
        for (size_t k = 0; key->kind == FAY_YAML_SCALAR && k < FAY_COUNT(own); k++) {
            if (key->reported || strcmp(key->text, own[k]) != 0)
                continue;
            (void)fay_config_errors_add(errors, key->where,
                                        "'%s' in 'defaults': it belongs to each stage", own[k]);
            key->reported = true;
        }
    }
}

/* Applies `defaults:` to a stage. Its errors are reported once, not for every stage. */
static void read_defaults(fay_stage_def *stage, const fay_yaml *defaults)
{
    fay_config_errors unheard = {0};
    fay_config_reader reader = {.errors = &unheard, .where = "in 'defaults'"};
    fay_fields_read(&reader, fay_stage_fields, stage, defaults);
    fay_config_errors_deinit(&unheard);
}

static void report_defaults(const fay_yaml *defaults, fay_config_errors *errors)
{
    if (defaults->kind != FAY_YAML_MAP) {
        (void)fay_config_errors_add(errors, defaults->where, "'defaults' must be a map");
        return;
    }
    check_defaults(defaults, errors);
    FAY_CLEANUP(fay_pipeline_freep) fay_pipeline *scratch = fay_pipeline_new();
    fay_config_reader reader = {.errors = errors, .where = "in 'defaults'"};
    fay_fields_read(&reader, fay_stage_fields, fay_pipeline_add_stage(scratch), defaults);
}

static void read_stage(fay_pipeline *pipeline, const fay_yaml *node, const fay_yaml *defaults,
                       fay_config_errors *errors)
{
    fay_stage_def *stage = fay_pipeline_add_stage(pipeline);
    stage->where = node->where;
    if (node->kind != FAY_YAML_MAP) {
        if (!node->reported) {
            (void)fay_config_errors_add(errors, node->where, "stage %zu must be a map",
                                        pipeline->stages_count);
        }
        return;
    }
    if (defaults != NULL && defaults->kind == FAY_YAML_MAP)
        read_defaults(stage, defaults);

    const fay_yaml *name = fay_yaml_get(node, "name");
    FAY_CLEANUP(fay_freep) char *where = NULL;
    where = name != NULL && name->kind == FAY_YAML_SCALAR && name->text[0] != '\0'
                ? fay_printed("in stage '%.40s'", name->text)
                : fay_printed("in stage %zu", pipeline->stages_count);
    fay_config_reader reader = {.errors = errors, .where = where};
    fay_fields_read(&reader, fay_stage_fields, stage, node);
}

static void read_stages(fay_pipeline *pipeline, const fay_yaml *root, fay_config_errors *errors)
{
    const fay_yaml *stages = fay_yaml_get(root, "stages");
    const fay_yaml *defaults = fay_yaml_get(root, "defaults");
    if (defaults != NULL && !defaults->reported)
        report_defaults(defaults, errors);
    if (stages == NULL) {
        fay_error *err = fay_config_errors_add(errors, root->where, "'stages' is missing");
        fay_hint(err, "stages: [{run: [PROGRAM, ARGUMENT..]}]");
    } else if (stages->kind != FAY_YAML_LIST) {
        fay_error *err = fay_config_errors_add(errors, stages->where, "'stages' must be a list");
        fay_hint(err, "each stage begins with a dash: - run: [..]");
    } else if (stages->count == 0) {
        (void)fay_config_errors_add(errors, stages->where, "'stages' is empty");
    } else if (stages->count > FAY_STAGES_MAX) {
        (void)fay_config_errors_add(errors, stages->items[FAY_STAGES_MAX]->where,
                                    "more than %zu stages", FAY_STAGES_MAX);
    } else {
        for (size_t i = 0; i < stages->count; i++) {
            read_stage(pipeline, stages->items[i], defaults, errors);
        }
    }
}

static void fit_pipeline_name(const char *name, fay_buffer *out)
{
    for (const char *c = name; *c != '\0' && fay_buffer_size(out) < FAY_PIPELINE_NAME_MAX; c++) {
        bool first = fay_buffer_size(out) == 0;
        bool fits = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
                    (*c >= '0' && *c <= '9') || *c == '-' || *c == '_' || (*c == '.' && !first);
        fay_buffer_append(out, fits ? c : "-", 1);
    }
    if (fay_buffer_size(out) == 0)
        fay_buffer_append_text(out, "pipeline");
}

fay_pipeline *fay_pipeline_parse(const char *yaml, size_t size, const char *path, const char *name,
                                 fay_config_errors *errors)
{
    size_t before = errors->count + errors->more;
    fay_config_errors_file(errors, path, yaml, size);
    FAY_CLEANUP(fay_yaml_freep) fay_yaml *root = fay_yaml_parse(yaml, size, errors);
    if (root == NULL)
        return NULL;
    if (root->kind != FAY_YAML_MAP) {
        fay_error *err =
            fay_config_errors_add(errors, root->where, "a pipeline must be a map of fields");
        fay_hint(err, "faymora: 1");
        return NULL;
    }
    if (!check_version(root, errors))
        return NULL;

    FAY_CLEANUP(fay_pipeline_freep) fay_pipeline *pipeline = fay_pipeline_new();
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer fitting = {0};
    fit_pipeline_name(name, &fitting);
    fay_text_replace(&pipeline->name, fay_strdup(fay_buffer_text(&fitting)));
    fay_text_replace(&pipeline->path, fay_strdup(path));
    pipeline->source.where = pipeline->sink.where = root->where;
    fay_config_reader reader = {.errors = errors, .where = ""};
    fay_fields_read(&reader, fay_pipeline_fields, pipeline, root);
    read_stages(pipeline, root, errors);
    fay_settle(pipeline, root, errors);
    return errors->count + errors->more == before ? FAY_STEAL(pipeline) : NULL;
}

/* "dir/thumbs.yaml" -> "thumbs" */
static char *name_of_file(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash != NULL ? slash + 1 : path;
    const char *dot = strrchr(base, '.');
    return dot != NULL && dot > base ? fay_strndup(base, (size_t)(dot - base)) : fay_strdup(base);
}

static void closep(const int *fd)
{
    if (*fd > STDERR_FILENO)
        (void)close(*fd);
}

/* Up to one byte more than a file may have, so that the parser says it is too large. */
static int read_file(const char *path, fay_buffer *content)
{
    FAY_CLEANUP(closep)
    int fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    while (fay_buffer_size(content) <= FAY_PIPELINE_FILE_MAX) {
        size_t room = FAY_PIPELINE_FILE_MAX + 1 - fay_buffer_size(content);
        size_t want = FAY_MIN(room, 64 * FAY_KIB);
        ssize_t got = read(fd, fay_buffer_reserve(content, want), want);
        if (got < 0 && errno != EINTR)
            return errno;
        if (got == 0)
            return 0;
        if (got > 0)
            fay_buffer_commit(content, (size_t)got);
    }
    return 0;
}

fay_pipeline *fay_pipeline_load(const char *path, fay_config_errors *errors)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer content = {0};
    int sys_errno = read_file(path, &content);
    if (sys_errno != 0) {
        fay_config_errors_file(errors, path, NULL, 0);
        fay_error *err = fay_config_errors_add(errors, nowhere, "cannot be read");
        if (err != NULL) {
            char file[sizeof err->file];
            memcpy(file, err->file, sizeof file);
            (void)fay_fail_errno(err, FAY_E_IO, sys_errno, "cannot be read");
            memcpy(err->file, file, sizeof file);
        }
        return NULL;
    }
    bool standard = strcmp(path, "-") == 0;
    FAY_CLEANUP(fay_freep) char *name = name_of_file(standard ? "stdin" : path);
    size_t size = fay_buffer_size(&content);
    return fay_pipeline_parse(fay_buffer_text(&content), size, standard ? "(stdin)" : path, name,
                              errors);
}
