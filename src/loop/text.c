/* SPDX-License-Identifier: MIT */
#include "loop/text.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"

char *fay_run_path(const char *directory, const char *path)
{
    if (path[0] == '/' || directory[0] == '\0')
        return fay_strdup(path);
    bool slash = directory[strlen(directory) - 1] == '/';
    return fay_printed("%s%s%s", directory, slash ? "" : "/", path);
}

char *fay_run_named(const char *text, const char *name, const char *run)
{
    fay_buffer out = {0};
    while (*text != '\0') {
        if (strncmp(text, "{name}", 6) == 0) {
            fay_buffer_append_text(&out, name);
            text += 6;
        } else if (strncmp(text, "{run}", 5) == 0) {
            fay_buffer_append_text(&out, run);
            text += 5;
        } else {
            fay_buffer_append(&out, text++, 1);
        }
    }
    (void)fay_buffer_text(&out);
    size_t size;
    return fay_buffer_take(&out, &size);
}

int fay_run_write_all(int fd, const void *bytes, size_t size)
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
