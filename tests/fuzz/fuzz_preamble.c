/* SPDX-License-Identifier: MIT */
/* Any bytes as a preamble: refused, or written again they are the same; no byte too late. */
#include <assert.h>
#include <string.h>

#include "net/preamble.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fay_preamble preamble = {.target = FAY_TARGET_NODE};
    uint8_t again[FAY_PREAMBLE_SIZE];
    bool begins = fay_preamble_begins(data, size);
    for (size_t cut = 0; cut < size && begins; cut++)
        assert(fay_preamble_begins(data, cut));
    if (size < FAY_PREAMBLE_SIZE || fay_preamble_parse(data, &preamble) != 0)
        return 0;
    assert(begins);
    fay_preamble_write(&preamble, again);
    assert(memcmp(again, data, sizeof again) == 0);
    return 0;
}
