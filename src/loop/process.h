/* SPDX-License-Identifier: MIT */
/*
 * The owner's children: Instances, source, sink and hook commands. One list of all, so that what a
 * dead one has left over can be told from what still lives (fay_host_sweep).
 *
 *     start --> running --(ended callback, once)--> ended --> free
 */
#ifndef FAY_PROCESS_H
#define FAY_PROCESS_H

#include <uv.h>

#include "base/base.h"
#include "host/spawn.h"

typedef struct fay_process fay_process;
typedef struct fay_processes fay_processes;

fay_processes *fay_processes_new(uv_loop_t *loop);
/* All processes have been freed. Kills and reaps whatever else of ours is left. */
void fay_processes_free(fay_processes *all);
/* Kills what our dead children have left behind. */
void fay_processes_sweep(fay_processes *all);

/* NULL with *ret_errno set if it cannot be started. `status` as from waitpid. */
fay_process *fay_process_start(fay_processes *all, const fay_spawn *spawn,
                               void (*ended)(void *context, int status), void *context,
                               int *ret_errno);
pid_t fay_process_pid(const fay_process *process);
bool fay_process_running(const fay_process *process);
void fay_process_signal(fay_process *process, int signal); /* its whole group, if it runs */
void fay_process_free(fay_process *process);               /* kills and reaps it if it runs */

/* "exit code 3", "signal 9 (Killed)". free() it. */
char *fay_process_ending(int status);

#endif /* FAY_PROCESS_H */
