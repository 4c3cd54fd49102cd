/* SPDX-License-Identifier: MIT */
/*
 * How much useful time an Item takes: the mean of the last results, at most 1,024, as far back as
 * they are alike. A single Item that takes eight times the mean counts as eight times, so that one
 * that is stuck does not double the estimate. When the youngest 16, 32, .. differ from the mean by
 * more than 4.5 sigma, the older ones are forgotten. Pure; no allocation.
 */
#ifndef FAY_SERVICE_H
#define FAY_SERVICE_H

#include "base/base.h"

enum {
    FAY_SERVICE_ENTRIES = 1024
};
#define FAY_SERVICE_TRIM 8.0

typedef struct fay_served {
    double seconds; /* an Item */
    double items;
} fay_served;

typedef struct fay_service {
    fay_served ring[FAY_SERVICE_ENTRIES];
    uint64_t pushed, mark; /* entries since the start; those before the mark are forgotten */
    double mean;           /* seconds; 0 = nothing is known */
    double changed;        /* when the last change was found */
} fay_service;

void fay_service_init(fay_service *service, double now);
/* `items` Items took `seconds` each. */
void fay_service_add(fay_service *service, double seconds, uint64_t items);
/* Seconds an Item; 0 = nothing is known. */
double fay_service_mean(fay_service *service, double now);

#endif /* FAY_SERVICE_H */
