/* SPDX-License-Identifier: MIT */
#include "node/machine.h"

#include <stdlib.h>
#include <sys/statvfs.h>

#include "host/memory.h"

static const fay_ns least_span = 100 * FAY_MS;

void fay_machine_init(fay_machine *machine, const char *directory)
{
    *machine = (fay_machine){.directory = fay_strdup(directory), .load = -1};
    if (!fay_cores_look(&machine->before))
        machine->before = (fay_cores_time){0};
}

void fay_machine_deinit(fay_machine *machine)
{
    free(machine->directory);
    *machine = (fay_machine){0};
}

static uint64_t disk(const fay_machine *machine, bool whole)
{
    struct statvfs info;
    if (statvfs(machine->directory, &info) != 0)
        return 0;
    return (uint64_t)(whole ? info.f_blocks : info.f_bavail) * info.f_frsize;
}

fay_machine_size fay_machine_size_of(const fay_machine *machine)
{
    fay_memory memory;
    fay_memory_look(&memory);
    return (fay_machine_size){.cores = fay_cores_usable(),
                              .memory = FAY_MIN(memory.total, memory.limit),
                              .disk = disk(machine, true)};
}

static void measure_load(fay_machine *machine, fay_ns now)
{
    fay_cores_time at;
    if (now - machine->looked_at < least_span || !fay_cores_look(&at))
        return;
    uint64_t total = at.total - machine->before.total, idle = at.idle - machine->before.idle;
    if (total == 0)
        return;
    machine->load = 1 - (double)FAY_MIN(idle, total) / (double)total;
    machine->before = at;
    machine->looked_at = now;
}

fay_machine_now fay_machine_look(fay_machine *machine, fay_ns now)
{
    fay_memory memory;
    fay_memory_look(&memory);
    uint64_t room = memory.limit > memory.used ? memory.limit - memory.used : 0;
    measure_load(machine, now);
    return (fay_machine_now){.load = machine->load,
                             .memory_free = FAY_MIN(memory.available, room),
                             .disk_free = disk(machine, false)};
}
