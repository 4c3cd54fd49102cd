/* SPDX-License-Identifier: MIT */
#include "cli/bare.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "host/spawn.h"

enum {
    BLOCK_BYTES = 25600,
    READ_BYTES = 65536
};

fay_ns fay_bare_now(void)
{
    struct timespec now;
    int r = clock_gettime(CLOCK_MONOTONIC, &now);
    assert(r == 0);
    return (fay_ns)now.tv_sec * FAY_SECOND + (fay_ns)now.tv_nsec;
}

typedef struct bare {
    fay_child child;
    int in, out; /* -1 = closed */
    uint64_t sent, received;
} bare;

static const bare no_bare = {.child = {.pid = -1, .pidfd = -1}, .in = -1, .out = -1};

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

/* Both of its ends are closed, so it ends. */
static void finish(bare *b)
{
    close_fd(&b->in);
    close_fd(&b->out);
    if (b->child.pid > 0) {
        while (waitpid(b->child.pid, NULL, 0) < 0 && errno == EINTR) {
        }
    }
    close_fd(&b->child.pidfd);
    *b = no_bare;
}

/* With a pipe to read from, and one to write to if `feed`. */
static int start(const char *const *argv, bool feed, bare *ret, fay_error *err)
{
    int to[2] = {-1, -1}, from[2] = {-1, -1};
    if ((feed && pipe2(to, O_CLOEXEC) != 0) || pipe2(from, O_CLOEXEC) != 0) {
        int saved = errno;
        close_fd(&to[0]);
        close_fd(&to[1]);
        return fay_fail_errno(err, FAY_E_IO, saved, "no pipe");
    }
    fay_spawn spawn = {.argv = argv, .fds = {to[0], from[1], STDERR_FILENO, -1}};
    bare b = no_bare;
    int error = 0;
    int r = fay_spawn_start(&spawn, &b.child, &error);
    close_fd(&to[0]);
    close_fd(&from[1]);
    b.in = to[1];
    b.out = from[0];
    if (r < 0) {
        b.child = no_bare.child;
        finish(&b);
        return fay_fail_errno(err, FAY_E_IO, error, "cannot start '%s'", argv[0]);
    }
    *ret = b;
    return 0;
}

static void finish_all(bare *all, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        finish(&all[i]);
    }
}

/* Reads what is there: false at its end. */
static bool drain(bare *b)
{
    char bytes[READ_BYTES];
    ssize_t n = read(b->out, bytes, sizeof bytes);
    if (n > 0)
        b->received += (uint64_t)n;
    return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

/* Fills the free slots while there is something left to start. */
static int fill(bare *all, size_t slots, const char *const *argv, uint64_t *left, fay_error *err)
{
    for (size_t i = 0; i<slots && * left> 0; i++) {
        if (all[i].out >= 0)
            continue;
        int r = start(argv, false, &all[i], err);
        if (r < 0)
            return r;
        --*left;
    }
    return 0;
}

/* Waits until something happens, and frees the slots of those that have ended. */
static uint64_t reap(bare *all, size_t slots)
{
    struct pollfd polls[FAY_BARE_SLOTS_MAX];
    uint64_t ended = 0;
    for (size_t i = 0; i < slots; i++) {
        polls[i] = (struct pollfd){.fd = all[i].out, .events = POLLIN};
    }
    (void)poll(polls, slots, -1);
    for (size_t i = 0; i < slots; i++) {
        if (polls[i].fd < 0 || polls[i].revents == 0 || drain(&all[i]))
            continue;
        finish(&all[i]);
        ended++;
    }
    return ended;
}

int fay_bare_spawns(const char *const *argv, uint64_t count, size_t slots, fay_ns *ret_time,
                    fay_error *err)
{
    assert(slots > 0 && slots <= FAY_BARE_SLOTS_MAX);
    bare all[FAY_BARE_SLOTS_MAX];
    for (size_t i = 0; i < slots; i++) {
        all[i] = no_bare;
    }
    fay_ns from = fay_bare_now();
    for (uint64_t left = count, done = 0; done < count; done += reap(all, slots)) {
        int r = fill(all, slots, argv, &left, err);
        if (r < 0) {
            finish_all(all, slots);
            return r;
        }
    }
    *ret_time = fay_bare_now() - from;
    return 0;
}

/* Writes a block if it may, and closes behind the last one. */
static void feed(bare *b, uint64_t share)
{
    static const char block[BLOCK_BYTES] = {0};
    size_t size = (size_t)FAY_MIN(share - b->sent, (uint64_t)sizeof block);
    ssize_t n = write(b->in, block, size);
    if (n > 0)
        b->sent += (uint64_t)n;
    if (b->sent == share || (n < 0 && errno != EAGAIN && errno != EINTR))
        close_fd(&b->in);
}

static int set_nonblocking(const bare *b)
{
    return fcntl(b->in, F_SETFL, O_NONBLOCK) < 0 || fcntl(b->out, F_SETFL, O_NONBLOCK) < 0 ? -1 : 0;
}

/* Until the last of them has closed its output. */
static void relay(bare *all, size_t slots, uint64_t share)
{
    struct pollfd polls[2 * FAY_BARE_SLOTS_MAX];
    size_t open = slots;
    while (open > 0) {
        for (size_t i = 0; i < slots; i++) {
            polls[2 * i] = (struct pollfd){.fd = all[i].in, .events = POLLOUT};
            polls[2 * i + 1] = (struct pollfd){.fd = all[i].out, .events = POLLIN};
        }
        (void)poll(polls, 2 * slots, -1);
        for (size_t i = 0; i < slots; i++) {
            if (polls[2 * i].revents != 0 && all[i].in >= 0)
                feed(&all[i], share);
            if (polls[2 * i + 1].revents != 0 && !drain(&all[i])) {
                close_fd(&all[i].out);
                open--;
            }
        }
    }
}

int fay_bare_relay(const char *const *argv, uint64_t bytes, size_t slots, fay_ns *ret_time,
                   fay_error *err)
{
    assert(slots > 0 && slots <= FAY_BARE_SLOTS_MAX);
    bare all[FAY_BARE_SLOTS_MAX];
    uint64_t share = bytes / slots, received = 0;
    int r = 0;
    fay_ns from = fay_bare_now();
    for (size_t i = 0; i < slots; i++) {
        all[i] = no_bare;
    }
    for (size_t i = 0; i < slots && r == 0; i++) {
        r = start(argv, true, &all[i], err);
        if (r == 0 && set_nonblocking(&all[i]) < 0)
            r = fay_fail_errno(err, FAY_E_IO, errno, "fcntl");
    }
    if (r == 0)
        relay(all, slots, share);
    fay_ns time = fay_bare_now() - from;
    for (size_t i = 0; i < slots; i++) {
        received += all[i].received;
    }
    finish_all(all, slots);
    if (r == 0 && received != share * slots)
        return fay_fail_with(err, FAY_E_IO, "'%s' lost bytes", argv[0]);
    if (r == 0)
        *ret_time = time;
    return r;
}
