/* SPDX-License-Identifier: MIT */
/*
 * The controllers of other systems, as far as their papers and sources say what they do, scaled to
 * the control period: each is given its textbook form, not its defaults of minutes.
 *
 *     naive      a queue: one more; little used: one less
 *     hpa        Kubernetes' HorizontalPodAutoscaler: utilisation against 0.7
 *     knative    Knative's KPA: concurrency against 0.7, a stable and a panic window
 *     ds2        DS2 (Kalavri et al., OSDI'18): true rates, all stages in one step
 *     flink      the Flink Kubernetes Operator's autoscaler: DS2 with head room and catching up
 */
#ifndef FAY_SIM_EQ_BASELINES_H
#define FAY_SIM_EQ_BASELINES_H

#include "sim/eq_controller.h"

extern const fay_eq_controller fay_eq_naive, fay_eq_hpa, fay_eq_knative, fay_eq_ds2, fay_eq_flink;

/* Towards so many workers, within the stage's bounds: the cheapest go, whoever they are. */
void fay_eq_scale(fay_eq_line *line, size_t stage, size_t count);
size_t fay_eq_bounded(const fay_eq_line *line, size_t stage, size_t count);

/* Readings of the last periods; the oldest is at least so old, once there are enough. */
enum {
    FAY_EQ_WINDOW_MAX = 48
};

typedef struct fay_eq_glance {
    double time;
    double value;
    uint64_t arrivals, finished;
    double useful;
} fay_eq_glance;

typedef struct fay_eq_window {
    fay_eq_glance glances[FAY_EQ_WINDOW_MAX]; /* a ring */
    size_t first, count;
} fay_eq_window;

/* Adds one and forgets those that are more than `keep` periods older. */
void fay_eq_window_add(fay_eq_window *window, double keep, fay_eq_glance glance);
/* The i-th, oldest first. */
const fay_eq_glance *fay_eq_window_at(const fay_eq_window *window, size_t i);
double fay_eq_window_max(const fay_eq_window *window); /* of the values */
/* A glance at a stage's counters as they are now. */
fay_eq_glance fay_eq_glance_at(const fay_eq_line *line, const fay_eq_reading *reading);
/* What the counters gained between the oldest and the newest; time is its length. */
fay_eq_glance fay_eq_window_gain(const fay_eq_window *window);

#endif /* FAY_SIM_EQ_BASELINES_H */
