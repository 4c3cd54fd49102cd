/* SPDX-License-Identifier: MIT */
/*
 * Starts programs, and makes sure that nothing of them is left over.
 *
 * A child leads a process group of its own, dies with the thread that started it
 * (PR_SET_PDEATHSIG, with a getppid check behind it), has default signal handlers and an empty
 * mask, and only the descriptors it was given. Whoever spawns is a subreaper, so that grandchildren
 * come to it when their parents die; fay_host_sweep() finds and kills those.
 *
 * vfork semantics (clone with CLONE_VM | CLONE_VFORK | CLONE_PIDFD): the cost is that of a bare
 * posix_spawn, and an exec that fails is known with its errno when fay_spawn_start() returns.
 */
#ifndef FAY_SPAWN_H
#define FAY_SPAWN_H

#include <sys/types.h>

#include "base/base.h"
#include "host/tree.h"

enum {
    FAY_SPAWN_FDS_MAX = 4
};

typedef struct fay_spawn {
    const char *file;           /* the program; NULL = argv[0] */
    const char *const *argv;    /* the program is looked up in PATH (of `env`) without a slash */
    const char *const *env;     /* the whole environment; NULL = ours */
    const char *cwd;            /* NULL or "" = ours */
    int fds[FAY_SPAWN_FDS_MAX]; /* become 0, 1, 2, 3; -1 = /dev/null for 0-2, closed for 3 */
    int death_signal;           /* when we die: SIGKILL for workers, SIGCONT for Instances */
    bool own_session;           /* setsid + controlling terminal from fd 0 (pty) */
} fay_spawn;

typedef struct fay_child {
    pid_t pid;
    int pidfd; /* readable when it has ended; close() it after reaping */
} fay_child;

/*
 * 0, or FAY_E_IO with *ret_errno the reason why it could not be started (of exec: ENOENT, EACCES,
 * E2BIG, ENOEXEC, ..; else of fork). Nothing is left over after a failure. Loop thread only.
 */
int fay_spawn_start(const fay_spawn *spawn, fay_child *ret, int *ret_errno);

/* SIGKILL or another signal to the child's whole process group (and the child). */
void fay_child_signal(const fay_child *child, int signal);
/* What a child and the children that it has waited for have used. */
typedef struct fay_spent {
    fay_ns cpu;
    fay_main_threads main; /* of the child alone */
    uint64_t bytes;        /* in memory at most, of the largest of them */
} fay_spent;
/* Reaps without blocking. true: it has ended, *ret_status as from waitpid. *ret_spent is not filled
 * when it is NULL, which saves a look into /proc. */
bool fay_child_reap(fay_child *child, int *ret_status, fay_spent *ret_spent);

/* Once per process that spawns: PR_SET_CHILD_SUBREAPER, SIGPIPE and SIGXFSZ ignored, O_CLOEXEC on
 * all inherited descriptors but 0-2 and `keep` (-1 = none). */
void fay_host_init(int keep);

/*
 * Kills and reaps every descendant of this process that is not in `known` (nor below one of them),
 * until none is left or about `within` (a time span) has passed: what a dead worker or Instance has
 * left over. Without leftovers it costs one look into /proc and does not wait. true: none is left.
 */
bool fay_host_sweep(const pid_t *known, size_t count, fay_ns within);

/*
 * Where execve would find a program: its path as fay_spawn.file wants it (free() it), looked up in
 * PATH of `env` (NULL = ours), relative to `cwd` (NULL or "" = ours). NULL with *ret_errno when it
 * is not there (ENOENT) or may not be executed (EACCES).
 */
char *fay_host_resolve(const char *name, const char *const *env, const char *cwd, int *ret_errno);

/* The directory of our own programs: beside the running one, else FAYMORA_LIBEXEC. free() it. */
char *fay_host_program(const char *name);

#endif /* FAY_SPAWN_H */
