/* SPDX-License-Identifier: MIT */
#include "report/figures.h"

#include <stdio.h>
#include <string.h>

#include "item/json.h"

const char *fay_figure_text(uint64_t number, char text[FAY_FIGURE_MAX])
{
    char digits[FAY_FIGURE_MAX];
    int length = snprintf(digits, sizeof digits, "%llu", (unsigned long long)number);
    int at = 0;
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            text[at++] = ',';
        text[at++] = digits[i];
    }
    text[at] = '\0';
    return text;
}

void fay_figure_count(fay_buffer *out, uint64_t number, const char *word)
{
    char text[FAY_FIGURE_MAX];
    fay_buffer_printf(out, "%s %s", fay_figure_text(number, text), word);
}

void fay_figure_rate(fay_buffer *out, double rate, const char *unit)
{
    char text[FAY_FIGURE_MAX];
    double known = rate > 0 && rate < 1e15 ? rate : 0; /* not NaN, nothing that no counter says */
    if (known == 0 || known >= 100) {
        fay_buffer_printf(out, "%s%s", fay_figure_text((uint64_t)(known + 0.5), text), unit);
    } else {
        fay_buffer_printf(out, "%.*f%s", known >= 10 ? 0 : known >= 1 ? 1 : 2, known, unit);
    }
}

void fay_figure_seconds(fay_buffer *out, double seconds)
{
    double shown = seconds < 1e-3 ? seconds * 1e6 : seconds < 1 ? seconds * 1e3 : seconds;
    const char *unit = seconds < 1e-3 ? "us" : seconds < 1 ? "ms" : "s";
    fay_buffer_printf(out, "%.*f %s", shown < 100 ? 1 : 0, shown, unit);
}

void fay_figure_name(fay_buffer *out, const char *name)
{
    bool valid = fay_utf8_valid(name, strlen(name));
    for (const char *c = name; *c != '\0'; c++) {
        unsigned char byte = (unsigned char)*c;
        bool odd = byte < 0x20 || byte == 0x7f || (byte >= 0x80 && !valid);
        fay_buffer_append(out, odd ? "?" : c, 1);
    }
}
