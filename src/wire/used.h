/* SPDX-License-Identifier: MIT */
/*
 * What workers of a stage have used while they had Items in hand: the payload of USED.
 *
 *     USED  u64 busy ns | u64 cpu ns | u64 waited ns | u64 bytes
 */
#ifndef FAY_USED_H
#define FAY_USED_H

#include "base/base.h"
#include "base/buffer.h"

typedef struct fay_used {
    fay_ns busy;    /* of all workers together: with Items in hand */
    fay_ns cpu;     /* time on a core meanwhile */
    fay_ns waited;  /* ready to run, and no core was free */
    uint64_t bytes; /* in memory, of the largest of them */
} fay_used;

void fay_used_write(const fay_used *used, fay_buffer *payload);
/* 0, or FAY_E_PEER with *ret untouched. */
int fay_used_parse(const uint8_t *payload, size_t size, fay_used *ret);

#endif /* FAY_USED_H */
