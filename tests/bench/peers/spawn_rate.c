/* SPDX-License-Identifier: MIT */
/*
 * The limit of one process per Item: how many times per second this machine can start a program and
 * reap it, with SLOTS of them in flight and the standard output of each on a pipe that is read to
 * its end, as any runner must.
 *
 *     spawn_rate N SLOTS PROG ARG..      an argument "{}" becomes the Item's number
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    SLOTS_MAX = 256,
    ARGS_MAX = 64
};
extern char **environ;

static double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Starts the program with its output on a pipe; gives the reading end. */
static int start(char **args, int count, long item, pid_t *pid)
{
    char number[32], *argv[ARGS_MAX + 1];
    (void)snprintf(number, sizeof number, "%ld", item);
    for (int i = 0; i < count; i++)
        argv[i] = strcmp(args[i], "{}") == 0 ? number : args[i];
    argv[count] = NULL;

    int fd[2];
    if (pipe2(fd, O_CLOEXEC) != 0) {
        perror("pipe2");
        exit(1);
    }
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fd[1], 1);
    int error = posix_spawnp(pid, argv[0], &actions, NULL, argv, environ);
    if (error != 0) {
        (void)fprintf(stderr, "%s: %s\n", argv[0], strerror(error));
        exit(1);
    }
    posix_spawn_file_actions_destroy(&actions);
    close(fd[1]);
    return fd[0];
}

int main(int argc, char **argv)
{
    long n = argc > 3 ? atol(argv[1]) : 0, started = 0, done = 0, failed = 0;
    int slots = argc > 3 ? atoi(argv[2]) : 0;
    if (n < 1 || slots < 1 || slots > SLOTS_MAX || argc - 3 > ARGS_MAX) {
        (void)fprintf(stderr, "usage: spawn_rate N SLOTS PROG ARG..\n");
        return 2;
    }
    struct pollfd pipes[SLOTS_MAX];
    pid_t pids[SLOTS_MAX];
    for (int i = 0; i < slots; i++)
        pipes[i] = (struct pollfd){.fd = -1, .events = POLLIN};

    double from = now();
    while (done < n) {
        for (int i = 0; i < slots && started < n; i++) {
            if (pipes[i].fd < 0)
                pipes[i].fd = start(argv + 3, argc - 3, started++, &pids[i]);
        }
        (void)poll(pipes, (nfds_t)slots, -1);
        for (int i = 0; i < slots; i++) {
            char bytes[4096];
            int status = 0;
            if (pipes[i].fd < 0 || pipes[i].revents == 0)
                continue;
            if (read(pipes[i].fd, bytes, sizeof bytes) > 0)
                continue;
            close(pipes[i].fd);
            pipes[i].fd = -1;
            waitpid(pids[i], &status, 0);
            failed += status != 0;
            done++;
        }
    }
    double seconds = now() - from;
    printf("%.0f per second (%ld in %.3f s, %d slots)\n", (double)n / seconds, n, seconds, slots);
    return failed != 0;
}
