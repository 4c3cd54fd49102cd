/* SPDX-License-Identifier: MIT */
/*
 * A worker that must never be told to go while it has an Item: careful LOG lines|json|frames USEC.
 * It gives each Item back as it is after USEC, and appends to LOG, each line in one write:
 *
 *     PID + ITEM      begins it
 *     PID - ITEM      is done with it
 *     PID ! WHY       was told to go in between
 */
#include <faymora.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int log_fd;
static long usec;
static volatile sig_atomic_t has_item;

static void note(char sign, const char *text, size_t length)
{
    char line[128];
    int size = snprintf(line, sizeof line, "%d %c %.*s\n", (int)getpid(), sign, (int)length, text);
    if (write(log_fd, line, (size_t)size) != size)
        _exit(4);
}

static void complain(const char *why)
{
    note('!', why, strlen(why));
}

static void on_term(int number)
{
    (void)number;
    if (has_item)
        (void)!write(log_fd, "0 ! TERM\n", 9);
    _exit(0);
}

static void work(const char *item, size_t length)
{
    has_item = 1;
    note('+', item, length);
    nanosleep(&(struct timespec){usec / 1000000, usec % 1000000 * 1000}, NULL);
}

static void worked(const char *item, size_t length)
{
    note('-', item, length);
    has_item = 0;
}

/* ---- lines, json ----------------------------------------------------------------------------- */

static bool input_has_ended(void)
{
    struct pollfd in = {.fd = STDIN_FILENO, .events = POLLRDHUP};
    return poll(&in, 1, 0) > 0 && (in.revents & (POLLHUP | POLLRDHUP)) != 0;
}

/* Items are numbers, so the first quote behind ends one. */
static void serve_line(const char *line, bool json)
{
    const char *item = line;
    long id = 0;
    if (json) {
        id = atol(strstr(line, "\"id\":") + 5);
        item = strstr(line, "\"item\":\"") + 8;
    }
    size_t length = strcspn(item, "\"");
    work(item, length);
    if (input_has_ended())
        complain("its input has ended");
    if (json) {
        printf("{\"id\":%ld,\"emit\":[\"%.*s\"]}\n", id, (int)length, item);
    } else {
        printf("%s\n", item);
    }
    worked(item, length); /* first: who reads the answer may end us at once */
    fflush(stdout);
}

static int serve_lines(bool json)
{
    static char text[1 << 16], out[1 << 12];
    size_t have = 0;
    setvbuf(stdout, out, _IOFBF, sizeof out);
    for (ssize_t n; (n = read(STDIN_FILENO, text + have, sizeof text - have)) > 0;) {
        have += (size_t)n;
        char *at = text;
        for (char *end; (end = memchr(at, '\n', have - (size_t)(at - text))) != NULL;
             at = end + 1) {
            *end = '\0';
            serve_line(at, json);
        }
        have -= (size_t)(at - text);
        memmove(text, at, have);
    }
    if (have > 0)
        complain("its input has ended within a line");
    return 0;
}

/* ---- frames ---------------------------------------------------------------------------------- */

static int process(void *self, fay_ctx *ctx, const fay_item *in)
{
    size_t length;
    const char *data = fay_item_data(in, &length);
    (void)self;
    work(data, length);
    if (fay_stopping(ctx))
        complain("it was told to stop");
    int r = fay_emit(ctx, data, length);
    worked(data, length);
    return r == FAY_OK ? FAY_ACK : FAY_RETRY;
}

int main(int argc, char **argv)
{
    static const fay_worker_class cls = {
        .size = sizeof cls, .abi = FAY_ABI, .name = "careful", .version = "1", .process = process};
    if (argc != 4)
        return 2;
    log_fd = open(argv[1], O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    usec = atol(argv[3]);
    if (log_fd < 0)
        return 3;
    if (strcmp(argv[2], "frames") == 0)
        return fay_worker_main(argc, argv, &cls);
    signal(SIGTERM, on_term);
    return serve_lines(strcmp(argv[2], "json") == 0);
}
