/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/utf8.h"

enum {
    FIELDS_MAX = 1024,
    LINE_MAX_BYTES = 8 * FIELDS_MAX /* the worst: each byte of them as \u0001 */
};

static struct {
    fay_level least;
    bool json;
} sink = {.least = FAY_WARN};

void fay_log_setup(fay_level least, bool json)
{
    sink.least = least;
    sink.json = json;
}

bool fay_log_wants(fay_level level)
{
    return level >= sink.least;
}

static size_t put(char *line, size_t used, const char *text, size_t length)
{
    size_t room = LINE_MAX_BYTES - 2 - used; /* the newline and a spare byte stay free */
    size_t n = FAY_MIN(length, room);
    memcpy(line + used, text, n);
    return used + n;
}

static size_t put_escaped(char *line, size_t used, const char *text, size_t length)
{
    for (size_t i = 0; i < length;) {
        unsigned char c = (unsigned char)text[i];
        size_t character = fay_utf8_character(text + i, length - i);
        char escaped[8];
        if (c == '"' || c == '\\') {
            int n = snprintf(escaped, sizeof escaped, "\\%c", c);
            used = put(line, used, escaped, (size_t)n);
        } else if (c < 0x20) {
            int n = snprintf(escaped, sizeof escaped, "\\u%04x", c);
            used = put(line, used, escaped, (size_t)n);
        } else if (character == 0) {
            used = put(line, used, FAY_UTF8_REPLACEMENT, sizeof FAY_UTF8_REPLACEMENT - 1);
        } else {
            used = put(line, used, text + i, character);
        }
        i += FAY_MAX(character, (size_t)1);
    }
    return used;
}

/* Where " key=" begins in the fields, or their end. */
static const char *next_field(const char *at)
{
    for (; *at != '\0'; at++) {
        size_t key = *at == ' ' ? strspn(at + 1, "abcdefghijklmnopqrstuvwxyz_") : 0;
        if (key > 0 && at[1 + key] == '=')
            break;
    }
    return at;
}

/* key=value and key="two words" become ,"key":"value". Texts are not escaped in them: a quoted one
 * ends at the last quote before the next field, an open one at that. */
static size_t put_fields(char *line, size_t used, const char *fields)
{
    for (const char *at = fields; *at != '\0';) {
        const char *equals = strchr(at, '=');
        if (equals == NULL)
            break;
        const char *next = next_field(equals + 1);
        const char *value = equals + 1, *end = next;
        if (end - value >= 2 && *value == '"' && end[-1] == '"') {
            value++;
            end--;
        } else if (*value == '"') { /* cut off */
            value++;
        }
        used = put(line, used, ",\"", 2);
        used = put_escaped(line, used, at, (size_t)(equals - at));
        used = put(line, used, "\":\"", 3);
        used = put_escaped(line, used, value, (size_t)(end - value));
        used = put(line, used, "\"", 1);
        at = next + strspn(next, " ");
    }
    return used;
}

void fay_log(fay_level level, const char *event, const char *format, ...)
{
    static const char *const names[] = {"trace", "debug", "info", "warn", "error"};
    if (!fay_log_wants(level))
        return;

    char fields[FIELDS_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(fields, sizeof fields, format, args);
    va_end(args);

    char line[LINE_MAX_BYTES];
    size_t used = 0;
    if (sink.json) {
        used = put(line, used, "{\"level\":\"", 10);
        used = put(line, used, names[level], strlen(names[level]));
        used = put(line, used, "\",\"event\":\"", 11);
        used = put_escaped(line, used, event, strlen(event));
        used = put(line, used, "\"", 1);
        used = put_fields(line, used, fields);
        used = put(line, used, "}", 1);
    } else {
        used = put(line, used, "faymora: ", 9);
        used = put(line, used, names[level], strlen(names[level]));
        used = put(line, used, " ", 1);
        used = put(line, used, event, strlen(event));
        used = put(line, used, " ", 1);
        used = put(line, used, fields, strlen(fields));
    }
    line[used++] = '\n';
    ssize_t written = write(STDERR_FILENO, line, used); /* one write: lines never mix */
    (void)written;                                      /* nowhere to report it to */
}
