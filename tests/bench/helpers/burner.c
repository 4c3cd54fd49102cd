/* SPDX-License-Identifier: MIT */
/*
 * A worker that burns MS milliseconds of CPU time for each Item, in three modes. As little C as
 * each mode takes, so that what is measured is Faymora.
 *
 *     burner lines|json|frames MS
 */
#include <faymora.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../peers/burn.h"

static double ms;

static void serve_lines(void)
{
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, stdin) > 0) {
        burn(ms);
        (void)fputs(line, stdout);
        (void)fflush(stdout);
    }
    free(line);
}

static void serve_json(void)
{
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, stdin) > 0) {
        const char *id = strstr(line, "\"id\":"); /* the first member */
        if (id == NULL)
            exit(1);
        burn(ms);
        printf("{\"id\":%llu,\"emit\":[\"done\"]}\n", strtoull(id + 5, NULL, 10));
        (void)fflush(stdout);
    }
    free(line);
}

static int process(void *self, fay_ctx *ctx, const fay_item *item)
{
    (void)self;
    size_t size;
    const void *data = fay_item_data(item, &size);
    burn(ms);
    return fay_emit(ctx, data, size) == FAY_OK ? FAY_ACK : FAY_RETRY;
}

int main(int argc, char **argv)
{
    static const fay_worker_class burner = {.size = sizeof burner,
                                            .abi = FAY_ABI,
                                            .name = "burner",
                                            .version = "1",
                                            .process = process};
    if (argc != 3)
        return 2;
    ms = atof(argv[2]);
    if (strcmp(argv[1], "frames") == 0)
        return fay_worker_main(argc, argv, &burner);
    if (strcmp(argv[1], "json") == 0) {
        serve_json();
    } else {
        serve_lines();
    }
    return 0;
}
