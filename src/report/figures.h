/* SPDX-License-Identifier: MIT */
/* Figures and names as people read them on a terminal: "6,214", "812/s", "6.2 ms". */
#ifndef FAY_FIGURES_H
#define FAY_FIGURES_H

#include "base/base.h"
#include "base/buffer.h"

enum {
    FAY_FIGURE_MAX = 32
};

/* "6,214"; returns `text`. */
const char *fay_figure_text(uint64_t number, char text[FAY_FIGURE_MAX]);
/* Appends "6,214 done". */
void fay_figure_count(fay_buffer *out, uint64_t number, const char *word);
/* Three digits are enough for what changes all the time: "0.42/s", "8.1/s", "812/s", "1,204/s". */
void fay_figure_rate(fay_buffer *out, double rate, const char *unit);
/* "62 us", "6.2 ms", "12.3 s". */
void fay_figure_seconds(fay_buffer *out, double seconds);
/* Names come from users: nothing in them may move the cursor. */
void fay_figure_name(fay_buffer *out, const char *name);

#endif /* FAY_FIGURES_H */
