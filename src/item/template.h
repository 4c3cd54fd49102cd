/* SPDX-License-Identifier: MIT */
/*
 * Argument templates: one word of an exec worker's command with placeholders, compiled once and
 * filled in for every Item.
 *
 *     {}       the payload                 {#}        the Item's sequence number
 *     {.}      without its extension       {%}        the worker's slot, from 1
 *     {/}      base name                   {id}       the Item's path, as in fay.id
 *     {//}     directory                   {attempt}  1 = first try
 *     {/.}     base name, no extension     {node}     where the worker runs
 *     {.name}  member of a JSON payload    {@name}    attribute
 *
 * The first five are GNU parallel's. `{{` is a brace, and so is the `}}` that closes it. Only what
 * looks like a placeholder is one: `{print $1}`, `{a:{b:1}}` and the shell's `${NAME}` stay as they
 * are, so that awk and jq programs need no escapes; `{foo}` is refused, since it is more often a
 * mistake than a program.
 *
 * Substitution makes arguments, never shell text: there is nothing to quote and nothing to inject.
 */
#ifndef FAY_TEMPLATE_H
#define FAY_TEMPLATE_H

#include "base/base.h"
#include "base/buffer.h"

typedef struct fay_template fay_template;

/* What is filled in, borrowed for the call. */
typedef struct fay_template_values {
    const uint8_t *data;
    size_t data_size;
    const uint8_t *attrs; /* encoded (attrs.h) */
    size_t attrs_size;
    const char *id;
    const char *node;
    uint64_t attempt;
    uint64_t sequence;
    unsigned slot;
} fay_template_values;

enum {
    FAY_TEMPLATE_ABSENT = 1, /* a member or an attribute is not there; it was filled in as empty */
};

/* NULL for an unknown placeholder: FAY_E_CONFIG with err->column (1-based, within the word). */
fay_template *fay_template_parse(const char *word, fay_error *err);
void fay_template_free(fay_template *value);
void fay_template_freep(fay_template **value); /* for FAY_CLEANUP */

bool fay_template_has_placeholders(const fay_template *value);

/*
 * Appends the word with everything filled in, without a NUL at its end (the payload may have one
 * inside: the caller looks for it). 0, or FAY_TEMPLATE_ABSENT.
 */
int fay_template_expand(const fay_template *value, const fay_template_values *values,
                        fay_buffer *out);

/*
 * The first known placeholder in a text that is not a template (a shell line), or NULL; its bytes
 * with braces are *ret_length. What only looks like one is passed over.
 */
const char *fay_template_find(const char *text, size_t *ret_length);

/* Appends `text` so that as a template it stands for itself. */
void fay_template_escape(const char *text, fay_buffer *out);

#endif /* FAY_TEMPLATE_H */
