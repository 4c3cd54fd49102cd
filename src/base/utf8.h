/* SPDX-License-Identifier: MIT */
/* UTF-8, as far as telling it from other bytes goes. */
#ifndef FAY_UTF8_H
#define FAY_UTF8_H

#include "base/base.h"

#define FAY_UTF8_REPLACEMENT "\xef\xbf\xbd" /* U+FFFD: for a byte that belongs to no character */

/* The size of the character that the text begins with, 0 if it is none. `left` > 0. Inline: it is
 * asked for every character of JSON. */
static inline size_t fay_utf8_character(const void *text, size_t left)
{
    const uint8_t *bytes = text;
    uint8_t first = bytes[0];
    if (first < 0x80)
        return 1;
    size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || left < size)
        return 0;
    for (size_t i = 1; i < size; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
    }
    uint8_t second = bytes[1];
    bool overlong = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
    bool surrogate = first == 0xed && second > 0x9f;
    bool beyond = first == 0xf4 && second > 0x8f;
    return overlong || surrogate || beyond ? 0 : size;
}

#endif /* FAY_UTF8_H */
