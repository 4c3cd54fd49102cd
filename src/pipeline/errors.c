/* SPDX-License-Identifier: MIT */
#include "pipeline/errors.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "item/json.h"

enum {
    QUOTE_MAX = 120,  /* bytes of a source line that are shown */
    BEFORE_MAX = 80,  /* of them before the column */
    SUGGEST_MAX = 48, /* bytes of a word that is compared */
};

void fay_config_errors_deinit(fay_config_errors *errors)
{
    free(errors->items);
    free(errors->path);
    free(errors->text);
    *errors = (fay_config_errors){0};
}

void fay_config_errors_file(fay_config_errors *errors, const char *path, const char *text,
                            size_t size)
{
    char *path_copy = path != NULL ? fay_strdup(path) : NULL;
    char *text_copy = text != NULL ? fay_strndup(text, size) : NULL;
    free(errors->path);
    free(errors->text);
    errors->path = path_copy;
    errors->text = text_copy;
    errors->size = text != NULL ? size : 0;
}

fay_error *fay_config_errors_add(fay_config_errors *errors, fay_place_in_file where,
                                 const char *format, ...)
{
    if (errors->count == FAY_CONFIG_ERRORS_MAX) {
        errors->more++;
        return NULL;
    }
    FAY_RESERVE(errors->items, errors->capacity, errors->count + 1);
    fay_error *err = &errors->items[errors->count++];
    *err = (fay_error){.status = FAY_E_CONFIG, .line = where.line, .column = where.column};
    if (errors->path != NULL)
        (void)snprintf(err->file, sizeof err->file, "%s", errors->path);
    va_list args;
    va_start(args, format);
    (void)vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    return err;
}

static bool is_after(const fay_error *a, const fay_error *b)
{
    return a->line != b->line ? a->line > b->line : a->column > b->column;
}

/* Insertion: stable, and the list is short. */
static void sort(fay_config_errors *errors)
{
    for (size_t i = 1; i < errors->count; i++) {
        fay_error moved = errors->items[i];
        size_t k = i;
        for (; k > 0 && is_after(&errors->items[k - 1], &moved); k--) {
            errors->items[k] = errors->items[k - 1];
        }
        errors->items[k] = moved;
    }
}

struct line {
    const char *at;
    size_t length;
};

static bool find_line(const fay_config_errors *errors, int number, struct line *ret)
{
    if (errors->text == NULL || number < 1)
        return false;
    const char *at = errors->text;
    const char *end = errors->text + errors->size;
    for (int i = 1; i < number; i++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        if (newline == NULL)
            return false;
        at = newline + 1;
    }
    const char *newline = memchr(at, '\n', (size_t)(end - at));
    size_t length = (size_t)((newline != NULL ? newline : end) - at);
    if (length > 0 && at[length - 1] == '\r')
        length--;
    *ret = (struct line){at, length};
    return true;
}

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* Columns count characters, bytes are what we have. */
static size_t byte_of_column(struct line line, int column)
{
    size_t at = 0;
    for (int i = 1; i < column && at < line.length; i++) {
        do {
            at++;
        } while (at < line.length && is_continuation(line.at[at]));
    }
    return at;
}

/* How many characters the thing at `at` has: a quoted text, a word, or one sign. */
static size_t width_of(struct line line, size_t at)
{
    size_t end = at;
    if (at < line.length && (line.at[at] == '"' || line.at[at] == '\'')) {
        const char *close = memchr(line.at + at + 1, line.at[at], line.length - at - 1);
        end = close != NULL ? (size_t)(close - line.at) + 1 : line.length;
    } else {
        while (end < line.length && strchr(" \t:,[]{}\"'", line.at[end]) == NULL) {
            end++;
        }
    }
    size_t width = 0;
    for (size_t i = at; i < end; i++) {
        width += is_continuation(line.at[i]) ? 0 : 1;
    }
    return FAY_MAX(width, (size_t)1);
}

/* What a terminal may be given: control bytes would move its cursor, or worse. */
static void put_visible(fay_buffer *out, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        bool control = (unsigned char)text[i] < 0x20 || text[i] == 0x7f;
        fay_buffer_append(out, control && text[i] != '\t' ? "?" : &text[i], 1);
    }
}

static void put_text(fay_buffer *out, const char *text)
{
    put_visible(out, text, strlen(text));
}

static void quote(const fay_error *err, struct line line, fay_buffer *out)
{
    size_t at = byte_of_column(line, err->column);
    size_t width = width_of(line, at);
    size_t from = at > BEFORE_MAX ? at - BEFORE_MAX : 0;
    while (from > 0 && is_continuation(line.at[from])) {
        from--;
    }
    size_t shown = FAY_MIN(line.length - from, (size_t)QUOTE_MAX);
    while (shown > 0 && from + shown < line.length && is_continuation(line.at[from + shown])) {
        shown--;
    }
    fay_buffer_printf(out, "%5d | %s", err->line, from > 0 ? "..." : "");
    put_visible(out, line.at + from, shown);
    fay_buffer_printf(out, "%s\n      | %s", from + shown < line.length ? "..." : "",
                      from > 0 ? "   " : "");
    for (size_t i = from; i < at; i++) {
        if (!is_continuation(line.at[i]))
            fay_buffer_append(out, line.at[i] == '\t' ? "\t" : " ", 1);
    }
    fay_buffer_append(out, "^", 1);
    for (size_t i = 1; i < FAY_MIN(width, (size_t)QUOTE_MAX - BEFORE_MAX); i++) {
        fay_buffer_append(out, "~", 1);
    }
    if (err->hint[0] != '\0') {
        fay_buffer_append(out, "   ", 3);
        put_text(out, err->hint);
    }
    fay_buffer_append(out, "\n", 1);
}

static void print_one(const fay_config_errors *errors, const fay_error *err, fay_buffer *out)
{
    if (errors->path != NULL && err->line > 0) {
        put_text(out, errors->path);
        fay_buffer_printf(out, ":%d:%d: error: ", err->line, err->column);
    } else if (errors->path != NULL) {
        put_text(out, errors->path);
        fay_buffer_append_text(out, ": error: ");
    } else {
        fay_buffer_append_text(out, "faymora: error: ");
    }
    put_text(out, err->message);
    fay_buffer_append(out, "\n", 1);

    struct line line;
    if (find_line(errors, err->line, &line)) {
        quote(err, line, out);
    } else if (err->hint[0] != '\0') {
        fay_buffer_append_text(out, "  hint: ");
        put_text(out, err->hint);
        fay_buffer_append(out, "\n", 1);
    }
}

void fay_config_errors_print(fay_config_errors *errors, fay_buffer *out)
{
    sort(errors);
    for (size_t i = 0; i < errors->count; i++) {
        print_one(errors, &errors->items[i], out);
    }
    if (errors->more > 0) {
        fay_buffer_printf(out, "%s: %zu more errors\n",
                          errors->path != NULL ? errors->path : "faymora", errors->more);
    }
}

static void append_member(fay_buffer *out, const char *name, const char *text)
{
    fay_buffer_printf(out, "\"%s\":", name);
    if (text != NULL && text[0] != '\0') {
        fay_json_append_string(out, text, strlen(text));
    } else {
        fay_buffer_append_text(out, "null");
    }
}

void fay_config_errors_json(fay_config_errors *errors, fay_buffer *out)
{
    sort(errors);
    for (size_t i = 0; i < errors->count; i++) {
        const fay_error *err = &errors->items[i];
        fay_buffer_append_text(out, fay_buffer_size(out) > 0 ? ",{" : "{");
        append_member(out, "file", errors->path != NULL ? errors->path : "");
        fay_buffer_printf(out, ",\"line\":%d,\"column\":%d,\"severity\":\"error\",", err->line,
                          err->column);
        append_member(out, "message", err->message);
        fay_buffer_append_text(out, ",");
        append_member(out, "hint", err->hint);
        fay_buffer_append_text(out, "}");
    }
}

int fay_config_errors_first(fay_config_errors *errors, fay_error *err)
{
    if (errors->count == 0)
        return 0;
    sort(errors);
    if (err != NULL)
        *err = errors->items[0];
    return FAY_E_CONFIG;
}

/* Optimal string alignment: insert, delete, change, and swap of two neighbours cost one each. */
static size_t distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t rows[3][SUGGEST_MAX + 1];
    for (size_t k = 0; k <= b_length; k++) {
        rows[0][k] = k;
    }
    for (size_t i = 1; i <= a_length; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3];
        const size_t *swapped = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t k = 1; k <= b_length; k++) {
            size_t change = above[k - 1] + (a[i - 1] == b[k - 1] ? 0 : 1);
            size_t best = FAY_MIN(change, FAY_MIN(above[k], row[k - 1]) + 1);
            if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1])
                best = FAY_MIN(best, swapped[k - 2] + 1);
            row[k] = best;
        }
    }
    return rows[a_length % 3][b_length];
}

const char *fay_suggest(const char *word, const char *const *candidates, size_t count)
{
    size_t length = strlen(word);
    if (length == 0 || length > SUGGEST_MAX)
        return NULL;
    const char *best = NULL;
    size_t least = FAY_MAX(length / 3, (size_t)1) + 1;
    for (size_t i = 0; i < count; i++) {
        size_t other = strlen(candidates[i]);
        if (other > SUGGEST_MAX)
            continue;
        size_t d = distance(word, length, candidates[i], other);
        if (d < least && d < other) { /* "x" is no misspelling of "a" */
            least = d;
            best = candidates[i];
        }
    }
    return best;
}
