/* SPDX-License-Identifier: MIT */
#include "host/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"

char *fay_file_path(const char *directory, const char *path)
{
    if (path[0] == '/' || directory[0] == '\0')
        return fay_strdup(path);
    bool slash = directory[strlen(directory) - 1] == '/';
    return fay_printed("%s%s%s", directory, slash ? "" : "/", path);
}

size_t fay_file_read(const char *path, char *text, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t length = read(fd, text, size - 1);
    (void)close(fd);
    text[length > 0 ? length : 0] = '\0';
    return length > 0 ? (size_t)length : 0;
}

uint64_t fay_file_number_in(const char *text, const char *name)
{
    for (const char *line = text; line != NULL;) {
        if (strncmp(line, name, strlen(name)) == 0)
            return strtoull(line + strlen(name), NULL, 10);
        line = strchr(line, '\n');
        line += line != NULL;
    }
    return 0;
}

uint64_t fay_file_number(const char *path, const char *name)
{
    char text[FAY_PROC_TEXT_MAX];
    return fay_file_read(path, text, sizeof text) > 0 ? fay_file_number_in(text, name) : 0;
}

int fay_file_write(int fd, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    while (size > 0) {
        ssize_t n = write(fd, at, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN) { /* somebody else has made what we share non-blocking */
            struct pollfd asked = {.fd = fd, .events = POLLOUT};
            (void)poll(&asked, 1, -1);
            continue;
        }
        if (n <= 0)
            return FAY_E_IO;
        at += n;
        size -= (size_t)n;
    }
    return 0;
}
