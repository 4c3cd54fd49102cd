/* SPDX-License-Identifier: MIT */
#include "sim/eq_record.h"

#include <assert.h>
#include <stdlib.h>

enum {
    REVERSAL_WITHIN = 20 /* periods after the opposite action */
};

void fay_eq_record_init(fay_eq_record *record, const fay_eq_trace *trace)
{
    *record = (fay_eq_record){
        .from = trace->measured_from, .stages_count = trace->stages_count, .finished_at = -1};
}

void fay_eq_record_deinit(fay_eq_record *record)
{
    free(record->latencies);
    free(record->samples);
    *record = (fay_eq_record){0};
}

void fay_eq_record_areas(fay_eq_record *record, double now, size_t queued, size_t workers)
{
    double since = FAY_MAX(record->areas_at, record->from);
    if (now > since) {
        record->queue_area += (double)queued * (now - since);
        record->worker_area += (double)workers * (now - since);
    }
    record->areas_at = now;
}

void fay_eq_record_latency(fay_eq_record *record, double born, double now)
{
    if (born < record->from)
        return;
    FAY_RESERVE(record->latencies, record->latencies_capacity, record->latencies_count + 1);
    record->latencies[record->latencies_count++] = now - born;
}

void fay_eq_record_action(fay_eq_record *record, size_t stage, double now, long change)
{
    if (now < record->from || change == 0)
        return;
    int direction = change > 0 ? 1 : -1, before = record->last[stage].direction;
    record->actions += (uint64_t)labs(change);
    if (before != 0 && before != direction && now - record->last[stage].at < REVERSAL_WITHIN)
        record->reversals++;
    record->last[stage].direction = direction;
    record->last[stage].at = now;
}

fay_eq_sample *fay_eq_record_period(fay_eq_record *record)
{
    size_t at = record->periods++ * record->stages_count;
    FAY_RESERVE(record->samples, record->samples_capacity, at + record->stages_count);
    return &record->samples[at];
}

const fay_eq_sample *fay_eq_record_sample(const fay_eq_record *record, size_t period, size_t stage)
{
    assert(period < record->periods && stage < record->stages_count);
    return &record->samples[period * record->stages_count + stage];
}
