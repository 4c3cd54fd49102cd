/* SPDX-License-Identifier: MIT */
#include "pki/role.h"

#include <string.h>

static const struct word {
    unsigned bit;
    const char *word;
} words[] = {
#define X(name, bit, word) {(bit), (word)},
    FAY_ROLES(X)
#undef X
};

unsigned fay_role_find(const char *word, size_t length)
{
    for (size_t i = 0; i < FAY_COUNT(words); i++) {
        if (strlen(words[i].word) == length && memcmp(words[i].word, word, length) == 0)
            return words[i].bit;
    }
    return 0;
}

const char *fay_role_word(unsigned role)
{
    for (size_t i = 0; i < FAY_COUNT(words); i++) {
        if (words[i].bit == role)
            return words[i].word;
    }
    return NULL;
}

void fay_roles_append(unsigned roles, const char *separator, fay_buffer *out)
{
    const char *before = "";
    for (size_t i = 0; i < FAY_COUNT(words); i++) {
        if ((roles & words[i].bit) == 0)
            continue;
        fay_buffer_printf(out, "%s%s", before, words[i].word);
        before = separator;
    }
}
