/* SPDX-License-Identifier: MIT */
/*
 * The child runs `child()` on a stack of its own in our memory, while we are suspended, until it
 * has called execve or failed. So it may only make system calls, and what it writes we see: that is
 * how the errno of an exec comes back. posix_spawn works the same way, but knows neither
 * PR_SET_PDEATHSIG nor pidfds.
 */
#include "host/spawn.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    STACK = 64 * 1024,
    SIGNALS = 64,
    STDIO = 3
};

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#    define UNCHECKED __attribute__((no_sanitize_address, no_sanitize_thread))
#else
#    define UNCHECKED
#endif
/* The thread sanitizer's clone() takes the child's memory for a copy. It is ours, so what is kept
 * there of this thread is set back twice, and the thread is ignored from then on. */
#ifdef __SANITIZE_THREAD__
int __clone(int (*run)(void *), void *stack_end, int flags, void *context, ...);
#    define clone __clone
#endif

/* What the child needs, all of it made before it starts. */
typedef struct job {
    const fay_spawn *spawn;
    const char *file;
    const char *const *env;
    pid_t parent;
    int error; /* set by the child */
} job;

static int null_fd = -1;
static _Alignas(64) uint8_t stack[STACK]; /* one child at a time starts: the loop thread waits */

/* Where the strings of `env` set `name`, or NULL. */
static const char *env_get(const char *const *env, const char *name)
{
    size_t length = strlen(name);
    for (size_t i = 0; env != NULL && env[i] != NULL; i++) {
        if (strncmp(env[i], name, length) == 0 && env[i][length] == '=')
            return env[i] + length + 1;
    }
    return NULL;
}

/* The parent's handlers must not run in the child, which shares its memory. */
UNCHECKED static void reset_signals(void)
{
    static const uint8_t defaults[64]; /* a zeroed kernel sigaction: SIG_DFL */
    for (long i = 1; i <= SIGNALS; i++) {
        if (i != SIGKILL && i != SIGSTOP)
            (void)syscall(SYS_rt_sigaction, i, defaults, NULL, (long)(SIGNALS / 8));
    }
    static const uint64_t none;
    (void)syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, (long)(SIGNALS / 8));
}

/* First out of the way of 0-3, then into place: sources and targets may overlap. */
UNCHECKED static bool place_fds(const int *fds)
{
    int from[FAY_SPAWN_FDS_MAX];
    for (int i = 0; i < FAY_SPAWN_FDS_MAX; i++) {
        from[i] = i < STDIO && fds[i] < 0 ? null_fd : fds[i];
        if (from[i] >= 0 && from[i] < FAY_SPAWN_FDS_MAX)
            from[i] = fcntl(from[i], F_DUPFD_CLOEXEC, (int)FAY_SPAWN_FDS_MAX);
        /* cppcheck-suppress arrayIndexThenCheck */
        if (from[i] < 0 && (i < STDIO || fds[i] >= 0))
            return false;
    }
    for (int i = 0; i < FAY_SPAWN_FDS_MAX; i++) {
        if (from[i] < 0) {
            (void)close(i);
        } else if (dup2(from[i], i) < 0) {
            return false;
        }
    }
    return true;
}

UNCHECKED static int child(void *context)
{
    job *j = context;
    const fay_spawn *s = j->spawn;
    reset_signals();
    if (s->own_session) {
        (void)setsid();
    } else {
        (void)setpgid(0, 0);
    }
    if (s->death_signal != 0)
        (void)prctl(PR_SET_PDEATHSIG, s->death_signal, 0, 0, 0);
    if (getppid() != j->parent) /* it died before prctl */
        _exit(127);
    bool ok = place_fds(s->fds) && (s->cwd == NULL || s->cwd[0] == '\0' || chdir(s->cwd) == 0);
    if (ok) {
        if (s->own_session)
            (void)ioctl(STDIN_FILENO, TIOCSCTTY, 0);
        /* execve takes the pointers without const and writes nothing */
        (void)syscall(SYS_execve, j->file, s->argv, j->env);
    }
    j->error = errno;
    _exit(127);
}

int fay_spawn_start(const fay_spawn *spawn, fay_child *ret, int *ret_errno)
{
    job j = {.spawn = spawn, .parent = getpid()};
    j.env = spawn->env != NULL ? spawn->env : (const char *const *)environ;
    j.file = spawn->file != NULL ? spawn->file : spawn->argv[0];
    FAY_CLEANUP(fay_freep) char *resolved = NULL;
    if (strchr(j.file, '/') == NULL) {
        resolved = fay_host_resolve(j.file, j.env, spawn->cwd, ret_errno);
        if (resolved == NULL)
            return FAY_E_IO;
        j.file = resolved;
    }
    if (null_fd < 0 && (null_fd = open("/dev/null", O_RDWR | O_CLOEXEC)) < 0) {
        *ret_errno = errno;
        return FAY_E_IO;
    }

    sigset_t all, before;
    sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int pidfd = -1;
    pid_t pid =
        clone(child, stack + STACK, CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &j, &pidfd);
    int error = pid < 0 ? errno : j.error;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (pid >= 0 && error != 0) {
        (void)waitpid(pid, NULL, 0);
        (void)close(pidfd);
    }
    if (error != 0) {
        *ret_errno = error;
        return FAY_E_IO;
    }
    *ret = (fay_child){.pid = pid, .pidfd = pidfd};
    return 0;
}

void fay_child_signal(const fay_child *c, int signal)
{
    assert(c->pid > 1);
    bool reached = kill(-c->pid, signal) == 0;
    if (!reached || getpgid(c->pid) != c->pid) /* it has moved to another group */
        (void)syscall(SYS_pidfd_send_signal, c->pidfd, signal, NULL, 0);
}

static fay_ns of_timeval(struct timeval time)
{
    return (fay_ns)time.tv_sec * FAY_SECOND + (fay_ns)time.tv_usec * 1000;
}

bool fay_child_reap(fay_child *c, int *ret_status, fay_spent *ret_spent)
{
    struct rusage usage;
    fay_main_threads thread = {0};
    if (ret_spent != NULL)
        fay_tree_add_main_thread(&thread, c->pid); /* nobody can tell once it is reaped */
    if (wait4(c->pid, ret_status, WNOHANG, &usage) != c->pid)
        return false;
    if (ret_spent != NULL) {
        *ret_spent = (fay_spent){.cpu = of_timeval(usage.ru_utime) + of_timeval(usage.ru_stime),
                                 .main = thread,
                                 .bytes = (uint64_t)usage.ru_maxrss * FAY_KIB};
    }
    return true;
}

static void close_on_exec(unsigned from, unsigned to)
{
    if (from > to || close_range(from, to, CLOSE_RANGE_CLOEXEC) == 0)
        return;
    unsigned last = FAY_MIN(to, 4095u); /* a kernel before 5.11 */
    for (unsigned fd = from; fd <= last; fd++) {
        int flags = fcntl((int)fd, F_GETFD);
        if (flags >= 0)
            (void)fcntl((int)fd, F_SETFD, flags | FD_CLOEXEC);
    }
}

void fay_host_init(int keep)
{
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error of write() */
    if (keep < STDIO) {
        close_on_exec(STDIO, ~0u);
        return;
    }
    if (keep > STDIO)
        close_on_exec(STDIO, (unsigned)keep - 1);
    close_on_exec((unsigned)keep + 1, ~0u);
}

/* 0, or the errno that execve would give for a path relative to `dir`. */
static int executable(int dir, const char *path)
{
    struct stat st;
    if (fstatat(dir, path, &st, 0) != 0)
        return errno == ENOTDIR ? ENOENT : errno;
    if (!S_ISREG(st.st_mode) || faccessat(dir, path, X_OK, AT_EACCESS) != 0)
        return EACCES;
    return 0;
}

/* "directory/name"; free() it. */
static char *path_of(const char *directory, size_t length, const char *name)
{
    size_t size = length + 1 + strlen(name) + 1;
    char *path = fay_alloc(size);
    (void)snprintf(path, size, "%.*s/%s", (int)length, directory, name);
    return path;
}

/* Along PATH. An EACCES on the way is remembered, as execvp does. */
static char *search(const char *name, const char *const *env, int dir, int *ret_errno)
{
    const char *at = env_get(env, "PATH");
    if (at == NULL)
        at = "/usr/local/bin:/usr/bin:/bin";
    *ret_errno = ENOENT;
    for (;;) {
        size_t length = strcspn(at, ":");
        FAY_CLEANUP(fay_freep)
        char *path = length > 0 ? path_of(at, length, name) : path_of(".", 1, name);
        int error = executable(dir, path);
        if (error == 0)
            return FAY_STEAL(path);
        if (error == EACCES)
            *ret_errno = EACCES;
        if (at[length] == '\0')
            return NULL;
        at += length + 1;
    }
}

char *fay_host_resolve(const char *name, const char *const *env, const char *cwd, int *ret_errno)
{
    int dir = AT_FDCWD;
    *ret_errno = ENOENT;
    if (name[0] == '\0')
        return NULL;
    if (cwd != NULL && cwd[0] != '\0' && (dir = open(cwd, O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0) {
        *ret_errno = errno;
        return NULL;
    }
    char *found = NULL;
    if (strchr(name, '/') == NULL) {
        found = search(name, env != NULL ? env : (const char *const *)environ, dir, ret_errno);
    } else if ((*ret_errno = executable(dir, name)) == 0) {
        found = fay_strdup(name);
    }
    if (dir >= 0)
        (void)close(dir);
    return found;
}

char *fay_host_program(const char *name)
{
    char self[4096];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length > 0) {
        self[length] = '\0';
        char *slash = strrchr(self, '/');
        FAY_CLEANUP(fay_freep)
        char *path = slash != NULL ? path_of(self, (size_t)(slash - self), name) : NULL;
        if (path != NULL && executable(AT_FDCWD, path) == 0)
            return FAY_STEAL(path);
    }
    const char *libexec = getenv("FAYMORA_LIBEXEC"); // NOLINT(concurrency-mt-unsafe): never set
    if (libexec == NULL || libexec[0] == '\0')
        libexec = ".";
    return path_of(libexec, strlen(libexec), name);
}
