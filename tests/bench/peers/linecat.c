/* SPDX-License-Identifier: MIT */
/*
 * A line filter as a user would write it in C: finds each line, appends it to the output buffer,
 * flushes when its input runs dry (a short read) or the buffer is full. It knows nothing of
 * Faymora, and is the same program under every runner.
 *
 *     linecat <IN >OUT
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    SIZE = 1 << 18
};
static char in[SIZE], out[SIZE];
static size_t filled;

static void flush(void)
{
    for (size_t at = 0; at < filled;) {
        ssize_t n = write(1, out + at, filled - at);
        if (n <= 0)
            exit(1);
        at += (size_t)n;
    }
    filled = 0;
}

static void line(const char *bytes, size_t size)
{
    if (filled + size > SIZE)
        flush();
    memcpy(out + filled, bytes, size);
    filled += size;
}

int main(void)
{
    size_t have = 0;
    for (ssize_t n; (n = read(0, in + have, SIZE - have)) > 0;) {
        size_t room = SIZE - have, at = 0;
        have += (size_t)n;
        for (char *end; (end = memchr(in + at, '\n', have - at)) != NULL;) {
            size_t size = (size_t)(end - in) + 1 - at;
            line(in + at, size);
            at += size;
        }
        if (at == 0 && have == SIZE) { /* a line longer than the buffer passes in parts */
            line(in, SIZE);
            at = SIZE;
        }
        memmove(in, in + at, have - at);
        have -= at;
        if ((size_t)n < room)
            flush();
    }
    line(in, have);
    flush();
    return 0;
}
