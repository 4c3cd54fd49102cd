/* SPDX-License-Identifier: MIT */
/* Sources and sinks: their tables, and the forms they share (a word, or a map with one kind). */
#include "pipeline/schema.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "base/host_port.h"

#define I(member) offsetof(fay_source_def, member)
#define O(member) offsetof(fay_sink_def, member)

static const char *const restarts[] = {"never", "on-failure", NULL};

/* {stdin: true}: the long form of a word, for those who need a format beside it. */
static void read_true(const fay_config_reader *reader, const fay_field *field, void *base,
                      const fay_yaml *value)
{
    (void)base;
    if (value->kind != FAY_YAML_SCALAR || strcmp(value->text, "true") != 0)
        (void)fay_field_refuse(reader, field, value, "true");
}

static void read_restart(const fay_config_reader *reader, const fay_field *field, void *base,
                         const fay_yaml *value)
{
    fay_source_def *source = base;
    unsigned said = source->restart_on_failure ? 1 : 0;
    fay_field choice = {field->key, .kind = FAY_FIELD_CHOICE, .names = restarts};
    fay_field_read(reader, &choice, &said, value);
    source->restart_on_failure = said == 1;
}

/* Clear text stays on the machine: 127.0.0.0/8, ::1, localhost. */
static bool is_loopback(const char *host)
{
    struct in_addr four;
    struct in6_addr six;
    if (inet_pton(AF_INET, host, &four) == 1)
        return (ntohl(four.s_addr) >> 24) == 127;
    if (inet_pton(AF_INET6, host, &six) == 1)
        return IN6_IS_ADDR_LOOPBACK(&six);
    return strcmp(host, "localhost") == 0;
}

static bool is_port(const char *text)
{
    size_t length = strlen(text);
    if (length == 0 || length > 5 || strspn(text, "0123456789") != length)
        return false;
    unsigned long port = strtoul(text, NULL, 10);
    return port > 0 && port <= 65535;
}

/* "HOST:PORT" or "[V6]:PORT"; NULL if it is neither. */
static char *host_of(const char *address)
{
    const char *port = NULL;
    FAY_CLEANUP(fay_freep) char *host = fay_host_port_split(address, &port);
    return host != NULL && host[0] != '\0' && is_port(port) ? FAY_STEAL(host) : NULL;
}

static void read_listen(const fay_config_reader *reader, const fay_field *field, void *base,
                        const fay_yaml *value)
{
    const char *what = "unix:PATH or tcp:HOST:PORT";
    const char *text = value->kind == FAY_YAML_SCALAR ? value->text : "";
    if (strncmp(text, "unix:", 5) == 0 && text[5] != '\0') {
        if (strlen(text + 5) >= sizeof((struct sockaddr_un *)0)->sun_path) {
            (void)fay_config_errors_add(reader->errors, value->where,
                                        "the path of the socket is longer than %zu bytes",
                                        sizeof((struct sockaddr_un *)0)->sun_path - 1);
            return;
        }
    } else {
        FAY_CLEANUP(fay_freep)
        char *host = strncmp(text, "tcp:", 4) == 0 ? host_of(text + 4) : NULL;
        if (host == NULL) {
            (void)fay_field_refuse(reader, field, value, what);
            return;
        }
        if (!is_loopback(host)) {
            fay_error *err = fay_config_errors_add(
                reader->errors, value->where,
                "'listen' %s on %.64s: clear text is for this machine only", reader->where, host);
            fay_hint(err, "tcp:127.0.0.1:PORT or unix:PATH");
            return;
        }
    }
    fay_text_replace((void *)((char *)base + field->at), fay_strdup(text));
}

/* A piece as it is written; `rate` alone has no default. */
struct piece {
    fay_pace_piece is;
    bool has_rate, rises; /* "to" is stated */
};

static const fay_field piece_fields[] = {
    {"for", .kind = FAY_FIELD_DURATION, .at = offsetof(struct piece, is.lasts), .least = 1e6,
     .most = FAY_DURATION_MAX},
    {"rate", .kind = FAY_FIELD_NUMBER, .at = offsetof(struct piece, is.from), .most = FAY_RATE_MAX,
     .said = offsetof(struct piece, has_rate)},
    {"to", .kind = FAY_FIELD_NUMBER, .at = offsetof(struct piece, is.to), .most = FAY_RATE_MAX,
     .said = offsetof(struct piece, rises)},
    {0},
};

static size_t errors_of(const fay_config_reader *reader)
{
    return reader->errors->count + reader->errors->more;
}

/* What takes the whole piece, and its place among the others. */
static void check_piece(const fay_config_reader *reader, const fay_yaml *value,
                        const struct piece *piece, bool last)
{
    const char *wrong = NULL, *hint = NULL;
    if (!piece->has_rate) {
        wrong = "has no 'rate'";
        hint = "0 is a pause";
    } else if (piece->is.lasts == 0 && piece->rises) {
        wrong = "has 'to' but not 'for'";
        hint = "for: 10s, say: how long the way to it takes";
    } else if (piece->is.lasts == 0 && !last) {
        wrong = "has no 'for'";
        hint = "the last one alone may go on without end";
    } else if (piece->is.lasts == 0 && piece->is.from <= 0) {
        wrong = "pauses without end";
        hint = "leave it out: behind the last piece the source ends";
    }
    if (wrong != NULL) {
        fay_error *err = fay_config_errors_add(reader->errors, value->where,
                                               "a piece of 'rate' %s %s", reader->where, wrong);
        fay_hint(err, "%s", hint);
    }
}

static void read_pieces(const fay_config_reader *reader, const fay_field *field,
                        const fay_yaml *list, fay_pace *pace)
{
    double lasts = 0;
    for (size_t i = 0; i < list->count; i++) {
        const fay_yaml *value = list->items[i];
        struct piece piece = {0};
        if (value->kind != FAY_YAML_MAP) {
            (void)fay_field_refuse(reader, field, value, "a list of {for: 10s, rate: 50}");
            return;
        }
        size_t before = errors_of(reader);
        fay_fields_read(reader, piece_fields, &piece, value);
        if (errors_of(reader) > before)
            continue;
        check_piece(reader, value, &piece, i + 1 == list->count);
        if (!piece.rises)
            piece.is.to = piece.is.from;
        lasts += (double)piece.is.lasts;
        pace->pieces[pace->count++] = piece.is;
    }
    if (lasts > FAY_DURATION_MAX) {
        (void)fay_config_errors_add(reader->errors, list->where,
                                    "the pieces of 'rate' %s last longer than a year together",
                                    reader->where);
    }
}

/* 50, or pieces: [{for: 10s, rate: 5}, {for: 20s, rate: 5, to: 50}, {rate: 50}] */
static void read_rate(const fay_config_reader *reader, const fay_field *field, void *base,
                      const fay_yaml *value)
{
    fay_pace *pace = (void *)((char *)base + field->at);
    fay_pace said = {0};
    double rate = 0;
    size_t before = errors_of(reader);
    if (value->kind == FAY_YAML_LIST && value->count > 0 && value->count <= FAY_PACE_PIECES_MAX) {
        said.pieces = fay_alloc(value->count * sizeof *said.pieces);
        read_pieces(reader, field, value, &said);
    } else if (value->kind == FAY_YAML_LIST) {
        (void)fay_config_errors_add(reader->errors, value->where,
                                    "'rate' %s has %zu pieces; 1 to %zu are possible",
                                    reader->where, value->count, FAY_PACE_PIECES_MAX);
    } else {
        const fay_field number = {field->key, .kind = FAY_FIELD_NUMBER, .most = field->most};
        fay_field_read(reader, &number, &rate, value);
    }
    if (rate > 0) {
        said.pieces = fay_alloc(sizeof *said.pieces);
        said.pieces[said.count++] = (fay_pace_piece){.from = rate, .to = rate};
    }
    fay_pace_deinit(errors_of(reader) == before ? pace : &said);
    if (errors_of(reader) == before)
        *pace = said;
}

static const fay_field generate_fields[] = {
    {"count", .kind = FAY_FIELD_COUNT, .at = I(generate_count)},
    {"size", .kind = FAY_FIELD_SIZE, .at = I(generate_size), .most = FAY_ITEM_MAX},
    {"rate", .kind = FAY_FIELD_OWN, .at = I(generate_pace), .most = FAY_RATE_MAX,
     .read = read_rate},
    {0},
};

#define SOURCE(is) .tags = true, .tag_at = I(kind), .tag = (is)

const fay_field fay_source_fields[] = {
    {"stdin", .kind = FAY_FIELD_OWN, .read = read_true, SOURCE(FAY_SOURCE_STDIN)},
    {"file", .kind = FAY_FIELD_TEXTS, .at = I(files), SOURCE(FAY_SOURCE_FILE)},
    {"dir", .kind = FAY_FIELD_TEXT, .at = I(dir), SOURCE(FAY_SOURCE_DIR)},
    {"exec", .kind = FAY_FIELD_TEXTS, .at = I(argv), SOURCE(FAY_SOURCE_EXEC)},
    {"listen", .kind = FAY_FIELD_OWN, .at = I(address), .read = read_listen,
     SOURCE(FAY_SOURCE_LISTEN)},
    {"generate", .kind = FAY_FIELD_MAP, .fields = generate_fields, SOURCE(FAY_SOURCE_GENERATE)},
    {"format", .kind = FAY_FIELD_CHOICE, .at = I(format), .names = fay_format_names,
     .said = I(format_given)},
    {"crlf", .kind = FAY_FIELD_CHOICE, .at = I(crlf), .names = fay_crlf_names,
     .said = I(crlf_given)},
    {"follow", .kind = FAY_FIELD_BOOL, .at = I(follow), .of_tags = 1u << FAY_SOURCE_FILE},
    {"glob", .kind = FAY_FIELD_TEXT, .at = I(glob), .of_tags = 1u << FAY_SOURCE_DIR},
    {"after", .kind = FAY_FIELD_CHOICE, .at = I(after), .names = fay_after_names,
     .of_tags = 1u << FAY_SOURCE_DIR},
    {"move_to", .kind = FAY_FIELD_TEXT, .at = I(move_to), .of_tags = 1u << FAY_SOURCE_DIR},
    {"restart", .kind = FAY_FIELD_OWN, .read = read_restart, .of_tags = 1u << FAY_SOURCE_EXEC},
    {"put", .kind = FAY_FIELD_LATER},
    {"api", .kind = FAY_FIELD_LATER},
    {"channel", .kind = FAY_FIELD_LATER},
    {"http", .kind = FAY_FIELD_LATER},
    {"nats", .kind = FAY_FIELD_LATER},
    {"redis", .kind = FAY_FIELD_LATER},
    {0},
};

static const fay_field rotate_fields[] = {
    {"bytes", .kind = FAY_FIELD_SIZE, .at = O(rotate_bytes)},
    {"age", .kind = FAY_FIELD_DURATION, .at = O(rotate_age)},
    {0},
};

#define SINK(is) .tags = true, .tag_at = O(kind), .tag = (is)

const fay_field fay_sink_fields[] = {
    {"stdout", .kind = FAY_FIELD_OWN, .read = read_true, SINK(FAY_SINK_STDOUT)},
    {"file", .kind = FAY_FIELD_TEXT, .at = O(file), SINK(FAY_SINK_FILE)},
    {"exec", .kind = FAY_FIELD_TEXTS, .at = O(argv), SINK(FAY_SINK_EXEC)},
    {"listen", .kind = FAY_FIELD_OWN, .at = O(address), .read = read_listen, SINK(FAY_SINK_LISTEN)},
    {"format", .kind = FAY_FIELD_CHOICE, .at = O(format), .names = fay_format_names,
     .said = O(format_given)},
    {"append", .kind = FAY_FIELD_BOOL, .at = O(append), .of_tags = 1u << FAY_SINK_FILE},
    {"sync", .kind = FAY_FIELD_CHOICE, .at = O(sync), .names = fay_sync_names,
     .of_tags = 1u << FAY_SINK_FILE},
    {"rotate", .kind = FAY_FIELD_MAP, .fields = rotate_fields, .of_tags = 1u << FAY_SINK_FILE},
    {"api", .kind = FAY_FIELD_LATER},
    {"channel", .kind = FAY_FIELD_LATER},
    {"http", .kind = FAY_FIELD_LATER},
    {"nats", .kind = FAY_FIELD_LATER},
    {"redis", .kind = FAY_FIELD_LATER},
    {0},
};

static void read_word(const fay_config_reader *reader, const fay_field *field, void *end,
                      const fay_yaml *value, const char *const *words)
{
    size_t tag_at = field->fields[0].tag_at;
    const char *text = value->plain && strcmp(value->text, "~") == 0 ? "null" : value->text;
    FAY_CLEANUP(fay_words_deinit) fay_words known = {0};
    for (size_t i = 0; words[i] != NULL; i++) {
        if (words[i][0] == '\0')
            continue;
        if (strcmp(words[i], text) == 0) {
            *(unsigned *)(void *)((char *)end + tag_at) = (unsigned)i;
            return;
        }
        fay_words_add(&known, words[i]);
    }
    const fay_field *form = fay_field_find(field->fields, value->text);
    if (form != NULL && form->kind == FAY_FIELD_LATER) {
        (void)fay_config_errors_add(reader->errors, value->where, "'%s: %s' is not supported yet",
                                    field->key, value->text);
        return;
    }
    fay_error *err = fay_field_refuse(reader, field, value,
                                      known.count > 1 ? "stdout, null or a map" : "stdin or a map");
    const char *near = fay_suggest(value->text, known.items, known.count);
    if (near != NULL) {
        fay_hint(err, "did you mean '%s'?", near);
    } else if (form == NULL && value->text[0] != '\0') {
        fay_hint(err, "for a file write %s: {file: \"%.100s\"}", field->key, value->text);
    }
}

/* Exactly one key that has a tag, and only such others as go with it. */
static void check_keys(const fay_config_reader *reader, const fay_field *field, const fay_yaml *map)
{
    const fay_field *kind = NULL;
    bool strange = false; /* unknown or unsupported keys: reported, and may be the kind meant */
    for (size_t i = 0; i + 1 < map->count; i += 2) {
        const fay_yaml *key = map->items[i];
        const fay_field *row =
            key->kind == FAY_YAML_SCALAR ? fay_field_find(field->fields, key->text) : NULL;
        strange |= row == NULL || row->kind == FAY_FIELD_LATER;
        if (row == NULL || !row->tags || key->reported)
            continue;
        if (kind != NULL) {
            (void)fay_config_errors_add(reader->errors, key->where,
                                        "'%s' is '%s' already: it cannot be '%s' too", field->key,
                                        kind->key, row->key);
        }
        kind = kind != NULL ? kind : row;
    }
    if (kind == NULL) {
        if (!strange) {
            (void)fay_config_errors_add(
                reader->errors, map->where, "'%s' does not say %s", field->key,
                field->fields == fay_source_fields ? "where Items come from" : "where results go");
        }
        return;
    }
    for (size_t i = 0; i + 1 < map->count; i += 2) {
        const fay_yaml *key = map->items[i];
        const fay_field *row =
            key->kind == FAY_YAML_SCALAR ? fay_field_find(field->fields, key->text) : NULL;
        if (row != NULL && row->of_tags != 0 && (row->of_tags & (1u << kind->tag)) == 0) {
            (void)fay_config_errors_add(reader->errors, key->where,
                                        "'%s' does not go with '%s' in '%s'", row->key, kind->key,
                                        field->key);
        }
    }
}

void fay_end_read(const fay_config_reader *reader, const fay_field *field, void *end,
                  const fay_yaml *value, const char *const *words)
{
    if (value->kind == FAY_YAML_SCALAR) {
        read_word(reader, field, end, value, words);
        return;
    }
    fay_field map = *field;
    map.kind = FAY_FIELD_MAP;
    map.at = 0;
    fay_field_read(reader, &map, end, value);
    if (value->kind == FAY_YAML_MAP)
        check_keys(reader, field, value);
}
