/* SPDX-License-Identifier: MIT */
#include "net/preamble.h"

#include <string.h>

/* "faymora", and the version. */
static const uint8_t head[] = {'f', 'a', 'y', 'm', 'o', 'r', 'a', 1};

enum {
    TARGET_AT = sizeof head,
    PROCESS_AT = FAY_PREAMBLE_SIZE - FAY_NODE_ID_SIZE
};

void fay_preamble_write(const fay_preamble *preamble, uint8_t ret[FAY_PREAMBLE_SIZE])
{
    memset(ret, 0, FAY_PREAMBLE_SIZE);
    memcpy(ret, head, sizeof head);
    ret[TARGET_AT] = (uint8_t)preamble->target;
    if (preamble->target == FAY_TARGET_PROCESS)
        memcpy(ret + PROCESS_AT, preamble->process.bytes, sizeof preamble->process.bytes);
}

bool fay_preamble_begins(const uint8_t *bytes, size_t size)
{
    return memcmp(bytes, head, FAY_MIN(size, sizeof head)) == 0;
}

int fay_preamble_parse(const uint8_t bytes[FAY_PREAMBLE_SIZE], fay_preamble *ret)
{
    fay_preamble read = {.target = (fay_target)bytes[TARGET_AT]};
    uint8_t again[FAY_PREAMBLE_SIZE];
    if (bytes[TARGET_AT] < FAY_TARGET_NODE || bytes[TARGET_AT] > FAY_TARGET_JOIN)
        return FAY_E_PEER;
    memcpy(read.process.bytes, bytes + PROCESS_AT, sizeof read.process.bytes);
    fay_preamble_write(&read, again);
    if (memcmp(again, bytes, sizeof again) != 0)
        return FAY_E_PEER;
    *ret = read;
    return 0;
}
