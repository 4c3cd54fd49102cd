/* SPDX-License-Identifier: MIT */
/* Who a Node is: the first 16 bytes of a SHA-256 over its server's public key and its name. */
#ifndef FAY_BASE_NODE_ID_H
#define FAY_BASE_NODE_ID_H

#include <string.h>

#include "base/base.h"

enum {
    FAY_NODE_ID_SIZE = 16,
    FAY_NODE_ID_TEXT_MAX = 2 * FAY_NODE_ID_SIZE + 1
};

typedef struct fay_node_id {
    uint8_t bytes[FAY_NODE_ID_SIZE];
} fay_node_id;

static inline int fay_node_id_compare(const fay_node_id *a, const fay_node_id *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

static inline bool fay_node_id_same(const fay_node_id *a, const fay_node_id *b)
{
    return fay_node_id_compare(a, b) == 0;
}

#endif /* FAY_BASE_NODE_ID_H */
