/* SPDX-License-Identifier: MIT */
/*
 * The first bytes of every connection, in clear text: who it is for. A routing hint that
 * authenticates nothing; HELLO repeats it where it counts (net/hello.h).
 *
 *     "faymora" | u8 1 | u8 target | 7 x 0 | id 16        32 bytes, always
 */
#ifndef FAY_PREAMBLE_H
#define FAY_PREAMBLE_H

#include "base/node_id.h"

enum {
    FAY_PREAMBLE_SIZE = 32
};

typedef enum fay_target {
    FAY_TARGET_NODE = 1,    /* the Node that listens; the id is 0 */
    FAY_TARGET_PROCESS = 2, /* an owner or Instance on its machine, by its id */
    FAY_TARGET_JOIN = 3,    /* who has no certificate yet asks for one; the id is 0 */
} fay_target;

typedef struct fay_preamble {
    fay_target target;
    fay_node_id process;
} fay_preamble;

void fay_preamble_write(const fay_preamble *preamble, uint8_t ret[FAY_PREAMBLE_SIZE]);
/* Whether one may begin so: who is no peer is not waited for. */
bool fay_preamble_begins(const uint8_t *bytes, size_t size);
/* FAY_E_PEER: it is none. */
int fay_preamble_parse(const uint8_t bytes[FAY_PREAMBLE_SIZE], fay_preamble *ret);

#endif /* FAY_PREAMBLE_H */
