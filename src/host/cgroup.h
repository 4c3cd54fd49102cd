/* SPDX-License-Identifier: MIT */
/*
 * The limits of the cgroups (v2) around us: our own and all those above it.
 */
#ifndef FAY_CGROUP_H
#define FAY_CGROUP_H

#include "base/base.h"

typedef struct fay_cgroup_limits {
    double cores;                     /* of the smallest quota; INFINITY = none */
    uint64_t memory_max, memory_used; /* where least is left; UINT64_MAX = no limit. What the kernel
                                       * would drop at once (inactive page cache) is not used */
    double stalled; /* the most: share of the last 10 s in which somebody waited for memory (PSI) */
} fay_cgroup_limits;

/* `root` is "", or a directory that stands for / (in tests). */
fay_cgroup_limits fay_cgroup_look(const char *root);

/* Of a pressure file's text: its "some avg10", as a share; 0 = not there. */
double fay_cgroup_stalled(const char *text);

#endif /* FAY_CGROUP_H */
