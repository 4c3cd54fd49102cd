/* SPDX-License-Identifier: MIT */
#include "host/file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"

size_t fay_host_read(const char *path, char *text, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t length = read(fd, text, size - 1);
    (void)close(fd);
    text[length > 0 ? length : 0] = '\0';
    return length > 0 ? (size_t)length : 0;
}

uint64_t fay_host_number(const char *path, const char *name)
{
    char text[FAY_PROC_TEXT_MAX];
    if (fay_host_read(path, text, sizeof text) == 0)
        return 0;
    for (const char *line = text; line != NULL;) {
        if (strncmp(line, name, strlen(name)) == 0)
            return strtoull(line + strlen(name), NULL, 10);
        line = strchr(line, '\n');
        line += line != NULL;
    }
    return 0;
}
