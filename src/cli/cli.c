/* SPDX-License-Identifier: MIT */
#include "cli/cli.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/units.h"

#define TIMEOUT_DEFAULT (5 * FAY_SECOND)

static const char *const later_verbs[] = {"put",    "ps",      "runs",   "logs",    "explain",
                                          "top",    "tap",     "attach", "scale",   "pause",
                                          "resume", "stop",    "drain",  "undrain", "kill",
                                          "spawn",  "channel", "addon",  "call",    "dashboard"};

static const char *variable(const char *name)
{
    const char *value = getenv(name); // NOLINT(concurrency-mt-unsafe): before there are threads
    return value != NULL ? value : "";
}

/* ---- what is printed ------------------------------------------------------------------------- */

int fay_cli_fail(const fay_error *err, int exit)
{
    fay_error_print(err);
    return exit;
}

static int misuse(const fay_cli *cli, const fay_error *err)
{
    (void)fay_cli_fail(err, FAY_EXIT_USAGE);
    (void)fprintf(stderr, "  help: faymora %s%s--help\n",
                  cli->command != NULL ? cli->command->name : "", cli->command != NULL ? " " : "");
    return FAY_EXIT_USAGE;
}

int fay_cli_misuse(fay_cli *cli, const char *format, ...)
{
    fay_error err = {.status = FAY_E_INVAL};
    va_list args;
    va_start(args, format);
    (void)vsnprintf(err.message, sizeof err.message, format, args);
    va_end(args);
    cli->exit = misuse(cli, &err);
    return cli->exit;
}

void fay_cli_config_text(fay_config_errors *errors)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer text = {0};
    fay_config_errors_print(errors, &text);
    (void)fwrite(fay_buffer_data(&text), 1, fay_buffer_size(&text), stderr);
}

int fay_cli_config_json(const fay_buffer *members)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer text = {0};
    fay_buffer_append_text(&text, "{\"schema\":1,\"errors\":[");
    fay_buffer_append(&text, fay_buffer_data(members), fay_buffer_size(members));
    fay_buffer_append_text(&text, "]}\n");
    return fay_cli_print(&text);
}

int fay_cli_print(const fay_buffer *text)
{
    const uint8_t *bytes = fay_buffer_data(text);
    size_t size = fay_buffer_size(text);
    while (size > 0) {
        ssize_t n = write(STDOUT_FILENO, bytes, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            fay_error err = {0};
            (void)fay_fail_errno(&err, FAY_E_IO, errno, "cannot write to stdout");
            return fay_cli_fail(&err, FAY_EXIT_IO);
        }
        bytes += n;
        size -= (size_t)n;
    }
    return FAY_EXIT_OK;
}

void fay_cli_die_of(int signal_number)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, signal_number);
    (void)sigaction(signal_number, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
    (void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    (void)raise(signal_number);
}

fay_ns fay_cli_timeout(const fay_cli *cli)
{
    return cli->timeout > 0 ? cli->timeout : TIMEOUT_DEFAULT;
}

bool fay_cli_coloured(const fay_cli *cli, int fd)
{
    switch (cli->colour) {
    case FAY_COLOUR_ALWAYS: return true;
    case FAY_COLOUR_NEVER: return false;
    case FAY_COLOUR_AUTO: break;
    }
    if (variable("NO_COLOR")[0] != '\0') /* no-color.org: set and not empty */
        return false;
    return isatty(fd) && variable("TERM")[0] != '\0' && strcmp(variable("TERM"), "dumb") != 0;
}

/* ---- global flags ---------------------------------------------------------------------------- */

static int print_help(const fay_cli *cli)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer text = {0};
    if (cli->command != NULL) {
        fay_help_command(cli->command, &text);
    } else {
        fay_help_program(&text);
    }
    return fay_cli_print(&text);
}

static bool set_colour(fay_cli *cli, const char *value)
{
    static const char *const names[] = {"auto", "always", "never"};
    for (size_t i = 0; i < FAY_COUNT(names); i++) {
        if (strcmp(value, names[i]) == 0) {
            cli->colour = (fay_cli_colour)i;
            return true;
        }
    }
    (void)fay_cli_misuse(cli, "'--color' is auto, always or never, not '%.100s'", value);
    return false;
}

static bool set_log_format(fay_cli *cli, const char *value)
{
    if (strcmp(value, "text") != 0 && strcmp(value, "json") != 0) {
        (void)fay_cli_misuse(cli, "'--log-format' is text or json, not '%.100s'", value);
        return false;
    }
    cli->log_json = strcmp(value, "json") == 0;
    return true;
}

/* Whether to go on. */
static bool take_global(fay_cli *cli)
{
    switch (cli->args.key) {
    case 'J': cli->json = true; return true;
    case 'q': cli->quiet = true; return true;
    case 'v': cli->verbose++; return true;
    case 'L': return set_log_format(cli, cli->args.value);
    case 'C': return set_colour(cli, cli->args.value);
    case 'T':
        if (fay_duration_parse(cli->args.value, &cli->timeout) == 0 && cli->timeout > 0)
            return true;
        (void)fay_cli_misuse(cli, "'--timeout' takes a duration above 0 such as 5s, not '%.100s'",
                             cli->args.value);
        return false;
    case 'g': cli->grid = cli->args.value; return true;
    case 'd': cli->tls.directory = cli->args.value; return true;
    case 'a': cli->tls.ca = cli->args.value; return true;
    case 'c': cli->tls.certificate = cli->args.value; return true;
    case 'k': cli->tls.key = cli->args.value; return true;
    case 'h': cli->exit = print_help(cli); return false;
    case 'V': cli->version = true; return true;
    default: abort(); /* a row of fay_global_flags that nobody takes */
    }
}

static void set_up_log(const fay_cli *cli)
{
    static const char *const names[] = {"trace", "debug", "info", "warn", "error"};
    fay_level least = cli->quiet ? FAY_ERROR : FAY_WARN;
    const char *wanted = variable("FAYMORA_LOG");
    bool known = wanted[0] == '\0' || strcmp(wanted, "json") == 0;
    for (size_t i = 0; i < FAY_COUNT(names); i++) {
        if (strcmp(wanted, names[i]) != 0)
            continue;
        least = (fay_level)i;
        known = true;
    }
    if (cli->verbose > 0)
        least = cli->verbose == 1 ? FAY_INFO : cli->verbose == 2 ? FAY_DEBUG : FAY_TRACE;
    fay_log_setup(least, cli->log_json);
    if (!known) {
        fay_log(FAY_WARN, "log.unknown", "FAYMORA_LOG=\"%.32s\" hint=\"%s\"", wanted,
                "trace, debug, info, warn, error or json");
    }
}

int fay_cli_next(fay_cli *cli)
{
    for (;;) {
        fay_error err = {0};
        int r = fay_args_next(&cli->args, &err);
        if (r < 0) {
            cli->exit = misuse(cli, &err);
            return FAY_CLI_STOP;
        }
        if (r == FAY_ARGS_FLAG && cli->args.global_flag) {
            if (!take_global(cli))
                return FAY_CLI_STOP;
            continue;
        }
        if (cli->version) { /* only now, for a --json behind it */
            cli->exit = fay_version_print(cli);
            return FAY_CLI_STOP;
        }
        if (r == FAY_ARGS_END)
            set_up_log(cli);
        return r;
    }
}

bool fay_cli_word(fay_cli *cli, const char **ret_word)
{
    *ret_word = NULL;
    int r;
    while ((r = fay_cli_next(cli)) == FAY_ARGS_WORD) {
        if (*ret_word != NULL) {
            (void)fay_cli_misuse(cli, "'%.100s' is one word too many", cli->args.value);
            return false;
        }
        *ret_word = cli->args.value;
    }
    if (r == FAY_ARGS_END && cli->args.at < cli->args.argc) {
        (void)fay_cli_misuse(cli, "'%s' takes no command behind --", cli->command->name);
        return false;
    }
    return r == FAY_ARGS_END;
}

/* ---- the verb -------------------------------------------------------------------------------- */

static int unknown_verb(fay_cli *cli, const char *verb)
{
    for (size_t i = 0; i < FAY_COUNT(later_verbs); i++) {
        if (strcmp(verb, later_verbs[i]) == 0)
            return fay_cli_misuse(cli, "'%s' is not in this version", verb);
    }
    const char *names[32];
    size_t count = 0;
    for (; count < FAY_COUNT(names) && fay_commands[count] != NULL; count++) {
        names[count] = fay_commands[count]->name;
    }
    fay_error err = {0};
    (void)fay_fail_with(&err, FAY_E_INVAL, "unknown command '%.100s'", verb);
    const char *meant = fay_suggest(verb, names, count);
    if (meant != NULL)
        fay_hint(&err, "did you mean '%s'?", meant);
    return misuse(cli, &err);
}

/* `faymora help`, `faymora help run` */
static int help_verb(fay_cli *cli)
{
    const char *verb;
    if (!fay_cli_word(cli, &verb))
        return cli->exit;
    if (verb != NULL) {
        cli->command = fay_command_find(verb);
        if (cli->command == NULL)
            return unknown_verb(cli, verb);
    }
    return print_help(cli);
}

int fay_cli_main(int argc, char **argv)
{
    fay_cli cli = {.args = {.argv = argv, .argc = argc, .at = 1, .global = fay_global_flags}};
    const char *env_log = variable("FAYMORA_LOG");
    cli.log_json = strcmp(env_log, "json") == 0;

    int r = fay_cli_next(&cli);
    if (r == FAY_CLI_STOP)
        return cli.exit;
    if (r == FAY_ARGS_END) {
        FAY_CLEANUP(fay_buffer_deinit) fay_buffer text = {0};
        fay_help_program(&text);
        (void)fwrite(fay_buffer_data(&text), 1, fay_buffer_size(&text), stderr);
        return FAY_EXIT_USAGE;
    }
    const char *verb = cli.args.value;
    if (strcmp(verb, "help") == 0)
        return help_verb(&cli);
    cli.command = fay_command_find(verb);
    if (cli.command == NULL)
        return unknown_verb(&cli, verb);
    cli.args.own = cli.command->flags;
    return cli.command->run(&cli);
}
