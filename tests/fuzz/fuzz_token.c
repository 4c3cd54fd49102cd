/* SPDX-License-Identifier: MIT */
/* Any bytes as a join token and as the file of open ones: refused, or written again they are the
 * same. */
#include <assert.h>
#include <string.h>

#include "pki/grants.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void token(const uint8_t *data, size_t size)
{
    FAY_CLEANUP(fay_freep) char *text = fay_strndup((const char *)data, size);
    fay_token parsed = {0};
    char again[FAY_TOKEN_TEXT_MAX];
    fay_error err = {0};
    if (fay_token_parse(text, &parsed, &err) != 0) {
        assert(err.message[0] != '\0');
        return;
    }
    assert(strcasecmp(fay_token_text(&parsed, again), text) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FAY_CLEANUP(fay_grants_deinit) fay_grants grants = {0}, parsed = {0};
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer first = {0}, second = {0};
    token(data, size);
    if (fay_grants_parse((const char *)data, size, &grants, NULL) != 0)
        return 0;
    fay_grants_append(&grants, &first);
    int r = fay_grants_parse((const char *)fay_buffer_data(&first), fay_buffer_size(&first),
                             &parsed, NULL);
    assert(r == 0);
    fay_grants_append(&parsed, &second);
    assert(fay_buffer_size(&first) == fay_buffer_size(&second));
    assert(memcmp(fay_buffer_data(&first), fay_buffer_data(&second), fay_buffer_size(&first)) == 0);
    return 0;
}
