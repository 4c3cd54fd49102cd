/* SPDX-License-Identifier: MIT */
#include "host/cgroup.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/limits.h"
#include "host/file.h"

enum {
    VALUE_MAX = 128
};

typedef struct level {
    const char *root, *group; /* "" and "/a/b", or "" for the outermost */
} level;

/* A file of that cgroup; "" = not there. */
static const char *read_value(const level *l, const char *name, char text[VALUE_MAX])
{
    FAY_CLEANUP(fay_freep)
    char *path = fay_printed("%s/sys/fs/cgroup%s/%s", l->root, l->group, name);
    if (fay_file_read(path, text, VALUE_MAX) == 0)
        text[0] = '\0';
    return text;
}

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

static void add_memory(fay_cgroup_limits *limits, const level *l)
{
    char text[VALUE_MAX];
    if (read_value(l, "memory.max", text)[0] < '0' || text[0] > '9')
        return; /* "max", or the outermost, which has none */
    uint64_t max = strtoull(text, NULL, 10);
    uint64_t used = strtoull(read_value(l, "memory.current", text), NULL, 10);
    FAY_CLEANUP(fay_freep)
    char *stat = fay_printed("%s/sys/fs/cgroup%s/memory.stat", l->root, l->group);
    uint64_t cache = fay_file_number(stat, "inactive_file ");
    used -= FAY_MIN(cache, used);
    if (left(max, used) >= left(limits->memory_max, limits->memory_used))
        return;
    limits->memory_max = max;
    limits->memory_used = used;
}

double fay_cgroup_stalled(const char *text)
{
    static const char some[] = "some avg10=";
    const char *at = strstr(text, some);
    return at != NULL ? strtod(at + strlen(some), NULL) / 100 : 0;
}

fay_cgroup_limits fay_cgroup_look(const char *root)
{
    fay_cgroup_limits limits = {.cores = (double)INFINITY, .memory_max = UINT64_MAX};
    char text[FAY_PROC_TEXT_MAX], value[VALUE_MAX];
    FAY_CLEANUP(fay_freep) char *file = fay_printed("%s/proc/self/cgroup", root);
    char *line = fay_file_read(file, text, sizeof text) > 0 ? strstr(text, "0::/") : NULL;
    if (line == NULL)
        return limits; /* there is no unified hierarchy */
    char *group = line + strlen("0::");
    group[strcspn(group, "\n")] = '\0';
    for (char *end; (end = strrchr(group, '/')) != NULL; *end = '\0') { /* the innermost first */
        const level l = {.root = root, .group = end == group && end[1] == '\0' ? "" : group};
        limits.cores = fmin(limits.cores, quota(read_value(&l, "cpu.max", value)));
        add_memory(&limits, &l);
        double stalled = fay_cgroup_stalled(read_value(&l, "memory.pressure", value));
        limits.stalled = fmax(limits.stalled, stalled);
    }
    return limits;
}
