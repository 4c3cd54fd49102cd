/* SPDX-License-Identifier: MIT */
/*
 * How fast Items arrive: a mean over a long memory while nothing changes, and a new memory as soon
 * as something has.
 *
 *     memory          20 T, or as long as 48 arrivals take
 *     change point    generalised likelihood ratio over the last 8, 12, 18, .. 512 entries (Lai
 *                     1995, "Sequential changepoint detection", section 3):
 *                     N (ln(f/l) - 1 + l/f) / D > h for the rate f of the N young arrivals against
 *                     the mean l
 *     trend           both halves of the memory differ by more than 3 sigma: carried on for as long
 *                     as a worker takes to start
 *
 * D is the dispersion of the counts: 1 for a Poisson process, more for batches and bursts. What is
 * due to the gaps is learned while all is calm, from what has come since the last change: the
 * silence between two bursts is none of their gaps. Arrivals less than T/64 apart are one entry, so
 * that a million Items a second cost as little as a thousand. Pure; no allocation.
 */
#ifndef FAY_ARRIVALS_H
#define FAY_ARRIVALS_H

#include "base/base.h"

enum {
    FAY_ARRIVALS_ENTRIES = 1536 /* 24 T, 64 each */
};

typedef struct fay_arrival {
    double at;      /* seconds: of the entry's first Items */
    uint64_t first; /* Items since the start, these included */
    uint64_t upto;  /* those that came to the entry later as well */
} fay_arrival;

typedef struct fay_arrivals {
    fay_arrival ring[FAY_ARRIVALS_ENTRIES];
    uint64_t pushed; /* entries since the start; the last ones are in the ring */
    uint64_t total;  /* Items since the start */
    double from;     /* the memory: since when, */
    uint64_t before; /* and how many had arrived before */
    double changed;  /* when the last change was found */
    double gaps;     /* squared coefficient of variation of the gaps */
} fay_arrivals;

void fay_arrivals_init(fay_arrivals *arrivals, double now);
void fay_arrivals_add(fay_arrivals *arrivals, double now, uint64_t items, double period);
/* Items per second. `ahead`: seconds by which a rising trend is carried on. */
double fay_arrivals_rate(fay_arrivals *arrivals, double now, double period, double ahead);

#endif /* FAY_ARRIVALS_H */
