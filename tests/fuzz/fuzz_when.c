/* SPDX-License-Identifier: MIT */
/* `when` tests: text, a NUL, then attributes that nobody has checked. */
#include <assert.h>
#include <string.h>

#include "item/when.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *nul = size > 0 ? memchr(data, '\0', size) : NULL;
    size_t length = nul != NULL ? (size_t)(nul - data) : size;
    FAY_CLEANUP(fay_freep) char *text = fay_strndup((const char *)data, length);
    fay_error err = {0};
    fay_when *when = fay_when_parse(text, &err);
    if (when == NULL) {
        assert(err.column >= 1 && (size_t)err.column <= length + 1 && err.message[0] != '\0');
        return 0;
    }
    const uint8_t *attrs = nul != NULL ? nul + 1 : NULL;
    size_t attrs_size = nul != NULL ? size - length - 1 : 0;
    bool first = fay_when_test(when, attrs, attrs_size, data, length);
    assert(fay_when_test(when, attrs, attrs_size, data, length) == first);
    fay_when_free(when);
    return 0;
}
