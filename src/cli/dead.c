/* SPDX-License-Identifier: MIT */
/* faymora dead: looks at, retries and forgets the Items that failed for good. */
#include "cli/dead.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/shell.h"
#include "base/texts.h"
#include "cli/dead_file.h"
#include "item/attrs.h"
#include "item/json.h"

enum {
    EXCERPT_MAX = 40,
    ERROR_MAX = 80
};

bool fay_dead_wants(const fay_dead *dead, const fay_letter *letter)
{
    for (size_t i = 0; i < dead->ids_count; i++) {
        if (strcmp(dead->ids[i], letter->id) == 0)
            return true;
    }
    return dead->ids_count == 0;
}

int fay_dead_found_none(const fay_dead *dead)
{
    fay_error err = {0};
    if (dead->ids_count == 0)
        return FAY_EXIT_OK;
    (void)fay_fail_with(&err, FAY_E_NOTFOUND, "%s: no letter has this id", dead->path);
    return fay_cli_fail(&err, FAY_EXIT_DEAD); /* 1: a key that was looked up is missing */
}

/* ---- texts ----------------------------------------------------------------------------------- */

/* The beginning of a text on one line, with nothing in it that a terminal would act on. */
static void append_excerpt(fay_buffer *out, const void *bytes, size_t size, size_t most)
{
    const uint8_t *text = bytes;
    bool cut = size > most;
    size_t length = FAY_MIN(size, most);
    while (cut && length > 0 && (text[length] & 0xc0) == 0x80) {
        length--; /* not within a character */
    }
    bool valid = fay_utf8_valid(text, length);
    for (size_t i = 0; i < length; i++) {
        bool odd = text[i] < 0x20 || text[i] == 0x7f || (text[i] >= 0x80 && !valid);
        fay_buffer_append(out, odd ? (const uint8_t *)" " : text + i, 1);
    }
    if (cut)
        fay_buffer_append_text(out, "..");
}

/* "exit 1", "KILL", "-" */
static void append_cause(fay_buffer *out, const fay_letter *letter)
{
    const char *name = letter->signal != 0 ? sigabbrev_np(letter->signal) : NULL;
    if (name != NULL) {
        fay_buffer_append_text(out, name);
    } else if (letter->signal != 0) {
        fay_buffer_printf(out, "signal %d", letter->signal);
    } else if (letter->exit >= 0) {
        fay_buffer_printf(out, "exit %d", letter->exit);
    } else {
        fay_buffer_append_text(out, "-");
    }
}

static void append_row(const fay_letter *letter, fay_buffer *out)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer cause = {0};
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer id = {0};
    append_cause(&cause, letter);
    append_excerpt(&id, letter->id, strlen(letter->id), EXCERPT_MAX);
    fay_buffer_printf(out, "%-10s %-16s %5u  %-9s ", fay_buffer_text(&id), letter->stage,
                      letter->attempts, fay_buffer_text(&cause));
    append_excerpt(out, letter->item, letter->item_size, EXCERPT_MAX);
    if (letter->error[0] != '\0') {
        fay_buffer_append_text(out, "  ");
        append_excerpt(out, letter->error, strlen(letter->error), ERROR_MAX);
    }
    fay_buffer_append_text(out, "\n");
}

static void append_field(fay_buffer *out, const char *name, const char *text)
{
    if (text == NULL || text[0] == '\0')
        return;
    fay_buffer_printf(out, "  %-9s ", name);
    append_excerpt(out, text, strlen(text), SIZE_MAX);
    fay_buffer_append_text(out, "\n");
}

/* A text of several lines, each behind a margin. */
static void append_block(fay_buffer *out, const char *name, const void *bytes, size_t size)
{
    fay_buffer_printf(out, "  %s\n", name);
    const uint8_t *text = bytes;
    for (size_t at = 0; at < size;) {
        const uint8_t *end = memchr(text + at, '\n', size - at);
        size_t length = end != NULL ? (size_t)(end - text) - at : size - at;
        fay_buffer_append_text(out, "    | ");
        append_excerpt(out, text + at, length, SIZE_MAX);
        fay_buffer_append_text(out, "\n");
        at += length + (end != NULL ? 1 : 0);
    }
}

static void append_letter(const fay_letter *letter, fay_buffer *out)
{
    fay_buffer_append_text(out, "item ");
    append_excerpt(out, letter->id, strlen(letter->id), SIZE_MAX);
    fay_buffer_printf(out, " at stage '%s': %u %s, ", letter->stage, letter->attempts,
                      letter->attempts == 1 ? "attempt" : "attempts");
    append_cause(out, letter);
    fay_buffer_append_text(out, "\n");
    append_field(out, "error", letter->error);
    append_field(out, "node", letter->node);
    append_field(out, "pipeline", letter->pipeline);
    if (letter->argv != NULL) {
        FAY_CLEANUP(fay_buffer_deinit) fay_buffer command = {0};
        fay_shell_join(letter->argv, fay_texts_count(letter->argv), &command);
        append_field(out, "run", fay_buffer_text(&command));
    }
    append_field(out, "hash", letter->hash);
    if (letter->attrs_size > 0) {
        FAY_CLEANUP(fay_buffer_deinit) fay_buffer json = {0};
        fay_attrs_to_json(letter->attrs, letter->attrs_size, &json);
        append_field(out, "attrs", fay_buffer_text(&json));
    }
    append_block(out, "data", letter->item, letter->item_size);
    if (letter->stderr_tail[0] != '\0')
        append_block(out, "stderr", letter->stderr_tail, strlen(letter->stderr_tail));
}

/* ---- ls, show -------------------------------------------------------------------------------- */

static int print_letter(const fay_dead *dead, const fay_letter *letter,
                        const fay_dead_file *letters)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer text = {0};
    if (dead->cli->json) {
        fay_buffer_append(&text, letters->line, letters->length);
        fay_buffer_append_text(&text, "\n");
    } else if (strcmp(dead->verb, "ls") == 0) {
        append_row(letter, &text);
    } else {
        append_letter(letter, &text);
    }
    return fay_cli_print(&text);
}

/* A line that is no letter is said and passed over; the exit code tells of it. */
static int look(const fay_dead *dead)
{
    fay_error err = {0};
    FAY_CLEANUP(fay_dead_file_close) fay_dead_file letters = {0};
    if (fay_dead_file_open(&letters, dead->path, &err) < 0)
        return fay_cli_fail(&err, FAY_EXIT_IO);

    int exit = FAY_EXIT_OK;
    uint64_t shown = 0;
    for (;;) {
        FAY_CLEANUP(fay_letter_deinit) fay_letter letter = {0};
        int r = fay_dead_file_next(&letters, &letter, &err);
        if (r == FAY_DEAD_FILE_END)
            break;
        if (r == FAY_E_IO)
            return fay_cli_fail(&err, FAY_EXIT_IO);
        if (r < 0) {
            exit = fay_cli_fail(&err, FAY_EXIT_USAGE);
            continue;
        }
        if (!fay_dead_wants(dead, &letter))
            continue;
        if (shown++ == 0 && !dead->cli->json && strcmp(dead->verb, "ls") == 0) {
            FAY_CLEANUP(fay_buffer_deinit) fay_buffer head = {0};
            fay_buffer_printf(&head, "%-10s %-16s %5s  %-9s %s\n", "ID", "STAGE", "TRIES", "CAUSE",
                              "ITEM  ERROR");
            (void)fay_cli_print(&head);
        }
        r = print_letter(dead, &letter, &letters);
        if (r != 0)
            return r;
    }
    if (shown == 0 && exit == FAY_EXIT_OK)
        return fay_dead_found_none(dead);
    return exit;
}

/* ---- purge ----------------------------------------------------------------------------------- */

/* Keeps what is not wanted. Lines that are no letters stay: they are not ours to throw away. */
static int sift(const fay_dead *dead, fay_dead_file *letters, FILE *kept, uint64_t *ret_gone)
{
    fay_error err = {0};
    for (;;) {
        FAY_CLEANUP(fay_letter_deinit) fay_letter letter = {0};
        int r = fay_dead_file_next(letters, &letter, &err);
        if (r == FAY_DEAD_FILE_END)
            return FAY_EXIT_OK;
        if (r == FAY_E_IO)
            return fay_cli_fail(&err, FAY_EXIT_IO);
        if (r == 0 && fay_dead_wants(dead, &letter)) {
            ++*ret_gone;
            continue;
        }
        if (fwrite(letters->line, 1, letters->length, kept) != letters->length ||
            fputc('\n', kept) == EOF) {
            (void)fay_fail_with(&err, FAY_E_IO, "cannot write a temporary file");
            return fay_cli_fail(&err, FAY_EXIT_IO);
        }
    }
}

static int purge(const fay_dead *dead)
{
    fay_error err = {0};
    FAY_CLEANUP(fay_dead_file_close) fay_dead_file letters = {0};
    if (fay_dead_file_take(&letters, dead->path, &err) < 0)
        return fay_cli_fail(&err, FAY_EXIT_IO);
    FILE *kept = tmpfile();
    if (kept == NULL) {
        (void)fay_fail_with(&err, FAY_E_IO, "no temporary file can be made");
        return fay_cli_fail(&err, FAY_EXIT_IO);
    }
    uint64_t gone = 0;
    int exit = sift(dead, &letters, kept, &gone);
    if (exit == FAY_EXIT_OK && gone > 0 && fay_dead_file_rewrite(&letters, kept, &err) < 0)
        exit = fay_cli_fail(&err, FAY_EXIT_IO);
    (void)fclose(kept);
    if (exit != FAY_EXIT_OK)
        return exit;
    if (dead->cli->json) {
        (void)fprintf(stderr, "{\"schema\":1,\"purged\":%llu}\n", (unsigned long long)gone);
    } else if (!dead->cli->quiet) {
        (void)fprintf(stderr, "%s: %llu gone\n", dead->path, (unsigned long long)gone);
    }
    return gone > 0 ? FAY_EXIT_OK : fay_dead_found_none(dead);
}

/* ---- the verb -------------------------------------------------------------------------------- */

static int retry(const fay_dead *dead)
{
    int signal_number = 0;
    int exit = fay_dead_retry(dead, &signal_number);
    if (signal_number != 0)
        fay_cli_die_of(signal_number);
    return exit;
}

static int carry_out(const fay_dead *dead)
{
    static const char *const verbs[] = {"ls", "show", "retry", "purge"};
    if (dead->path == NULL)
        return fay_cli_misuse(dead->cli, "'dead' takes ls, show, retry or purge, and a file");
    if (strcmp(dead->verb, "ls") == 0 || strcmp(dead->verb, "show") == 0)
        return look(dead);
    if (strcmp(dead->verb, "retry") == 0)
        return retry(dead);
    if (strcmp(dead->verb, "purge") == 0)
        return purge(dead);
    const char *meant = fay_suggest(dead->verb, verbs, FAY_COUNT(verbs));
    return fay_cli_misuse(dead->cli, "unknown command 'dead %.40s'; %s%s", dead->verb,
                          meant != NULL ? "did you mean " : "it is ls, show, retry or purge",
                          meant != NULL ? meant : "");
}

static int run(fay_cli *cli)
{
    fay_dead dead = {.cli = cli};
    int r;
    while ((r = fay_cli_next(cli)) == FAY_ARGS_WORD) {
        if (dead.verb == NULL) {
            dead.verb = cli->args.value;
        } else if (dead.path == NULL) {
            dead.path = cli->args.value;
        } else {
            FAY_RESERVE(dead.ids, dead.ids_capacity, dead.ids_count + 1);
            dead.ids[dead.ids_count++] = cli->args.value;
        }
    }
    int exit = r == FAY_CLI_STOP ? cli->exit : carry_out(&dead);
    free(dead.ids);
    return exit;
}

const fay_cli_command fay_command_dead = {
    .name = "dead",
    .usage = "dead ls FILE [ID..]\n"
             "dead show FILE [ID..]\n"
             "dead retry FILE [ID..]\n"
             "dead purge FILE [ID..]",
    .summary = "look at, retry or forget Items that failed for good",
    .examples =
        "faymora dead ls jq-7f3a.dead.jsonl\n"
        "faymora dead show jq-7f3a.dead.jsonl 17       # all of one, with its stderr\n"
        "faymora dead retry jq-7f3a.dead.jsonl >>out   # once more, at the stage it failed\n"
        "faymora dead purge jq-7f3a.dead.jsonl 17",
    .notes =
        "A letter knows its pipeline: the path of the file, or the words of the command line.\n"
        "retry runs it again with these Items alone, each entering at the stage where it\n"
        "failed; a sink that is a file is appended to. Letters of Items that succeed leave the\n"
        "file, those that fail again stay. A pipeline that has changed since is named in a\n"
        "warning. Relative paths start at the working directory, so be where the run was.\n"
        "With --json, ls and show print the letters as they are, one a line; retry and purge\n"
        "write their last line as JSON, to stderr as without.",
    .exits = "0 ok\n"
             "1 retry: some Items died again; or no letter has that id\n"
             "2 usage, a line that is no dead letter, or a pipeline with errors\n"
             "7 the file cannot be read or written; others as faymora run",
    .words = "ls show retry purge @",
    .run = run,
};
