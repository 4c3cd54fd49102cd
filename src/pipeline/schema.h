/* SPDX-License-Identifier: MIT */
/*
 * The schema of a pipeline file: tables with one row a field, and the reader that applies a YAML
 * map to a struct by such a table, so that every field is checked in one place and all errors of a
 * file are found in one go.
 *
 *     {"timeout", .kind = FAY_FIELD_DURATION, .at = offsetof(fay_stage_def, timeout)}
 *
 * The same rows serve the file, `defaults:` (applied to each stage before its own fields) and
 * `--set stage.key=value` (override.c). A row's range is in the field's own unit: nanoseconds,
 * bytes.
 *
 * What one field alone can tell is checked here; what takes several (names, inputs, cycles) is
 * settle.h's.
 */
#ifndef FAY_SCHEMA_H
#define FAY_SCHEMA_H

#include "base/texts.h"
#include "pipeline/document.h"
#include "pipeline/pipeline.h"

typedef enum fay_field_kind {
    FAY_FIELD_TEXT,     /* char *, any scalar */
    FAY_FIELD_TEXTS,    /* char **, a list or a single scalar */
    FAY_FIELD_BOOL,     /* bool */
    FAY_FIELD_COUNT,    /* uint64_t */
    FAY_FIELD_UNSIGNED, /* unsigned */
    FAY_FIELD_SIZE,     /* uint64_t, bytes */
    FAY_FIELD_DURATION, /* fay_ns */
    FAY_FIELD_NUMBER,   /* double */
    FAY_FIELD_CHOICE,   /* an enum: index of the name in `names` */
    FAY_FIELD_CHOICES,  /* unsigned, a set: bit i for names[i] */
    FAY_FIELD_MAP,      /* `fields`, in the struct that begins at `at` */
    FAY_FIELD_OWN,      /* `read` */
    FAY_FIELD_LATER,    /* known, of a later version: refused by name */
} fay_field_kind;

typedef struct fay_config_reader {
    fay_config_errors *errors;
    const char *where; /* "in stage 'score'", for messages; "" at the top */
} fay_config_reader;

typedef struct fay_field fay_field;
/* NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): a row reads left to right */
struct fay_field {
    const char *key; /* NULL ends a table */
    fay_field_kind kind;
    size_t at;          /* offset in the struct of the table */
    double least, most; /* range; most 0 = no limit */
    const char *word;   /* a word it also takes ("auto"), and what that stands for */
    double word_value;
    const char *const *names; /* CHOICE, CHOICES; NULL-terminated */
    const fay_field *fields;  /* MAP, and OWN where --set may go deeper */
    void (*read)(const fay_config_reader *reader, const fay_field *field, void *base,
                 const fay_yaml *value);
    size_t said;      /* offset of a bool that is set when the field is stated; 0 = none */
    size_t tag_at;    /* offset of an enum that is set to `tag` then, if `tags`: */
    unsigned tag;     /* the kind of a source or sink */
    unsigned of_tags; /* bit set of the tags the field makes sense with; 0 = all */
    bool tags;
};

/* The tables (fields.c, ends.c). */
extern const char *const fay_format_names[];  /* NULL-terminated, in the order of fay_format */
extern const char *const fay_crlf_names[];    /* likewise, of fay_crlf */
extern const fay_field fay_pipeline_fields[]; /* of fay_pipeline */
extern const fay_field fay_stage_fields[];    /* of fay_stage_def */
extern const fay_field fay_source_fields[];   /* of fay_source_def */
extern const fay_field fay_sink_fields[];     /* of fay_sink_def */

const fay_field *fay_field_find(const fay_field *fields, const char *key);

/* Applies a map, or one value, to the struct at `base`. Errors are added; nothing is returned,
 * since reading goes on to find them all. A field with an error keeps the value it had. */
void fay_fields_read(const fay_config_reader *reader, const fay_field *fields, void *base,
                     const fay_yaml *map);
void fay_field_read(const fay_config_reader *reader, const fay_field *field, void *base,
                    const fay_yaml *value);

/* Reads a source or sink: a word (`words`: its tag is its index), or a map with exactly one field
 * that has a tag, and others that go with it. */
void fay_end_read(const fay_config_reader *reader, const fay_field *field, void *end,
                  const fay_yaml *value, const char *const *words);

/* Adds "'KEY' must be WHAT, not ...", with the reader's place. Returns the error for a hint. */
fay_error *fay_field_refuse(const fay_config_reader *reader, const fay_field *field,
                            const fay_yaml *value, const char *what);

/* A growing list of words, borrowed: the candidates of a suggestion. */
typedef struct fay_words {
    const char **items;
    size_t count, capacity;
} fay_words;
void fay_words_add(fay_words *words, const char *word);
void fay_words_deinit(fay_words *words);

#endif /* FAY_SCHEMA_H */
