/* SPDX-License-Identifier: MIT */
#include "pki/role.h"

#include <string.h>

static const struct {
    unsigned bit;
    const char *word;
} roles[] = {
#define X(name, bit, word) {(bit), (word)},
    FAY_ROLES(X)
#undef X
};

unsigned fay_role_find(const char *word, size_t length)
{
    for (size_t i = 0; i < FAY_COUNT(roles); i++) {
        if (strlen(roles[i].word) == length && memcmp(roles[i].word, word, length) == 0)
            return roles[i].bit;
    }
    return 0;
}

const char *fay_role_word(unsigned role)
{
    for (size_t i = 0; i < FAY_COUNT(roles); i++) {
        if (roles[i].bit == role)
            return roles[i].word;
    }
    return NULL;
}

void fay_roles_append(unsigned mask, const char *separator, fay_buffer *out)
{
    const char *before = "";
    for (size_t i = 0; i < FAY_COUNT(roles); i++) {
        if ((mask & roles[i].bit) == 0)
            continue;
        fay_buffer_printf(out, "%s%s", before, roles[i].word);
        before = separator;
    }
}
