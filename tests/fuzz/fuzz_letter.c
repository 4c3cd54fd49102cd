/* SPDX-License-Identifier: MIT */
/* Any bytes as a dead letter: refused, or written and read again they are the same letter. */
#include <assert.h>
#include <string.h>

#include "letters/letter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FAY_CLEANUP(fay_letter_deinit) fay_letter letter = {0}, again = {0};
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer first = {0}, second = {0};
    fay_error err = {0};
    if (fay_letter_parse((const char *)data, size, &letter, &err) != 0) {
        assert(err.message[0] != '\0');
        return 0;
    }
    fay_letter_write(&letter, &first);
    int r = fay_letter_parse(fay_buffer_text(&first), fay_buffer_size(&first) - 1, &again, &err);
    assert(r == 0);
    fay_letter_write(&again, &second);
    assert(fay_buffer_size(&first) == fay_buffer_size(&second));
    assert(memcmp(fay_buffer_data(&first), fay_buffer_data(&second), fay_buffer_size(&first)) == 0);
    return 0;
}
