/* SPDX-License-Identifier: MIT */
/*
 * A socket's address has 108 bytes at most, and a state directory may lie deeper. So sockets are
 * named by way of the open directory, /proc/self/fd/N/NAME.sock; which is also the directory that
 * has been looked at, whatever lies at its path by now.
 */
#include "control/sockets.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/texts.h"

#define SUFFIX ".sock"
#define LOCK   ".sockets.lock"

enum {
    BACKLOG = 64,
    FILE_NAME_MAX = (int)FAY_NODE_NAME_MAX + (int)sizeof SUFFIX
};

char *fay_sockets_directory(const char *state)
{
    if (state == NULL)
        state = fay_variable("FAYMORA_STATE_DIR");
    if (state != NULL)
        return fay_strdup(state);
    const char *runtime = fay_variable("XDG_RUNTIME_DIR");
    if (runtime != NULL)
        return fay_printed("%s/faymora", runtime);
    if (geteuid() == 0)
        return fay_strdup("/run/faymora");
    return fay_printed("/tmp/faymora-%u", (unsigned)geteuid());
}

/* ---- the directory --------------------------------------------------------------------------- */

static int make_directories(const char *directory)
{
    FAY_CLEANUP(fay_freep) char *path = fay_strdup(directory);
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(path, 0777); /* what is wrong with it, the last one says */
        *slash = '/';
    }
    return mkdir(path, 0700) == 0 || errno == EEXIST ? 0 : errno;
}

/* Of one of ours: nobody else may write there. Root may look into those of others, and everybody
 * into root's. */
static int check_directory(const char *directory, const struct stat *is, bool make, fay_error *err)
{
    uid_t me = geteuid();
    bool known = is->st_uid == me || (!make && (is->st_uid == 0 || me == 0));
    if (!known) {
        (void)fay_fail_with(err, FAY_E_DENIED, "%s belongs to user %u, not to %u", directory,
                            (unsigned)is->st_uid, (unsigned)me);
        fay_hint(err, "who owns it could pose as a Node there; name another one: --state-dir");
        return FAY_E_DENIED;
    }
    if ((is->st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        (void)fay_fail_with(err, FAY_E_DENIED, "%s may be written by others (mode %04o)", directory,
                            (unsigned)(is->st_mode & 07777));
        fay_hint(err, "they could pose as a Node there: chmod go-w %s", directory);
        return FAY_E_DENIED;
    }
    return 0;
}

int fay_sockets_open(const char *directory, bool make, int *ret_fd, fay_error *err)
{
    int fault = make ? make_directories(directory) : 0;
    if (fault != 0)
        return fay_fail_errno(err, FAY_E_IO, fault, "cannot make the directory %s", directory);
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return fay_fail_errno(err, errno == ENOENT ? FAY_E_NOTFOUND : FAY_E_IO, errno,
                              "cannot open the directory %s", directory);
    }
    struct stat is;
    int r = fstat(fd, &is) == 0
                ? check_directory(directory, &is, make, err)
                : fay_fail_errno(err, FAY_E_IO, errno, "cannot look at %s", directory);
    if (r < 0) {
        (void)close(fd);
        return r;
    }
    *ret_fd = fd;
    return 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

char **fay_sockets_names(int directory)
{
    char **names = fay_texts_new();
    int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (dir == NULL)
        return names;
    const struct dirent *entry;
    while ((entry = readdir(dir)) != NULL) { // NOLINT(concurrency-mt-unsafe): a stream of our own
        size_t length = strlen(entry->d_name);
        struct stat is;
        if (length > strlen(SUFFIX) && length < FILE_NAME_MAX &&
            strcmp(entry->d_name + length - strlen(SUFFIX), SUFFIX) == 0 &&
            fstatat(directory, entry->d_name, &is, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISSOCK(is.st_mode))
            fay_texts_push(&names, fay_strndup(entry->d_name, length - strlen(SUFFIX)));
    }
    (void)closedir(dir);
    qsort((void *)names, fay_texts_count(names), sizeof *names, by_name);
    return names;
}

/* ---- a socket -------------------------------------------------------------------------------- */

typedef struct place {
    char file[FILE_NAME_MAX];
    struct sockaddr_un address;
} place;

static int find_place(int directory, const char *name, place *ret, fay_error *err)
{
    *ret = (place){.address.sun_family = AF_UNIX};
    if (name[0] == '\0' || strlen(name) > FAY_NODE_NAME_MAX || strchr(name, '/') != NULL)
        return fay_fail_with(err, FAY_E_INVAL, "'%.100s' is no name of a Node", name);
    (void)snprintf(ret->file, sizeof ret->file, "%s" SUFFIX, name);
    (void)snprintf(ret->address.sun_path, sizeof ret->address.sun_path, "/proc/self/fd/%d/%s",
                   directory, ret->file);
    return 0;
}

static int new_socket(int *ret_fd, fay_error *err)
{
    *ret_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return *ret_fd >= 0 ? 0 : fay_fail_errno(err, FAY_E_IO, errno, "cannot make a socket");
}

/* Where it is, and a socket for it. */
static int begin(int directory, const char *name, place *ret, int *ret_fd, fay_error *err)
{
    int r = find_place(directory, name, ret, err);
    return r < 0 ? r : new_socket(ret_fd, err);
}

int fay_sockets_connect(int directory, const char *name, int *ret_fd, fay_error *err)
{
    place p;
    int fd = -1;
    int r = begin(directory, name, &p, &fd, err);
    if (r < 0)
        return r;
    if (connect(fd, (const struct sockaddr *)&p.address, sizeof p.address) == 0) {
        *ret_fd = fd;
        return 0;
    }
    int fault = errno;
    (void)close(fd);
    if (fault == ENOENT)
        return fay_fail_with(err, FAY_E_NOTFOUND, "no Node '%s' is at work here", name);
    if (fault == ECONNREFUSED) {
        return fay_fail_with(err, FAY_E_NOTFOUND, "the Node '%s' is no longer at work here", name);
    }
    fay_status status = fault == EACCES ? FAY_E_DENIED : FAY_E_IO;
    return fay_fail_errno(err, status, fault, "cannot connect to the Node '%s'", name);
}

/* Whether somebody listens on the socket that lies there; a full queue is somebody. */
static bool is_alive(const place *p)
{
    int fd = -1;
    if (new_socket(&fd, NULL) < 0)
        return true; /* not known: it stays */
    int r = connect(fd, (const struct sockaddr *)&p->address, sizeof p->address);
    bool alive = r == 0 || (errno != ECONNREFUSED && errno != ENOENT);
    (void)close(fd);
    return alive;
}

/* Removes what somebody has left behind who was killed. */
static int clear(int directory, const place *p, const char *name, fay_error *err)
{
    struct stat is;
    if (fstatat(directory, p->file, &is, AT_SYMLINK_NOFOLLOW) != 0)
        return 0;
    if (!S_ISSOCK(is.st_mode)) {
        (void)fay_fail_with(err, FAY_E_IO, "%s is in the way, and is no socket", p->file);
        fay_hint(err, "it is left as it is: remove it yourself, or take another name");
        return FAY_E_IO;
    }
    if (is_alive(p)) {
        (void)fay_fail_with(err, FAY_E_EXISTS, "a Node '%s' is at work on this machine already",
                            name);
        fay_hint(err, "take another name: --name");
        return FAY_E_EXISTS;
    }
    (void)unlinkat(directory, p->file, 0);
    return 0;
}

/* So that of two that start at once, one sees the other. In a file that is ours alone: the
 * directory itself may be locked by whoever may read it, for ever. -1: there is no lock, which is
 * not vital. */
static int lock(int directory)
{
    int fd = openat(directory, LOCK, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd >= 0)
        (void)flock(fd, LOCK_EX);
    return fd;
}

int fay_sockets_listen(int directory, const char *name, int *ret_fd, fay_error *err)
{
    place p;
    int fd = -1;
    int r = begin(directory, name, &p, &fd, err);
    if (r < 0)
        return r;
    int locked = lock(directory);
    r = clear(directory, &p, name, err);
    /* The mode of a socket that is bound is that of its descriptor before. */
    if (r == 0 && (fchmod(fd, 0600) != 0 ||
                   bind(fd, (const struct sockaddr *)&p.address, sizeof p.address) != 0 ||
                   listen(fd, BACKLOG) != 0))
        r = fay_fail_errno(err, FAY_E_IO, errno, "cannot listen on %s", p.file);
    if (locked >= 0)
        (void)close(locked);
    if (r < 0) {
        (void)close(fd);
        return r;
    }
    *ret_fd = fd;
    return 0;
}

void fay_sockets_remove(int directory, const char *name)
{
    place p;
    if (find_place(directory, name, &p, NULL) == 0)
        (void)unlinkat(directory, p.file, 0);
}
