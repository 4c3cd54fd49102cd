/* SPDX-License-Identifier: MIT */
/*
 * The command line: `faymora [flags] VERB [flags] ..`.
 *
 *     argv --args.h--> global flags, taken here --+--> fay_cli
 *                      the verb's flags, words ---+--> the verb's function --> exit code
 *
 * One file a verb. A verb walks through its arguments with fay_cli_next(), which takes the global
 * flags (they may stand before or after the verb, up to `--`), answers -h and --version, and prints
 * what is wrong; then it does its work and returns an exit code.
 *
 * Verbs are rows of one table, with all that help and completion say about them.
 */
#ifndef FAY_CLI_H
#define FAY_CLI_H

#include "base/base.h"
#include "base/buffer.h"
#include "cli/args.h"
#include "pipeline/errors.h"
#include "pki/settings.h"
#include "run/run.h"

typedef struct fay_cli fay_cli;

typedef struct fay_cli_command {
    const char *name;
    const char *usage;     /* lines behind "faymora "; '\n' between several */
    const char *summary;   /* half a line */
    const char *examples;  /* whole lines */
    const char *notes;     /* whole lines, or NULL */
    const char *exits;     /* exit codes, whole lines */
    const char *words;     /* what completion offers besides flags: words; "@" = files */
    const fay_flag *flags; /* or NULL */
    int (*run)(fay_cli *cli);
} fay_cli_command;

typedef enum fay_cli_colour {
    FAY_COLOUR_AUTO,
    FAY_COLOUR_ALWAYS,
    FAY_COLOUR_NEVER
} fay_cli_colour;

struct fay_cli {
    fay_args args;
    const fay_cli_command *command; /* NULL before the verb */
    int exit;                       /* what to return when fay_cli_next() stops */
    bool json, quiet;
    bool version; /* --version was met: nothing else is done */
    unsigned verbose;
    bool log_json;
    fay_cli_colour colour;
    fay_ns timeout;    /* of the Grid's answers; 0 = not said */
    const char *grid;  /* --grid: whom to call, see cli/reach.h; NULL = not said */
    fay_tls_flags tls; /* --tls-dir, --ca, --cert, --key */
};

enum {
    FAY_EXIT_TLS = 4 /* beside those of a run: keys and certificates, the Grid */
};

/* argv[0] is the program. Returns the exit code. */
int fay_cli_main(int argc, char **argv);

enum {
    FAY_CLI_STOP = -1
};
/*
 * The verb's next argument: FAY_ARGS_FLAG (cli->args.key, .value), FAY_ARGS_WORD (.value) or
 * FAY_ARGS_END. FAY_CLI_STOP: return cli->exit; help was given, or an error printed.
 */
int fay_cli_next(fay_cli *cli);

/* For a verb that takes one word or none: the word, or NULL. false: return cli->exit. */
bool fay_cli_word(fay_cli *cli, const char **ret_word);

/* Prints "faymora: error: .." and returns FAY_EXIT_USAGE, with the verb's help to turn to. */
int fay_cli_misuse(fay_cli *cli, const char *format, ...) FAY_PRINTF(2, 3);
/* Prints an error with its hint; returns `exit`. */
int fay_cli_fail(const fay_error *err, int exit);
/*
 * All errors of a pipeline, or why it cannot be read: to stderr for people; or as
 * {"schema":1,"errors":[MEMBERS]} to stdout, where the members are what fay_config_errors_json()
 * has appended for one file or several: 0, or the exit code if stdout cannot be written.
 */
void fay_cli_config_text(fay_config_errors *errors);
int fay_cli_config_json(const fay_buffer *members);

/* How long an answer of the Grid may take: --timeout, or what holds without it. */
fay_ns fay_cli_timeout(const fay_cli *cli);

/* Whether to write colours to this descriptor: --color, NO_COLOR, TERM, isatty. */
bool fay_cli_coloured(const fay_cli *cli, int fd);

/* Dies of this signal, as whoever waits for us expects; all is cleaned up before. A shell that runs
 * us in a loop stops then; an exit code of 130 tells it nothing. */
void fay_cli_die_of(int signal_number);

/* Writes all of a buffer to stdout: 0, or the exit code (a closed stdout raises SIGPIPE). */
int fay_cli_print(const fay_buffer *text);

/* tls.c: the files of keys and certificates that flags and environment name, with warnings printed:
 * 0, or the exit code. */
int fay_cli_tls(const fay_cli *cli, fay_tls_settings *ret);
/* The value of a variable of the environment, or NULL. */
const char *fay_cli_variable(void *context, const char *name);

/* help.c: the table of verbs, and texts made from it. */
extern const fay_cli_command *const fay_commands[]; /* NULL-terminated */
extern const fay_flag fay_global_flags[];
const fay_cli_command *fay_command_find(const char *name);
void fay_help_program(fay_buffer *out);
void fay_help_command(const fay_cli_command *command, fay_buffer *out);
/* version.c: what --version and the verb print; returns an exit code. */
int fay_version_print(const fay_cli *cli);
/* completion.c: the bash completion of all verbs. */
void fay_completion_bash(fay_buffer *out);

extern const fay_cli_command fay_command_run, fay_command_lint, fay_command_plan, fay_command_init,
    fay_command_dead, fay_command_agent, fay_command_node, fay_command_nodes, fay_command_events,
    fay_command_event, fay_command_weight, fay_command_doctor, fay_command_cert, fay_command_bench,
    fay_command_completion, fay_command_version;

#endif /* FAY_CLI_H */
