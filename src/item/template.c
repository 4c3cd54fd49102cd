/* SPDX-License-Identifier: MIT */
#include "item/template.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "item/attrs.h"

enum part_kind {
    LITERAL,
    DATA,
    NO_EXTENSION,
    BASE_NAME,
    DIRECTORY,
    BASE_NO_EXTENSION,
    SEQUENCE,
    SLOT,
    ID,
    ATTEMPT,
    NODE,
    MEMBER,
    ATTR,
};

struct part {
    enum part_kind kind;
    char *text; /* LITERAL: the bytes; MEMBER, ATTR: the name */
};

struct fay_template {
    struct part *parts;
    size_t count, capacity;
    bool placeholders;
};

struct slice {
    const char *at;
    size_t length;
};

static const struct {
    const char *name;
    enum part_kind kind;
} names[] = {
    {"", DATA},
    {".", NO_EXTENSION},
    {"/", BASE_NAME},
    {"//", DIRECTORY},
    {"/.", BASE_NO_EXTENSION},
    {"#", SEQUENCE},
    {"%", SLOT},
    {"id", ID},
    {"attempt", ATTEMPT},
    {"node", NODE},
    {"@fay.id", ID},
    {"@fay.attempt", ATTEMPT},
    {"@fay.node", NODE},
};

static bool is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("_./#%@-", c) != NULL) || (unsigned char)c >= 0x80;
}

static bool is_shell_name_byte(char c)
{
    return is_name_byte(c) && strchr("./%@-", c) == NULL;
}

/* Whether `{` at `at` opens something of a placeholder's shape; *ret is what stands inside. */
static bool looks_like(const char *text, const char *at, struct slice *ret)
{
    const char *end = at + 1;
    while (is_name_byte(*end)) {
        end++;
    }
    *ret = (struct slice){at + 1, (size_t)(end - at - 1)};
    if (*end != '}')
        return false;
    /* ${NAME}, ${1} and ${#NAME} are the shell's; ${}, ${.x} and ${@x} are not. */
    return !(at > text && at[-1] == '$' && is_shell_name_byte(at[1]));
}

/* The kind of the placeholder with this inside; LITERAL = there is none. */
static enum part_kind kind_of(struct slice inside)
{
    for (size_t i = 0; i < FAY_COUNT(names); i++) {
        if (strlen(names[i].name) == inside.length &&
            memcmp(names[i].name, inside.at, inside.length) == 0)
            return names[i].kind;
    }
    if (inside.length < 2)
        return LITERAL;
    if (inside.at[0] == '.' && inside.at[1] != '.' && inside.at[1] != '/')
        return MEMBER;
    if (inside.at[0] == '@' && (inside.length < 5 || memcmp(inside.at, "@fay.", 5) != 0))
        return ATTR;
    return LITERAL;
}

static void add(fay_template *t, struct part part)
{
    FAY_RESERVE(t->parts, t->capacity, t->count + 1);
    t->parts[t->count++] = part;
    t->placeholders |= part.kind != LITERAL;
}

static void flush(fay_template *t, fay_buffer *literal)
{
    size_t length = fay_buffer_size(literal);
    if (length == 0)
        return;
    add(t, (struct part){.kind = LITERAL, .text = fay_strdup(fay_buffer_text(literal))});
    fay_buffer_clear(literal);
}

static void add_placeholder(fay_template *t, enum part_kind kind, struct slice inside)
{
    struct part part = {.kind = kind};
    if (kind == MEMBER || kind == ATTR)
        part.text = fay_strndup(inside.at + 1, inside.length - 1);
    add(t, part);
}

static int unknown(const char *word, struct slice inside, fay_error *err)
{
    int length = (int)FAY_MIN(inside.length, (size_t)64);
    int r = fay_fail_with(err, FAY_E_CONFIG, "unknown placeholder {%.*s}", length, inside.at);
    if (err != NULL) {
        err->column = (int)FAY_MIN(inside.at - word, (ptrdiff_t)INT32_MAX);
        fay_hint(err, "for the text itself write {{%.*s}}; for a JSON member {.%.*s}", length,
                 inside.at, length, inside.at);
    }
    return r;
}

static int compile(fay_template *t, const char *word, fay_buffer *literal, fay_error *err)
{
    size_t open = 0; /* `{{` not yet closed: without one, `}}` is two braces of a program */
    for (const char *at = word; *at != '\0';) {
        struct slice inside;
        if (at[0] == '{' && at[1] == '{') {
            open++;
            fay_buffer_append(literal, "{", 1);
            at += 2;
        } else if (at[0] == '}' && at[1] == '}' && open > 0) {
            open--;
            fay_buffer_append(literal, "}", 1);
            at += 2;
        } else if (at[0] == '{' && looks_like(word, at, &inside)) {
            enum part_kind kind = kind_of(inside);
            if (kind == LITERAL)
                return unknown(word, inside, err);
            flush(t, literal);
            add_placeholder(t, kind, inside);
            at = inside.at + inside.length + 1;
        } else {
            fay_buffer_append(literal, at++, 1);
        }
    }
    flush(t, literal);
    return 0;
}

fay_template *fay_template_parse(const char *word, fay_error *err)
{
    FAY_CLEANUP(fay_template_freep) fay_template *t = fay_alloc(sizeof *t);
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer literal = {0};
    if (compile(t, word, &literal, err) < 0)
        return NULL;
    return FAY_STEAL(t);
}

void fay_template_free(fay_template *value)
{
    if (value == NULL)
        return;
    for (size_t i = 0; i < value->count; i++) {
        free(value->parts[i].text);
    }
    free(value->parts);
    free(value);
}

void fay_template_freep(fay_template **value)
{
    fay_template_free(*value);
}

bool fay_template_has_placeholders(const fay_template *value)
{
    return value->placeholders;
}

/* s:.*\/:: of GNU parallel */
static struct slice base_name(struct slice s)
{
    const char *slash = memrchr(s.at, '/', s.length);
    if (slash == NULL)
        return s;
    size_t skip = (size_t)(slash + 1 - s.at);
    return (struct slice){s.at + skip, s.length - skip};
}

/* s:\.[^/.]*$:: of GNU parallel */
static struct slice no_extension(struct slice s)
{
    for (size_t i = s.length; i > 0 && s.at[i - 1] != '/'; i--) {
        if (s.at[i - 1] == '.')
            return (struct slice){s.at, i - 1};
    }
    return s;
}

/* dirname(1): "a/b" -> "a", "a" -> ".", "/a" -> "/", "a/b/" -> "a" */
static struct slice directory(struct slice s)
{
    size_t n = s.length;
    while (n > 1 && s.at[n - 1] == '/') {
        n--;
    }
    while (n > 0 && s.at[n - 1] != '/') {
        n--;
    }
    if (n == 0)
        return (struct slice){".", 1};
    while (n > 1 && s.at[n - 1] == '/') {
        n--;
    }
    return (struct slice){s.at, n};
}

static void append(fay_buffer *out, struct slice s)
{
    fay_buffer_append(out, s.at, s.length);
}

/* false = a member or an attribute is absent */
static bool expand_part(const struct part *part, const fay_template_values *v, fay_buffer *out)
{
    const char *data = v->data_size > 0 ? (const char *)v->data : "";
    struct slice item = {data, v->data_size};
    switch (part->kind) {
    case LITERAL: fay_buffer_append_text(out, part->text); break;
    case DATA: append(out, item); break;
    case NO_EXTENSION: append(out, no_extension(item)); break;
    case BASE_NAME: append(out, base_name(item)); break;
    case DIRECTORY: append(out, directory(item)); break;
    case BASE_NO_EXTENSION: append(out, no_extension(base_name(item))); break;
    case SEQUENCE: fay_buffer_printf(out, "%" PRIu64, v->sequence); break;
    case SLOT: fay_buffer_printf(out, "%u", v->slot); break;
    case ID: fay_buffer_append_text(out, v->id); break;
    case ATTEMPT: fay_buffer_printf(out, "%" PRIu64, v->attempt); break;
    case NODE: fay_buffer_append_text(out, v->node); break;
    case MEMBER: return fay_json_member_text(v->data, v->data_size, part->text, out);
    case ATTR: return fay_attrs_text(v->attrs, v->attrs_size, part->text, out);
    }
    return true;
}

int fay_template_expand(const fay_template *value, const fay_template_values *values,
                        fay_buffer *out)
{
    int r = 0;
    for (size_t i = 0; i < value->count; i++) {
        if (!expand_part(&value->parts[i], values, out))
            r = FAY_TEMPLATE_ABSENT;
    }
    return r;
}

const char *fay_template_find(const char *text, size_t *ret_length)
{
    for (const char *at = strchr(text, '{'); at != NULL; at = strchr(at + 1, '{')) {
        struct slice inside;
        if (!looks_like(text, at, &inside) || kind_of(inside) == LITERAL)
            continue;
        *ret_length = inside.length + 2;
        return at;
    }
    return NULL;
}

void fay_template_escape(const char *text, fay_buffer *out)
{
    size_t open = 0; /* as in compile(): `}` is only doubled where that is read as an escape */
    for (const char *at = text; *at != '\0'; at++) {
        fay_buffer_append(out, at, 1);
        if (*at == '{') {
            open++;
            fay_buffer_append(out, at, 1);
        } else if (*at == '}' && open > 0) {
            open--;
            fay_buffer_append(out, at, 1);
        }
    }
}
