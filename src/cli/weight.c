/* SPDX-License-Identifier: MIT */
/* faymora weight: how heavy a Node is on the scales from now on, wherever it is. */
#include <math.h>
#include <stdlib.h>

#include "cli/reach.h"

static const fay_flag flags[] = {FAY_REACH_FLAGS, {0}};

/* "2", "-0.5", "+1e3": digits behind the sign, neither a blank nor "inf". */
static bool parse_weight(const char *text, double *ret)
{
    char *end = NULL;
    const char *digits = text[0] == '+' || text[0] == '-' ? text + 1 : text;
    *ret = strtod(text, &end);
    return (digits[0] == '.' || (digits[0] >= '0' && digits[0] <= '9')) && *end == '\0' &&
           isfinite(*ret);
}

static int print_weight(const fay_cli *cli, json_t *result)
{
    if (cli->json)
        return fay_reach_print_answer(result);
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer text = {0};
    FAY_CLEANUP(fay_freep) char *node = fay_reach_text(result, "node");
    double weight = json_number_value(json_object_get(result, "weight"));
    fay_buffer_printf(&text, "%s: weight %+g\n", node != NULL ? node : "?", weight);
    return cli->quiet ? 0 : fay_cli_print(&text);
}

static int set_weight(fay_reach *reach, const char *node, double weight)
{
    int exit = fay_reach_open(reach, NULL);
    if (exit != 0)
        return exit;
    json_t *args = json_pack("{s:s, s:f}", "node", node, "weight", weight);
    json_t *result = fay_reach_call(reach, "weight", args, &exit);
    if (result != NULL)
        exit = print_weight(reach->cli, result);
    json_decref(result);
    return exit;
}

static int run(fay_cli *cli)
{
    fay_reach reach = {0};
    const char *words[2] = {NULL};
    double weight;
    cli->args.numbers = true;
    if (!fay_reach_parse(&reach, cli, words, FAY_COUNT(words), NULL, NULL))
        return cli->exit;
    if (words[1] == NULL)
        return fay_cli_misuse(cli, "'weight' takes the name or id of a Node, and a number");
    if (!parse_weight(words[1], &weight)) {
        return fay_cli_misuse(cli, "a weight is a number such as 2 or -0.5, not '%.100s'",
                              words[1]);
    }
    int exit = set_weight(&reach, words[0], weight);
    fay_reach_close(&reach);
    return exit;
}

const fay_cli_command fay_command_weight = {
    .name = "weight",
    .usage = "weight NODE [+-]W",
    .summary = "how heavy a Node is on the scales",
    .examples = "faymora weight a 2          # looks twice as busy: gets half as much work\n"
                "faymora weight b -1         # flipped: in a horizontal Grid it is filled first\n"
                "faymora weight 3f9a0c 1     # by the first digits of its id",
    .notes = "Where the strategy is horizontal, work goes to the Node with the least weight times\n"
             "burden; where it is vertical, to the one with the most. A negative weight flips the\n"
             "strategy of that Node; 0 puts it between the two groups. It holds until the Node\n"
             "ends. Any Node may be called for any other. `faymora nodes` shows the weights.",
    .exits = "0 ok\n"
             "2 usage; or no Node has that name, or two have it\n"
             "4 no Node can be called, or the certificate does not have the role for it",
    .flags = flags,
    .run = run,
};
