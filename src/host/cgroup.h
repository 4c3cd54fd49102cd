/* SPDX-License-Identifier: MIT */
/*
 * The limits of the cgroups (v2) around us: our own and all those above it.
 */
#ifndef FAY_CGROUP_H
#define FAY_CGROUP_H

#include "base/base.h"

typedef struct fay_cgroup_limits {
    double cores;                     /* of the smallest quota; INFINITY = none */
    uint64_t memory_max, memory_used; /* where least is left; UINT64_MAX = no limit */
} fay_cgroup_limits;

fay_cgroup_limits fay_cgroup_look(void);

/* One level: the texts of cpu.max, memory.max and memory.current, "" = not there. */
void fay_cgroup_add(fay_cgroup_limits *limits, const char *cpu_max, const char *memory_max,
                    const char *memory_current);

#endif /* FAY_CGROUP_H */
