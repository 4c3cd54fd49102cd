/* SPDX-License-Identifier: MIT */
#include "instance/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    LOAD = 256 * 1024,
    KEEP = 64 * 1024
};

void fay_held_output_init(fay_held_output *output, const char *directory)
{
    *output = (fay_held_output){.directory = directory, .fd = -1};
}

void fay_held_output_clear(fay_held_output *output)
{
    if (output->fd >= 0)
        (void)close(output->fd);
    output->fd = -1;
    output->written = output->read = 0;
    if (output->memory.capacity > KEEP) {
        fay_buffer_deinit(&output->memory);
    } else {
        fay_buffer_clear(&output->memory);
    }
}

static int open_unlinked(const char *directory)
{
    const char *tmp = getenv("TMPDIR"); // NOLINT(concurrency-mt-unsafe): one thread
    if (directory[0] == '\0')
        directory = tmp != NULL && tmp[0] != '\0' ? tmp : "/tmp";
    int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT))
        return fd;
    char path[4096]; /* a file system without O_TMPFILE */
    int length = snprintf(path, sizeof path, "%s/faymora-XXXXXX", directory);
    if (length < 0 || (size_t)length >= sizeof path)
        return -1;
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        (void)unlink(path);
    return fd;
}

static int write_out(fay_held_output *output)
{
    while (fay_buffer_size(&output->memory) > 0) {
        ssize_t n =
            write(output->fd, fay_buffer_data(&output->memory), fay_buffer_size(&output->memory));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return FAY_E_IO;
        fay_buffer_consume(&output->memory, (size_t)n);
        output->written += (uint64_t)n;
    }
    return 0;
}

int fay_held_output_added(fay_held_output *output)
{
    if (fay_buffer_size(&output->memory) < FAY_OUTPUT_MEMORY)
        return 0;
    if (output->fd < 0 && (output->fd = open_unlinked(output->directory)) < 0)
        return FAY_E_IO;
    return write_out(output);
}

uint64_t fay_held_output_size(const fay_held_output *output)
{
    return output->written + fay_buffer_size(&output->memory);
}

int fay_held_output_load(fay_held_output *output, bool *ret_final)
{
    *ret_final = true;
    if (output->fd < 0)
        return 0;
    if (output->read == 0 && write_out(output) != 0) /* the end of it is in memory still */
        return FAY_E_IO;
    size_t size = (size_t)FAY_MIN(output->written - output->read, (uint64_t)LOAD);
    ssize_t n =
        pread(output->fd, fay_buffer_reserve(&output->memory, size), size, (off_t)output->read);
    if (n < 0 || (size_t)n < size)
        return FAY_E_IO;
    fay_buffer_commit(&output->memory, size);
    output->read += size;
    *ret_final = output->read == output->written;
    return 0;
}
