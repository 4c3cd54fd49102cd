/* SPDX-License-Identifier: MIT */
/* faymora version: what --version says; with --json for programs. */
#include "cli/cli.h"

int fay_version_print(const fay_cli *cli)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer text = {0};
    if (cli->json) {
        fay_buffer_printf(&text, "{\"schema\":1,\"version\":\"%s\",\"abi\":%d}\n",
                          fay_version_string(), FAY_ABI);
    } else {
        fay_buffer_printf(&text, "faymora %s\n", fay_version_string());
    }
    return fay_cli_print(&text);
}

static int run(fay_cli *cli)
{
    const char *word;
    if (!fay_cli_word(cli, &word))
        return cli->exit;
    if (word != NULL)
        return fay_cli_misuse(cli, "'%.100s' is one word too many", word);
    return fay_version_print(cli);
}

const fay_cli_command fay_command_version = {
    .name = "version",
    .usage = "version [--json]",
    .summary = "print the version",
    .examples = "faymora version\nfaymora version --json",
    .exits = "0 ok",
    .run = run,
};
