/* SPDX-License-Identifier: MIT */
#include "report/history.h"

#include <stdlib.h>

#include "base/limits.h"
#include "report/figures.h"
#include "report/reason.h"

typedef struct decision {
    fay_ns at;
    fay_equalizer_view view;
} decision;

struct fay_history {
    uint64_t count;
    decision first[FAY_DECISIONS_KEPT_MAX];
    decision last[FAY_DECISIONS_KEPT_MAX]; /* a ring */
};

fay_history *fay_history_new(void)
{
    return fay_alloc(sizeof(fay_history));
}

void fay_history_free(fay_history *history)
{
    free(history);
}

void fay_history_add(fay_history *history, fay_ns at, const fay_equalizer_view *view)
{
    if (history == NULL)
        return;
    uint64_t n = history->count++;
    bool early = n < FAY_DECISIONS_KEPT_MAX;
    decision *place = early ? &history->first[n] : &history->last[n % FAY_DECISIONS_KEPT_MAX];
    *place = (decision){.at = at, .view = *view};
}

static void tell(const decision *d, const char *stage, fay_buffer *out)
{
    fay_reason_tell(&d->view, stage, d->at, out);
}

void fay_history_tell(const fay_history *history, const char *stage, fay_buffer *out)
{
    uint64_t first = FAY_MIN(history->count, (uint64_t)FAY_DECISIONS_KEPT_MAX);
    uint64_t later = history->count - first;
    uint64_t last = FAY_MIN(later, (uint64_t)FAY_DECISIONS_KEPT_MAX);
    for (uint64_t i = 0; i < first; i++) {
        tell(&history->first[i], stage, out);
    }
    if (later > last) {
        fay_figure_name(out, stage);
        fay_buffer_append_text(out, "  (");
        fay_figure_count(out, later - last, "more decisions)\n");
    }
    for (uint64_t i = history->count - last; i < history->count; i++) {
        tell(&history->last[i % FAY_DECISIONS_KEPT_MAX], stage, out);
    }
}
