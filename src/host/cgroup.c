/* SPDX-License-Identifier: MIT */
#include "host/cgroup.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "host/file.h"

enum {
    VALUE_MAX = 64
};

/* "max 100000", "150000 100000": microseconds of time on cores in so many. */
static double quota(const char *text)
{
    char *end;
    double time = strtod(text, &end), period = strtod(end, NULL);
    return end != text && time > 0 && period > 0 ? time / period : (double)INFINITY;
}

static uint64_t left(uint64_t max, uint64_t used)
{
    return max - FAY_MIN(used, max);
}

void fay_cgroup_add(fay_cgroup_limits *limits, const char *cpu_max, const char *memory_max,
                    const char *memory_current)
{
    limits->cores = fmin(limits->cores, quota(cpu_max));
    if (memory_max[0] < '0' || memory_max[0] > '9')
        return; /* "max", or there is none at the root */
    uint64_t max = strtoull(memory_max, NULL, 10), used = strtoull(memory_current, NULL, 10);
    if (left(max, used) >= left(limits->memory_max, limits->memory_used))
        return;
    limits->memory_max = max;
    limits->memory_used = used;
}

static void read_value(const char *group, const char *name, char text[VALUE_MAX])
{
    char path[FAY_PROC_TEXT_MAX + VALUE_MAX];
    (void)snprintf(path, sizeof path, "/sys/fs/cgroup%s/%s", group, name);
    if (fay_file_read(path, text, VALUE_MAX) == 0)
        text[0] = '\0';
}

fay_cgroup_limits fay_cgroup_look(void)
{
    fay_cgroup_limits limits = {.cores = (double)INFINITY, .memory_max = UINT64_MAX};
    char text[FAY_PROC_TEXT_MAX];
    char *line =
        fay_file_read("/proc/self/cgroup", text, sizeof text) > 0 ? strstr(text, "0::/") : NULL;
    if (line == NULL)
        return limits;
    char *group = line + strlen("0::");
    group[strcspn(group, "\n")] = '\0';
    for (char *end; (end = strrchr(group, '/')) != NULL; *end = '\0') { /* the innermost first */
        char cpu[VALUE_MAX], max[VALUE_MAX], current[VALUE_MAX];
        read_value(group, "cpu.max", cpu);
        read_value(group, "memory.max", max);
        read_value(group, "memory.current", current);
        fay_cgroup_add(&limits, cpu, max, current);
    }
    return limits;
}
