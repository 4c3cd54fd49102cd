/* SPDX-License-Identifier: MIT */
/*
 * Times that are too short for an interpreter to take.
 *
 *     stopwatch first N CMD ARG..    from the spawn to the first byte that CMD prints, N runs
 *     stopwatch echo N CMD ARG..     CMD answers each line with that line: one is written and its
 *                                    answer waited for, N times, after a warm-up of N/10 + 1
 *
 * Prints the median and the 99th percentile, in microseconds.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    LINE_MAX_BYTES = 64
};
extern char **environ;

typedef struct command {
    pid_t pid;
    int in, out; /* what it reads and what it prints; in: -1 = nothing */
} command;

static double now_us(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void fail(const char *what)
{
    (void)fprintf(stderr, "stopwatch: %s\n", what);
    exit(1);
}

static command start(char **argv, int has_input)
{
    int in[2] = {open("/dev/null", O_RDONLY | O_CLOEXEC), -1}, out[2];
    if (pipe2(out, O_CLOEXEC) != 0 || (has_input && pipe2(in, O_CLOEXEC) != 0))
        fail("no pipe");
    command c = {.in = in[1], .out = out[0]};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    if (posix_spawnp(&c.pid, argv[0], &actions, NULL, argv, environ) != 0)
        fail("cannot start the command");
    posix_spawn_file_actions_destroy(&actions);
    close(in[0]);
    close(out[1]);
    return c;
}

static void finish(command c)
{
    char rest[4096];
    if (c.in >= 0)
        close(c.in);
    while (read(c.out, rest, sizeof rest) > 0) {
    }
    close(c.out);
    int status = 0;
    if (waitpid(c.pid, &status, 0) != c.pid || status != 0)
        fail("the command failed");
}

static double time_first(char **argv)
{
    char byte;
    double from = now_us();
    command c = start(argv, 0);
    if (read(c.out, &byte, 1) != 1)
        fail("no result");
    double time = now_us() - from;
    finish(c);
    return time;
}

static double time_echo(command c, long number)
{
    char line[LINE_MAX_BYTES], answer[LINE_MAX_BYTES];
    int size = snprintf(line, sizeof line, "line %ld\n", number);
    double from = now_us();
    if (write(c.in, line, (size_t)size) != size)
        fail("the command takes no more");
    for (int have = 0; have == 0 || answer[have - 1] != '\n';) {
        ssize_t n = read(c.out, answer + have, sizeof answer - (size_t)have);
        if (n <= 0)
            fail("no answer");
        have += (int)n;
        if (have > size || memcmp(line, answer, (size_t)have) != 0)
            fail("another answer");
    }
    return now_us() - from;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    long n = argc > 3 ? atol(argv[2]) : 0;
    if (n < 1) {
        (void)fprintf(stderr, "usage: stopwatch first|echo N CMD ARG..\n");
        return 2;
    }
    double *times = calloc((size_t)n, sizeof *times);
    if (times == NULL)
        fail("out of memory");
    if (strcmp(argv[1], "first") == 0) {
        for (long i = 0; i < n; i++)
            times[i] = time_first(argv + 3);
    } else {
        command c = start(argv + 3, 1);
        for (long i = 0; i <= n / 10; i++)
            (void)time_echo(c, i);
        for (long i = 0; i < n; i++)
            times[i] = time_echo(c, i);
        finish(c);
    }
    qsort(times, (size_t)n, sizeof *times, compare);
    printf("%.1f %.1f\n", times[n / 2], times[n * 99 / 100]);
    free(times);
    return 0;
}
