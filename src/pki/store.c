/* SPDX-License-Identifier: MIT */
#include "pki/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/texts.h"

enum {
    READ_SIZE = 4096,
    OTHERS_MAY = 0027 /* read or change by others, change by the group */
};

static void close_fd(const int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

/* ---- reading --------------------------------------------------------------------------------- */

static int read_all(const char *path, int fd, size_t most, fay_buffer *out, fay_error *err)
{
    size_t before = fay_buffer_size(out);
    for (;;) {
        ssize_t n = read(fd, fay_buffer_reserve(out, READ_SIZE), READ_SIZE);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fay_fail_errno(err, FAY_E_IO, errno, "%.200s", path);
        if (n == 0)
            return 0;
        fay_buffer_commit(out, (size_t)n);
        if (fay_buffer_size(out) - before > most) {
            return fay_fail_with(err, FAY_E_NORES, "%.200s: larger than %zu KiB", path,
                                 most / FAY_KIB);
        }
    }
}

static int open_file(const char *path, int *ret_fd, fay_error *err)
{
    *ret_fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (*ret_fd >= 0)
        return 0;
    return fay_fail_errno(err, errno == ENOENT ? FAY_E_NOTFOUND : FAY_E_IO, errno, "%.200s", path);
}

int fay_store_read(const char *path, size_t most, fay_buffer *out, fay_error *err)
{
    FAY_CLEANUP(close_fd) int fd = -1;
    int r = open_file(path, &fd, err);
    return r < 0 ? r : read_all(path, fd, most, out, err);
}

int fay_store_read_secret(const char *path, size_t most, fay_buffer *out, fay_error *err)
{
    FAY_CLEANUP(close_fd) int fd = -1;
    struct stat status;
    int r = open_file(path, &fd, err);
    if (r < 0)
        return r;
    if (fstat(fd, &status) != 0)
        return fay_fail_errno(err, FAY_E_IO, errno, "%.200s", path);
    if ((status.st_mode & OTHERS_MAY) != 0) {
        (void)fay_fail_with(err, FAY_E_DENIED, "%.200s: others may read or change it (mode %04o)",
                            path, (unsigned)(status.st_mode & 07777));
        fay_hint(err, "chmod 600 %.200s; who has read it has the key", path);
        return FAY_E_DENIED;
    }
    /* Room for all of it: a buffer that grows leaves copies behind. */
    if (status.st_size > 0 && (size_t)status.st_size <= most)
        (void)fay_buffer_reserve(out, (size_t)status.st_size + READ_SIZE + 1);
    return read_all(path, fd, most, out, err);
}

bool fay_store_has(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0;
}

/* ---- writing --------------------------------------------------------------------------------- */

/* 0, or an errno. */
static int write_all(int fd, const void *bytes, size_t size)
{
    const uint8_t *from = bytes;
    while (size > 0) {
        ssize_t n = write(fd, from, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? errno : ENOSPC;
        from += n;
        size -= (size_t)n;
    }
    return 0;
}

/* What a rename has done is on the disk only when its directory is. EINVAL: this file system has no
 * sync of directories. 0, or an errno. */
static int sync_directory_of(const char *path)
{
    FAY_CLEANUP(fay_freep) char *directory = fay_strdup(path);
    char *slash = strrchr(directory, '/');
    if (slash != NULL)
        slash[slash == directory ? 1 : 0] = '\0';
    FAY_CLEANUP(close_fd)
    int fd = open(slash != NULL ? directory : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd >= 0 && (fsync(fd) == 0 || errno == EINVAL) ? 0 : errno;
}

/* 0, or an errno. */
static int write_new(const char *path, const void *bytes, size_t size, mode_t mode)
{
    (void)unlink(path); /* of a process that died */
    FAY_CLEANUP(close_fd)
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, FAY_STORE_PRIVATE);
    if (fd < 0)
        return errno;
    int failed = write_all(fd, bytes, size);
    if (failed == 0 && (fchmod(fd, mode) != 0 || fsync(fd) != 0))
        failed = errno;
    return failed;
}

int fay_store_write(const char *path, const void *bytes, size_t size, mode_t mode, fay_error *err)
{
    FAY_CLEANUP(fay_freep) char *made = fay_printed("%s.new", path);
    int failed = write_new(made, bytes, size, mode);
    if (failed == 0 && rename(made, path) != 0)
        failed = errno;
    if (failed != 0) {
        (void)unlink(made);
        return fay_fail_errno(err, FAY_E_IO, failed, "cannot write %.200s", path);
    }
    failed = sync_directory_of(path);
    if (failed != 0)
        return fay_fail_errno(err, FAY_E_IO, failed, "cannot sync the directory of %.200s", path);
    return 0;
}

/* ---- directories ----------------------------------------------------------------------------- */

int fay_store_check(const char *directory, fay_error *err)
{
    struct stat status;
    if (stat(directory, &status) != 0)
        return fay_fail_errno(err, FAY_E_IO, errno, "%.200s", directory);
    if (!S_ISDIR(status.st_mode))
        return fay_fail_errno(err, FAY_E_IO, ENOTDIR, "%.200s", directory);
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        (void)fay_fail_with(err, FAY_E_DENIED, "%.200s: others may write to it (mode %04o)",
                            directory, (unsigned)(status.st_mode & 07777));
        fay_hint(err, "keys need a directory of one's own: chmod go-w %.180s", directory);
        return FAY_E_DENIED;
    }
    return 0;
}

int fay_store_make(const char *directory, fay_error *err)
{
    FAY_CLEANUP(fay_freep) char *part = fay_strdup(directory);
    for (char *at = part + 1; *part != '\0'; at++) {
        if (*at != '/' && *at != '\0')
            continue;
        char saved = *at;
        *at = '\0';
        int failed = mkdir(part, 0700) != 0 ? errno : 0;
        if (failed == 0 && chmod(part, 0700) != 0)
            failed = errno;
        if (failed != 0 && failed != EEXIST)
            return fay_fail_errno(err, FAY_E_IO, failed, "cannot make the directory %.200s", part);
        *at = saved;
        if (saved == '\0')
            break;
    }
    return fay_store_check(directory, err);
}

int fay_store_lock(const char *directory, int *ret_fd, fay_error *err)
{
    FAY_CLEANUP(fay_freep) char *path = fay_printed("%s/.lock", directory);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, FAY_STORE_PRIVATE);
    if (fd < 0)
        return fay_fail_errno(err, FAY_E_IO, errno, "cannot lock %.200s", directory);
    while (flock(fd, LOCK_EX) != 0) {
        if (errno == EINTR)
            continue;
        int saved = errno;
        (void)close(fd);
        return fay_fail_errno(err, FAY_E_IO, saved, "cannot lock %.200s", directory);
    }
    *ret_fd = fd;
    return 0;
}

static void close_directory(DIR **directory)
{
    if (*directory != NULL)
        (void)closedir(*directory);
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int fay_store_list(const char *directory, const char *suffix, size_t most, char ***ret,
                   fay_error *err)
{
    FAY_CLEANUP(close_directory) DIR *entries = opendir(directory);
    if (entries == NULL && errno != ENOENT)
        return fay_fail_errno(err, FAY_E_IO, errno, "%.200s", directory);
    char **names = NULL;
    size_t count = 0;
    size_t capacity = 0;
    FAY_RESERVE(names, capacity, 1);
    names[0] = NULL;
    const struct dirent *entry;
    // NOLINTNEXTLINE(concurrency-mt-unsafe): a stream of our own
    while (entries != NULL && (entry = readdir(entries)) != NULL) {
        size_t length = strlen(entry->d_name);
        size_t end = strlen(suffix);
        if (length < end || strcmp(entry->d_name + length - end, suffix) != 0)
            continue;
        if (count == most) {
            fay_texts_free(names);
            return fay_fail_with(err, FAY_E_NORES, "%.200s: more than %zu files", directory, most);
        }
        FAY_RESERVE(names, capacity, count + 2);
        names[count++] = fay_strdup(entry->d_name);
        names[count] = NULL;
    }
    qsort(names, count, sizeof *names, compare_texts);
    *ret = names;
    return 0;
}
