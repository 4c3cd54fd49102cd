/* SPDX-License-Identifier: MIT */
/* What a `lines` worker prints, in pieces: no more answers than Items, and each byte at most once.
 */
#include <assert.h>
#include <string.h>

#include "fuzz_mode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3)
        return 0;
    fuzz_mode f;
    fuzz_begin(&f, FAY_MODE_LINES, 32);
    fuzz_lease(&f, data[0] % 16 + 1u, true);
    fuzz_feed(&f, data + 2, size - 2, data[1] % 64 + 1u);
    fuzz_end(&f);
    return 0;
}
