/* SPDX-License-Identifier: MIT */
/*
 * Signatures of whatever a worker says of whatever Item: error, stderr and Item with a NUL between.
 * The oracles: the same again gives the same; which digits there are makes no difference; and an
 * exit code does.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "letters/signature.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The part before the next NUL; what is behind it remains. */
static const char *take(const char **data, size_t *size, size_t *ret_size)
{
    const char *part = *data;
    const char *end = *size > 0 ? memchr(part, '\0', *size) : NULL;
    *ret_size = end != NULL ? (size_t)(end - part) : *size;
    size_t used = end != NULL ? *ret_size + 1 : *ret_size;
    *data += used;
    *size -= used;
    return part;
}

static void other_digits(char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (text[i] >= '1' && text[i] <= '9')
            text[i] = '7'; /* not the 0 of 0x */
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 8192)
        return 0;
    char *copy = fay_alloc(size + 1);
    memcpy(copy, data, size);
    const char *rest = copy;
    fay_news news = {.kind = FAY_NEWS_EXIT, .exit = 1};
    news.error = take(&rest, &size, &news.error_size);
    news.tail = take(&rest, &size, &news.tail_size);
    const uint8_t *item = (const uint8_t *)rest;
    uint64_t with_item = fay_signature(&news, item, size);
    uint64_t without = fay_signature(&news, item, 0);
    assert(with_item == fay_signature(&news, item, size));
    news.exit = 2;
    assert(with_item != fay_signature(&news, item, size));
    news.exit = 1;
    other_digits(copy, news.error_size);
    assert(without == fay_signature(&news, item, 0));
    free(copy);
    return 0;
}
