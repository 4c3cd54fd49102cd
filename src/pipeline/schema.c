/* SPDX-License-Identifier: MIT */
#include "pipeline/schema.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"

void fay_words_add(fay_words *words, const char *word)
{
    FAY_RESERVE(words->items, words->capacity, words->count + 1);
    words->items[words->count++] = word;
}

void fay_words_deinit(fay_words *words)
{
    free(words->items);
    *words = (fay_words){0};
}

const fay_field *fay_field_find(const fay_field *fields, const char *key)
{
    for (const fay_field *f = fields; f->key != NULL; f++) {
        if (strcmp(f->key, key) == 0)
            return f;
    }
    return NULL;
}

/* -- Errors -- */

static const char *space(const fay_config_reader *reader)
{
    return reader->where[0] != '\0' ? " " : "";
}

fay_error *fay_field_refuse(const fay_config_reader *reader, const fay_field *field,
                            const fay_yaml *value, const char *what)
{
    char found[64] = "a list";
    if (value->kind == FAY_YAML_MAP) {
        (void)snprintf(found, sizeof found, "a map");
    } else if (fay_yaml_is_null(value)) {
        (void)snprintf(found, sizeof found, "empty");
    } else if (value->kind == FAY_YAML_SCALAR) {
        (void)snprintf(found, sizeof found, "'%.40s'", value->text);
    }
    return fay_config_errors_add(reader->errors, value->where, "'%s'%s%s must be %s, not %s",
                                 field->key, space(reader), reader->where, what, found);
}

static void refuse_names(const fay_config_reader *reader, const fay_field *field,
                         const fay_yaml *value)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer list = {0};
    size_t count = 0;
    for (; field->names[count] != NULL; count++) {
        fay_buffer_printf(&list, "%s%s", count > 0 ? ", " : "one of ", field->names[count]);
    }
    fay_error *err = fay_field_refuse(reader, field, value, fay_buffer_text(&list));
    const char *near =
        value->kind == FAY_YAML_SCALAR ? fay_suggest(value->text, field->names, count) : NULL;
    if (near != NULL)
        fay_hint(err, "did you mean '%s'?", near);
}

static void refuse_key(const fay_config_reader *reader, const fay_field *fields,
                       const fay_yaml *key)
{
    FAY_CLEANUP(fay_words_deinit) fay_words words = {0};
    for (const fay_field *f = fields; f->key != NULL; f++) {
        fay_words_add(&words, f->key);
    }
    fay_error *err = fay_config_errors_add(reader->errors, key->where, "unknown key '%.64s'%s%s",
                                           key->text, space(reader), reader->where);
    const char *near = fay_suggest(key->text, words.items, words.count);
    if (near != NULL) {
        fay_hint(err, "did you mean '%s'?", near);
    } else if (words.count <= 8) {
        FAY_CLEANUP(fay_buffer_deinit) fay_buffer list = {0};
        for (size_t i = 0; i < words.count; i++) {
            fay_buffer_printf(&list, "%s%s", i > 0 ? ", " : "", words.items[i]);
        }
        fay_hint(err, "known here: %s", fay_buffer_text(&list));
    }
}

/* -- Values -- */

static void *at(void *base, size_t offset)
{
    return (char *)base + offset;
}

static bool parse_number(const char *text, double *ret)
{
    if (strchr("0123456789.", text[0]) == NULL || strpbrk(text, "xXnN") != NULL)
        return false; /* no sign, no space, no hexadecimal, no "inf", no "nan" */
    char *end;
    errno = 0;
    *ret = strtod(text, &end);
    return errno == 0 && end != text && *end == '\0' && isfinite(*ret);
}

static bool parse_count(const char *text, uint64_t *ret)
{
    if (text[0] < '0' || text[0] > '9' || strlen(text) > 15)
        return false;
    char *end;
    *ret = strtoull(text, &end, 10);
    return *end == '\0';
}

/* A quantity of any of the numeric kinds, as whole units and as a double. */
struct quantity {
    uint64_t whole;
    double number;
};

static bool parse_quantity(const fay_field *field, const char *text, struct quantity *ret)
{
    bool ok = false;
    if (field->kind == FAY_FIELD_NUMBER)
        return parse_number(text, &ret->number);
    if (field->kind == FAY_FIELD_SIZE) {
        ok = fay_size_parse(text, &ret->whole) == 0;
    } else if (field->kind == FAY_FIELD_DURATION) {
        ok = fay_duration_parse(text, &ret->whole) == 0;
    } else {
        ok = parse_count(text, &ret->whole);
    }
    ret->number = (double)ret->whole;
    return ok;
}

static const char *quantity_text(const fay_field *field, double value,
                                 char text[FAY_UNITS_TEXT_MAX])
{
    if (field->kind == FAY_FIELD_SIZE)
        return fay_size_text((uint64_t)value, text);
    if (field->kind == FAY_FIELD_DURATION)
        return fay_duration_text((fay_ns)value, text);
    (void)snprintf(text, FAY_UNITS_TEXT_MAX, "%.15g", value);
    return text;
}

static void refuse_quantity(const fay_config_reader *reader, const fay_field *field,
                            const fay_yaml *value)
{
    const char *what = field->kind == FAY_FIELD_SIZE       ? "a size such as 64MiB"
                       : field->kind == FAY_FIELD_DURATION ? "a duration such as 30s"
                       : field->kind == FAY_FIELD_NUMBER   ? "a number"
                                                           : "a whole number";
    char text[96];
    (void)snprintf(text, sizeof text, field->word != NULL ? "%s or '%s'" : "%s", what, field->word);
    fay_error *err = fay_field_refuse(reader, field, value, text);
    const char *near = field->word != NULL && value->kind == FAY_YAML_SCALAR
                           ? fay_suggest(value->text, &field->word, 1)
                           : NULL;
    if (near != NULL)
        fay_hint(err, "did you mean '%s'?", near);
}

static bool in_range(const fay_config_reader *reader, const fay_field *field, const fay_yaml *value,
                     double number)
{
    char text[FAY_UNITS_TEXT_MAX];
    if (number < field->least) {
        (void)fay_config_errors_add(
            reader->errors, value->where, "'%s'%s%s is %.40s; the least is %s", field->key,
            space(reader), reader->where, value->text, quantity_text(field, field->least, text));
        return false;
    }
    if (field->most > 0 && number > field->most) {
        (void)fay_config_errors_add(
            reader->errors, value->where, "'%s'%s%s is %.40s; the most is %s", field->key,
            space(reader), reader->where, value->text, quantity_text(field, field->most, text));
        return false;
    }
    return true;
}

static bool read_quantity(const fay_config_reader *reader, const fay_field *field, void *base,
                          const fay_yaml *value)
{
    struct quantity q = {0};
    bool scalar = value->kind == FAY_YAML_SCALAR;
    if (scalar && field->word != NULL && strcmp(value->text, field->word) == 0) {
        q.number = field->word_value;
        q.whole = field->word_value >= 18446744073709551615.0 ? UINT64_MAX
                  : field->word_value > 0                     ? (uint64_t)field->word_value
                                                              : 0;
    } else if (!scalar || !parse_quantity(field, value->text, &q)) {
        refuse_quantity(reader, field, value);
        return false;
    } else if (!in_range(reader, field, value, q.number)) {
        return false;
    }
    if (field->kind == FAY_FIELD_NUMBER) {
        *(double *)at(base, field->at) = q.number;
    } else if (field->kind == FAY_FIELD_UNSIGNED) {
        *(unsigned *)at(base, field->at) = (unsigned)q.whole; /* `most` is below UINT_MAX */
    } else {
        *(uint64_t *)at(base, field->at) = q.whole;
    }
    return true;
}

static bool read_text(const fay_config_reader *reader, const fay_field *field, void *base,
                      const fay_yaml *value)
{
    if (value->kind != FAY_YAML_SCALAR || fay_yaml_is_null(value)) {
        (void)fay_field_refuse(reader, field, value, "a text");
        return false;
    }
    fay_text_replace(at(base, field->at), fay_strdup(value->text));
    return true;
}

/* [./score, {}] and [./score, {.user}] are maps to YAML: what was meant needs quotes. */
static void hint_at_placeholder(fay_error *err, const fay_yaml *item)
{
    if (item->kind != FAY_YAML_MAP || item->count > 2)
        return;
    if (item->count == 0) {
        fay_hint(err, "a placeholder needs quotes: \"{}\"");
    } else if (item->items[0]->kind == FAY_YAML_SCALAR && fay_yaml_is_null(item->items[1])) {
        fay_hint(err, "a placeholder needs quotes: \"{%.64s}\"", item->items[0]->text);
    }
}

/* An element of a list; a scalar is a list of itself. */
static const fay_yaml *element(const fay_yaml *value, size_t i)
{
    return value->kind == FAY_YAML_LIST ? value->items[i] : value;
}

static bool check_texts(const fay_config_reader *reader, const fay_field *field,
                        const fay_yaml *value, size_t count)
{
    if (value->kind == FAY_YAML_MAP || fay_yaml_is_null(value)) {
        fay_error *err = fay_field_refuse(reader, field, value, "a list");
        hint_at_placeholder(err, value);
        return false;
    }
    if (count > FAY_ARGV_MAX) {
        (void)fay_config_errors_add(reader->errors, value->where,
                                    "'%s'%s%s has more than %zu words", field->key, space(reader),
                                    reader->where, FAY_ARGV_MAX);
        return false;
    }
    bool good = true;
    for (size_t i = 0; i < count; i++) {
        const fay_yaml *item = element(value, i);
        good &= item->kind == FAY_YAML_SCALAR && !item->reported;
        if (item->kind == FAY_YAML_SCALAR)
            continue;
        fay_error *err = fay_config_errors_add(
            reader->errors, item->where, "element %zu of '%s'%s%s must be a text, not a %s", i + 1,
            field->key, space(reader), reader->where, item->kind == FAY_YAML_MAP ? "map" : "list");
        hint_at_placeholder(err, item);
    }
    return good;
}

static bool read_texts(const fay_config_reader *reader, const fay_field *field, void *base,
                       const fay_yaml *value)
{
    size_t count = value->kind == FAY_YAML_LIST ? value->count : 1;
    if (!check_texts(reader, field, value, count))
        return false;
    char **texts = fay_alloc((count + 1) * sizeof *texts);
    for (size_t i = 0; i < count; i++) {
        texts[i] = fay_strdup(element(value, i)->text);
    }
    fay_texts_replace(at(base, field->at), texts);
    return true;
}

static bool read_bool(const fay_config_reader *reader, const fay_field *field, void *base,
                      const fay_yaml *value)
{
    static const char *const yes[] = {"yes", "on", "True", "TRUE", "1"};
    static const char *const no[] = {"no", "off", "False", "FALSE", "0"};
    const char *text = value->kind == FAY_YAML_SCALAR ? value->text : "";
    if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0) {
        *(bool *)at(base, field->at) = text[0] == 't';
        return true;
    }
    fay_error *err = fay_field_refuse(reader, field, value, "true or false");
    for (size_t i = 0; i < FAY_COUNT(yes); i++) {
        if (strcmp(text, yes[i]) == 0)
            fay_hint(err, "did you mean 'true'?");
        if (strcmp(text, no[i]) == 0)
            fay_hint(err, "did you mean 'false'?");
    }
    return false;
}

/* SIZE_MAX = none of them */
static size_t choice_of(const fay_field *field, const fay_yaml *value)
{
    for (size_t i = 0; value->kind == FAY_YAML_SCALAR && field->names[i] != NULL; i++) {
        if (strcmp(value->text, field->names[i]) == 0)
            return i;
    }
    return SIZE_MAX;
}

static bool read_choice(const fay_config_reader *reader, const fay_field *field, void *base,
                        const fay_yaml *value)
{
    size_t i = choice_of(field, value);
    if (i == SIZE_MAX) {
        refuse_names(reader, field, value);
        return false;
    }
    *(unsigned *)at(base, field->at) = (unsigned)i;
    return true;
}

static bool read_choices(const fay_config_reader *reader, const fay_field *field, void *base,
                         const fay_yaml *value)
{
    unsigned set = 0;
    if (value->kind == FAY_YAML_MAP) {
        (void)fay_field_refuse(reader, field, value, "a list");
        return false;
    }
    size_t count = value->kind == FAY_YAML_LIST ? value->count : 1;
    for (size_t k = 0; k < count; k++) {
        const fay_yaml *item = element(value, k);
        size_t i = choice_of(field, item);
        if (i == SIZE_MAX) {
            refuse_names(reader, field, item);
            return false;
        }
        set |= 1u << i;
    }
    *(unsigned *)at(base, field->at) = set;
    return true;
}

static bool read_map(const fay_config_reader *reader, const fay_field *field, void *base,
                     const fay_yaml *value)
{
    if (value->kind != FAY_YAML_MAP) {
        (void)fay_field_refuse(reader, field, value, "a map");
        return false;
    }
    bool top = reader->where[0] == '\0';
    FAY_CLEANUP(fay_freep) char *where = NULL; /* "in 'backoff' of stage 'score'" */
    where = fay_printed("in '%s'%s%s", field->key, top ? "" : " of ",
                        top ? "" : reader->where + strlen("in "));
    fay_config_reader deeper = {.errors = reader->errors, .where = where};
    fay_fields_read(&deeper, field->fields, at(base, field->at), value);
    return true;
}

static bool refuse_later(const fay_config_reader *reader, const fay_field *field,
                         const fay_yaml *value)
{
    (void)fay_config_errors_add(reader->errors, value->where, "'%s'%s%s is not supported yet",
                                field->key, space(reader), reader->where);
    return false;
}

void fay_field_read(const fay_config_reader *reader, const fay_field *field, void *base,
                    const fay_yaml *value)
{
    if (value->reported)
        return;
    bool good = false;
    switch (field->kind) {
    case FAY_FIELD_TEXT: good = read_text(reader, field, base, value); break;
    case FAY_FIELD_TEXTS: good = read_texts(reader, field, base, value); break;
    case FAY_FIELD_BOOL: good = read_bool(reader, field, base, value); break;
    case FAY_FIELD_COUNT:
    case FAY_FIELD_UNSIGNED:
    case FAY_FIELD_SIZE:
    case FAY_FIELD_DURATION:
    case FAY_FIELD_NUMBER: good = read_quantity(reader, field, base, value); break;
    case FAY_FIELD_CHOICE: good = read_choice(reader, field, base, value); break;
    case FAY_FIELD_CHOICES: good = read_choices(reader, field, base, value); break;
    case FAY_FIELD_MAP: good = read_map(reader, field, base, value); break;
    case FAY_FIELD_OWN:
        field->read(reader, field, base, value);
        good = true;
        break;
    case FAY_FIELD_LATER: good = refuse_later(reader, field, value); break;
    }
    if (good && field->said != 0)
        *(bool *)at(base, field->said) = true;
    if (good && field->tags)
        *(unsigned *)at(base, field->tag_at) = field->tag;
}

void fay_fields_read(const fay_config_reader *reader, const fay_field *fields, void *base,
                     const fay_yaml *map)
{
    for (size_t i = 0; i + 1 < map->count; i += 2) {
        const fay_yaml *key = map->items[i];
        if (key->kind != FAY_YAML_SCALAR || key->reported)
            continue;
        const fay_field *field = fay_field_find(fields, key->text);
        if (field == NULL) {
            refuse_key(reader, fields, key);
        } else if (field->kind == FAY_FIELD_LATER) {
            (void)refuse_later(reader, field, key);
        } else {
            fay_field_read(reader, field, base, map->items[i + 1]);
        }
    }
}
