/* SPDX-License-Identifier: MIT */
/*
 * A frames worker, which emits what it is given. -u USEC: takes that long for each Item;
 * -c ITEM: crashes on that Item; -x ITEM: says that it is poison; -f ITEM: says try again.
 */
#include <faymora.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static long usec;
static const char *crash, *poison, *fails;

static bool is(const char *text, const char *data, size_t length)
{
    return text != NULL && strlen(text) == length && memcmp(text, data, length) == 0;
}

static int process(void *self, fay_ctx *ctx, const fay_item *in)
{
    size_t length;
    const char *data = fay_item_data(in, &length);
    (void)self;
    if (is(crash, data, length)) {
        fprintf(stderr, "crashing on %s\n", crash);
        raise(SIGKILL);
    }
    if (is(poison, data, length))
        return fay_fail(ctx, FAY_POISON, "no good");
    if (is(fails, data, length))
        return fay_fail(ctx, FAY_RETRY, "not now");
    if (usec > 0)
        nanosleep(&(struct timespec){usec / 1000000, usec % 1000000 * 1000}, NULL);
    return fay_emit(ctx, data, length) == FAY_OK ? FAY_ACK : FAY_RETRY;
}

int main(int argc, char **argv)
{
    static const fay_worker_class cls = {
        .size = sizeof cls, .abi = FAY_ABI, .name = "frame", .version = "1", .process = process};
    for (int option; (option = getopt(argc, argv, "u:c:x:f:")) != -1;) {
        switch (option) {
        case 'u': usec = atol(optarg); break;
        case 'c': crash = optarg; break;
        case 'x': poison = optarg; break;
        case 'f': fails = optarg; break;
        default: return 2;
        }
    }
    return fay_worker_main(argc, argv, &cls);
}
