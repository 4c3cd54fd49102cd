/* SPDX-License-Identifier: MIT */
#include "host/unlinked.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *temporary(void)
{
    const char *directory = secure_getenv("TMPDIR"); // NOLINT(concurrency-mt-unsafe): nobody sets
    return directory != NULL && directory[0] != '\0' ? directory : "/tmp";
}

int fay_host_unlinked(const char *directory)
{
    if (directory == NULL || directory[0] == '\0')
        directory = temporary();
    int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT))
        return fd;
    char path[PATH_MAX]; /* a file system without O_TMPFILE: the name is there for a moment */
    int length = snprintf(path, sizeof path, "%s/faymora-XXXXXX", directory);
    if (length < 0 || (size_t)length >= sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        (void)unlink(path);
    return fd;
}
