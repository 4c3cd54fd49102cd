/* SPDX-License-Identifier: MIT */
#include "sim/eq_baselines.h"

#include <math.h>
#include <stdlib.h>

static size_t staying(const fay_eq_reading *reading)
{
    return reading->workers - reading->draining;
}

/* ---- naive ----------------------------------------------------------------------------------- */

typedef struct naive {
    fay_eq_window windows[FAY_EQ_STAGES_MAX];
} naive;

static void *naive_new(fay_eq_line *line)
{
    (void)line;
    return fay_alloc(sizeof(naive));
}

static void naive_decide(naive *n, fay_eq_line *line, size_t stage)
{
    fay_eq_reading reading;
    fay_eq_read(line, stage, &reading);
    fay_eq_window_add(&n->windows[stage], 1, fay_eq_glance_at(line, &reading));
    fay_eq_glance gain = fay_eq_window_gain(&n->windows[stage]);
    size_t has = staying(&reading);
    if (reading.queued > 2 * FAY_MAX(has, (size_t)1) || (reading.queued > 0 && has == 0)) {
        fay_eq_scale(line, stage, has + 1);
    } else if (gain.time > 0 && reading.queued == 0 && has > 0 &&
               gain.useful / gain.time < 0.6 * (double)has) {
        fay_eq_scale(line, stage, has - 1);
    }
}

static void naive_tick(void *self, fay_eq_line *line)
{
    for (size_t i = 0; i < fay_eq_stages_count(line); i++) {
        fay_eq_evaluated(line);
        naive_decide(self, line, i);
    }
}

const fay_eq_controller fay_eq_naive = {.name = "naive",
                                        .what = "a queue: one more; little used: one less",
                                        .new = naive_new,
                                        .free = free,
                                        .tick = naive_tick};

/* ---- Kubernetes' HPA ------------------------------------------------------------------------- */

#define HPA_TARGET     0.7
#define HPA_TOLERANCE  0.1
#define HPA_MEASURES   2.0  /* periods of utilisation */
#define HPA_STABILISES 20.0 /* 300 s at a sync period of 15 s */

typedef struct hpa {
    fay_eq_window windows[FAY_EQ_STAGES_MAX], wanted[FAY_EQ_STAGES_MAX];
} hpa;

static void *hpa_new(fay_eq_line *line)
{
    (void)line;
    return fay_alloc(sizeof(hpa));
}

/* Workers that are not ready count as 0 % used when there shall be more. */
static double hpa_wants(const fay_eq_reading *reading, double used)
{
    double has = (double)staying(reading), live = (double)FAY_MAX(reading->live, (size_t)1);
    double utilisation = FAY_MIN(1.0, used / live), ratio = utilisation / HPA_TARGET;
    if (fabs(ratio - 1) <= HPA_TOLERANCE)
        return has;
    if (ratio < 1)
        return ceil(live * ratio);
    double careful = utilisation * live / FAY_MAX(1.0, has) / HPA_TARGET;
    return careful > 1 + HPA_TOLERANCE ? FAY_MAX(has, ceil(has * careful)) : has;
}

static void hpa_decide(hpa *h, fay_eq_line *line, size_t stage)
{
    fay_eq_reading reading;
    fay_eq_read(line, stage, &reading);
    fay_eq_window_add(&h->windows[stage], HPA_MEASURES, fay_eq_glance_at(line, &reading));
    fay_eq_glance gain = fay_eq_window_gain(&h->windows[stage]);
    size_t has = staying(&reading);
    if (gain.time <= 0)
        return;
    if (has == 0) {
        if (reading.queued > 0)
            fay_eq_scale(line, stage, 1);
        return;
    }
    size_t wants = (size_t)hpa_wants(&reading, gain.useful / gain.time);
    size_t steepest = FAY_MAX(2 * has, has + 4);
    wants = fay_eq_bounded(line, stage, FAY_MIN(wants, steepest));
    fay_eq_window_add(&h->wanted[stage], HPA_STABILISES,
                      (fay_eq_glance){.time = fay_eq_now(line), .value = (double)wants});
    if (wants < has) {
        size_t lately = (size_t)fay_eq_window_max(&h->wanted[stage]);
        wants = FAY_MIN(has, lately);
    }
    fay_eq_scale(line, stage, wants);
}

static void hpa_tick(void *self, fay_eq_line *line)
{
    for (size_t i = 0; i < fay_eq_stages_count(line); i++) {
        fay_eq_evaluated(line);
        hpa_decide(self, line, i);
    }
}

const fay_eq_controller fay_eq_hpa = {.name = "hpa",
                                      .what = "Kubernetes: utilisation against 0.7",
                                      .new = hpa_new,
                                      .free = free,
                                      .tick = hpa_tick};

/* ---- Knative's KPA --------------------------------------------------------------------------- */

#define KNATIVE_TARGET 0.7 /* Items at once for each worker */
#define KNATIVE_STABLE 30.0
#define KNATIVE_PANIC  3.0
#define KNATIVE_PANICS 2.0 /* times what is ready */
#define KNATIVE_UP_MAX 1000.0

typedef struct knative {
    fay_eq_window windows[FAY_EQ_STAGES_MAX]; /* values: Items waiting or in work */
    double panicked_at[FAY_EQ_STAGES_MAX];    /* negative = no panic */
    size_t panic_most[FAY_EQ_STAGES_MAX];     /* no scaling down in a panic */
} knative;

static void *knative_new(fay_eq_line *line)
{
    knative *k = fay_alloc(sizeof *k);
    for (size_t i = 0; i < fay_eq_stages_count(line); i++) {
        k->panicked_at[i] = -1;
    }
    return k;
}

static double average_since(const fay_eq_window *window, double since)
{
    double sum = 0, count = 0;
    for (size_t i = 0; i < window->count; i++) {
        const fay_eq_glance *glance = fay_eq_window_at(window, i);
        if (glance->time <= since)
            continue;
        sum += glance->value;
        count++;
    }
    return sum / count;
}

static size_t knative_wants(double concurrency, double ready)
{
    double wants = FAY_MAX(ceil(concurrency / KNATIVE_TARGET), floor(ready / 2));
    return (size_t)FAY_MIN(wants, ceil(KNATIVE_UP_MAX * ready));
}

static void knative_decide(knative *k, fay_eq_line *line, size_t stage)
{
    fay_eq_window *window = &k->windows[stage];
    fay_eq_reading reading;
    fay_eq_read(line, stage, &reading);
    double now = fay_eq_now(line), ready = (double)FAY_MAX(reading.live, (size_t)1);
    fay_eq_window_add(
        window, KNATIVE_STABLE,
        (fay_eq_glance){.time = now, .value = (double)(reading.queued + reading.busy)});
    size_t stable = knative_wants(average_since(window, -1), ready);
    size_t panic = knative_wants(average_since(window, now - KNATIVE_PANIC - 1e-9), ready);
    if ((double)panic / ready >= KNATIVE_PANICS) {
        if (k->panicked_at[stage] < 0)
            k->panic_most[stage] = reading.workers;
        k->panicked_at[stage] = now;
    } else if (k->panicked_at[stage] >= 0 && k->panicked_at[stage] + KNATIVE_STABLE < now) {
        k->panicked_at[stage] = -1;
    }
    if (k->panicked_at[stage] < 0) {
        fay_eq_scale(line, stage, stable);
        return;
    }
    size_t wants = FAY_MAX(stable, panic);
    k->panic_most[stage] = FAY_MAX(k->panic_most[stage], wants);
    fay_eq_scale(line, stage, k->panic_most[stage]);
}

static void knative_tick(void *self, fay_eq_line *line)
{
    for (size_t i = 0; i < fay_eq_stages_count(line); i++) {
        fay_eq_evaluated(line);
        knative_decide(self, line, i);
    }
}

const fay_eq_controller fay_eq_knative = {.name = "knative",
                                          .what =
                                              "Knative: concurrency, a stable and a panic window",
                                          .new = knative_new,
                                          .free = free,
                                          .tick = knative_tick};
