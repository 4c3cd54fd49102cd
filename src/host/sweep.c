/* SPDX-License-Identifier: MIT */
/*
 * Leftovers: what a dead child had started and nobody waits for. The subreaper gets them one
 * generation at a time (a process comes to us when its parent dies), so we kill the children that
 * we do not know, reap them, and look again, until there are none.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "host/spawn.h"
#include "host/tree.h"

enum {
    LOOK_AGAIN_MS = 1
};

typedef struct sweep {
    const pid_t *known;
    size_t count;
    unsigned reaped, left; /* strangers found, and dead or not yet */
} sweep;

// NOLINTNEXTLINE(misc-no-recursion): as deep as the tree of processes
static bool kill_tree(void *context, pid_t pid)
{
    (void)kill(pid, SIGKILL); /* before its children, so that it starts no more */
    fay_tree_children(pid, kill_tree, context);
    return true;
}

static bool visit(void *context, pid_t pid)
{
    sweep *s = context;
    for (size_t i = 0; i < s->count; i++) {
        if (s->known[i] == pid)
            return true;
    }
    bool lives = waitpid(pid, NULL, WNOHANG) == 0;
    if (lives) {
        (void)kill_tree(NULL, pid);
        lives = waitpid(pid, NULL, WNOHANG) == 0;
    }
    s->left += lives;
    s->reaped += !lives;
    return true;
}

static fay_ns now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (fay_ns)t.tv_sec * FAY_SECOND + (fay_ns)t.tv_nsec;
}

bool fay_host_sweep(const pid_t *known, size_t count, fay_ns within)
{
    fay_ns end = now_ns() + within;
    for (;;) {
        sweep s = {.known = known, .count = count};
        fay_tree_children(getpid(), visit, &s);
        if (s.left == 0 && s.reaped == 0)
            return true;
        if (now_ns() >= end)
            return false;
        if (s.reaped == 0) /* else look at once: its children have come to us */
            (void)poll(NULL, 0, LOOK_AGAIN_MS);
    }
}
