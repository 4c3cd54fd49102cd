/* SPDX-License-Identifier: MIT */
/* Output of exec and batch processes, in pieces and in every format. */
#include "fuzz_mode.h"
#include "item/format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3)
        return 0;
    fuzz_mode f;
    fuzz_begin(&f, data[0] % 2 == 0 ? FAY_MODE_BATCH : FAY_MODE_EXEC, 4096);
    f.setup.format = data[0] / 2 % (FAY_FORMAT_MSGPACK + 1);
    f.setup.emit = data[0] / 16 % 2;
    fuzz_lease(&f, data[0] % 2 == 0 ? 4 : 1, true);
    fay_command command;
    const fay_ending good = {0};
    if (fay_mode_begin(f.mode, 1, &command, &f.replies) == FAY_MODE_BEGIN &&
        fay_mode_ended(f.mode, &good, 2, &f.replies) == FAY_MODE_ACCEPTED)
        fuzz_feed(&f, data + 2, size - 2, data[1] % 64 + 1u);
    fuzz_end(&f);
    return 0;
}
