/* SPDX-License-Identifier: MIT */
/*
 * faymora completion: a bash script made from the same tables as the parser and the help, so that
 * it cannot lag behind them. packaging/completion/faymora.bash is its output; a test compares them.
 */
#include <string.h>

#include "cli/cli.h"

static void append_flags(fay_buffer *out, const fay_flag *flags)
{
    for (const fay_flag *flag = flags; flag != NULL && flag->key != 0; flag++) {
        if (flag->letter != 0)
            fay_buffer_printf(out, " -%c", flag->letter);
        fay_buffer_printf(out, " --%s", flag->name);
    }
}

/* "auto|bar|plain|none" is a choice, "F" is not. */
static bool is_choice(const char *value)
{
    return strchr(value, '|') != NULL && value[0] >= 'a' && value[0] <= 'z';
}

/* Values of global flags in front of the verb are not the verb. */
static void append_skips(fay_buffer *out)
{
    const char *separator = "    ";
    for (const fay_flag *flag = fay_global_flags; flag->key != 0; flag++) {
        if (flag->value == NULL)
            continue;
        fay_buffer_printf(out, "%s--%s", separator, flag->name);
        separator = "|";
    }
    fay_buffer_append_text(out, ") i=$((i + 1)) ;;\n");
}

/* One line of `case` a flag that takes a choice. */
static void append_choices(fay_buffer *out, const fay_flag *flags)
{
    for (const fay_flag *flag = flags; flag != NULL && flag->key != 0; flag++) {
        if (flag->value == NULL || !is_choice(flag->value))
            continue;
        fay_buffer_printf(out, "    --%s) words=\"", flag->name);
        for (const char *c = flag->value; *c != '\0'; c++) {
            fay_buffer_append(out, *c == '|' ? " " : c, 1);
        }
        fay_buffer_append_text(out, "\" ;;\n");
    }
}

static void append_command(fay_buffer *out, const fay_cli_command *command)
{
    bool files = command->words != NULL && strchr(command->words, '@') != NULL;
    fay_buffer_printf(out, "    %s)", command->name);
    if (command->flags != NULL) {
        fay_buffer_append_text(out, " flags=\"$flags");
        append_flags(out, command->flags);
        fay_buffer_append_text(out, "\"");
    }
    if (files)
        fay_buffer_append_text(out, " files=1");
    if (command->words != NULL && strcmp(command->words, "@") != 0) {
        size_t length = strcspn(command->words, "@");
        while (length > 0 && command->words[length - 1] == ' ') {
            length--;
        }
        fay_buffer_printf(out, " words=\"%.*s\"", (int)length, command->words);
    }
    fay_buffer_append_text(out, " ;;\n");
}

void fay_completion_bash(fay_buffer *out)
{
    fay_buffer_append_text(
        out,
        "# bash completion of faymora; made by `faymora completion bash`\n"
        "# Behind `--` stands a command: its words are completed as files.\n"
        "_faymora()\n"
        "{\n"
        "  local current=\"${COMP_WORDS[COMP_CWORD]}\" before=\"${COMP_WORDS[COMP_CWORD-1]}\"\n"
        "  local verb='' flags='' words='' files='' i\n"
        "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
        "    case \"${COMP_WORDS[i]}\" in\n"
        "    --) mapfile -t COMPREPLY < <(compgen -f -- \"$current\"); return ;;\n");
    append_skips(out);
    fay_buffer_append_text(out, "    -*) ;;\n"
                                "    *) [ -n \"$verb\" ] || verb=\"${COMP_WORDS[i]}\" ;;\n"
                                "    esac\n"
                                "  done\n"
                                "  case \"$before\" in\n");
    append_choices(out, fay_global_flags);
    append_choices(out, fay_command_run.flags);
    append_choices(out, fay_command_cert.flags);
    fay_buffer_append_text(
        out, "  esac\n"
             "  if [ -n \"$words\" ]; then\n"
             "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\"); return\n"
             "  fi\n"
             "  flags=\"");
    append_flags(out, fay_global_flags);
    fay_buffer_append_text(out, "\"\n"
                                "  case \"$verb\" in\n"
                                "    '') words=\"help");
    for (const fay_cli_command *const *command = fay_commands; *command != NULL; command++) {
        fay_buffer_printf(out, " %s", (*command)->name);
    }
    fay_buffer_append_text(out, "\" ;;\n");
    for (const fay_cli_command *const *command = fay_commands; *command != NULL; command++) {
        append_command(out, *command);
    }
    fay_buffer_append_text(
        out, "  esac\n"
             "  case \"$current\" in\n"
             "    -*) mapfile -t COMPREPLY < <(compgen -W \"$flags\" -- \"$current\") ;;\n"
             "    *)\n"
             "      mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\"\n"
             "        [ -z \"$files\" ] || compgen -f -- \"$current\") ;;\n"
             "  esac\n"
             "}\n"
             "complete -o filenames -F _faymora faymora\n");
}

static int run(fay_cli *cli)
{
    const char *shell;
    if (!fay_cli_word(cli, &shell))
        return cli->exit;
    if (shell == NULL || strcmp(shell, "bash") != 0)
        return fay_cli_misuse(cli, "'completion' is for bash: faymora completion bash");
    if (cli->json)
        return fay_cli_misuse(cli, "a completion is a script: 'completion' has no --json");
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer text = {0};
    fay_completion_bash(&text);
    return fay_cli_print(&text);
}

const fay_cli_command fay_command_completion = {
    .name = "completion",
    .usage = "completion bash",
    .summary = "print the completion script for a shell",
    .examples = ". <(faymora completion bash)\n"
                "faymora completion bash >~/.local/share/bash-completion/completions/faymora",
    .exits = "0 ok, 2 usage",
    .words = "bash",
    .run = run,
};
