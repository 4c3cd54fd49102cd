/* SPDX-License-Identifier: MIT */
/* faymora lint: all that is wrong with pipeline files, with its place, in one go. */
#include <stdlib.h>

#include "cli/cli.h"
#include "pipeline/load.h"

typedef struct lint {
    const char **files;
    size_t count, capacity;
    fay_buffer json; /* the members of one array */
    int exit;
} lint;

static void lint_deinit(lint *all)
{
    free(all->files);
    fay_buffer_deinit(&all->json);
}

static void lint_file(fay_cli *cli, lint *all, const char *path)
{
    fay_config_errors errors = {0};
    FAY_CLEANUP(fay_pipeline_freep) fay_pipeline *pipeline = fay_pipeline_load(path, &errors);
    if (pipeline == NULL && cli->json) {
        fay_config_errors_json(&errors, &all->json);
        all->exit = FAY_EXIT_USAGE;
    } else if (pipeline == NULL) {
        fay_cli_config_text(&errors);
        all->exit = FAY_EXIT_USAGE;
    }
    fay_config_errors_deinit(&errors);
}

static int run(fay_cli *cli)
{
    FAY_CLEANUP(lint_deinit) lint all = {0};
    int r;
    while ((r = fay_cli_next(cli)) == FAY_ARGS_WORD) {
        FAY_RESERVE(all.files, all.capacity, all.count + 1);
        all.files[all.count++] = cli->args.value;
    }
    if (r == FAY_CLI_STOP)
        return cli->exit;
    if (all.count == 0 || cli->args.at < cli->args.argc)
        return fay_cli_misuse(cli, "'lint' takes pipeline files");

    for (size_t i = 0; i < all.count; i++) {
        lint_file(cli, &all, all.files[i]);
    }
    if (!cli->json)
        return all.exit;
    r = fay_cli_config_json(&all.json);
    return r != 0 ? r : all.exit;
}

const fay_cli_command fay_command_lint = {
    .name = "lint",
    .usage = "lint FILE..",
    .summary = "check pipeline files",
    .examples = "faymora lint pipeline.yaml\n"
                "faymora lint --json pipelines/*.yaml | jq -r '.errors[].message'",
    .notes = "Prints nothing when all is well. Each error has its file, line and column.\n"
             "With --json: {\"schema\":1,\"errors\":[{\"file\",\"line\",\"column\",\"severity\",\n"
             "\"message\",\"hint\"}]} on stdout.",
    .exits = "0 ok, 2 errors in a file, or one that cannot be read",
    .words = "@",
    .run = run,
};
