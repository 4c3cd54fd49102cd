/* SPDX-License-Identifier: MIT */
/* faymora event: says something that everybody hears who looks at events, at any Node. */
#include "cli/reach.h"

static const fay_flag flags[] = {FAY_REACH_FLAGS, {0}};

static int send_event(fay_reach *reach, const char *name, const char *text)
{
    int exit = fay_reach_open(reach, NULL);
    if (exit != 0)
        return exit;
    json_t *args = json_pack("{s:s, s:s}", "name", name, "text", text);
    json_t *result = fay_reach_call(reach, "event", args, &exit);
    if (result != NULL && reach->cli->json)
        exit = fay_reach_print_answer(result);
    json_decref(result);
    return exit;
}

static int run(fay_cli *cli)
{
    fay_reach reach = {0};
    const char *words[2] = {NULL};
    if (!fay_reach_parse(&reach, cli, words, FAY_COUNT(words), NULL, NULL))
        return cli->exit;
    if (words[0] == NULL)
        return fay_cli_misuse(cli, "'event' takes a name, and a text if there is more to say");
    int exit = send_event(&reach, words[0], words[1] != NULL ? words[1] : "");
    fay_reach_close(&reach);
    return exit;
}

const fay_cli_command fay_command_event = {
    .name = "event",
    .usage = "event NAME [TEXT]",
    .summary = "tell something to all Nodes' event streams",
    .examples = "faymora event deploy 'version 7 is out'\n"
                "faymora events -f --json | jq -r 'select(.event == \"user\") | .name'",
    .notes =
        "Everybody sees it who runs `faymora events`, at whatever Node. Nodes that are cut off\n"
        "at that moment may never hear it.",
    .exits = "0 ok: the Node that was called has passed it on\n"
             "2 usage; or a name or text that is too long\n"
             "4 no Node can be called, or the certificate does not have the role for it",
    .flags = flags,
    .run = run,
};
