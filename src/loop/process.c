/* SPDX-License-Identifier: MIT */
#include "loop/process.h"

#include <assert.h>
#include <bsd/sys/queue.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "loop/await.h"

enum {
    SWEEP_MS = 500,
    REAP_TRIES = 1000
};

struct fay_process {
    LIST_ENTRY(fay_process) link;
    fay_processes *all;
    fay_child child;
    fay_await *watch; /* of the pidfd */
    bool running;
    void (*ended)(void *context, int status);
    void *context;
};

struct fay_processes {
    uv_loop_t *loop;
    size_t count;
    LIST_HEAD(process_list, fay_process) list;
};

fay_processes *fay_processes_new(uv_loop_t *loop)
{
    fay_processes *all = fay_alloc(sizeof *all);
    all->loop = loop;
    LIST_INIT(&all->list);
    return all;
}

void fay_processes_sweep(fay_processes *all)
{
    FAY_CLEANUP(fay_freep) pid_t *known = fay_alloc((all->count + 1) * sizeof *known);
    size_t count = 0;
    const fay_process *process = NULL;
    LIST_FOREACH(process, &all->list, link)
    {
        if (process->running)
            known[count++] = process->child.pid;
    }
    fay_host_sweep(known, count, SWEEP_MS * FAY_MS);
}

void fay_processes_free(fay_processes *all)
{
    if (all == NULL)
        return;
    assert(LIST_EMPTY(&all->list));
    fay_processes_sweep(all);
    free(all);
}

static void let_go(fay_process *process)
{
    process->running = false;
    fay_await_free(FAY_STEAL(process->watch));
    if (process->child.pidfd >= 0)
        (void)close(process->child.pidfd);
    process->child.pidfd = -1;
}

static void on_pidfd(void *context, unsigned events)
{
    (void)events;
    fay_process *process = context;
    int status;
    if (!fay_child_reap(&process->child, &status, NULL))
        return;
    let_go(process);
    process->ended(process->context, status); /* may free it */
}

fay_process *fay_process_start(fay_processes *all, const fay_spawn *spawn,
                               void (*ended)(void *context, int status), void *context,
                               int *ret_errno)
{
    fay_child child;
    if (fay_spawn_start(spawn, &child, ret_errno) != 0)
        return NULL;
    fay_process *process = fay_alloc(sizeof *process);
    *process = (fay_process){
        .all = all, .child = child, .running = true, .ended = ended, .context = context};
    process->watch = fay_await_new(all->loop, child.pidfd, on_pidfd, process);
    assert(process->watch != NULL);
    fay_await_want(process->watch, FAY_AWAIT_READ);
    LIST_INSERT_HEAD(&all->list, process, link);
    all->count++;
    return process;
}

pid_t fay_process_pid(const fay_process *process)
{
    return process->child.pid;
}

bool fay_process_running(const fay_process *process)
{
    return process != NULL && process->running;
}

void fay_process_signal(fay_process *process, int signal)
{
    if (process->running)
        fay_child_signal(&process->child, signal);
}

void fay_process_free(fay_process *process)
{
    if (process == NULL)
        return;
    int status;
    fay_process_signal(process, SIGKILL);
    /* A killed process ends at once, unless the kernel is busy with it: then it is left. */
    for (int i = 0; process->running && i < REAP_TRIES; i++) {
        if (fay_child_reap(&process->child, &status, NULL)) {
            process->running = false;
        } else {
            (void)usleep(1000);
        }
    }
    let_go(process);
    LIST_REMOVE(process, link);
    process->all->count--;
    free(process);
}

char *fay_process_ending(int status)
{
    if (WIFSIGNALED(status)) {
        const char *name = sigdescr_np(WTERMSIG(status));
        return fay_printed("signal %d (%s)", WTERMSIG(status), name != NULL ? name : "unknown");
    }
    return fay_printed("exit code %d", WEXITSTATUS(status));
}
