/* SPDX-License-Identifier: MIT */
/*
 * The stdin of a command. In the end it is closed and the command waited for: the run is done when
 * the command is, and what it exits with counts.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "ends/sink_kind.h"
#include "loop/outlet.h"

struct exec_drain {
    fay_drain drain;
    fay_outlet *outlet;
    fay_process *process;
    bool finishing;
    int status;
};

static void free_exec(fay_drain *drain)
{
    struct exec_drain *e = (struct exec_drain *)drain;
    fay_outlet_free(e->outlet);
    fay_process_free(e->process);
    free(e);
}

static int tell_early(const struct exec_drain *e, fay_error *err)
{
    return fay_fail_with(err, FAY_E_IO, "the sink command '%s' has closed its input",
                         e->drain.def->argv[0]);
}

static void on_ready(void *context, bool closed)
{
    struct exec_drain *e = context;
    if (!closed) {
        fay_sink_flush(e->drain.sink);
        return;
    }
    fay_error err;
    (void)tell_early(e, &err);
    fay_sink_lost(e->drain.sink, false, &err);
}

static void on_ended(void *context, int status)
{
    struct exec_drain *e = context;
    fay_error err;
    e->status = status;
    FAY_CLEANUP(fay_freep) char *how = fay_process_ending(status);
    if (status != 0 || !e->finishing) {
        (void)fay_fail_with(&err, FAY_E_IO, "the sink command '%s' ended with %s%s",
                            e->drain.def->argv[0], how,
                            e->finishing ? "" : " before its input did");
    }
    if (e->finishing) {
        fay_sink_ended(e->drain.sink, status != 0 ? &err : NULL);
    } else {
        fay_sink_lost(e->drain.sink, false, &err);
    }
}

static ssize_t write_exec(fay_drain *drain, const uint8_t *bytes, size_t size, fay_error *err)
{
    struct exec_drain *e = (struct exec_drain *)drain;
    ssize_t n = fay_outlet_write(e->outlet, bytes, size);
    if (n < 0)
        (void)tell_early(e, err);
    return n;
}

static int finish_exec(fay_drain *drain, fay_error *err)
{
    (void)err;
    struct exec_drain *e = (struct exec_drain *)drain;
    e->finishing = true;
    fay_outlet_free(FAY_STEAL(e->outlet));
    return fay_process_running(e->process) ? 1 : 0;
}

int fay_drain_open_exec(const fay_sink_config *config, fay_sink *sink, fay_drain **ret,
                        fay_error *err)
{
    static const fay_drain_ops ops = {
        .write = write_exec, .finish = finish_exec, .free = free_exec};
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return fay_fail_errno(err, FAY_E_IO, errno, "cannot make a pipe");
    struct exec_drain *e = fay_alloc(sizeof *e);
    e->drain = (fay_drain){.ops = &ops, .def = config->def, .sink = sink, .fd = -1};
    fay_spawn spawn = {.argv = (const char *const *)config->def->argv,
                       .fds = {ends[0], STDOUT_FILENO, STDERR_FILENO, -1},
                       .death_signal = SIGKILL};
    int fault = 0;
    e->process = fay_process_start(config->processes, &spawn, on_ended, e, &fault);
    (void)close(ends[0]);
    if (e->process == NULL) {
        (void)close(ends[1]);
        free(e);
        return fay_fail_errno(err, FAY_E_IO, fault, "cannot start the sink: %s",
                              config->def->argv[0]);
    }
    e->outlet = fay_outlet_new(config->loop, ends[1], false, on_ready, e);
    *ret = &e->drain;
    return 0;
}
