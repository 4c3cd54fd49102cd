/* SPDX-License-Identifier: MIT */
#include "report/reason.h"

#include <math.h>

#include "base/units.h"
#include "report/figures.h"
#include "report/report.h"

#define ARROW "\xe2\x86\x92"

static unsigned workers(const fay_equalizer_view *view)
{
    return view->serving + view->stuck + view->starting;
}

static unsigned target(const fay_equalizer_view *view)
{
    unsigned n = workers(view);
    return view->retire ? n - FAY_MIN(n, 1u) : n + view->spawn;
}

static bool is_held(const fay_equalizer_view *view)
{
    return view->held_by != FAY_HELD_NONE;
}

/* ---- for programs ---------------------------------------------------------------------------- */

const char *fay_reason_event(const fay_equalizer_view *view)
{
    return view->retire ? "stage.retire" : view->spawn > 0 ? "stage.spawn" : "stage.held";
}

static void member(fay_buffer *out, const char *name, double number)
{
    if (isfinite(number)) {
        fay_buffer_printf(out, ",\"%s\":%.9g", name, number);
    } else {
        fay_buffer_printf(out, ",\"%s\":null", name);
    }
}

static void word(fay_buffer *out, const char *name, const char *text)
{
    const char *quote = text[0] != '\0' ? "\"" : "";
    fay_buffer_printf(out, ",\"%s\":%s%s%s", name, quote, text[0] != '\0' ? text : "null", quote);
}

void fay_reason_members(const fay_equalizer_view *view, fay_buffer *out)
{
    word(out, "rule", fay_rule_name(view->rule));
    word(out, "pressure", fay_report_pressure(view->pressure));
    word(out, "held", fay_held_name(view->held_by));
    member(out, "workers", workers(view));
    member(out, "starting", view->starting);
    member(out, "stuck", view->stuck);
    member(out, "target", target(view));
    member(out, "wanted", view->wanted);
    member(out, "max", view->max);
    member(out, "arrivals_per_second", view->rate);
    member(out, "item_seconds", view->item_s);
    member(out, "load", view->load);
    member(out, "spare", view->spare);
    member(out, "drain", view->drain);
    member(out, "queued", (double)view->queued);
    member(out, "backlog", view->backlog);
    member(out, "drain_seconds", view->drain_s);
    member(out, "start_seconds", view->spawn_s);
    member(out, "trigger", view->trigger);
    member(out, "ceiling_per_second", view->ceiling);
    member(out, "cap", view->cap);
    member(out, "idle_seconds", view->idle_s);
    member(out, "cores", view->cores);
    member(out, "bytes", view->bytes);
    member(out, "worker_cores", view->each_cores);
    member(out, "worker_bytes", view->each_bytes);
}

/* ---- for people ------------------------------------------------------------------------------ */

/* Of what is scarce: how much there is for all, and what one more would need. */
static void tell_needs(const fay_equalizer_view *view, fay_buffer *out)
{
    char all[FAY_UNITS_TEXT_MAX], each[FAY_UNITS_TEXT_MAX];
    if (view->held_by == FAY_HELD_NO_CPU && isfinite(view->cores) && view->each_cores > 0) {
        fay_buffer_printf(out, " (%.4g for all, a worker needs %.2g)", view->cores,
                          view->each_cores);
    }
    if (view->held_by == FAY_HELD_NO_MEM && isfinite(view->bytes) && view->each_bytes > 0) {
        fay_buffer_printf(out, " (%s for all, a worker needs %s)",
                          fay_size_text((uint64_t)fmax(0, view->bytes), all),
                          fay_size_text((uint64_t)view->each_bytes, each));
    }
}

/* What a HELD word means here. */
static void tell_held(const fay_equalizer_view *view, fay_buffer *out)
{
    fay_held held = view->held_by;
    fay_buffer_printf(out, ", wants %u, HELD by %s: ", view->wanted, fay_held_name(held));
    if (held == FAY_HELD_AT_MAX) {
        fay_buffer_printf(out, "%u is its maximum", view->max);
    } else if (held == FAY_HELD_LEARNING && view->item_s <= 0) {
        fay_buffer_append_text(out, "it is not known yet how long an Item takes");
    } else {
        fay_buffer_append_text(out, fay_held_meaning(held));
    }
    tell_needs(view, out);
}

/* The sum, as it can be done again by hand. */
static void tell_sum(const fay_equalizer_view *view, fay_buffer *out)
{
    fay_buffer_append_text(out, ": ");
    fay_figure_rate(out, view->rate, "/s ");
    fay_buffer_append_text(out, view->from_source ? "are to be had" : "arrive");
    fay_buffer_append_text(out, ", an Item takes ");
    fay_figure_seconds(out, view->item_s);
    fay_buffer_printf(out, ": load %.1f + %.1f to spare", view->load, view->spare);
    if (view->drain >= 0.05)
        fay_buffer_printf(out, " + %.1f for the backlog", view->drain);
    if (view->stuck > 0)
        fay_buffer_printf(out, " + %u stuck", view->stuck);
    fay_buffer_printf(out, " = %.0f",
                      ceil(view->load + view->spare + view->drain - 1e-6) + view->stuck);
}

static void tell_rule(const fay_equalizer_view *view, fay_buffer *out)
{
    const char *meaning = fay_rule_meaning(view->rule);
    if (view->rule == FAY_RULE_SHARE) {
        fay_buffer_append_text(out, "; all stages together allow it ");
        fay_figure_rate(out, view->ceiling, "/s");
    } else if (view->rule == FAY_RULE_IDLE) {
        fay_buffer_append_text(out, "; one has been idle for ");
        fay_figure_seconds(out, view->idle_s);
    } else if (view->rule == FAY_RULE_OVER_CAP) {
        fay_buffer_printf(out, "; more than %.0f do no more", view->cap);
    } else if (meaning[0] != '\0') {
        fay_buffer_printf(out, "; %s", meaning);
    }
}

static void tell_number(const fay_equalizer_view *view, fay_buffer *out)
{
    unsigned before = workers(view), after = target(view);
    if (before == after) {
        fay_buffer_printf(out, "stays at %u workers", before);
    } else {
        fay_buffer_printf(out, "%u" ARROW "%u workers", before, after);
    }
}

void fay_reason_tell(const fay_equalizer_view *view, const char *stage, fay_ns at, fay_buffer *out)
{
    fay_figure_name(out, stage);
    fay_buffer_printf(out, "  %.1f s  ", (double)at / (double)FAY_SECOND);
    tell_number(view, out);
    if (is_held(view))
        tell_held(view, out);
    if (view->item_s > 0)
        tell_sum(view, out);
    tell_rule(view, out);
    fay_buffer_append_text(out, "; ");
    fay_figure_count(out, view->queued, "wait\n");
}
