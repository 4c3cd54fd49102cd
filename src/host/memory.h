/* SPDX-License-Identifier: MIT */
/*
 * How much memory may be taken still before it gets short.
 */
#ifndef FAY_MEMORY_H
#define FAY_MEMORY_H

#include "base/base.h"

typedef struct fay_memory {
    uint64_t total, available; /* bytes: of the machine; what the kernel could give without swapping
                                * (MemAvailable); 0 = not known */
    uint64_t limit, used;      /* of the tightest cgroup v2 around us; UINT64_MAX = none */
    double stalled; /* share of the last 10 s in which somebody waited for memory (PSI) */
} fay_memory;

/* How often the kernel has killed for lack of memory since it started; 0 = unknown. */
uint64_t fay_memory_kills(void);

void fay_memory_look(fay_memory *ret);
/* What may be taken, less a reserve of a twentieth (64 MiB to 1 GiB); nothing while a tenth of the
 * time goes with waiting for memory. UINT64_MAX = not known. */
uint64_t fay_memory_free(const fay_memory *memory);

#endif /* FAY_MEMORY_H */
