/* SPDX-License-Identifier: MIT */
#include "pipeline/document.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct builder {
    yaml_parser_t parser;
    fay_config_errors *errors;
};

static fay_place_in_file place(yaml_mark_t mark)
{
    size_t line = FAY_MIN(mark.line, (size_t)INT_MAX - 1);
    size_t column = FAY_MIN(mark.column, (size_t)INT_MAX - 1);
    return (fay_place_in_file){(int)line + 1, (int)column + 1};
}

void fay_yaml_free(fay_yaml *node)
{
    if (node == NULL)
        return;
    for (size_t i = 0; i < node->count; i++) {
        fay_yaml_free(node->items[i]); /* as deep as it was built: FAY_YAML_DEPTH_MAX */
    }
    free(node->items);
    free(node->text);
    free(node);
}

void fay_yaml_freep(fay_yaml **node)
{
    fay_yaml_free(*node);
}

static void push(fay_yaml *node, fay_yaml *item)
{
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): it is an array of pointers */
    FAY_RESERVE(node->items, node->capacity, node->count + 1);
    node->items[node->count++] = item;
}

/* libyaml gives no mark for bytes it cannot read, only their offset. */
static fay_place_in_file place_of_offset(const fay_config_errors *errors, size_t offset)
{
    fay_place_in_file where = {1, 1};
    for (size_t i = 0; i < FAY_MIN(offset, errors->size); i++) {
        if (errors->text[i] == '\n') {
            where = (fay_place_in_file){where.line + 1, 1};
        } else if (((unsigned char)errors->text[i] & 0xc0) != 0x80) {
            where.column++;
        }
    }
    return where;
}

static void report_syntax(struct builder *b)
{
    const yaml_parser_t *p = &b->parser;
    const char *problem = p->problem != NULL ? p->problem : "cannot be read";
    if (p->error == YAML_READER_ERROR) {
        (void)fay_config_errors_add(b->errors, place_of_offset(b->errors, p->problem_offset),
                                    "not YAML: %s", problem);
        return;
    }
    fay_error *err =
        fay_config_errors_add(b->errors, place(p->problem_mark), "not YAML: %s%s%s", problem,
                              p->context != NULL ? ", " : "", p->context != NULL ? p->context : "");
    if (strstr(problem, "cannot start any token") != NULL)
        fay_hint(err, "words that begin with @ %% ` or {# need quotes: \"{@name}\"");
    if (strstr(problem, "tab") != NULL || strstr(problem, "'\\t'") != NULL)
        fay_hint(err, "YAML is indented with spaces");
}

static bool next(struct builder *b, yaml_event_t *event)
{
    if (yaml_parser_parse(&b->parser, event) == 1)
        return true;
    report_syntax(b);
    return false;
}

static fay_yaml *build(struct builder *b, yaml_event_t *event, size_t depth);

static fay_yaml *build_scalar(struct builder *b, const yaml_event_t *event, fay_yaml *node)
{
    const char *text = (const char *)event->data.scalar.value;
    size_t length = event->data.scalar.length;
    yaml_scalar_style_t style = event->data.scalar.style;
    if (memchr(text, '\0', length) != NULL) {
        (void)fay_config_errors_add(b->errors, node->where, "a text cannot have a NUL in it");
        node->reported = true;
        length = strlen(text);
    }
    node->text = fay_strndup(text, length);
    node->plain = style == YAML_PLAIN_SCALAR_STYLE;
    node->block = style == YAML_LITERAL_SCALAR_STYLE || style == YAML_FOLDED_SCALAR_STYLE;
    return node;
}

static void check_key(struct builder *b, const fay_yaml *map, fay_yaml *key)
{
    if (key->kind != FAY_YAML_SCALAR) {
        fay_error *err =
            fay_config_errors_add(b->errors, key->where, "a key must be a word, not a list or map");
        fay_hint(err, "a placeholder in a list needs quotes: \"{}\"");
        return;
    }
    for (size_t i = 0; i + 1 < map->count; i += 2) {
        const fay_yaml *other = map->items[i];
        if (other == key || other->kind != FAY_YAML_SCALAR || strcmp(other->text, key->text) != 0)
            continue;
        key->reported = true;
        fay_error *err =
            fay_config_errors_add(b->errors, key->where, "duplicate key '%s'", key->text);
        fay_hint(err, "first said in line %d", other->where.line);
        return;
    }
}

/* Adds what lies between START and END of a list or map; false = give up. */
static bool build_items(struct builder *b, fay_yaml *node, size_t depth)
{
    yaml_event_type_t end =
        node->kind == FAY_YAML_LIST ? YAML_SEQUENCE_END_EVENT : YAML_MAPPING_END_EVENT;
    for (;;) {
        yaml_event_t event;
        if (!next(b, &event))
            return false;
        if (event.type == end) {
            yaml_event_delete(&event);
            return true;
        }
        fay_yaml *item = build(b, &event, depth + 1);
        if (item == NULL)
            return false;
        bool is_key = node->kind == FAY_YAML_MAP && node->count % 2 == 0;
        push(node, item);
        if (is_key)
            check_key(b, node, item);
        if (node->kind == FAY_YAML_MAP && node->count > 2 * FAY_YAML_KEYS_MAX) {
            (void)fay_config_errors_add(b->errors, node->where, "more than %zu keys in one map",
                                        FAY_YAML_KEYS_MAX);
            return false;
        }
    }
}

/* Takes the event over. NULL = give up, reported. */
static fay_yaml *build(struct builder *b, yaml_event_t *event, size_t depth)
{
    FAY_CLEANUP(fay_yaml_freep) fay_yaml *node = fay_alloc(sizeof *node);
    node->where = place(event->start_mark);
    yaml_event_type_t type = event->type;
    if (type == YAML_SCALAR_EVENT)
        (void)build_scalar(b, event, node);
    yaml_event_delete(event);

    if (type == YAML_SCALAR_EVENT)
        return FAY_STEAL(node);
    if (type == YAML_ALIAS_EVENT) {
        fay_error *err =
            fay_config_errors_add(b->errors, node->where, "aliases (*name) are not supported");
        fay_hint(err, "write it out; what all stages share goes into `defaults:`");
        node->text = fay_strdup("");
        node->reported = true;
        return FAY_STEAL(node);
    }
    if (depth >= FAY_YAML_DEPTH_MAX) {
        (void)fay_config_errors_add(b->errors, node->where, "nested deeper than %zu levels",
                                    FAY_YAML_DEPTH_MAX);
        return NULL;
    }
    node->kind = type == YAML_SEQUENCE_START_EVENT ? FAY_YAML_LIST : FAY_YAML_MAP;
    return build_items(b, node, depth) ? FAY_STEAL(node) : NULL;
}

/* STREAM-START DOCUMENT-START node DOCUMENT-END STREAM-END */
static fay_yaml *build_document(struct builder *b)
{
    FAY_CLEANUP(fay_yaml_freep) fay_yaml *root = NULL;
    for (;;) {
        yaml_event_t event;
        if (!next(b, &event))
            return NULL;
        fay_place_in_file where = place(event.start_mark);
        yaml_event_type_t type = event.type;
        if (type == YAML_STREAM_START_EVENT || type == YAML_DOCUMENT_START_EVENT ||
            type == YAML_DOCUMENT_END_EVENT || type == YAML_STREAM_END_EVENT) {
            yaml_event_delete(&event);
        } else {
            root = build(b, &event, 0);
            if (root == NULL)
                return NULL;
        }
        if (type == YAML_DOCUMENT_START_EVENT && root != NULL) {
            (void)fay_config_errors_add(b->errors, where, "a second document begins here");
            return NULL;
        }
        if (type == YAML_STREAM_END_EVENT)
            break;
    }
    if (root == NULL)
        (void)fay_config_errors_add(b->errors, (fay_place_in_file){1, 1}, "the file is empty");
    return FAY_STEAL(root);
}

fay_yaml *fay_yaml_parse(const char *text, size_t size, fay_config_errors *errors)
{
    if (size > FAY_PIPELINE_FILE_MAX) {
        (void)fay_config_errors_add(errors, (fay_place_in_file){0, 0},
                                    "larger than a pipeline file may be (%zu bytes)",
                                    FAY_PIPELINE_FILE_MAX);
        return NULL;
    }
    struct builder b = {.errors = errors};
    if (yaml_parser_initialize(&b.parser) != 1) {
        (void)fay_config_errors_add(errors, (fay_place_in_file){0, 0}, "out of memory");
        return NULL;
    }
    size_t mark = size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    yaml_parser_set_encoding(&b.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&b.parser, (const unsigned char *)text + mark, size - mark);
    fay_yaml *root = build_document(&b);
    yaml_parser_delete(&b.parser);
    return root;
}

static size_t index_of(const fay_yaml *map, const char *key)
{
    if (map == NULL || map->kind != FAY_YAML_MAP)
        return SIZE_MAX;
    for (size_t i = 0; i + 1 < map->count; i += 2) {
        const fay_yaml *k = map->items[i];
        if (k->kind == FAY_YAML_SCALAR && strcmp(k->text, key) == 0)
            return i;
    }
    return SIZE_MAX;
}

const fay_yaml *fay_yaml_get(const fay_yaml *map, const char *key)
{
    size_t i = index_of(map, key);
    return i == SIZE_MAX ? NULL : map->items[i + 1];
}

bool fay_yaml_is_null(const fay_yaml *node)
{
    return node->kind == FAY_YAML_SCALAR && node->plain &&
           (node->text[0] == '\0' || strcmp(node->text, "~") == 0 ||
            strcmp(node->text, "null") == 0);
}
