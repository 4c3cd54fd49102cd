/* SPDX-License-Identifier: MIT */
/*
 * What the machine offers and what a tree of processes uses, read from /proc when asked.
 */
#ifndef FAY_RESOURCES_H
#define FAY_RESOURCES_H

#include <sys/types.h>

#include "base/base.h"

/* Cores that this process may run on (its affinity), at least 1. */
unsigned fay_host_cores(void);
/* How much of them it may use: no more than that, and than the quota of its cgroups. */
double fay_host_cores_usable(void);
/* How often the kernel has killed for lack of memory since it started; 0 = unknown. */
uint64_t fay_host_oom_kills(void);

/* Clock ticks of all cores together since the machine started: in all, and doing nothing. */
typedef struct fay_cores_time {
    uint64_t total, idle;
} fay_cores_time;

/* false: not known. */
bool fay_host_cores_time(fay_cores_time *ret);

/* Of main threads, which alone the kernel tells it of (/proc/PID/schedstat). */
typedef struct fay_main_threads {
    fay_ns ran, waited; /* on a core; ready to run, and no core was free */
} fay_main_threads;
void fay_host_add_main_thread(fay_main_threads *threads, pid_t pid);

/* A process and all below it. */
typedef struct fay_tree {
    uint64_t rss;          /* bytes in memory; shared pages count for each */
    fay_ns cpu;            /* on a core, of those alive and of children that they have waited for */
    fay_main_threads main; /* of those alive */
    unsigned processes;
    bool sleeping; /* none of them runs or waits for a disk */
    bool reading;  /* one of them is in read() of its standard input (or that is not known) */
} fay_tree;

/* false: there is no such process. */
bool fay_host_tree(pid_t root, fay_tree *ret);

/* Calls `each` for the children of one process; stops early when it returns false. */
void fay_host_children(pid_t parent, bool (*each)(void *context, pid_t child), void *context);

#endif /* FAY_RESOURCES_H */
