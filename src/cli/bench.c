/* SPDX-License-Identifier: MIT */
/*
 * faymora bench: this program against what the machine can do without it, in the same minute. The
 * ratio is what counts; rates alone say more about the machine. `make bench` has the full table.
 */
#include "cli/bench.h"

#include <faymora/worker.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/bare.h"
#include "cli/cli.h"
#include "host/spawn.h"
#include "item/json.h"

enum {
    SLOTS = 2,
    ITEM_BYTES = 100
};
static const uint64_t spawn_runs = 20, exec_items = 3000, lines_items = 2000000,
                      frames_items = 5000000;

static int pass_on(void *self, fay_ctx *context, const fay_item *item)
{
    (void)self;
    size_t size;
    const void *data = fay_item_data(item, &size);
    return fay_emit(context, data, size) == FAY_OK ? FAY_ACK : FAY_RETRY;
}

int fay_bench_worker(int argc, char **argv)
{
    static const fay_worker_class noop = {.size = sizeof noop,
                                          .abi = FAY_ABI,
                                          .name = "noop",
                                          .version = FAY_VERSION_STRING,
                                          .process = pass_on};
    return fay_worker_main(argc, argv, &noop);
}

/* ---- ours ------------------------------------------------------------------------------------ */

static int own_program(char path[PATH_MAX], fay_error *err)
{
    ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - 1);
    if (n < 0)
        return fay_fail_with(err, FAY_E_IO, "this program's file is not known");
    path[n] = '\0';
    return 0;
}

static int wait_for(fay_child *child, fay_error *err)
{
    int status = 0;
    pid_t pid = waitpid(child->pid, &status, 0);
    (void)close(child->pidfd);
    if (pid < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return fay_fail_with(err, FAY_E_IO, "the run failed (wait status %d)", status);
    return 0;
}

/* A whole run of this pipeline, from the start of the process to its end. */
static int time_run(fay_buffer *yaml, fay_ns *ret_time, fay_error *err)
{
    char program[PATH_MAX];
    int r = own_program(program, err);
    if (r < 0)
        return r;
    int in = memfd_create("pipeline", MFD_CLOEXEC);
    size_t size = fay_buffer_size(yaml);
    int out = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (in < 0 || out < 0 || write(in, fay_buffer_data(yaml), size) != (ssize_t)size ||
        lseek(in, 0, SEEK_SET) != 0) {
        r = fay_fail_with(err, FAY_E_IO, "no file for the pipeline");
    }
    const char *argv[] = {program, "run", "--quiet", "-", NULL};
    fay_spawn spawn = {.argv = argv, .fds = {in, out, STDERR_FILENO, -1}};
    fay_child child;
    int error = 0;
    fay_ns from = fay_bare_now();
    if (r == 0 && fay_spawn_start(&spawn, &child, &error) < 0) {
        r = fay_fail_errno(err, FAY_E_IO, error, "cannot start '%s'", program);
    } else if (r == 0) {
        r = wait_for(&child, err);
    }
    if (r == 0)
        *ret_time = fay_bare_now() - from;
    if (in >= 0)
        (void)close(in);
    if (out >= 0)
        (void)close(out);
    return r;
}

static void write_pipeline(fay_buffer *yaml, uint64_t count, const char *stage)
{
    fay_buffer_printf(
        yaml,
        "faymora: 1\nname: bench\nsource: {generate: {count: %llu, size: %d}}\n"
        "sink: null\ndead_letter: none\nstages:\n  - {name: bench, workers: %d, %s}\n",
        (unsigned long long)count, (int)ITEM_BYTES, (int)SLOTS, stage);
}

/* ---- the four measurements ------------------------------------------------------------------- */

typedef struct outcome {
    double ours, bare;
    bool time; /* milliseconds, less is better; else per second */
} outcome;

static double per_second(uint64_t count, fay_ns time)
{
    return (double)count / ((double)FAY_MAX(time, (fay_ns)1) / (double)FAY_SECOND);
}

static const char *const true_argv[] = {"true", NULL};
static const char *const cat_argv[] = {"cat", NULL};

/* A run of one Item, against one spawn of its program. */
static int bench_spawn(outcome *ret, fay_error *err)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer yaml = {0};
    write_pipeline(&yaml, 1, "run: [\"true\"], mode: exec");
    fay_ns ours = 0, bare = 0, time = 0;
    for (uint64_t i = 0; i < spawn_runs; i++) {
        int r = time_run(&yaml, &time, err);
        if (r < 0)
            return r;
        ours += time;
    }
    int r = fay_bare_spawns(true_argv, spawn_runs * 10, 1, &bare, err);
    *ret = (outcome){.ours = (double)ours / 1e6 / (double)spawn_runs,
                     .bare = (double)bare / 1e6 / ((double)spawn_runs * 10),
                     .time = true};
    return r;
}

static int bench_exec(outcome *ret, fay_error *err)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer yaml = {0};
    write_pipeline(&yaml, exec_items, "run: [\"true\"], mode: exec");
    fay_ns ours = 0, bare = 0;
    int r = fay_bare_spawns(true_argv, exec_items, SLOTS, &bare, err);
    if (r == 0)
        r = time_run(&yaml, &ours, err);
    *ret = (outcome){.ours = per_second(exec_items, ours), .bare = per_second(exec_items, bare)};
    return r;
}

static int bench_stage(const char *stage, uint64_t count, outcome *ret, fay_error *err)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer yaml = {0};
    write_pipeline(&yaml, count, stage);
    fay_ns ours = 0, bare = 0;
    int r = fay_bare_relay(cat_argv, count * ITEM_BYTES, SLOTS, &bare, err);
    if (r == 0)
        r = time_run(&yaml, &ours, err);
    *ret = (outcome){.ours = per_second(count, ours), .bare = per_second(count, bare)};
    return r;
}

static int bench_lines(outcome *ret, fay_error *err)
{
    return bench_stage("run: [cat], mode: lines", lines_items, ret, err);
}

static int bench_frames(outcome *ret, fay_error *err)
{
    char program[PATH_MAX];
    int r = own_program(program, err);
    if (r < 0)
        return r;
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer stage = {0};
    fay_buffer_append_text(&stage, "run: [");
    fay_json_append_string(&stage, program, strlen(program)); /* JSON strings are YAML's */
    fay_buffer_append_text(&stage, ", --bench-worker], mode: frames");
    return bench_stage(fay_buffer_text(&stage), frames_items, ret, err);
}

typedef struct bench {
    const char *name, *what;
    int (*measure)(outcome *ret, fay_error *err);
} bench;

static const bench benches[] = {
    {"spawn", "a run of one Item, beside one spawn", bench_spawn},
    {"exec", "a process for every Item, 2 at a time, beside bare spawns", bench_exec},
    {"lines", "100-byte lines through 2 cats, beside bare pipes", bench_lines},
    {"frames", "100-byte Items through 2 no-op classes, beside bare pipes", bench_frames},
};

/* ---- the verb -------------------------------------------------------------------------------- */

static void append_outcome(const bench *b, const outcome *o, bool json, fay_buffer *out)
{
    double ratio = o->bare > 0 ? o->ours / o->bare : 0;
    const char *unit = o->time ? "ms" : "/s";
    if (json) {
        fay_buffer_printf(out,
                          "{\"schema\":1,\"bench\":\"%s\",\"ours\":%.3f,\"bare\":%.3f,"
                          "\"unit\":\"%s\",\"ratio\":%.3f}\n",
                          b->name, o->ours, o->bare, unit, ratio);
        return;
    }
    int digits = o->time ? 2 : 0;
    fay_buffer_printf(out, "%-7s ours %12.*f %s   bare %12.*f %s   ratio %6.2f   %s\n", b->name,
                      digits, o->ours, unit, digits, o->bare, unit, ratio, b->what);
}

static int measure(const fay_cli *cli, const bench *b)
{
    fay_error err = {0};
    outcome o = {0};
    if (b->measure(&o, &err) < 0)
        return fay_cli_fail(&err, FAY_EXIT_IO);
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer text = {0};
    append_outcome(b, &o, cli->json, &text);
    return fay_cli_print(&text);
}

static int run(fay_cli *cli)
{
    const char *name;
    if (!fay_cli_word(cli, &name))
        return cli->exit;
    bool found = false;
    for (size_t i = 0; i < FAY_COUNT(benches); i++) {
        if (name != NULL && strcmp(name, benches[i].name) != 0)
            continue;
        found = true;
        int r = measure(cli, &benches[i]);
        if (r != 0)
            return r;
    }
    if (!found) {
        return fay_cli_misuse(cli, "'bench' measures spawn, exec, lines or frames, not '%.100s'",
                              name);
    }
    return FAY_EXIT_OK;
}

const fay_cli_command fay_command_bench = {
    .name = "bench",
    .usage = "bench [spawn|exec|lines|frames]",
    .summary = "measure this program beside the bare machine",
    .examples = "faymora bench\n"
                "faymora bench exec --json",
    .notes = "Takes some seconds; nothing else should be running. Without a word: all four.",
    .exits = "0 ok, 2 usage, 7 something could not be started",
    .words = "spawn exec lines frames",
    .run = run,
};
