/* SPDX-License-Identifier: MIT */
/* What a `json` worker prints, in pieces. */
#include "fuzz_mode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3)
        return 0;
    fuzz_mode f;
    fuzz_begin(&f, FAY_MODE_JSON, 4096);
    fuzz_lease(&f, data[0] % 16 + 1u, true);
    size_t asked;
    while (fay_mode_input(f.mode, &asked) != NULL) {
        fay_mode_wrote(f.mode, asked, 1);
    }
    fuzz_feed(&f, data + 2, size - 2, data[1] % 64 + 1u);
    fuzz_end(&f);
    return 0;
}
