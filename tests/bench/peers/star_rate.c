/* SPDX-License-Identifier: MIT */
/*
 * The limit of a star: one dispatcher process leases 100-byte Items in batches over unix sockets to
 * worker processes, each of which sends a batch of results back; credit is counted in Items.
 * Nothing else is done: no ledger, no retry, no order, no Instance between.
 *
 *     star_rate ITEMS WORKERS CREDIT
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    ITEM = 104, /* 100 bytes of payload behind a 4-byte length */
    WORKERS_MAX = 64,
    BUFFER = 1 << 20
};
static char out[BUFFER], in[BUFFER];
static int fds[WORKERS_MAX];

static double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void write_all(int fd, const char *bytes, size_t left)
{
    while (left > 0) {
        ssize_t n = write(fd, bytes, left);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            exit(1);
        bytes += n;
        left -= (size_t)n;
    }
}

static void work(int fd)
{
    size_t have = 0;
    for (;;) {
        ssize_t n = read(fd, in + have, sizeof in - have);
        if (n <= 0)
            exit(0);
        have += (size_t)n;
        size_t whole = have / ITEM * ITEM;
        for (size_t i = 0; i < whole; i += ITEM)
            in[i + 50] ^= 1; /* touch each Item */
        write_all(fd, in, whole);
        memmove(in, in + whole, have - whole);
        have -= whole;
    }
}

static void start(int w, int poller)
{
    int pair[2], size = BUFFER;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        exit(1);
    setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    if (fork() == 0) {
        for (int k = 0; k < w; k++)
            close(fds[k]);
        close(pair[0]);
        work(pair[1]);
    }
    close(pair[1]);
    fds[w] = pair[0];
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = (unsigned)w};
    epoll_ctl(poller, EPOLL_CTL_ADD, fds[w], &event);
}

/* How many to send now: half the credit at least, but for the last ones. */
static long share(long credit, long in_flight, long left)
{
    long n = credit - in_flight;
    if (n > left)
        n = left;
    if (n > (long)(sizeof out / ITEM))
        n = (long)(sizeof out / ITEM);
    return n < credit / 2 && n < left ? 0 : n;
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    long items = atol(argv[1]), sent = 0, done = 0;
    int workers = atoi(argv[2]), credit = atoi(argv[3]);
    if (workers < 1 || workers > WORKERS_MAX || credit < 1)
        return 2;
    long in_flight[WORKERS_MAX] = {0};
    size_t part[WORKERS_MAX] = {0};
    int poller = epoll_create1(EPOLL_CLOEXEC);
    for (int w = 0; w < workers; w++)
        start(w, poller);

    double from = now();
    while (done < items) {
        for (int w = 0; w < workers; w++) {
            long n = share(credit, in_flight[w], items - sent);
            if (n <= 0)
                continue;
            for (long i = 0; i < n; i++)
                memcpy(out + i * ITEM, &(int){100}, 4);
            write_all(fds[w], out, (size_t)n * ITEM);
            sent += n;
            in_flight[w] += n;
        }
        struct epoll_event ready[WORKERS_MAX];
        int count = epoll_wait(poller, ready, WORKERS_MAX, -1);
        for (int k = 0; k < count; k++) {
            unsigned w = ready[k].data.u32;
            ssize_t n = read(fds[w], in, sizeof in);
            if (n <= 0)
                return 1;
            part[w] += (size_t)n;
            long whole = (long)(part[w] / ITEM);
            part[w] %= ITEM;
            done += whole;
            in_flight[w] -= whole;
        }
    }
    double seconds = now() - from;
    printf("%.0f per second (%ld Items, %d workers, credit %d)\n", (double)items / seconds, items,
           workers, credit);
    for (int w = 0; w < workers; w++)
        close(fds[w]);
    while (wait(NULL) > 0) {
    }
    return 0;
}
