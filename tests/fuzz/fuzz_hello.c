/* SPDX-License-Identifier: MIT */
/* Any bytes as a HELLO: refused, or what it says lies within them, and proves nothing. */
#include <assert.h>

#include "net/hello.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const fay_hello_session session = {.side = FAY_SIDE_DIALS};
    static const fay_certification certification = {.boot = 1};
    fay_hello hello;
    if (fay_hello_parse(data, size, &hello) != 0)
        return 0;
    if (!hello.member) {
        assert(size == 2);
        return 0;
    }
    assert(hello.certification >= data && hello.certification + hello.size <= data + size);
    assert(2 + 4 + hello.size + sizeof hello.signature == size);
    assert(!fay_hello_holds(&hello, &session, &certification));
    return 0;
}
