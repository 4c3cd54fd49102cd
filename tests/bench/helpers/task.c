/* SPDX-License-Identifier: MIT */
/*
 * A worker that takes a while for each Item, by sleeping or by burning CPU time, and that adds to
 * the Item when it began it and when it was done (CLOCK_MONOTONIC, microseconds: one clock for all
 * processes of the machine).
 *
 *     task frames|lines sleep|burn MS START_S [ITEM:FACTOR ..]
 *
 * An Item begins with its number. It takes half to one and a half times MS, by its number and MS
 * alone, so that every run has the same work; FACTOR times that from number ITEM on. START_S is
 * how long the worker takes before it can do anything: in mode frames Faymora is told when it is
 * ready, in mode lines it cannot know.
 */
#include <faymora.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../peers/burn.h"

static int burns;
static double ms, start_s;
static char **changes; /* ITEM:FACTOR, NULL-terminated */

static long long now_us(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (long long)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void sleep_ms(double time)
{
    struct timespec t = {.tv_sec = (time_t)(time / 1e3)};
    t.tv_nsec = (long)((time - (double)t.tv_sec * 1e3) * 1e6);
    while (nanosleep(&t, &t) != 0) {
    }
}

/* The same for every run: 0 to 1, evenly. */
static double chance(uint64_t number)
{
    uint64_t x = number * 0x9e3779b97f4a7c15u + (uint64_t)(ms * 1000);
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return (double)((x ^ (x >> 31)) >> 11) / 9007199254740992.0;
}

static void work(uint64_t number)
{
    double factor = 1;
    for (char **c = changes; *c != NULL; c++) {
        char *end;
        if (number >= strtoull(*c, &end, 10) && *end == ':')
            factor = atof(end + 1);
    }
    double time = ms * factor * (0.5 + chance(number));
    if (burns) {
        burn(time);
    } else {
        sleep_ms(time);
    }
}

/* The answer to an Item of `size` bytes; `out` has room for 64 more. */
static int answer(const char *item, int size, char *out)
{
    long long begun = now_us();
    work(strtoull(item, NULL, 10));
    return sprintf(out, "%.*s %lld %lld", size, item, begun, now_us());
}

static int process(void *self, fay_ctx *ctx, const fay_item *item)
{
    (void)self;
    size_t size;
    const char *data = fay_item_data(item, &size);
    char out[1024];
    if (size > sizeof out - 64)
        return FAY_POISON;
    int length = answer(data, (int)size, out);
    return fay_emit(ctx, out, (size_t)length) == FAY_OK ? FAY_ACK : FAY_RETRY;
}

static int init(void **self, const char *options, fay_error *err)
{
    (void)self;
    (void)options;
    (void)err;
    sleep_ms(start_s * 1e3);
    return FAY_OK;
}

static void serve_lines(void)
{
    static char line[1024], out[1024];
    sleep_ms(start_s * 1e3);
    while (fgets(line, sizeof line - 64, stdin) != NULL) {
        (void)answer(line, (int)strcspn(line, "\n"), out);
        (void)puts(out);
        (void)fflush(stdout);
    }
}

int main(int argc, char **argv)
{
    static const fay_worker_class task = {.size = sizeof task,
                                          .abi = FAY_ABI,
                                          .name = "task",
                                          .version = "1",
                                          .init = init,
                                          .process = process};
    if (argc < 5)
        return 2;
    burns = strcmp(argv[2], "burn") == 0;
    ms = atof(argv[3]);
    start_s = atof(argv[4]);
    changes = argv + 5;
    if (strcmp(argv[1], "frames") == 0)
        return fay_worker_main(argc, argv, &task);
    serve_lines();
    return 0;
}
