/* SPDX-License-Identifier: MIT */
/*
 * A YAML document as a tree of scalars, lists and maps, each with its line and column, made from
 * libyaml's events. Block and flow style give the same tree. Scalars stay text: what they mean is
 * for the field they are given to (so `no` is a country where a text is asked for).
 *
 * Refused here, with their place: syntax errors, duplicate keys (libyaml takes them silently), keys
 * that are not words, aliases (a few hundred bytes of them can stand for gigabytes), more than one
 * document, more nesting than FAY_YAML_DEPTH_MAX.
 */
#ifndef FAY_DOCUMENT_H
#define FAY_DOCUMENT_H

#include "pipeline/errors.h"

typedef enum fay_yaml_kind {
    FAY_YAML_SCALAR,
    FAY_YAML_LIST,
    FAY_YAML_MAP
} fay_yaml_kind;

typedef struct fay_yaml fay_yaml;
struct fay_yaml {
    fay_yaml_kind kind;
    fay_place_in_file where;
    char *text;       /* SCALAR; never NULL then, without NUL inside */
    bool plain;       /* SCALAR: not quoted, not a block */
    bool block;       /* SCALAR: | or > */
    bool reported;    /* an error about it was added: readers pass over it */
    fay_yaml **items; /* LIST: elements; MAP: key, value, key, value, .. */
    size_t count, capacity;
};

/* NULL when the tree could not be made; then at least one error was added. Other errors (duplicate
 * keys, aliases) are added too, and the tree is as good as they allow. */
fay_yaml *fay_yaml_parse(const char *text, size_t size, fay_config_errors *errors);
void fay_yaml_free(fay_yaml *node);
void fay_yaml_freep(fay_yaml **node);

/* The value of a key, or NULL; NULL for a node that is NULL or no map. */
const fay_yaml *fay_yaml_get(const fay_yaml *map, const char *key);

/* Whether a scalar says nothing: `key:`, ~, or null without quotes. */
bool fay_yaml_is_null(const fay_yaml *node);

#endif /* FAY_DOCUMENT_H */
