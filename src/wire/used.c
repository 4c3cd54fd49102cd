/* SPDX-License-Identifier: MIT */
#include "wire/used.h"

#include "wire/codec.h"

void fay_used_write(const fay_used *used, fay_buffer *payload)
{
    fay_write64(payload, used->busy);
    fay_write64(payload, used->cpu);
    fay_write64(payload, used->waited);
    fay_write64(payload, used->bytes);
}

int fay_used_parse(const uint8_t *payload, size_t size, fay_used *ret)
{
    fay_reader r = fay_reader_of(payload, size);
    fay_used used = {.busy = fay_read64(&r)};
    used.cpu = fay_read64(&r);
    used.waited = fay_read64(&r);
    used.bytes = fay_read64(&r);
    if (fay_reader_done(&r) != 0)
        return FAY_E_PEER;
    *ret = used;
    return 0;
}
