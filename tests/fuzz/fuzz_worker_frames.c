/* SPDX-License-Identifier: MIT */
/* Messages of a `frames` worker: what is passed on is right, and answers what the worker holds. */
#include <assert.h>

#include "fuzz_mode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_mode f;
    fuzz_begin(&f, FAY_MODE_FRAMES, 1024);
    fuzz_lease(&f, 16, false);
    fay_frame frame;
    size_t needed;
    int rc = 0;
    while (rc == 0 && fay_frame_parse(data, size, &frame, &needed) == FAY_FRAME_WHOLE) {
        if (frame.type != FAY_MESSAGE_HELLO && frame.type != FAY_MESSAGE_UP)
            rc = fay_mode_frame(f.mode, &frame, 2, &f.replies);
        fuzz_check(&f);
        data += needed;
        size -= needed;
    }
    fuzz_end(&f);
    return 0;
}
