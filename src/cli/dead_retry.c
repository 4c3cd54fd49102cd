/* SPDX-License-Identifier: MIT */
/*
 * faymora dead retry: the Items of dead letters enter their pipelines again.
 *
 *     FILE --read--> group A: pipeline, its letters --run--> those that died again --+
 *                    group B: ..                                                     +--> FILE
 *                    kept: other ids, unknown stages, .. ----------------------------+
 *
 * Letters of one pipeline run together. What is between the files is in unlinked files, which a run
 * in this process can open as /proc/self/fd/N, so that nothing is left behind if we are killed:
 * FILE is as it was until it is replaced, at the end. A run that does not come to its end (a
 * signal, a failure limit) says nothing about which of its Items are done: all its letters stay.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/texts.h"
#include "cli/dead.h"
#include "cli/dead_file.h"
#include "cli/request.h"
#include "host/unlinked.h"

enum {
    FD_PATH_MAX = 32
};

typedef struct group {
    char *path, *hash; /* of the first letter; path NULL = inline */
    char **argv;
    fay_pipeline *pipeline; /* NULL = cannot be made: its letters stay */
    FILE *letters, *died;
    char **ids; /* of the letters, in their order: the run numbers its Items anew, from 0 */
    size_t count, capacity;
} group;

typedef struct retry {
    const fay_dead *dead;
    group *groups;
    size_t count, capacity;
    FILE *kept;
    uint64_t wanted, retried, again, left; /* letters: meant, run, died again, not run */
    int exit;
    bool too_many;
} retry;

static void retry_deinit(retry *r)
{
    for (size_t i = 0; i < r->count; i++) {
        group *g = &r->groups[i];
        free(g->path);
        free(g->hash);
        if (g->argv != NULL)
            fay_texts_free(g->argv);
        for (size_t k = 0; k < g->count; k++) {
            free(g->ids[k]);
        }
        free(g->ids);
        fay_pipeline_free(g->pipeline);
        if (g->letters != NULL)
            (void)fclose(g->letters);
        if (g->died != NULL)
            (void)fclose(g->died);
    }
    free(r->groups);
    if (r->kept != NULL)
        (void)fclose(r->kept);
}

/* Beside the dead letters, where there is room for as much; in memory where files cannot be so. */
static FILE *unlinked_file(const char *beside)
{
    FAY_CLEANUP(fay_freep) char *directory = fay_strdup(beside);
    char *slash = strrchr(directory, '/');
    if (slash != NULL)
        slash[slash == directory ? 1 : 0] = '\0';
    int fd = fay_host_unlinked(slash != NULL ? directory : ".");
    if (fd < 0)
        fd = memfd_create("faymora-dead", MFD_CLOEXEC);
    FILE *file = fd >= 0 ? fdopen(fd, "w+") : NULL;
    if (file == NULL && fd >= 0)
        (void)close(fd);
    return file;
}

static void fd_path(FILE *file, char path[FD_PATH_MAX])
{
    (void)snprintf(path, FD_PATH_MAX, "/proc/self/fd/%d", fileno(file));
}

/* ---- groups ---------------------------------------------------------------------------------- */

static bool same_text(const char *a, const char *b)
{
    return (a == NULL) == (b == NULL) && (a == NULL || strcmp(a, b) == 0);
}

static bool same_words(char *const *a, char *const *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    while (*a != NULL && same_text(*a, *b)) {
        a++;
        b++;
    }
    return *a == NULL && *b == NULL;
}

/* The pipeline of a letter as it is now; NULL with the errors printed and *ret_exit set. */
static fay_pipeline *make_pipeline(const fay_letter *letter, int *ret_exit)
{
    FAY_CLEANUP(fay_request_deinit) fay_request request = {.file = letter->pipeline};
    if (letter->pipeline != NULL)
        return fay_request_pipeline_or_say(&request, ret_exit);

    fay_cli cli = {.command = &fay_command_run};
    cli.args = (fay_args){.argv = letter->argv,
                          .argc = (int)fay_texts_count(letter->argv),
                          .own = fay_request_flags,
                          .global = fay_global_flags};
    if (fay_request_parse(&cli, &request) == FAY_CLI_STOP) {
        *ret_exit = FAY_EXIT_USAGE;
        return NULL;
    }
    return fay_request_pipeline_or_say(&request, ret_exit);
}

static const char *group_name(const group *g)
{
    return g->path != NULL ? g->path : "their command line";
}

static void warn_if_changed(const retry *r, const group *g)
{
    char hash[FAY_LETTER_HASH_SIZE];
    fay_letter_hash(g->pipeline, hash);
    if (g->hash[0] == '\0' || strcmp(hash, g->hash) == 0)
        return;
    (void)fprintf(
        stderr,
        "faymora: warning: %s: the pipeline of these letters has changed since, or was run "
        "with other flags: %s\n",
        r->dead->path, group_name(g));
}

/* Now its source are the letters, its dead letters go to us, and what its sink has stays. */
static int redirect(group *g, fay_error *err)
{
    char in[FD_PATH_MAX], out[FD_PATH_MAX];
    fd_path(g->letters, in);
    fd_path(g->died, out);
    fay_pipeline *pipeline = g->pipeline;
    pipeline->source.kind = FAY_SOURCE_STDIN; /* whatever it was, it is no contradiction */
    pipeline->spool = false;
    pipeline->sink.append = true;
    fay_text_replace(&pipeline->state, fay_strdup(""));
    fay_overrides overrides = {.retry_dead = in, .dead_letter = out};
    return fay_pipeline_override(pipeline, &overrides, err);
}

static void set_up(retry *r, group *g, const fay_letter *letter)
{
    int exit = FAY_EXIT_USAGE;
    fay_error err = {0};
    g->hash = fay_strdup(letter->hash);
    if (letter->pipeline != NULL)
        g->path = fay_strdup(letter->pipeline);
    if (letter->argv != NULL)
        g->argv = fay_texts_copy(letter->argv, fay_texts_count(letter->argv));
    g->letters = unlinked_file(r->dead->path);
    g->died = unlinked_file(r->dead->path);
    if (g->letters == NULL || g->died == NULL) {
        (void)fay_fail_errno(&err, FAY_E_IO, errno, "no temporary file can be made");
        r->exit = fay_cli_fail(&err, FAY_EXIT_IO);
        return;
    }
    if (g->path == NULL && g->argv == NULL) {
        (void)fay_fail_with(&err, FAY_E_INVAL, "%s: a letter does not say of which pipeline it is",
                            r->dead->path);
        r->exit = fay_cli_fail(&err, FAY_EXIT_USAGE);
        return;
    }
    g->pipeline = make_pipeline(letter, &exit);
    if (g->pipeline == NULL) {
        r->exit = exit;
        return;
    }
    warn_if_changed(r, g);
    if (redirect(g, &err) < 0) {
        r->exit = fay_cli_fail(&err, FAY_EXIT_USAGE);
        fay_pipeline_free(g->pipeline);
        g->pipeline = NULL;
    }
}

/* NULL if there are too many. */
static group *find_group(retry *r, const fay_letter *letter)
{
    for (size_t i = 0; i < r->count; i++) {
        group *g = &r->groups[i];
        if (same_text(g->path, letter->pipeline) && same_text(g->hash, letter->hash) &&
            same_words(g->argv, letter->argv))
            return g;
    }
    if (r->count == FAY_DEAD_PIPELINES_MAX) {
        r->too_many = true;
        return NULL;
    }
    FAY_RESERVE(r->groups, r->capacity, r->count + 1);
    group *g = &r->groups[r->count++];
    *g = (group){0};
    set_up(r, g, letter);
    return g;
}

static bool has_stage(retry *r, const group *g, const fay_letter *letter)
{
    if (fay_pipeline_find(g->pipeline, letter->stage) >= 0)
        return true;
    fay_error err = {0};
    if (strcmp(letter->stage, "sink") == 0) {
        (void)fay_fail_with(&err, FAY_E_INVAL,
                            "%s: item %.100s has been through its stages, and the sink has refused "
                            "it: %.200s",
                            r->dead->path, letter->id, letter->error);
        fay_hint(&err, "no stage can try it again; run its source Item with another format of the "
                       "sink (--set sink.format=netstring, or u32be), then purge the letter");
    } else {
        (void)fay_fail_with(&err, FAY_E_NOTFOUND, "%s: item %.100s: %s has no stage '%s' any more",
                            r->dead->path, letter->id, group_name(g), letter->stage);
    }
    r->exit = fay_cli_fail(&err, FAY_EXIT_USAGE);
    return false;
}

/* ---- reading, running, rewriting ------------------------------------------------------------- */

static int write_line(FILE *file, const fay_dead_file *letters, fay_error *err)
{
    if (fwrite(letters->line, 1, letters->length, file) == letters->length &&
        fputc('\n', file) != EOF)
        return 0;
    return fay_fail_errno(err, FAY_E_IO, errno, "cannot write a temporary file");
}

static int sort_letter(retry *r, const fay_dead_file *letters, const fay_letter *letter,
                       fay_error *err)
{
    bool wanted = fay_dead_wants(r->dead, letter);
    r->wanted += wanted ? 1 : 0;
    group *g = wanted ? find_group(r, letter) : NULL;
    if (g != NULL && g->pipeline != NULL && has_stage(r, g, letter)) {
        FAY_RESERVE(g->ids, g->capacity, g->count + 1);
        g->ids[g->count++] = fay_strdup(letter->id);
        return write_line(g->letters, letters, err);
    }
    r->left++;
    return write_line(r->kept, letters, err);
}

static int sort_letters(retry *r, fay_dead_file *letters, fay_error *err)
{
    for (;;) {
        FAY_CLEANUP(fay_letter_deinit) fay_letter letter = {0};
        int n = fay_dead_file_next(letters, &letter, err);
        if (n == FAY_DEAD_FILE_END)
            return 0;
        if (n == 0) {
            n = sort_letter(r, letters, &letter, err);
        } else if (n == FAY_E_INVAL) { /* such as a line that was torn: it stays */
            r->exit = fay_cli_fail(err, FAY_EXIT_USAGE);
            r->left++;
            n = write_line(r->kept, letters, err);
        }
        if (n < 0)
            return n;
    }
}

static int append_file(FILE *from, FILE *to, fay_error *err)
{
    char bytes[65536];
    size_t n;
    if (fflush(from) != 0 || fseeko(from, 0, SEEK_SET) != 0)
        return fay_fail_errno(err, FAY_E_IO, errno, "cannot read a temporary file");
    while ((n = fread(bytes, 1, sizeof bytes, from)) > 0) {
        if (fwrite(bytes, 1, n, to) != n)
            return fay_fail_errno(err, FAY_E_IO, errno, "cannot write a temporary file");
    }
    return 0;
}

/* The letter's id in the run that wrote it, "4" or "4.1", gets the id of the Item that was fed. */
static void restore_id(const group *g, fay_letter *letter)
{
    char *rest;
    unsigned long long root = strtoull(letter->id, &rest, 10);
    if (root < g->count)
        fay_text_replace(&letter->id, fay_printed("%s%s", g->ids[root], rest));
}

static int append_died(retry *r, const group *g, fay_error *err)
{
    char path[FD_PATH_MAX];
    fd_path(g->died, path);
    FAY_CLEANUP(fay_dead_file_close) fay_dead_file died = {0};
    int n = fay_dead_file_open(&died, path, err);
    while (n == 0) {
        FAY_CLEANUP(fay_letter_deinit) fay_letter letter = {0};
        n = fay_dead_file_next(&died, &letter, err);
        if (n != 0)
            break;
        FAY_CLEANUP(fay_buffer_deinit) fay_buffer line = {0};
        restore_id(g, &letter);
        fay_letter_write(&letter, &line);
        r->again++;
        if (fwrite(fay_buffer_data(&line), 1, fay_buffer_size(&line), r->kept) !=
            fay_buffer_size(&line))
            n = fay_fail_errno(err, FAY_E_IO, errno, "cannot write a temporary file");
    }
    return n == FAY_DEAD_FILE_END ? 0 : n;
}

static int run_group(retry *r, group *g, int *ret_signal, fay_error *err)
{
    if (fflush(g->letters) != 0)
        return fay_fail_errno(err, FAY_E_IO, errno, "cannot write a temporary file");
    char in[FD_PATH_MAX];
    fd_path(g->letters, in);
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer command = {0};
    fay_buffer_printf(&command, "faymora dead retry %s", r->dead->path);
    fay_run_options options = {.pipeline = g->pipeline,
                               .quiet = true,
                               .colour = fay_cli_coloured(r->dead->cli, STDERR_FILENO),
                               .progress = FAY_PROGRESS_NONE,
                               .command = fay_buffer_text(&command),
                               .words = g->argv,
                               .retry_dead = in};
    int exit = fay_run_execute(&options, ret_signal);
    if ((exit != FAY_EXIT_OK && exit != FAY_EXIT_DEAD) || *ret_signal != 0) {
        r->exit = exit;
        r->left += g->count;
        return append_file(g->letters, r->kept, err);
    }
    r->retried += g->count;
    return append_died(r, g, err);
}

static int run_groups(retry *r, int *ret_signal, fay_error *err)
{
    for (size_t i = 0; i < r->count; i++) {
        group *g = &r->groups[i];
        if (g->count == 0)
            continue;
        int n = 0;
        if (*ret_signal == 0) {
            n = run_group(r, g, ret_signal, err);
        } else { /* stopped: the rest stays as it is */
            r->left += g->count;
            n = append_file(g->letters, r->kept, err);
        }
        if (n < 0)
            return n;
    }
    return 0;
}

static void summarise(const retry *r)
{
    const fay_cli *cli = r->dead->cli;
    uint64_t done = r->retried - FAY_MIN(r->again, r->retried);
    if (cli->json) {
        (void)fprintf(stderr,
                      "{\"schema\":1,\"retried\":%llu,\"done\":%llu,\"dead\":%llu,\"left\":%llu}\n",
                      (unsigned long long)r->retried, (unsigned long long)done,
                      (unsigned long long)r->again, (unsigned long long)r->left);
    } else if (!cli->quiet) {
        (void)fprintf(stderr, "%s: %llu retried, %llu done, %llu died again, %llu left\n",
                      r->dead->path, (unsigned long long)r->retried, (unsigned long long)done,
                      (unsigned long long)r->again, (unsigned long long)r->left);
    }
}

int fay_dead_retry(const fay_dead *dead, int *ret_signal)
{
    fay_error err = {0};
    FAY_CLEANUP(retry_deinit) retry r = {.dead = dead};
    FAY_CLEANUP(fay_dead_file_close) fay_dead_file letters = {0};
    if (fay_dead_file_take(&letters, dead->path, &err) < 0)
        return fay_cli_fail(&err, FAY_EXIT_IO);
    r.kept = unlinked_file(dead->path);
    if (r.kept == NULL) {
        (void)fay_fail_errno(&err, FAY_E_IO, errno, "no temporary file can be made");
        return fay_cli_fail(&err, FAY_EXIT_IO);
    }
    int n = sort_letters(&r, &letters, &err);
    if (n == 0)
        n = run_groups(&r, ret_signal, &err);
    if (n == 0 && r.retried > 0)
        n = fay_dead_file_rewrite(&letters, r.kept, &err);
    if (n < 0)
        return fay_cli_fail(&err, FAY_EXIT_IO);
    if (r.too_many) {
        (void)fprintf(stderr,
                      "faymora: warning: %s: letters of more than %zu pipelines; once more "
                      "for the rest\n",
                      dead->path, FAY_DEAD_PIPELINES_MAX);
    }
    summarise(&r);
    if (r.wanted == 0 && r.exit == FAY_EXIT_OK)
        return fay_dead_found_none(dead);
    return r.exit != FAY_EXIT_OK ? r.exit : r.again > 0 ? FAY_EXIT_DEAD : FAY_EXIT_OK;
}
