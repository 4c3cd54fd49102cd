/* SPDX-License-Identifier: MIT */
#include "base/shell.h"

#include <string.h>

static bool is_plain(const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_-./:=,+@%";
    return word[0] != '\0' && word[strspn(word, plain)] == '\0';
}

static void append_word(const char *word, fay_buffer *out)
{
    if (is_plain(word)) {
        fay_buffer_append_text(out, word);
        return;
    }
    fay_buffer_append_text(out, "'");
    for (const char *c = word; *c != '\0'; c++) {
        if (*c == '\'') {
            fay_buffer_append_text(out, "'\\''");
        } else {
            fay_buffer_append(out, c, 1);
        }
    }
    fay_buffer_append_text(out, "'");
}

void fay_shell_join(char *const *words, size_t count, fay_buffer *out)
{
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            fay_buffer_append_text(out, " ");
        append_word(words[i], out);
    }
}
