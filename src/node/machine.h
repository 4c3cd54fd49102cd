/* SPDX-License-Identifier: MIT */
/*
 * What this machine offers and what of it is in use, for who asks: cores, memory, room on the disk.
 */
#ifndef FAY_NODE_MACHINE_H
#define FAY_NODE_MACHINE_H

#include "base/base.h"
#include "host/cores.h"

typedef struct fay_machine_size {
    double cores;
    uint64_t memory, disk; /* bytes; 0 = not known */
} fay_machine_size;

typedef struct fay_machine_now {
    double load; /* share of the cores that was at work since the last look; < 0 = not known */
    uint64_t memory_free, disk_free; /* bytes; 0 = not known */
} fay_machine_now;

typedef struct fay_machine {
    char *directory; /* whose disk it is */
    fay_cores_time before;
    fay_ns looked_at;
    double load;
} fay_machine;

void fay_machine_init(fay_machine *machine, const char *directory);
void fay_machine_deinit(fay_machine *machine);
fay_machine_size fay_machine_size_of(const fay_machine *machine);
/* The load is that since the last look, but of 100 ms at least: who asks more often gets the same
 * again. */
fay_machine_now fay_machine_look(fay_machine *machine, fay_ns now);

#endif /* FAY_NODE_MACHINE_H */
