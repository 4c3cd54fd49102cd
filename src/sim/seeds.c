/* SPDX-License-Identifier: MIT */
#include "sim/seeds.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    SECONDS_MAX = 120
}; /* of one seed, also under a sanitizer on a busy machine */

typedef struct progress {  /* shared with the parent */
    uint64_t at;           /* the seed that runs now */
    fay_sim_counts counts; /* of those that went well */
} progress;

static void add(volatile fay_sim_counts *sum, const fay_sim_counts *more)
{
    sum->retired += more->retired;
    sum->emptied += more->emptied;
    sum->woken += more->woken;
}

static void child(const fay_sim_seeds *seeds, volatile progress *shared, fay_sim_one *one)
{
    for (; shared->at <= seeds->to; shared->at++) {
        fay_sim_trace trace;
        fay_sim_trace_init(&trace, shared->at, false, false);
        (void)alarm(SECONDS_MAX);
        one(&trace);
        add(&shared->counts, &trace.counts);
    }
    exit(0); // NOLINT(concurrency-mt-unsafe): there is one thread
}

static void tell(uint64_t seed, int status)
{
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) {
        (void)printf("seed %" PRIu64 ": takes longer than %d s\n", seed, SECONDS_MAX);
    } else if (WIFSIGNALED(status)) {
        (void)printf("seed %" PRIu64 ": SIG%s (see stderr)\n", seed,
                     sigabbrev_np(WTERMSIG(status)));
    } else if (WEXITSTATUS(status) != 1) {
        (void)printf("seed %" PRIu64 ": exit %d (see stderr)\n", seed, WEXITSTATUS(status));
    }
    (void)fflush(stdout);
}

static uint64_t run_many(const fay_sim_seeds *seeds, fay_sim_one *one, fay_sim_counts *counts)
{
    uint64_t failed = 0;
    void *page =
        mmap(NULL, sizeof(progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    volatile progress *shared = page;
    if (page == MAP_FAILED)
        return 1;
    for (shared->at = seeds->from; shared->at <= seeds->to; shared->at++) {
        (void)fflush(stdout);
        pid_t pid = fork();
        if (pid == 0)
            child(seeds, shared, one);
        int status = 0;
        if (pid < 0 || waitpid(pid, &status, 0) != pid)
            return failed + 1;
        if (status == 0)
            break;
        failed++;
        tell(shared->at, status);
    }
    *counts = shared->counts;
    (void)munmap(page, sizeof *shared);
    return failed;
}

static void run_single(const fay_sim_seeds *seeds, fay_sim_one *one, fay_sim_counts *counts)
{
    fay_sim_trace trace;
    fay_sim_trace_init(&trace, seeds->from, true, seeds->trace);
    one(&trace);
    if (!seeds->quiet)
        (void)printf("seed %" PRIu64 ": trace %016" PRIx64 "\n", seeds->from, trace.hash);
    *counts = trace.counts;
}

uint64_t fay_sim_seeds_run(const fay_sim_seeds *seeds, const char *name, fay_sim_one *one)
{
    uint64_t failed = 0, count = seeds->to - seeds->from + 1;
    fay_sim_counts counts = {0};
    struct timespec begun, ended;
    (void)clock_gettime(CLOCK_MONOTONIC, &begun);
    if (count == 1) {
        run_single(seeds, one, &counts);
    } else {
        failed = run_many(seeds, one, &counts);
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &ended);
    double seconds =
        (double)(ended.tv_sec - begun.tv_sec) + (double)(ended.tv_nsec - begun.tv_nsec) / 1e9;
    if (!seeds->quiet) {
        (void)printf("%s: %" PRIu64 " seeds, %" PRIu64 " failed, %" PRIu64 " retired, %" PRIu64
                     " to none, %" PRIu64 " from none, %.1f s\n",
                     name, count, failed, counts.retired, counts.emptied, counts.woken, seconds);
    }
    return failed;
}
