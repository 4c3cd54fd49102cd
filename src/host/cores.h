/* SPDX-License-Identifier: MIT */
/*
 * The cores that this process may run on, and how busy they are.
 */
#ifndef FAY_CORES_H
#define FAY_CORES_H

#include "base/base.h"

/* By its affinity; at least 1. */
unsigned fay_cores_count(void);
/* How much of them it may use: no more than that, and than the quota of its cgroups. */
double fay_cores_usable(void);

/* Clock ticks of these cores together since the machine started: in all, and doing nothing. (A
 * quota does not show in them: who is kept from a core by one is seen to wait, see host/tree.h.) */
typedef struct fay_cores_time {
    uint64_t total, idle;
} fay_cores_time;

/* false: not known. */
bool fay_cores_look(fay_cores_time *ret);

#endif /* FAY_CORES_H */
