/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "item/when.h"
#include "item/when_node.h"

enum token_kind {
    END,
    NAME,
    TEXT,
    NUMBER,
    SIGN
};

/* The parser looks at one token at a time. `text` is the when's own copy. */
struct parser {
    fay_when *when;
    char *at; /* behind the token */
    enum token_kind token;
    char *start, *end; /* of the token; of a TEXT what is in the quotes, unescaped */
    int column;
    bool failed;
    unsigned nesting;
    fay_error *err;
};

static uint32_t fail(struct parser *p, int column, const char *what)
{
    if (!p->failed) {
        p->failed = true;
        (void)fay_fail_with(p->err, FAY_E_CONFIG, "%s", what);
        if (p->err != NULL)
            p->err->column = column;
    }
    p->token = END;
    return FAY_WHEN_NONE;
}

static uint32_t add(struct parser *p, struct fay_when_node node)
{
    fay_when *when = p->when;
    if (p->failed)
        return FAY_WHEN_NONE;
    FAY_RESERVE(when->nodes, when->capacity, when->count + 1);
    when->nodes[when->count] = node;
    return (uint32_t)when->count++;
}

/* ---- tokens ---------------------------------------------------------------------------------- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool begins_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c & 0x80) != 0;
}

static bool in_name(char c)
{
    return begins_name(c) || is_digit(c) || c == '.' || c == '-' || c == '$';
}

/* A string in quotes; a backslash takes the next byte as it is, but for \n and \t. */
static void take_text(struct parser *p)
{
    char quote = *p->at++;
    char *to = p->at;
    p->start = to;
    while (*p->at != quote) {
        if (*p->at == '\\' && p->at[1] != '\0') {
            p->at++;
            *to++ = (char)(*p->at == 'n' ? '\n' : *p->at == 't' ? '\t' : *p->at);
            p->at++;
        } else if (*p->at == '\0') {
            (void)fail(p, p->column, "a string without its closing quote");
            return;
        } else {
            *to++ = *p->at++;
        }
    }
    p->at++;
    p->end = to;
    p->token = TEXT;
}

static void take_sign(struct parser *p)
{
    static const char *const signs[] = {"||", "&&", "==", "!=", "<=", ">=", "<", ">",
                                        "~",  "!",  "(",  ")",  "[",  "]",  ","};
    for (size_t i = 0; i < FAY_COUNT(signs); i++) {
        size_t size = strlen(signs[i]);
        if (strncmp(p->at, signs[i], size) == 0) {
            p->token = SIGN;
            p->at += size;
            p->end = p->at;
            return;
        }
    }
    if (*p->at == '=') {
        (void)fail(p, p->column, "'=' compares nothing; write '=='");
    } else {
        (void)fail(p, p->column, "not part of a test");
    }
}

static void next(struct parser *p)
{
    if (p->failed)
        return;
    p->at += strspn(p->at, " \t\r\n");
    p->start = p->end = p->at;
    p->column = (int)(p->at - p->when->text) + 1;
    bool negative = *p->at == '-' && (is_digit(p->at[1]) || p->at[1] == '.');
    if (*p->at == '\0') {
        p->token = END;
    } else if (*p->at == '"' || *p->at == '\'') {
        take_text(p);
    } else if (begins_name(*p->at)) {
        p->token = NAME;
        while (in_name(*p->at)) {
            p->at++;
        }
        p->end = p->at;
    } else if (negative || is_digit(*p->at) || *p->at == '.') {
        p->token = NUMBER;
        p->at += negative ? 1 : 0;
        while (is_digit(*p->at) || in_name(*p->at) ||
               (*p->at == '+' && (p->at[-1] == 'e' || p->at[-1] == 'E'))) {
            p->at++;
        }
        p->end = p->at;
    } else {
        take_sign(p);
    }
}

static bool token_is(const struct parser *p, enum token_kind kind, const char *text)
{
    size_t size = (size_t)(p->end - p->start);
    return p->token == kind && strlen(text) == size && memcmp(p->start, text, size) == 0;
}

static bool accept(struct parser *p, enum token_kind kind, const char *text)
{
    if (p->failed || !token_is(p, kind, text))
        return false;
    next(p);
    return true;
}

/* ---- grammar --------------------------------------------------------------------------------- */

static uint32_t parse_number(struct parser *p)
{
    char text[64];
    size_t size = (size_t)(p->end - p->start);
    if (size >= sizeof text)
        return fail(p, p->column, "not a number");
    memcpy(text, p->start, size);
    text[size] = '\0';

    struct fay_when_node node = {.kind = FAY_WHEN_INT, .right = FAY_WHEN_NONE};
    char *end;
    errno = 0;
    node.integer = strtoll(text, &end, 10);
    if (*end != '\0' || errno != 0) {
        node.kind = FAY_WHEN_FLOAT;
        bool decimal = strspn(text, "+-.0123456789eE") == size;
        node.real = strtod(text, &end);
        if (!decimal || *end != '\0' || end == text)
            return fail(p, p->column, "not a number");
    }
    next(p);
    return add(p, node);
}

static uint32_t parse_name(struct parser *p)
{
    struct fay_when_node node = {.kind = FAY_WHEN_NAME,
                                 .right = FAY_WHEN_NONE,
                                 .text = p->start,
                                 .size = (size_t)(p->end - p->start)};
    if (token_is(p, NAME, "true") || token_is(p, NAME, "false")) {
        node.kind = FAY_WHEN_BOOL;
        node.integer = *p->start == 't';
    } else if (token_is(p, NAME, "null")) {
        node.kind = FAY_WHEN_NIL;
    } else if (token_is(p, NAME, "data")) {
        node.kind = FAY_WHEN_DATA;
    } else if (token_is(p, NAME, "and") || token_is(p, NAME, "or") || token_is(p, NAME, "in")) {
        return fail(p, p->column, "a name or a value is missing here");
    } else if (node.size >= 4 && memcmp(node.text, "fay.", 4) == 0) {
        return fail(p, p->column, "attributes under \"fay.\" are status and cannot be tested");
    }
    next(p);
    return add(p, node);
}

static uint32_t parse_term(struct parser *p)
{
    struct fay_when_node node = {.kind = FAY_WHEN_TEXT, .right = FAY_WHEN_NONE};
    switch (p->token) {
    case NUMBER: return parse_number(p);
    case NAME: return parse_name(p);
    case TEXT:
        node.text = p->start;
        node.size = (size_t)(p->end - p->start);
        next(p);
        return add(p, node);
    case END:
    case SIGN: break;
    }
    return fail(p, p->column, "a name or a value is missing here");
}

/* The list behind `in`; its elements are chained by `right`. */
static uint32_t parse_list(struct parser *p)
{
    if (!accept(p, SIGN, "["))
        return fail(p, p->column, "`in` needs a list: [a, b]");
    uint32_t first = FAY_WHEN_NONE, last = FAY_WHEN_NONE;
    while (!token_is(p, SIGN, "]")) {
        uint32_t term = parse_term(p);
        if (term == FAY_WHEN_NONE)
            return term;
        if (last == FAY_WHEN_NONE) {
            first = term;
        } else {
            p->when->nodes[last].right = term;
        }
        last = term;
        if (!accept(p, SIGN, ",") && !token_is(p, SIGN, "]"))
            return fail(p, p->column, "a ',' or the ']' is missing here");
    }
    next(p);
    return first;
}

static uint32_t parse_comparison(struct parser *p)
{
    static const struct {
        const char *sign;
        enum fay_when_kind kind;
    } operators[] = {
        {"==", FAY_WHEN_EQUAL}, {"!=", FAY_WHEN_UNEQUAL},  {"<=", FAY_WHEN_AT_MOST},
        {"<", FAY_WHEN_LESS},   {">=", FAY_WHEN_AT_LEAST}, {">", FAY_WHEN_MORE},
        {"~", FAY_WHEN_GLOB},
    };
    struct fay_when_node node = {.kind = FAY_WHEN_TRUTH, .right = FAY_WHEN_NONE};
    node.left = parse_term(p);
    for (size_t i = 0; i < FAY_COUNT(operators); i++) {
        if (accept(p, SIGN, operators[i].sign)) {
            node.kind = operators[i].kind;
            node.right = parse_term(p);
            return add(p, node);
        }
    }
    if (accept(p, NAME, "in")) {
        node.kind = FAY_WHEN_IN;
        node.right = parse_list(p);
    }
    return add(p, node);
}

static uint32_t parse_or(struct parser *p);

static uint32_t parse_not(struct parser *p)
{
    if (p->nesting == FAY_WHEN_DEPTH_MAX)
        return fail(p, p->column, "nested too deep");
    struct fay_when_node node = {.kind = FAY_WHEN_NOT, .right = FAY_WHEN_NONE};
    uint32_t test;
    p->nesting++;
    if (accept(p, SIGN, "!") || accept(p, NAME, "not")) {
        node.left = parse_not(p);
        test = add(p, node);
    } else if (accept(p, SIGN, "(")) {
        test = parse_or(p);
        if (!accept(p, SIGN, ")"))
            test = fail(p, p->column, "a ')' is missing here");
    } else {
        test = parse_comparison(p);
    }
    p->nesting--;
    return test;
}

static uint32_t parse_and(struct parser *p)
{
    struct fay_when_node node = {.kind = FAY_WHEN_AND};
    node.left = parse_not(p);
    while (accept(p, SIGN, "&&") || accept(p, NAME, "and")) {
        node.right = parse_not(p);
        node.left = add(p, node);
    }
    return node.left;
}

static uint32_t parse_or(struct parser *p)
{
    struct fay_when_node node = {.kind = FAY_WHEN_OR};
    node.left = parse_and(p);
    while (accept(p, SIGN, "||") || accept(p, NAME, "or")) {
        node.right = parse_and(p);
        node.left = add(p, node);
    }
    return node.left;
}

fay_when *fay_when_parse(const char *text, fay_error *err)
{
    fay_when *when = fay_alloc(sizeof *when);
    when->text = fay_strdup(text);
    struct parser p = {.when = when, .at = when->text, .err = err};
    if (strlen(text) > FAY_WHEN_MAX)
        (void)fail(&p, 1, "longer than a test may be");
    next(&p);
    when->root = parse_or(&p);
    if (!p.failed && p.token != END)
        (void)fail(&p, p.column, "the test should end here, or go on with `and` or `or`");
    if (p.failed) {
        fay_when_free(when);
        return NULL;
    }
    return when;
}

void fay_when_free(fay_when *when)
{
    if (when == NULL)
        return;
    free(when->text);
    free(when->nodes);
    free(when);
}
