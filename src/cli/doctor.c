/* SPDX-License-Identifier: MIT */
/* faymora doctor: what keeps a Node from working here, and what a Node finds of itself. */
#include "cli/doctor.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "item/json.h"

static const fay_flag flags[] = {FAY_REACH_FLAGS, {0}};

static void add_found(fay_check_up *up, const char *node, const char *name, bool ok,
                      const char *message, const char *hint)
{
    json_t *check = json_pack("{s:o, s:s, s:b, s:s, s:s}", "node",
                              node != NULL ? json_string(node) : json_null(), "name", name, "ok",
                              (int)ok, "message", message, "hint", hint != NULL ? hint : "");
    if (check == NULL) { /* a path that is not UTF-8 */
        check = json_pack("{s:n, s:s, s:b, s:s, s:s}", "node", "name", name, "ok", (int)ok,
                          "message", "?", "hint", "");
    }
    (void)json_array_append_new(up->checks, check);
}

void fay_doctor_add(fay_check_up *up, const char *name, bool ok, const char *message,
                    const char *hint)
{
    add_found(up, NULL, name, ok, message, hint);
}

/* ---- a Node ---------------------------------------------------------------------------------- */

static void add_answer(fay_check_up *up, const json_t *answer)
{
    size_t i;
    json_t *check;
    json_array_foreach(json_object_get(answer, "checks"), i, check)
    {
        FAY_CLEANUP(fay_freep) char *name = fay_reach_text(check, "name");
        FAY_CLEANUP(fay_freep) char *message = fay_reach_text(check, "message");
        FAY_CLEANUP(fay_freep) char *hint = fay_reach_text(check, "hint");
        bool ok = json_is_true(json_object_get(check, "ok"));
        if (name != NULL && message != NULL)
            add_found(up, fay_client_where(up->reach.client), name, ok, message, hint);
    }
}

/* Which Node is meant need not be said; if it is, it has to be there. */
static bool is_said(const fay_check_up *up, const char *address)
{
    const char *variable = fay_cli_variable(NULL, "FAYMORA_GRID");
    return address != NULL || up->reach.cli->grid != NULL || up->reach.name != NULL ||
           up->reach.state != NULL || (variable != NULL && variable[0] != '\0');
}

/* 0, or the exit code of wrong usage. */
static int call_node(fay_check_up *up, const char *address)
{
    fay_error err = {0};
    fay_client_error why = {0};
    int exit = address != NULL ? fay_reach_dial(&up->reach, address, &err)
                               : fay_reach_open(&up->reach, &err);
    if (exit == FAY_EXIT_USAGE)
        return err.message[0] != '\0' ? fay_cli_fail(&err, exit) : exit;
    if (exit != 0) {
        bool fine = err.status == FAY_E_NOTFOUND && !is_said(up, address);
        fay_doctor_add(up, "node", fine, err.message, err.hint);
        return 0;
    }
    FAY_CLEANUP(fay_freep)
    char *reached = fay_printed("%s answers", fay_client_where(up->reach.client));
    json_t *answer =
        fay_client_call(up->reach.client, "doctor", NULL, fay_cli_timeout(up->reach.cli), &why);
    fay_doctor_add(up, "node", answer != NULL, answer != NULL ? reached : why.error.message,
                   why.error.hint);
    add_answer(up, answer);
    json_decref(answer);
    return 0;
}

/* ---- what is printed ------------------------------------------------------------------------- */

static void append_check(fay_buffer *out, const json_t *check, bool coloured)
{
    const char *hint = json_string_value(json_object_get(check, "hint"));
    bool ok = json_is_true(json_object_get(check, "ok"));
    const char *word = !ok ? "FAIL" : hint[0] != '\0' ? "note" : "ok";
    const char *colour = !ok ? "\x1b[31m" : hint[0] != '\0' ? "\x1b[33m" : "\x1b[32m";
    fay_buffer_printf(out, "%s%-4s%s  %-18s  %s\n", coloured ? colour : "", word,
                      coloured ? "\x1b[0m" : "", json_string_value(json_object_get(check, "name")),
                      json_string_value(json_object_get(check, "message")));
    if (hint[0] != '\0')
        fay_buffer_printf(out, "        hint: %s\n", hint);
}

/* What the Node has found comes last. */
static void append_text(fay_buffer *out, const fay_check_up *up)
{
    bool coloured = fay_cli_coloured(up->reach.cli, STDOUT_FILENO), heard = false;
    size_t i;
    json_t *check;
    json_array_foreach(up->checks, i, check)
    {
        const char *node = json_string_value(json_object_get(check, "node"));
        if (up->reach.cli->quiet && json_is_true(json_object_get(check, "ok")))
            continue;
        if (node != NULL && !heard)
            fay_buffer_printf(out, "%s says of itself:\n", node);
        heard = node != NULL;
        append_check(out, check, coloured);
    }
}

static bool is_well(const json_t *checks)
{
    bool well = true;
    size_t i;
    json_t *check;
    json_array_foreach(checks, i, check)
    {
        well = well && json_is_true(json_object_get(check, "ok"));
    }
    return well;
}

static int print_checks(const fay_check_up *up)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer text = {0};
    if (up->reach.cli->json) {
        fay_buffer_append_text(&text, "{\"schema\":1,\"checks\":");
        fay_json_append_value(&text, up->checks);
        fay_buffer_append_text(&text, "}\n");
    } else {
        append_text(&text, up);
    }
    int exit = fay_cli_print(&text);
    return exit == 0 && !is_well(up->checks) ? FAY_EXIT_TLS : exit;
}

static int run(fay_cli *cli)
{
    fay_check_up up = {.checks = json_array()};
    const char *address = NULL;
    int exit;
    if (fay_reach_parse(&up.reach, cli, &address, 1, NULL, NULL)) {
        fay_doctor_look(&up);
        exit = call_node(&up, address);
        if (exit == 0)
            exit = print_checks(&up);
    } else {
        exit = cli->exit;
    }
    fay_reach_close(&up.reach);
    json_decref(up.checks);
    return exit;
}

const fay_cli_command fay_command_doctor = {
    .name = "doctor",
    .usage = "doctor [HOST:PORT]",
    .summary = "what keeps a Node from working, here or there",
    .examples = "faymora doctor               # this machine, and the Node on it if there is one\n"
                "faymora doctor b:7331        # whether that one can be called, and what it says\n"
                "faymora doctor --json | jq '.checks[] | select(.ok | not)'",
    .notes =
        "FAIL is what keeps a Node or a command from working; a note is worth knowing. Looked\n"
        "at are keys and certificates, the clock, limits of files and processes, cores,\n"
        "memory and cgroups, the port, and the programs; then the Node is asked.",
    .exits = "0 nothing is wrong\n"
             "2 usage\n"
             "4 something is",
    .flags = flags,
    .run = run,
};
