/* SPDX-License-Identifier: MIT */
/*
 * What a run tells people, made from a snapshot of its numbers: the progress line on a terminal,
 * the plain line every 10 s off it, and the closing summary. Pure: numbers in, text out.
 *
 *      jq  1w EVEN 812/s │ score.py 2→5w HIGH 160/s·w │ 6,214 done 3 dead  ETA 1:10
 *     run 7f3a: 61,000 in · 60,997 out · 3 dead → jq-7f3a.dead.jsonl · 1m15s · peak jq 1, score 5
 */
#ifndef FAY_REPORT_H
#define FAY_REPORT_H

#include "base/base.h"
#include "base/buffer.h"
#include "flow/flow.h"

typedef struct fay_report_stage {
    const char *name;
    fay_flow_stats stats;
} fay_report_stage;

typedef struct fay_report {
    const char *run, *pipeline;
    const fay_report_stage *stages;
    size_t stages_count;
    fay_flow_totals totals; /* of this life */
    uint64_t in, out, dead; /* Items read, in the sink, dead; over all lives of the run */
    uint64_t done_before;   /* those that were done when this life began */
    uint64_t unwritten;     /* Items that the sink was given in this life, and that are not in it */
    uint64_t expected; /* source Items, if known (a regular file in lines: an estimate); 0 = no */
    const char *dead_letter; /* path, or NULL */
    const char *state;       /* directory to resume from, or NULL */
    fay_ns elapsed;
    int exit_code;
    const char *why; /* why it ended early, or is not complete; or NULL */
} fay_report;

/* The word for a pressure: "LOW", "EVEN", "HIGH" or "BLOCKED". */
const char *fay_report_pressure(fay_pressure pressure);

enum {
    FAY_REPORT_COLOUR = 1u
};

/* One line without newline, cut to `columns` display columns (0 = not cut). */
void fay_report_bar(const fay_report *report, unsigned flags, size_t columns, fay_buffer *out);
/* One plain line with newline. */
void fay_report_plain(const fay_report *report, fay_buffer *out);
/* The closing line(s) with newline. */
void fay_report_summary(const fay_report *report, unsigned flags, fay_buffer *out);
/* {"schema":1,"run":..,"in":..,"out":..,"dead":..,"exit":..,"stages":[..], ..} + newline */
void fay_report_json(const fay_report *report, fay_buffer *out);

#endif /* FAY_REPORT_H */
