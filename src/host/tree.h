/* SPDX-License-Identifier: MIT */
/*
 * What a process and all below it use, read from /proc when asked.
 */
#ifndef FAY_TREE_H
#define FAY_TREE_H

#include <sys/types.h>

#include "base/base.h"

/* Of main threads, which alone the kernel tells it of (/proc/PID/schedstat). */
typedef struct fay_main_threads {
    fay_ns ran, waited; /* on a core; ready to run, and no core was free */
} fay_main_threads;
void fay_tree_add_main_thread(fay_main_threads *threads, pid_t pid);

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
bool fay_tree_look(pid_t root, fay_tree *ret);

/* Whether the process runs, waits for a core or for the kernel: neither stopped nor asleep. */
bool fay_tree_is_at_work(pid_t pid);

/* Calls `each` for the children of one process; stops early when it returns false. */
void fay_tree_children(pid_t parent, bool (*each)(void *context, pid_t child), void *context);

#endif /* FAY_TREE_H */
