/* SPDX-License-Identifier: MIT */
#include "host/memory.h"

#include <math.h>

#include "base/limits.h"
#include "host/cgroup.h"
#include "host/file.h"

#define RESERVE_LEAST (64 * FAY_MIB)
#define RESERVE_MOST  FAY_GIB
enum {
    RESERVE_PART = 20 /* one in so many */
};
static const double stalled_most = 0.1;

uint64_t fay_memory_kills(void)
{
    return fay_file_number("/proc/vmstat", "oom_kill ");
}

void fay_memory_look(fay_memory *ret)
{
    char pressure[256], info[FAY_PROC_TEXT_MAX];
    fay_cgroup_limits limits = fay_cgroup_look("");
    if (fay_file_read("/proc/pressure/memory", pressure, sizeof pressure) == 0)
        pressure[0] = '\0';
    if (fay_file_read("/proc/meminfo", info, sizeof info) == 0)
        info[0] = '\0';
    *ret = (fay_memory){.total = fay_file_number_in(info, "MemTotal:") * FAY_KIB,
                        .available = fay_file_number_in(info, "MemAvailable:") * FAY_KIB,
                        .limit = limits.memory_max,
                        .used = limits.memory_used,
                        .stalled = fmax(fay_cgroup_stalled(pressure), limits.stalled)};
}

uint64_t fay_memory_free(const fay_memory *m)
{
    if (m->available == 0)
        return UINT64_MAX;
    if (m->stalled >= stalled_most)
        return 0;
    uint64_t total = m->total, left = m->available;
    if (m->limit != UINT64_MAX) {
        total = FAY_MIN(total, m->limit);
        left = FAY_MIN(left, m->limit - FAY_MIN(m->used, m->limit));
    }
    uint64_t reserve = FAY_MIN(FAY_MAX(total / RESERVE_PART, RESERVE_LEAST), RESERVE_MOST);
    return left - FAY_MIN(reserve, left);
}
