/* SPDX-License-Identifier: MIT */
#include "instance/output.h"

#include <errno.h>
#include <unistd.h>

#include "host/unlinked.h"

enum {
    LOAD = 256 * 1024,
    KEEP = 64 * 1024
};

void fay_held_output_init(fay_held_output *output)
{
    *output = (fay_held_output){.fd = -1};
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

static int write_out(fay_held_output *output)
{
    while (fay_buffer_size(&output->memory) > 0) {
        ssize_t n =
            write(output->fd, fay_buffer_data(&output->memory), fay_buffer_size(&output->memory));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            errno = n == 0 ? EIO : errno;
            return FAY_E_IO;
        }
        fay_buffer_consume(&output->memory, (size_t)n);
        output->written += (uint64_t)n;
    }
    return 0;
}

int fay_held_output_added(fay_held_output *output)
{
    if (fay_buffer_size(&output->memory) < FAY_OUTPUT_MEMORY)
        return 0;
    if (output->fd < 0 && (output->fd = fay_host_unlinked(NULL)) < 0)
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
    ssize_t n;
    do {
        n = pread(output->fd, fay_buffer_reserve(&output->memory, size), size, (off_t)output->read);
    } while (n < 0 && errno == EINTR);
    if (n < 0 || (size_t)n < size) {
        errno = n >= 0 ? EIO : errno; /* the file has lost bytes */
        return FAY_E_IO;
    }
    fay_buffer_commit(&output->memory, size);
    output->read += size;
    *ret_final = output->read == output->written;
    return 0;
}
