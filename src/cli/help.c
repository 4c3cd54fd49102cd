/* SPDX-License-Identifier: MIT */
/*
 * The table of verbs and the pages of help made from it: examples first, since that is what people
 * look for; then the forms, the flags, what else there is to know, and the exit codes.
 */
#include <string.h>

#include "cli/cli.h"

enum {
    FLAG_COLUMN = 28
};

const fay_cli_command *const fay_commands[] = {&fay_command_run,
                                               &fay_command_lint,
                                               &fay_command_plan,
                                               &fay_command_init,
                                               &fay_command_dead,
                                               &fay_command_agent,
                                               &fay_command_node,
                                               &fay_command_nodes,
                                               &fay_command_events,
                                               &fay_command_event,
                                               &fay_command_weight,
                                               &fay_command_doctor,
                                               &fay_command_cert,
                                               &fay_command_bench,
                                               &fay_command_completion,
                                               &fay_command_version,
                                               NULL};

const fay_flag fay_global_flags[] = {
    {"json", 0, 'J', NULL, "what is printed for people, as JSON"},
    {"quiet", 'q', 'q', NULL, "errors only"},
    {"verbose", 'v', 'v', NULL, "log what happens; twice: pressure too"},
    {"log-format", 0, 'L', "text|json", "form of the log on stderr"},
    {"color", 0, 'C', "auto|always|never", "auto: on a terminal, unless NO_COLOR is set"},
    {"grid", 0, 'g', "HOST:PORT[,..]", "call this Node, or the first of these that answers"},
    {"timeout", 0, 'T', "D", "how long an answer of the Grid may take (default 5s)"},
    {"tls-dir", 0, 'd', "DIR", "where keys and certificates are; or name them:"},
    {"ca", 0, 'a', "F", "certificates of the CA"},
    {"cert", 0, 'c', "F", "the certificate, and what is between it and the CA"},
    {"key", 0, 'k', "F", "its private key"},
    {"help", 'h', 'h', NULL, "this page"},
    {"version", 0, 'V', NULL, "print the version"},
    {0},
};

const fay_cli_command *fay_command_find(const char *name)
{
    for (const fay_cli_command *const *command = fay_commands; *command != NULL; command++) {
        if (strcmp((*command)->name, name) == 0)
            return *command;
    }
    return NULL;
}

/* "  -o, --output F            where results go" */
static void append_flag(fay_buffer *out, const fay_flag *flag)
{
    size_t before = fay_buffer_size(out);
    if (flag->letter != 0) {
        fay_buffer_printf(out, "  -%c, --%s", flag->letter, flag->name);
    } else {
        fay_buffer_printf(out, "      --%s", flag->name);
    }
    if (flag->value != NULL)
        fay_buffer_printf(out, " %s", flag->value);
    size_t width = fay_buffer_size(out) - before;
    if (width >= FLAG_COLUMN) {
        fay_buffer_printf(out, "\n%*s", FLAG_COLUMN, "");
    } else {
        fay_buffer_printf(out, "%*s", (int)(FLAG_COLUMN - width), "");
    }
    fay_buffer_printf(out, "%s\n", flag->help);
}

static void append_flags(fay_buffer *out, const fay_flag *flags)
{
    for (const fay_flag *flag = flags; flag != NULL && flag->key != 0; flag++) {
        append_flag(out, flag);
    }
}

/* Each line of a text behind `indent`. */
static void append_lines(fay_buffer *out, const char *indent, const char *text)
{
    for (const char *line = text; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        fay_buffer_printf(out, "%s%.*s\n", length > 0 ? indent : "", (int)length, line);
        line += length + (line[length] == '\n' ? 1 : 0);
    }
}

void fay_help_program(fay_buffer *out)
{
    fay_buffer_append_text(
        out, "faymora - elastic pipelines of your own programs\n\n"
             "Examples\n"
             "  seq 1000 | faymora run -- ./slow {}              one process per Item\n"
             "  faymora run -- jq -c .user :: ./score.py <in     long-lived workers, two stages\n"
             "  faymora run pipeline.yaml --state .fm --resume   go on where it stopped\n"
             "  faymora dead retry jq-7f3a.dead.jsonl            what failed, once more\n\n"
             "Commands\n");
    for (const fay_cli_command *const *command = fay_commands; *command != NULL; command++) {
        fay_buffer_printf(out, "  %-12s %s\n", (*command)->name, (*command)->summary);
    }
    fay_buffer_append_text(out, "\nFlags of all commands, before or behind their name\n");
    append_flags(out, fay_global_flags);
    fay_buffer_append_text(
        out,
        "\nExit codes\n"
        "  0 ok, 1 some Items dead-lettered, 2 usage or configuration, 3 a worker cannot start,\n"
        "  4 keys and certificates,\n"
        "  5 failure limit, circuit breaker, on_error: stop or too many or few lines,\n"
        "  7 source, sink, state or log I/O, 130/143 stopped by a signal, 141 stdout closed\n\n"
        "More: faymora COMMAND --help, man faymora, man faymora-pipeline, man faymora-worker\n"
        "Completion: . <(faymora completion bash)\n");
}

void fay_help_command(const fay_cli_command *command, fay_buffer *out)
{
    fay_buffer_printf(out, "faymora %s - %s\n\nExamples\n", command->name, command->summary);
    append_lines(out, "  ", command->examples);
    fay_buffer_append_text(out, "\nUsage\n");
    append_lines(out, "  faymora ", command->usage);
    if (command->flags != NULL) {
        fay_buffer_append_text(out, "\nFlags\n");
        append_flags(out, command->flags);
    }
    fay_buffer_append_text(out, "\nFlags of all commands\n");
    for (const fay_flag *flag = fay_global_flags; flag->key != 0; flag++) {
        bool hidden = false; /* by a flag of the command's own */
        for (const fay_flag *own = command->flags; own != NULL && own->key != 0; own++)
            hidden = hidden || strcmp(own->name, flag->name) == 0;
        if (!hidden)
            append_flag(out, flag);
    }
    if (command->notes != NULL) {
        fay_buffer_append_text(out, "\nNotes\n");
        append_lines(out, "  ", command->notes);
    }
    fay_buffer_append_text(out, "\nExit codes\n");
    append_lines(out, "  ", command->exits);
}
