/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "sdk/session.h"

enum {
    EXIT_GARBAGE = 1,
    EXIT_USAGE = 2,
    EXIT_REFUSED = 3,
    FD_DEFAULT = 3
};

/* ---- start ----------------------------------------------------------------------------------- */

static void explain(FILE *to, const char *program)
{
    (void)fprintf(
        to,
        "%s: this program is a worker of Faymora %s: it is started by a run and gets its\n"
        "Items over a socket. Run it with\n\n"
        "    faymora run --mode frames -- %s\n\n"
        "or as a stage of a pipeline file:  {run: [%s], mode: frames}\n"
        "See faymora-worker(7).\n",
        program, FAY_VERSION_STRING, program, program);
}

/* The socket to the Instance; -1 if there is none. */
static int find_socket(void)
{
    const char *text = getenv("FAYMORA_FD"); /* NOLINT(concurrency-mt-unsafe): before any thread */
    long fd = FD_DEFAULT;
    struct stat what;
    if (text != NULL) {
        char *end;
        errno = 0;
        fd = strtol(text, &end, 10);
        if (errno != 0 || end == text || *end != '\0' || fd < 0 || fd > INT_MAX)
            return -1;
    }
    return fstat((int)fd, &what) == 0 && S_ISSOCK(what.st_mode) ? (int)fd : -1;
}

/* NULL: there is no Instance, which has been said; *ret_exit is what main() returns. */
static fay_session *open_session(int argc, char **argv, int *ret_exit)
{
    const char *program = argc > 0 ? argv[0] : "worker";
    int fd = find_socket();
    if (fd < 0) {
        bool asked = argc > 1 && strcmp(argv[1], "--help") == 0;
        explain(asked ? stdout : stderr, program);
        *ret_exit = asked ? 0 : EXIT_USAGE;
        return NULL;
    }
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) != 0 ||
        fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
        perror(program);
        *ret_exit = EXIT_USAGE;
        return NULL;
    }
    fay_session *session = fay_session_new(fd);
    if (session == NULL) {
        perror(program);
        *ret_exit = EXIT_REFUSED;
        return NULL;
    }
    fay_session_hello(session);
    return session;
}

/* A class may be older than we are, and then ends earlier. */
static int take_class(const fay_worker_class *cls, fay_worker_class *ret, fay_error *err)
{
    fay_worker_class copy = {0};
    const size_t least = offsetof(fay_worker_class, process) + sizeof cls->process;
    if (cls == NULL || cls->size < least) {
        return fay_fail_with(err, FAY_E_ABI,
                             "the worker class says no size that can be right; set "
                             ".size = sizeof(fay_worker_class)");
    }
    if (cls->abi == 0 || cls->abi > FAY_ABI) {
        (void)fay_fail_with(err, FAY_E_ABI,
                            "the worker is built for binary interface %u, this is %d", cls->abi,
                            FAY_ABI);
        fay_hint(err, "build it against the headers of Faymora %s, or update Faymora",
                 FAY_VERSION_STRING);
        return FAY_E_ABI;
    }
    memcpy(&copy, cls, FAY_MIN(cls->size, sizeof copy));
    if (copy.process == NULL)
        return fay_fail_with(err, FAY_E_ABI, "the worker class has no process()");
    *ret = copy;
    return 0;
}

static int initialise(fay_session *session)
{
    fay_error err = {0};
    const char *options = session->setup.options;
    if (session->cls.init == NULL)
        return 0;
    int rc = session->cls.init(&session->self, options[0] != '\0' ? options : "{}", &err);
    if (rc == FAY_OK)
        return 0;
    const char *name = session->cls.name != NULL ? session->cls.name : "the worker";
    const char *why = err.message[0] != '\0' ? err.message : fay_strstatus((fay_status)rc);
    char message[512];
    (void)snprintf(message, sizeof message, "%s could not start: %s", name, why);
    fay_session_failed(session, message, err.hint);
    return EXIT_REFUSED;
}

/* ---- the loop -------------------------------------------------------------------------------- */

static bool is_over(const fay_session *session)
{
    return session->is_closed || session->is_broken;
}

static void work(fay_session *session)
{
    fay_session_busy_begin(session);
    while (session->lease != NULL && !is_over(session)) {
        fay_session_lease *lease = session->lease;
        if (!fay_block_next(&lease->frame.block, &lease->cursor)) {
            fay_session_lease_pop(session);
            continue;
        }
        fay_session_process(session, lease);
        if (fay_session_tick() != session->tick) {
            fay_session_collect(session);
            fay_session_look(session);
        }
    }
    fay_session_busy_end(session);
}

static void call(fay_session *session, void (*fn)(void *self))
{
    if (fn == NULL)
        return;
    fay_session_busy_begin(session);
    fn(session->self);
    fay_session_collect(session);
    fay_session_busy_end(session);
}

/* Waits for Items or for other threads; what these do meanwhile is work, too. */
static void wait(fay_session *session)
{
    bool deferred = session->deferred > 0;
    fay_session_flush(session);
    if (deferred)
        fay_session_busy_begin(session);
    (void)fay_session_read(session, true);
    if (deferred)
        fay_session_busy_end(session);
}

static void serve(fay_session *session)
{
    bool idle = false, drained = false;
    while (!is_over(session)) {
        bool stopping = atomic_load_explicit(&session->stopping, memory_order_relaxed);
        fay_session_collect(session);
        if (session->lease != NULL) {
            work(session);
            idle = false;
        } else if (stopping && !drained) {
            call(session, session->cls.drain);
            drained = true;
        } else if (stopping && session->deferred == 0) {
            break;
        } else if (fay_session_read(session, false)) {
            continue;
        } else if (!idle && !stopping) {
            fay_session_flush(session);
            idle = true;
            call(session, session->cls.idle);
        } else {
            wait(session);
        }
    }
    fay_session_flush(session);
}

static int run(fay_session *session)
{
    while (!session->is_set_up && !is_over(session)) {
        (void)fay_session_read(session, true);
    }
    if (session->is_set_up && !session->is_broken) {
        int rc = initialise(session);
        if (rc != 0)
            return rc;
        fay_session_up(session);
        serve(session);
        if (session->cls.fini != NULL)
            session->cls.fini(session->self);
    }
    if (!session->is_broken)
        return 0;
    (void)fputs("faymora worker: the Instance broke the protocol\n", stderr);
    return EXIT_GARBAGE;
}

int fay_worker_main(int argc, char **argv, const fay_worker_class *cls)
{
    fay_error err = {0};
    int rc = 0;
    fay_worker_class copy;
    if (take_class(cls, &copy, &err) != 0)
        return fay_worker_refuse(argc, argv, &err);
    fay_session *session = open_session(argc, argv, &rc);
    if (session == NULL)
        return rc;
    session->cls = copy;
    rc = run(session);
    fay_session_free(session);
    return rc;
}

int fay_worker_refuse(int argc, char **argv, const fay_error *err)
{
    int rc = EXIT_REFUSED;
    fay_session *session = open_session(argc, argv, &rc);
    (void)fprintf(stderr, "faymora worker: %s\n", err->message);
    if (session == NULL)
        return rc;
    fay_session_failed(session, err->message, err->hint);
    fay_session_free(session);
    return EXIT_REFUSED;
}
