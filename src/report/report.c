/* SPDX-License-Identifier: MIT */
#include "report/report.h"

#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "item/json.h"
#include "report/figures.h"

#define DOT   " \xc2\xb7 "     /* a middle dot */
#define BAR   " \xe2\x94\x82 " /* a vertical line */
#define ARROW "\xe2\x86\x92"
#define DOTS  "\xe2\x80\xa6"

/* ---- pieces ---------------------------------------------------------------------------------- */

/* A clock's form, "1:10" or "2:03:10": for what is left, where units would be one more word. */
static void append_clock(fay_buffer *out, double seconds)
{
    unsigned long long whole = (unsigned long long)(seconds + 0.5);
    if (whole >= 3600) {
        fay_buffer_printf(out, "%llu:%02llu:%02llu", whole / 3600, whole / 60 % 60, whole % 60);
    } else {
        fay_buffer_printf(out, "%llu:%02llu", whole / 60, whole % 60);
    }
}

static void append_duration(fay_buffer *out, fay_ns duration)
{
    char text[FAY_UNITS_TEXT_MAX];
    fay_buffer_append_text(out, fay_duration_text(duration, text));
}

const char *fay_report_pressure(fay_pressure pressure)
{
    static const char *const names[] = {"LOW", "EVEN", "HIGH", "BLOCKED"};
    return names[pressure - FAY_LOW];
}

/* Red, green, blue as on the dashboard; its black is no colour on a terminal: reverse. */
static const char *pressure_colour(int pressure)
{
    return pressure < 0    ? "\x1b[34m"
           : pressure == 0 ? "\x1b[32m"
           : pressure == 1 ? "\x1b[31m"
                           : "\x1b[7m";
}

static void append_coloured(fay_buffer *out, unsigned flags, const char *colour, const char *text)
{
    bool coloured = (flags & FAY_REPORT_COLOUR) != 0;
    fay_buffer_printf(out, "%s%s%s", coloured ? colour : "", text, coloured ? "\x1b[0m" : "");
}

static void append_dead(fay_buffer *out, unsigned flags, uint64_t count)
{
    char number[FAY_FIGURE_MAX], text[FAY_FIGURE_MAX + sizeof " dead"];
    (void)snprintf(text, sizeof text, "%s dead", fay_figure_text(count, number));
    append_coloured(out, count > 0 ? flags : 0, "\x1b[31m", text);
}

/* "score.py 2->5w HIGH AT_MAX 160/s.w": the rate of one worker where there are several. */
static void append_stage(fay_buffer *out, const fay_report_stage *stage, unsigned flags)
{
    const fay_flow_stats *stats = &stage->stats;
    fay_figure_name(out, stage->name);
    fay_buffer_printf(out, " %u", stats->workers);
    if (stats->target != stats->workers)
        fay_buffer_printf(out, ARROW "%u", stats->target);
    fay_buffer_append_text(out, "w ");
    append_coloured(out, flags, pressure_colour(stats->pressure),
                    fay_report_pressure(stats->pressure));
    bool held = stats->held_by != FAY_HELD_NONE;
    if (held && stats->pressure != FAY_BLOCKED) /* which has said it */
        fay_buffer_printf(out, " %s", fay_held_name(stats->held_by));
    fay_buffer_append_text(out, " ");
    if (stats->workers > 1) {
        fay_figure_rate(out, stats->out_rate / stats->workers, "/s\xc2\xb7w");
    } else {
        fay_figure_rate(out, stats->out_rate, "/s");
    }
}

static uint64_t done(const fay_report *report)
{
    return report->done_before + report->totals.acked;
}

/* How long the rest will take, from the mean so far; < 0 = nobody knows. Once the source has ended
 * its Items are counted, before that `expected` is what is known about them. */
static double seconds_left(const fay_report *report)
{
    const fay_flow_totals *totals = &report->totals;
    uint64_t rest = report->expected - FAY_MIN(report->done_before, report->expected);
    uint64_t all = totals->source_ended ? totals->read : rest;
    if (totals->acked == 0 || all <= totals->acked)
        return -1;
    double each = (double)report->elapsed / (double)FAY_SECOND / (double)totals->acked;
    return each * (double)(all - totals->acked);
}

/* ---- cutting --------------------------------------------------------------------------------- */

/* The size of the sequence at text[0..left): an escape "ESC [ .. m", or a character. */
static size_t cell_size(const uint8_t *text, size_t left, bool *ret_escape)
{
    *ret_escape = text[0] == 0x1b;
    if (*ret_escape) {
        const uint8_t *end = memchr(text, 'm', left);
        return end != NULL ? (size_t)(end - text) + 1 : left;
    }
    size_t size = text[0] >= 0xf0 ? 4 : text[0] >= 0xe0 ? 3 : text[0] >= 0xc0 ? 2 : 1;
    return FAY_MIN(size, left);
}

/* Columns of one character. wcwidth() would need a locale, which a library may not set. */
static size_t cell_width(const uint8_t *text, size_t size)
{
    static const struct {
        uint32_t from, to;
        size_t width;
    } ranges[] = {
        {0x0300, 0x036f, 0}, {0x200b, 0x200f, 0}, {0xfe00, 0xfe0f, 0},   {0x1100, 0x115f, 2},
        {0x2e80, 0xa4cf, 2}, {0xac00, 0xd7a3, 2}, {0xf900, 0xfaff, 2},   {0xfe30, 0xfe6f, 2},
        {0xff00, 0xff60, 2}, {0xffe0, 0xffe6, 2}, {0x1f300, 0x1faff, 2}, {0x20000, 0x3fffd, 2},
    };
    static const uint8_t masks[] = {0x7f, 0x1f, 0x0f, 0x07};
    uint32_t code = text[0] & masks[size - 1];
    for (size_t i = 1; i < size; i++)
        code = code << 6 | (text[i] & 0x3f);
    for (size_t i = 0; i < FAY_COUNT(ranges); i++) {
        if (code >= ranges[i].from && code <= ranges[i].to)
            return ranges[i].width;
    }
    return 1;
}

static size_t text_width(const uint8_t *text, size_t size)
{
    size_t width = 0;
    for (size_t at = 0; at < size;) {
        bool escape;
        size_t cell = cell_size(text + at, size - at, &escape);
        width += escape ? 0 : cell_width(text + at, cell);
        at += cell;
    }
    return width;
}

/* Appends `line` cut to `columns`, the last of them dots. Escapes take no column and all stay, so
 * that no colour is left on. */
static void append_cut(fay_buffer *out, const fay_buffer *line, size_t columns)
{
    const uint8_t *text = fay_buffer_data(line);
    size_t size = fay_buffer_size(line);
    if (columns == 0 || text_width(text, size) <= columns) {
        fay_buffer_append(out, text, size);
        return;
    }
    size_t width = 0;
    bool full = false;
    for (size_t at = 0; at < size;) {
        bool escape;
        size_t cell = cell_size(text + at, size - at, &escape);
        size_t wide = escape ? 0 : cell_width(text + at, cell);
        if (!escape && !full && width + wide > columns - 1) {
            fay_buffer_append_text(out, DOTS);
            full = true;
        }
        if (escape || !full)
            fay_buffer_append(out, text + at, cell);
        width += wide;
        at += cell;
    }
}

/* ---- the lines ------------------------------------------------------------------------------- */

void fay_report_bar(const fay_report *report, unsigned flags, size_t columns, fay_buffer *out)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer line = {0};
    fay_buffer_append_text(&line, " ");
    for (size_t i = 0; i < report->stages_count; i++) {
        append_stage(&line, &report->stages[i], flags);
        fay_buffer_append_text(&line, BAR);
    }
    fay_figure_count(&line, done(report), "done");
    if (report->dead > 0) {
        fay_buffer_append_text(&line, " ");
        append_dead(&line, flags, report->dead);
    }
    double left = seconds_left(report);
    if (report->totals.draining) {
        fay_buffer_append_text(&line, "  draining");
    } else if (left >= 0) {
        fay_buffer_append_text(&line, "  ETA ");
        append_clock(&line, left);
    }
    append_cut(out, &line, columns);
}

void fay_report_plain(const fay_report *report, fay_buffer *out)
{
    fay_buffer_append_text(out, "faymora: ");
    append_duration(out, report->elapsed);
    fay_buffer_append_text(out, DOT);
    fay_figure_count(out, done(report), "done");
    fay_buffer_append_text(out, DOT);
    fay_figure_count(out, report->dead, "dead");
    for (size_t i = 0; i < report->stages_count; i++) {
        fay_buffer_append_text(out, DOT);
        append_stage(out, &report->stages[i], 0);
    }
    double left = seconds_left(report);
    if (report->totals.draining) {
        fay_buffer_append_text(out, DOT "draining");
    } else if (left >= 0) {
        fay_buffer_append_text(out, DOT "ETA ");
        append_clock(out, left);
    }
    fay_buffer_append_text(out, "\n");
}

/* A drain, an abort or a failure leaves Items that were read and are not finished; a sink that
 * fails leaves some that the flow has finished. Of one Item many may come: it counts once. */
static uint64_t not_done(const fay_report *report)
{
    uint64_t read = report->totals.read;
    uint64_t open = read - FAY_MIN(report->totals.acked, read);
    return FAY_MIN(open + report->unwritten, read);
}

typedef struct sums {
    uint64_t filtered, retried, dropped;
} sums;

static sums sum_up(const fay_report *report)
{
    sums all = {0};
    for (size_t i = 0; i < report->stages_count; i++) {
        const fay_flow_stats *stats = &report->stages[i].stats;
        all.filtered += stats->filtered;
        all.retried += stats->retried;
        all.dropped += stats->dropped;
    }
    return all;
}

static void append_if_any(fay_buffer *out, uint64_t number, const char *word)
{
    if (number == 0)
        return;
    fay_buffer_append_text(out, DOT);
    fay_figure_count(out, number, word);
}

static void append_peaks(const fay_report *report, fay_buffer *out)
{
    fay_buffer_append_text(out, DOT "peak ");
    for (size_t i = 0; i < report->stages_count; i++) {
        if (i > 0)
            fay_buffer_append_text(out, ", ");
        fay_figure_name(out, report->stages[i].name);
        fay_buffer_printf(out, " %u", report->stages[i].stats.workers_peak);
    }
}

void fay_report_summary(const fay_report *report, unsigned flags, fay_buffer *out)
{
    fay_buffer_printf(out, "run %s: ", report->run);
    fay_figure_count(out, report->in, "in" DOT);
    fay_figure_count(out, report->out, "out" DOT);
    append_dead(out, flags, report->dead);
    if (report->dead > 0 && report->dead_letter != NULL) {
        fay_buffer_append_text(out, " " ARROW " ");
        fay_figure_name(out, report->dead_letter);
    }
    sums all = sum_up(report);
    append_if_any(out, all.filtered, "filtered");
    append_if_any(out, all.dropped, "dropped");
    append_if_any(out, all.retried, "retried");
    append_if_any(out, not_done(report), "not done");
    fay_buffer_append_text(out, DOT);
    append_duration(out, report->elapsed);
    if (report->stages_count > 0)
        append_peaks(report, out);
    fay_buffer_append_text(out, "\n");
    if (report->why != NULL)
        fay_buffer_printf(out, "run %s: ended early: %s\n", report->run, report->why);
}

/* ---- for programs ---------------------------------------------------------------------------- */

static void append_text_member(fay_buffer *out, const char *name, const char *text)
{
    fay_buffer_printf(out, ",\"%s\":", name);
    if (text != NULL) {
        fay_json_append_string(out, text, strlen(text));
    } else {
        fay_buffer_append_text(out, "null");
    }
}

static void append_count(fay_buffer *out, const char *name, uint64_t number)
{
    fay_buffer_printf(out, ",\"%s\":%llu", name, (unsigned long long)number);
}

static void append_json_stage(fay_buffer *out, const fay_report_stage *stage)
{
    const fay_flow_stats *stats = &stage->stats;
    fay_buffer_append_text(out, "{\"name\":");
    fay_json_append_string(out, stage->name, strlen(stage->name));
    append_count(out, "in", stats->in);
    append_count(out, "out", stats->out);
    append_count(out, "filtered", stats->filtered);
    append_count(out, "retried", stats->retried);
    append_count(out, "dead", stats->dead);
    append_count(out, "dropped", stats->dropped);
    append_count(out, "workers_peak", stats->workers_peak);
    fay_buffer_printf(out, ",\"useful_seconds\":%.6f}",
                      (double)stats->useful_ns / (double)FAY_SECOND);
}

void fay_report_json(const fay_report *report, fay_buffer *out)
{
    sums all = sum_up(report);
    fay_buffer_append_text(out, "{\"schema\":1");
    append_text_member(out, "run", report->run);
    append_text_member(out, "pipeline", report->pipeline);
    append_count(out, "in", report->in);
    append_count(out, "out", report->out);
    append_count(out, "dead", report->dead);
    append_count(out, "done", report->done_before + report->totals.read - not_done(report));
    append_count(out, "filtered", all.filtered);
    append_count(out, "dropped", all.dropped);
    append_count(out, "retried", all.retried);
    fay_buffer_printf(out, ",\"seconds\":%.3f,\"exit\":%d",
                      (double)report->elapsed / (double)FAY_SECOND, report->exit_code);
    append_text_member(out, "dead_letter", report->dead > 0 ? report->dead_letter : NULL);
    append_text_member(out, "state", report->state);
    append_text_member(out, "why", report->why);
    fay_buffer_append_text(out, ",\"stages\":[");
    for (size_t i = 0; i < report->stages_count; i++) {
        if (i > 0)
            fay_buffer_append_text(out, ",");
        append_json_stage(out, &report->stages[i]);
    }
    fay_buffer_append_text(out, "]}\n");
}
