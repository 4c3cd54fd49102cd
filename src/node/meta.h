/* SPDX-License-Identifier: MIT */
/*
 * What a Node says of itself in its owner record, beside its name and address: what it can hold,
 * and how work is weighed there.
 *
 *     u8 1 | u8 flags (1 agent, 2 draining, 4 holder) | u8 strategy | f64 weight | u64 cores / 1000
 *     | u64 memory | u64 disk | text reason | u8 n | n x text tag
 *
 * All others read it from the table; none but the Node itself writes it.
 */
#ifndef FAY_NODE_META_H
#define FAY_NODE_META_H

#include "base/buffer.h"

/* One list: the enum and the words. */
#define FAY_STRATEGIES(X)                                                                          \
    X(FAY_HORIZONTAL, 0, "horizontal") /* the least burdened is filled first */                    \
    X(FAY_VERTICAL, 1, "vertical")     /* the most burdened that fits */

typedef enum fay_strategy {
#define X(name, number, word) name = (number),
    FAY_STRATEGIES(X)
#undef X
} fay_strategy;

const char *fay_strategy_word(fay_strategy strategy);
bool fay_strategy_parse(const char *word, fay_strategy *ret);

typedef struct fay_node_meta {
    bool agent; /* spawns */
    bool draining;
    bool holder; /* has the CA: those who join are sent to it */
    fay_strategy strategy;
    double weight;
    double cores;
    uint64_t memory, disk; /* bytes */
    char *reason;          /* of draining; never NULL */
    char **tags;           /* NULL = none */
} fay_node_meta;

void fay_node_meta_deinit(fay_node_meta *meta);
/* At most FAY_GRID_META_MAX bytes, or FAY_E_INVAL: its texts are too long together. */
int fay_node_meta_write(const fay_node_meta *meta, fay_buffer *out, fay_error *err);
/* FAY_E_PEER: it is none; nothing to free then. */
int fay_node_meta_parse(const void *bytes, size_t size, fay_node_meta *ret);

/* Whether it is a weight: finite, and of a size that sums make sense with. */
bool fay_weight_valid(double weight);

#endif /* FAY_NODE_META_H */
