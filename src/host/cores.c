/* SPDX-License-Identifier: MIT */
#include "host/cores.h"

#include <math.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "host/cgroup.h"
#include "host/file.h"

/* false: the machine has more than 1024 cores. */
static bool affinity(cpu_set_t *ret)
{
    CPU_ZERO(ret);
    return sched_getaffinity(0, sizeof *ret, ret) == 0;
}

unsigned fay_cores_count(void)
{
    cpu_set_t set;
    if (affinity(&set))
        return FAY_MAX((unsigned)CPU_COUNT(&set), 1u);
    return (unsigned)FAY_MAX(sysconf(_SC_NPROCESSORS_ONLN), 1L);
}

double fay_cores_usable(void)
{
    return fmin(fay_cores_count(), fay_cgroup_look("").cores);
}

/* proc(5): user nice system idle iowait irq softirq steal */
static void add_line(fay_cores_time *time, const char *fields)
{
    for (int field = 0; field < 8; field++) {
        char *end;
        uint64_t ticks = strtoull(fields, &end, 10);
        time->total += ticks;
        time->idle += field == 3 || field == 4 ? ticks : 0;
        fields = end;
    }
}

bool fay_cores_look(fay_cores_time *ret)
{
    cpu_set_t set;
    char text[FAY_PROC_TEXT_MAX];
    if (fay_file_read("/proc/stat", text, sizeof text) == 0 || strncmp(text, "cpu ", 4) != 0)
        return false;
    fay_cores_time all = {0}, ours = {0};
    add_line(&all, text + 4);
    const char *line = affinity(&set) ? strchr(text, '\n') : NULL;
    for (; line != NULL && strncmp(line, "\ncpu", 4) == 0; line = strchr(line + 1, '\n')) {
        char *fields;
        unsigned long core = strtoul(line + 4, &fields, 10);
        if (core < CPU_SETSIZE && CPU_ISSET(core, &set) && strchr(fields, '\n') != NULL)
            add_line(&ours, fields);
    }
    *ret = ours.total > 0 ? ours : all;
    return true;
}
