/* SPDX-License-Identifier: MIT */
#include "host/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "host/file.h"

#define RESERVE_LEAST (64 * FAY_MIB)
#define RESERVE_MOST  FAY_GIB
enum {
    RESERVE_PART = 20 /* one in so many */
};
static const double stalled_most = 0.1;

/* The tightest of our cgroup and those above it. */
static void add_cgroups(fay_memory *memory)
{
    char text[FAY_PROC_TEXT_MAX], path[FAY_PROC_TEXT_MAX + 64];
    if (fay_host_read("/proc/self/cgroup", text, sizeof text) == 0)
        return;
    char *at = strstr(text, "0::/"); /* the unified hierarchy */
    if (at == NULL)
        return;
    char *group = at + strlen("0::");
    group[strcspn(group, "\n")] = '\0';
    for (char *end; (end = strrchr(group, '/')) != NULL; *end = '\0') {
        char value[64];
        (void)snprintf(path, sizeof path, "/sys/fs/cgroup%s/memory.max", group);
        uint64_t limit = fay_host_read(path, value, sizeof value) > 0 && value[0] != 'm'
                             ? strtoull(value, NULL, 10)
                             : UINT64_MAX;
        (void)snprintf(path, sizeof path, "/sys/fs/cgroup%s/memory.current", group);
        uint64_t used =
            fay_host_read(path, value, sizeof value) > 0 ? strtoull(value, NULL, 10) : 0;
        if (limit != UINT64_MAX &&
            (memory->limit == UINT64_MAX ||
             limit - FAY_MIN(used, limit) < memory->limit - FAY_MIN(memory->used, memory->limit))) {
            memory->limit = limit;
            memory->used = used;
        }
    }
}

void fay_host_memory(fay_memory *ret)
{
    char text[256];
    *ret = (fay_memory){.total = fay_host_number("/proc/meminfo", "MemTotal:") * FAY_KIB,
                        .available = fay_host_number("/proc/meminfo", "MemAvailable:") * FAY_KIB,
                        .limit = UINT64_MAX};
    if (fay_host_read("/proc/pressure/memory", text, sizeof text) > 0) {
        const char *at = strstr(text, "some avg10=");
        ret->stalled = at != NULL ? strtod(at + strlen("some avg10="), NULL) / 100 : 0;
    }
    add_cgroups(ret);
}

uint64_t fay_memory_free(const fay_memory *m)
{
    if (m->stalled >= stalled_most)
        return 0;
    uint64_t total = m->total, left = m->available;
    if (m->limit != UINT64_MAX) {
        total = FAY_MIN(total, m->limit);
        left = FAY_MIN(left, m->limit - FAY_MIN(m->used, m->limit));
    }
    if (m->available == 0)
        return UINT64_MAX;
    uint64_t reserve = FAY_MIN(FAY_MAX(total / RESERVE_PART, RESERVE_LEAST), RESERVE_MOST);
    return left - FAY_MIN(reserve, left);
}
