/* SPDX-License-Identifier: MIT */
/* faymora events: what happens in the Grid, as a Node hears it, one line each. */
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/units.h"
#include "cli/reach.h"
#include "item/json.h"

enum {
    FOLLOW = 1,
    SINCE
};

static const fay_flag flags[] = {
    {"follow", 'f', FOLLOW, NULL, "go on, with what happens from now on"},
    {"since", 0, SINCE, "D", "from so long ago, as far as the Node remembers"},
    FAY_REACH_FLAGS,
    {0},
};

typedef struct events {
    fay_reach reach;
    bool follow;
    bool since_said;
    fay_ns since;
    bool unread; /* nobody reads stdout any more */
    int exit;    /* of writing */
} events;

/* ---- a line ---------------------------------------------------------------------------------- */

/* "2026-11-24T21:13:00.123456Z" as "21:13:00.123" of our time zone; as it is if it is no such. */
static void append_time(fay_buffer *out, const char *text)
{
    struct tm parts = {0};
    const char *rest = text != NULL ? strptime(text, "%Y-%m-%dT%H:%M:%S", &parts) : NULL;
    if (rest == NULL || rest[0] != '.' || strlen(rest) < 4) {
        fay_buffer_append_text(out, text != NULL ? text : "-");
        return;
    }
    char clock[16];
    time_t seconds = timegm(&parts);
    (void)localtime_r(&seconds, &parts);
    (void)strftime(clock, sizeof clock, "%H:%M:%S", &parts);
    fay_buffer_printf(out, "%s%.4s", clock, rest);
}

static void append_member(fay_buffer *out, const json_t *event)
{
    FAY_CLEANUP(fay_freep) char *node = fay_reach_text(event, "node");
    FAY_CLEANUP(fay_freep) char *state = fay_reach_text(event, "state");
    FAY_CLEANUP(fay_freep) char *was = fay_reach_text(event, "was");
    fay_buffer_printf(out, "%s is %s", node != NULL ? node : "?", state != NULL ? state : "?");
    if (was != NULL)
        fay_buffer_printf(out, ", was %s", was);
}

static void append_user(fay_buffer *out, const json_t *event)
{
    FAY_CLEANUP(fay_freep) char *name = fay_reach_text(event, "name");
    FAY_CLEANUP(fay_freep) char *text = fay_reach_text(event, "text");
    FAY_CLEANUP(fay_freep) char *node = fay_reach_text(event, "node");
    bool more = text != NULL && text[0] != '\0';
    fay_buffer_printf(out, "%s%s%s  (by %s)", name != NULL ? name : "?", more ? ": " : "",
                      more ? text : "", node != NULL ? node : "?");
}

/* One that a later version knows: all that it says. */
static void append_other(fay_buffer *out, const json_t *event)
{
    const char *name;
    json_t *value;
    const char *blank = "";
    json_object_foreach((json_t *)(uintptr_t)event, name, value) // NOLINT: it is not changed
    {
        if (strcmp(name, "schema") == 0 || strcmp(name, "time") == 0 || strcmp(name, "event") == 0)
            continue;
        fay_buffer_printf(out, "%s%s=", blank, name);
        fay_json_append_value(out, value);
        blank = " ";
    }
}

static void append_line(fay_buffer *out, const json_t *event)
{
    FAY_CLEANUP(fay_freep) char *time_text = fay_reach_text(event, "time");
    FAY_CLEANUP(fay_freep) char *kind = fay_reach_text(event, "event");
    append_time(out, time_text);
    fay_buffer_printf(out, "  %-7s ", kind != NULL ? kind : "?");
    if (kind != NULL && strcmp(kind, "member") == 0) {
        append_member(out, event);
    } else if (kind != NULL && strcmp(kind, "user") == 0) {
        append_user(out, event);
    } else {
        append_other(out, event);
    }
    fay_buffer_append_text(out, "\n");
}

/* ---- the verb -------------------------------------------------------------------------------- */

static bool on_event(void *context, const json_t *event)
{
    events *e = context;
    if (e->reach.cli->json) {
        e->exit = fay_reach_print_json(event);
    } else {
        FAY_CLEANUP(fay_buffer_deinit) fay_buffer line = {0};
        append_line(&line, event);
        e->exit = fay_cli_print(&line);
    }
    return e->exit == 0;
}

/* Who reads a pipe may leave long before anything happens that would be written to it. */
static bool is_wanted(void *context)
{
    events *e = context;
    struct pollfd out = {.fd = STDOUT_FILENO};
    e->unread = poll(&out, 1, 0) > 0 && (out.revents & POLLERR) != 0;
    return !e->unread;
}

static int show(events *e)
{
    fay_client_error why = {0};
    int exit = fay_reach_open(&e->reach, NULL);
    if (exit != 0)
        return exit;
    fay_ns since = e->since_said || e->follow ? e->since : FAY_NEVER; /* all */
    const fay_client_stream stream = {
        .verb = "events",
        .args = json_pack("{s:o}", "since",
                          since > 0 ? json_real((double)since / (double)FAY_SECOND) : json_null()),
        .each = on_event,
        .wanted = is_wanted,
        .context = e,
        .timeout = e->follow ? 0 : fay_cli_timeout(e->reach.cli)};
    if (fay_client_listen(e->reach.client, &stream, &why) < 0)
        return fay_reach_fail(&why);
    return e->exit;
}

static bool take_flag(fay_cli *cli, void *context)
{
    events *e = context;
    if (cli->args.key == FOLLOW) {
        e->follow = true;
        return true;
    }
    e->since_said = true;
    if (fay_duration_parse(cli->args.value, &e->since) == 0)
        return true;
    (void)fay_cli_misuse(cli, "'--since' takes a duration such as 10m, not '%.100s'",
                         cli->args.value);
    return false;
}

static int run(fay_cli *cli)
{
    events e = {0};
    if (!fay_reach_parse(&e.reach, cli, NULL, 0, take_flag, &e))
        return cli->exit;
    int exit = show(&e);
    fay_reach_close(&e.reach);
    if (e.unread)
        fay_cli_die_of(SIGPIPE);
    return exit;
}

const fay_cli_command fay_command_events = {
    .name = "events",
    .usage = "events [-f] [--since D] [--json]",
    .summary = "what happens in the Grid",
    .examples = "faymora events                # what the Node remembers\n"
                "faymora events -f             # from now on, until Ctrl-C\n"
                "faymora events -f --since 1h --json | jq -c 'select(.event == \"member\")'",
    .notes =
        "Members that join, are suspected, die, return or leave, and what `faymora event` says;\n"
        "as the Node that is called has heard it. Each Node remembers the latest few hundred.\n"
        "With --json one object a line, flushed as it comes.",
    .exits = "0 ok\n"
             "2 usage\n"
             "4 no Node can be called; or it has ended, or is not reached any more",
    .flags = flags,
    .run = run,
};
