/* SPDX-License-Identifier: MIT */
#include "letters/letter.h"

#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/texts.h"
#include "item/attrs.h"
#include "item/json.h"

void fay_letter_hash(const fay_pipeline *pipeline, char hash[FAY_LETTER_HASH_SIZE])
{
    FAY_CLEANUP(fay_freep) char *text = fay_pipeline_fingerprint(pipeline);
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer stages = {0};
    char *rest = text;
    for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
        if (strncmp(line, "stages.", 7) == 0) {
            fay_buffer_append_text(&stages, line);
            fay_buffer_append(&stages, "\n", 1);
        }
    }
    const char *hashed = fay_buffer_text(&stages);
    uint64_t sum = fay_hash64(hashed, strlen(hashed), 0);
    (void)snprintf(hash, FAY_LETTER_HASH_SIZE, "%016llx", (unsigned long long)sum);
}

/* ---- writing --------------------------------------------------------------------------------- */

static void append_member(fay_buffer *out, const char *name, const char *text)
{
    fay_buffer_printf(out, ",\"%s\":", name);
    const char *value = text != NULL ? text : "";
    fay_json_append_string(out, value, strlen(value));
}

/* Paths and arguments come back as they were, so bytes that are no text are base64 there. */
static void append_word(fay_buffer *out, const char *word)
{
    fay_json_append_payload(out, word, strlen(word));
}

static void append_origin(const fay_letter *letter, fay_buffer *out)
{
    fay_buffer_append_text(out, ",\"pipeline\":");
    if (letter->pipeline != NULL) {
        append_word(out, letter->pipeline);
    } else {
        fay_buffer_append_text(out, "null");
    }
    append_member(out, "hash", letter->hash);
    if (letter->argv == NULL)
        return;

    fay_buffer_append_text(out, ",\"argv\":[");
    for (char **word = letter->argv; *word != NULL; word++) {
        if (word != letter->argv)
            fay_buffer_append_text(out, ",");
        append_word(out, *word);
    }
    fay_buffer_append_text(out, "]");
}

static void append_signal(fay_buffer *out, int signal)
{
    const char *name = sigabbrev_np(signal); /* NULL for real-time signals */
    if (name != NULL) {
        append_member(out, "signal", name);
    } else {
        fay_buffer_printf(out, ",\"signal\":\"%d\"", signal);
    }
}

void fay_letter_write(const fay_letter *letter, fay_buffer *out)
{
    fay_buffer_append_text(out, "{\"id\":");
    const char *id = letter->id != NULL ? letter->id : "";
    fay_json_append_string(out, id, strlen(id));
    append_member(out, "stage", letter->stage);
    fay_buffer_printf(out, ",\"attempts\":%u", letter->attempts);
    append_member(out, "node", letter->node);
    if (letter->exit >= 0)
        fay_buffer_printf(out, ",\"exit\":%d", letter->exit);
    if (letter->signal != 0)
        append_signal(out, letter->signal);
    append_member(out, "error", letter->error);
    append_member(out, "stderr", letter->stderr_tail);
    append_origin(letter, out);

    fay_buffer_append_text(out, ",\"attrs\":");
    if (letter->attrs_size > 0) {
        fay_attrs_to_json(letter->attrs, letter->attrs_size, out);
    } else {
        fay_buffer_append_text(out, "{}");
    }
    if (fay_utf8_valid(letter->item, letter->item_size)) {
        fay_buffer_append_text(out, ",\"item\":");
        fay_json_append_string(out, letter->item, letter->item_size);
    } else {
        fay_buffer_append_text(out, ",\"item_b64\":\"");
        fay_base64_append(out, letter->item, letter->item_size);
        fay_buffer_append_text(out, "\"");
    }
    fay_buffer_append_text(out, "}\n");
}

/* ---- reading --------------------------------------------------------------------------------- */

static int refuse(fay_error *err, const char *name, const char *what)
{
    (void)fay_fail_with(err, FAY_E_INVAL, "member '%s' %s", name, what);
    return FAY_E_INVAL;
}

/* A C string: no NUL inside. */
static int read_text(json_t *object, const char *name, char **ret, fay_error *err)
{
    const json_t *value = json_object_get(object, name);
    if (!json_is_string(value))
        return refuse(err, name, value == NULL ? "is missing" : "must be a string");
    size_t length = json_string_length(value);
    const char *text = json_string_value(value);
    if (memchr(text, '\0', length) != NULL)
        return refuse(err, name, "has a NUL in it");
    if (length > FAY_DEAD_TEXT_MAX)
        return refuse(err, name, "is too long");
    *ret = fay_strndup(text, length);
    return 0;
}

/* Such a member may also be absent or null, which says as much as "". */
static int read_optional(json_t *object, const char *name, char **ret, fay_error *err)
{
    const json_t *value = json_object_get(object, name);
    if (value != NULL && !json_is_null(value))
        return read_text(object, name, ret, err);
    *ret = fay_strdup("");
    return 0;
}

static int read_number(json_t *object, const char *name, json_int_t most, json_int_t *ret,
                       fay_error *err)
{
    const json_t *value = json_object_get(object, name);
    if (!json_is_integer(value))
        return refuse(err, name, value == NULL ? "is missing" : "must be an integer");
    json_int_t number = json_integer_value(value);
    if (number < 0 || number > most)
        return refuse(err, name, "is out of range");
    *ret = number;
    return 0;
}

static int read_signal(json_t *object, int *ret, fay_error *err)
{
    const json_t *value = json_object_get(object, "signal");
    if (value == NULL || json_is_null(value))
        return 0;
    const char *text = json_string_value(value);
    if (text == NULL)
        return refuse(err, "signal", "must be a string");
    for (int signal = 1; signal <= SIGRTMAX; signal++) {
        const char *name = sigabbrev_np(signal);
        char number[16];
        (void)snprintf(number, sizeof number, "%d", signal);
        if (strcmp(text, name != NULL ? name : number) == 0) {
            *ret = signal;
            return 0;
        }
    }
    return refuse(err, "signal", "is not the name of a signal");
}

/* A string, or {"$base64": ".."}, without NUL. */
static int read_word(const json_t *value, const char *name, char **ret, fay_error *err)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer bytes = {0};
    const json_t *encoded = json_object_get(value, "$base64");
    if (json_is_string(value)) {
        fay_buffer_append(&bytes, json_string_value(value), json_string_length(value));
    } else if (!json_is_string(encoded) || json_object_size(value) != 1 ||
               fay_base64_decode(json_string_value(encoded), json_string_length(encoded), &bytes) !=
                   0) {
        return refuse(err, name, "must be a string or {\"$base64\": \"..\"}");
    }
    size_t size = fay_buffer_size(&bytes);
    if (size > 0 && memchr(fay_buffer_data(&bytes), '\0', size) != NULL)
        return refuse(err, name, "has a NUL in it");
    *ret = fay_strdup(fay_buffer_text(&bytes));
    return 0;
}

static int read_argv(json_t *object, fay_letter *letter, fay_error *err)
{
    const json_t *list = json_object_get(object, "argv");
    if (list == NULL || json_is_null(list))
        return 0;
    size_t count = json_array_size(list); /* 0 for what is no array */
    if (count == 0 || count > FAY_ARGV_MAX)
        return refuse(err, "argv", "must be a list of words");

    letter->argv = fay_alloc((count + 1) * sizeof *letter->argv);
    for (size_t i = 0; i < count; i++) {
        int r = read_word(json_array_get(list, i), "argv", &letter->argv[i], err);
        if (r < 0)
            return r;
    }
    return 0;
}

static int read_attrs(json_t *object, fay_letter *letter, fay_error *err)
{
    json_t *attrs = json_object_get(object, "attrs");
    if (attrs == NULL)
        return 0;
    if (!json_is_object(attrs))
        return refuse(err, "attrs", "must be an object");
    if (json_object_get(attrs, "data") != NULL)
        return refuse(err, "attrs", "may not hold 'data', which is the item");
    if (json_object_size(attrs) == 0)
        return 0;

    FAY_CLEANUP(fay_buffer_deinit) fay_buffer encoded = {0};
    int r = fay_attrs_from_object(attrs, &encoded, NULL, NULL, err);
    if (r < 0)
        return r;
    letter->attrs = fay_buffer_take(&encoded, &letter->attrs_size);
    return 0;
}

static int read_item(json_t *object, fay_letter *letter, fay_error *err)
{
    const json_t *plain = json_object_get(object, "item");
    const json_t *encoded = json_object_get(object, "item_b64");
    if ((plain == NULL) == (encoded == NULL))
        return refuse(err, "item", "or 'item_b64' must be there, one of them");
    const json_t *value = plain != NULL ? plain : encoded;
    const char *name = plain != NULL ? "item" : "item_b64";
    if (!json_is_string(value))
        return refuse(err, name, "must be a string");

    FAY_CLEANUP(fay_buffer_deinit) fay_buffer bytes = {0};
    (void)fay_buffer_reserve(&bytes, 1); /* never NULL, also for an empty Item */
    if (plain != NULL) {
        fay_buffer_append(&bytes, json_string_value(plain), json_string_length(plain));
    } else if (fay_base64_decode(json_string_value(encoded), json_string_length(encoded), &bytes) <
               0) {
        return refuse(err, name, "is not base64");
    }
    if (fay_buffer_size(&bytes) > FAY_ITEM_MAX)
        return refuse(err, name, "is larger than an Item may be");
    letter->item = fay_buffer_take(&bytes, &letter->item_size);
    return 0;
}

static int read_cause(json_t *object, fay_letter *letter, fay_error *err)
{
    json_int_t number = 0;
    int r = read_number(object, "attempts", UINT32_MAX, &number, err);
    if (r < 0)
        return r;
    letter->attempts = (unsigned)number;

    const json_t *exit = json_object_get(object, "exit");
    if (exit != NULL && !json_is_null(exit)) {
        r = read_number(object, "exit", 255, &number, err);
        if (r < 0)
            return r;
        letter->exit = (int)number;
    }
    r = read_signal(object, &letter->signal, err);
    if (r == 0)
        r = read_optional(object, "error", &letter->error, err);
    if (r == 0)
        r = read_optional(object, "stderr", &letter->stderr_tail, err);
    return r;
}

static int read_origin(json_t *object, fay_letter *letter, fay_error *err)
{
    int r = read_optional(object, "hash", &letter->hash, err);
    const json_t *pipeline = json_object_get(object, "pipeline");
    if (r == 0 && pipeline != NULL && !json_is_null(pipeline))
        r = read_word(pipeline, "pipeline", &letter->pipeline, err);
    if (r == 0)
        r = read_argv(object, letter, err);
    return r;
}

static int read_stage(json_t *object, fay_letter *letter, fay_error *err)
{
    char *name = NULL;
    int r = read_text(object, "stage", &name, err);
    if (r < 0)
        return r;
    letter->stage = name;
    if (name[0] == '\0' || strlen(name) > FAY_STAGE_NAME_MAX)
        return refuse(err, "stage", "is not the name of a stage");
    return 0;
}

static int read_letter(json_t *object, fay_letter *letter, fay_error *err)
{
    if (!json_is_object(object))
        return fay_fail_with(err, FAY_E_INVAL, "not a JSON object");
    int r = read_text(object, "id", &letter->id, err);
    if (r == 0)
        r = read_stage(object, letter, err);
    if (r == 0)
        r = read_optional(object, "node", &letter->node, err);
    if (r == 0)
        r = read_cause(object, letter, err);
    if (r == 0)
        r = read_origin(object, letter, err);
    if (r == 0)
        r = read_attrs(object, letter, err);
    if (r == 0)
        r = read_item(object, letter, err);
    return r;
}

int fay_letter_parse(const char *line, size_t size, fay_letter *ret, fay_error *err)
{
    if (size > FAY_DEAD_LINE_MAX)
        return fay_fail_with(err, FAY_E_INVAL, "the line is too long");
    fay_error why = {0};
    json_t *object = fay_json_load(line, size, &why);
    if (object == NULL)
        return fay_fail_with(err, FAY_E_INVAL, "%s", why.message);

    FAY_CLEANUP(fay_letter_deinit) fay_letter letter = {.exit = -1};
    int r = read_letter(object, &letter, err);
    json_decref(object);
    if (r < 0)
        return r;
    *ret = letter;
    letter = (fay_letter){0};
    return 0;
}

void fay_letter_deinit(fay_letter *letter)
{
    free(letter->id);
    free(letter->stage);
    free(letter->node);
    free(letter->error);
    free(letter->stderr_tail);
    free(letter->pipeline);
    free(letter->hash);
    fay_texts_free(letter->argv);
    free(letter->attrs);
    free(letter->item);
    *letter = (fay_letter){.exit = -1};
}
