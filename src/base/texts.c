/* SPDX-License-Identifier: MIT */
#include "base/texts.h"

#include <stdlib.h>

char **fay_texts_new(void)
{
    return fay_alloc(sizeof(char *));
}

char **fay_texts_copy(char *const *texts, size_t count)
{
    char **copy = fay_alloc((count + 1) * sizeof *copy);
    for (size_t i = 0; i < count; i++) {
        copy[i] = fay_strdup(texts[i]);
    }
    return copy;
}

size_t fay_texts_count(char *const *texts)
{
    size_t count = 0;
    while (texts != NULL && texts[count] != NULL) {
        count++;
    }
    return count;
}

void fay_texts_free(char **texts)
{
    for (size_t i = 0; texts != NULL && texts[i] != NULL; i++) {
        free(texts[i]);
    }
    free(texts);
}

void fay_texts_push(char ***texts, char *text)
{
    size_t count = fay_texts_count(*texts);
    *texts = fay_realloc(*texts, (count + 2) * sizeof **texts);
    (*texts)[count] = text;
    (*texts)[count + 1] = NULL;
}

void fay_texts_replace(char ***field, char **texts)
{
    fay_texts_free(*field);
    *field = texts;
}

void fay_text_replace(char **field, char *text)
{
    free(*field);
    *field = text;
}

void fay_text_tame(char *text)
{
    for (unsigned char *c = (unsigned char *)text; *c != '\0'; c++) {
        bool more = c[0] == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0; /* U+0080 to U+009F */
        if (*c < 0x20 || *c == 0x7f || more)
            *c = ' ';
        if (more)
            *++c = ' ';
    }
}
