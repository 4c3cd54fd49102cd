/* SPDX-License-Identifier: MIT */
/*
 * A `when` test as a tree; shared by its two halves, the parser (when_parse.c) and the evaluation
 * (when.c). Nodes lie in one array and name each other by index, so that a test is three blocks of
 * memory however it is nested. Texts point into a copy of the test, unescaped in place.
 */
#ifndef FAY_WHEN_NODE_H
#define FAY_WHEN_NODE_H

#include "base/base.h"

enum fay_when_kind {
    /* tests: left and right are tests */
    FAY_WHEN_OR,
    FAY_WHEN_AND,
    FAY_WHEN_NOT,
    /* comparisons: left and right are terms */
    FAY_WHEN_EQUAL,
    FAY_WHEN_UNEQUAL,
    FAY_WHEN_LESS,
    FAY_WHEN_AT_MOST,
    FAY_WHEN_MORE,
    FAY_WHEN_AT_LEAST,
    FAY_WHEN_GLOB,
    FAY_WHEN_IN,    /* right: the first of a list that goes on by `right` of each */
    FAY_WHEN_TRUTH, /* left is true */
    /* terms */
    FAY_WHEN_NAME,
    FAY_WHEN_DATA,
    FAY_WHEN_TEXT,
    FAY_WHEN_INT,
    FAY_WHEN_FLOAT,
    FAY_WHEN_BOOL,
    FAY_WHEN_NIL,
};

struct fay_when_node {
    enum fay_when_kind kind;
    uint32_t left, right; /* FAY_WHEN_NONE: there is none */
    const char *text;     /* NAME, TEXT */
    size_t size;
    int64_t integer; /* INT, BOOL */
    double real;
};
#define FAY_WHEN_NONE UINT32_MAX

struct fay_when {
    char *text;
    struct fay_when_node *nodes;
    size_t count, capacity;
    uint32_t root;
};

#endif /* FAY_WHEN_NODE_H */
