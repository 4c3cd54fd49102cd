/* SPDX-License-Identifier: MIT */
/*
 * What happened in one run of the benchmark, as the plant writes it down while it runs; eq_metrics
 * makes figures of it. Areas, actions and latencies count from `from` on, so that the warm-up does
 * not; samples are taken once per period from the start.
 */
#ifndef FAY_SIM_EQ_RECORD_H
#define FAY_SIM_EQ_RECORD_H

#include "sim/eq_trace.h"

typedef struct fay_eq_sample { /* of one stage */
    uint32_t workers, live, queued;
} fay_eq_sample;

typedef struct fay_eq_record {
    double from, end;
    size_t stages_count;
    double queue_area;  /* Items in queues x time */
    double worker_area; /* workers that hold a slot x time */
    double areas_at;
    double *latencies; /* from the source to the sink; at the end, the age of what is inside */
    size_t latencies_count, latencies_capacity;
    uint64_t actions, reversals;
    struct {
        double at;
        int direction; /* 0 = none yet */
    } last[FAY_EQ_STAGES_MAX];
    fay_eq_sample *samples; /* period by period, stage by stage */
    size_t periods, samples_capacity;
    uint64_t evaluations, armed, armed_of;
    uint64_t delivered, repeated;
    double finished_at; /* of a closed source: all is delivered; negative = not */
    bool lost;          /* some edge does not add up */
} fay_eq_record;

void fay_eq_record_init(fay_eq_record *record, const fay_eq_trace *trace);
void fay_eq_record_deinit(fay_eq_record *record);

/* So many Items waited and so many workers were there since the last call. */
void fay_eq_record_areas(fay_eq_record *record, double now, size_t queued, size_t workers);
void fay_eq_record_latency(fay_eq_record *record, double born, double now);
/* A controller started (change > 0) or retired workers of a stage. */
void fay_eq_record_action(fay_eq_record *record, size_t stage, double now, long change);
/* Begins a period; the caller fills one sample for each stage. */
fay_eq_sample *fay_eq_record_period(fay_eq_record *record);
const fay_eq_sample *fay_eq_record_sample(const fay_eq_record *record, size_t period, size_t stage);

#endif /* FAY_SIM_EQ_RECORD_H */
