/* SPDX-License-Identifier: MIT */
#include "pipeline/plan.h"

#include <inttypes.h>
#include <string.h>

#include "base/units.h"
#include "item/template.h"
#include "pipeline/graph.h"
#include "pipeline/override.h"

/* -- Words ----------------------------------------------------------------------------------------
 */

static void put_word(fay_buffer *out, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_@%+=:,./{}-#^";
    bool expands = strchr(word, '{') != NULL && strchr(word, ',') != NULL; /* {a,b} in bash */
    if (word[0] != '\0' && word[0] != '#' && !expands && word[strspn(word, plain)] == '\0') {
        fay_buffer_append_text(out, word);
        return;
    }
    fay_buffer_append(out, "'", 1);
    for (const char *c = word; *c != '\0'; c++) {
        if (*c == '\'') {
            fay_buffer_append_text(out, "'\\''");
        } else {
            bool control = (unsigned char)*c < 0x20 && *c != '\n' && *c != '\t';
            fay_buffer_append(out, control ? "?" : c, 1);
        }
    }
    fay_buffer_append(out, "'", 1);
}

static void put_words(fay_buffer *out, char *const *words)
{
    for (size_t i = 0; words != NULL && words[i] != NULL; i++) {
        if (i > 0)
            fay_buffer_append(out, " ", 1);
        put_word(out, words[i]);
    }
}

static void put_duration(fay_buffer *out, fay_ns duration)
{
    char text[FAY_UNITS_TEXT_MAX];
    fay_buffer_append_text(out, fay_duration_text(duration, text));
}

static void put_size(fay_buffer *out, uint64_t size)
{
    char text[FAY_UNITS_TEXT_MAX];
    fay_buffer_append_text(out, fay_size_text(size, text));
}

/* -- Source and sink ------------------------------------------------------------------------------
 */

static void put_source(const fay_pipeline *p, const fay_plan_facts *facts, fay_buffer *out)
{
    const fay_source_def *s = &p->source;
    fay_buffer_append_text(out, "source  ");
    switch (s->kind) {
    case FAY_SOURCE_STDIN:
        fay_buffer_append_text(out, facts->stdin_is_file ? "stdin, a file" : "stdin, a pipe");
        break;
    case FAY_SOURCE_FILE:
        fay_buffer_append_text(out, "file ");
        put_words(out, s->files);
        fay_buffer_append_text(out, s->follow ? ", followed" : "");
        break;
    case FAY_SOURCE_DIR:
        fay_buffer_append_text(out, "directory ");
        put_word(out, s->dir);
        fay_buffer_append_text(out, ", files ");
        put_word(out, s->glob);
        if (s->after == FAY_AFTER_MOVE) {
            fay_buffer_append_text(out, ", then moved to ");
            put_word(out, s->move_to);
        } else if (s->after == FAY_AFTER_DELETE) {
            fay_buffer_append_text(out, ", then deleted");
        }
        break;
    case FAY_SOURCE_EXEC:
        fay_buffer_append_text(out, "output of ");
        put_words(out, s->argv);
        break;
    case FAY_SOURCE_LISTEN: fay_buffer_printf(out, "whoever connects to %s", s->address); break;
    case FAY_SOURCE_GENERATE:
        if (s->generate_count > 0) {
            fay_buffer_printf(out, "%" PRIu64 " generated Items of ", s->generate_count);
        } else {
            fay_buffer_append_text(out, "generated Items without end, of ");
        }
        put_size(out, s->generate_size);
        break;
    case FAY_SOURCE_ITEMS: fay_buffer_append_text(out, "the Items of the command line"); break;
    case FAY_SOURCE_DEAD:
        fay_buffer_append_text(out, "dead letters of ");
        put_words(out, s->files);
        break;
    }
    fay_buffer_printf(out, ", format %s%s\n", fay_format_name(s->format),
                      p->spool ? ", spooled" : "");
}

static void put_sink(const fay_pipeline *p, const fay_plan_facts *facts, fay_buffer *out)
{
    static const char *const syncs[] = {"at the end", "with every commit", "with every Item"};
    const fay_sink_def *s = &p->sink;
    fay_buffer_append_text(out, "sink    ");
    switch (s->kind) {
    case FAY_SINK_STDOUT:
        fay_buffer_append_text(out, facts->stdout_is_file ? "stdout, a file" : "stdout, a pipe");
        break;
    case FAY_SINK_FILE:
        fay_buffer_append_text(out, "file ");
        put_word(out, s->file);
        fay_buffer_printf(out, "%s, synced %s", s->append ? ", appended" : "", syncs[s->sync]);
        break;
    case FAY_SINK_EXEC:
        fay_buffer_append_text(out, "input of ");
        put_words(out, s->argv);
        break;
    case FAY_SINK_LISTEN: fay_buffer_printf(out, "whoever connects to %s", s->address); break;
    case FAY_SINK_NULL: fay_buffer_append_text(out, "nowhere (null)"); break;
    }
    fay_buffer_printf(out, ", format %s  <-", fay_format_name(s->format));
    const char *comma = " ";
    for (size_t i = 0; i < p->stages_count; i++) {
        if (fay_pipeline_has_successor(p, (int)i))
            continue;
        fay_buffer_printf(out, "%s%s", comma, p->stages[i].name);
        comma = ", ";
    }
    fay_buffer_printf(out, "\ndead    %s\n",
                      p->dead_letter != NULL ? p->dead_letter : "none: not kept");
}

/* -- Stages ---------------------------------------------------------------------------------------
 */

static void put_inputs(const fay_pipeline *p, const fay_stage_def *stage, fay_buffer *out)
{
    fay_buffer_printf(out, "stage   %s  <-", stage->name);
    for (size_t k = 0; k < stage->inputs_count; k++) {
        int from = stage->inputs[k];
        fay_buffer_printf(out, "%s%s", k > 0 ? ", " : " ",
                          from == FAY_INPUT_SOURCE ? "source" : p->stages[from].name);
    }
    if (stage->when_else) {
        fay_buffer_append_text(out, "  when no other test takes it");
    } else if (stage->when != NULL) {
        fay_buffer_printf(out, "  when %s", stage->when_text);
    }
    fay_buffer_append(out, "\n", 1);
}

static void put_command(const fay_stage_def *stage, fay_buffer *out)
{
    static const char *const contracts[] = {
        "a process for each Item",
        "one line in, one line out",
        "a process for each batch, Items on its stdin",
        "JSON lines, answered by id",
        "frames of the C SDK",
    };
    if (stage->module != NULL) {
        fay_buffer_append_text(out, "    module   ");
        put_word(out, stage->module);
    } else if (stage->shell != NULL) {
        fay_buffer_append_text(out, "    sh       ");
        put_word(out, stage->shell);
    } else {
        fay_buffer_append_text(out, "    run      ");
        put_words(out, stage->argv);
    }
    fay_buffer_printf(out, "\n    mode     %s: %s", fay_mode_name(stage->mode),
                      contracts[stage->mode]);
    if (stage->mode == FAY_MODE_BATCH)
        fay_buffer_printf(out, ", up to %" PRIu64, stage->batch_items);
    if (stage->mode == FAY_MODE_EXEC || stage->mode == FAY_MODE_BATCH) {
        fay_buffer_append_text(out, stage->emit == FAY_EMIT_WHOLE
                                        ? "; its output is one Item"
                                        : "; each line of output is an Item");
    }
    fay_buffer_append_text(out, stage->ordered ? "; results in order of input\n" : "\n");
}

static void put_workers(const fay_stage_def *stage, fay_buffer *out)
{
    if (stage->workers_pinned) {
        fay_buffer_printf(out, "    workers  %u, pinned\n", stage->workers_min);
        return;
    }
    fay_buffer_printf(out, "    workers  %u to ", stage->workers_min);
    if (stage->workers_max > 0) {
        fay_buffer_printf(out, "%u", stage->workers_max);
    } else {
        fay_buffer_append_text(out, "what the machine has");
    }
    fay_buffer_printf(out, ", %u at first, as many as are needed\n", stage->workers_start);
}

static void put_failure(const fay_stage_def *stage, fay_buffer *out)
{
    static const char *const ends[] = {"dead letter", "dropped and counted", "the run stops"};
    fay_buffer_append_text(out, "    failure  ");
    if (stage->retries == UINT64_MAX) {
        fay_buffer_append_text(out, "retried for ever");
    } else if (stage->retries > 0) {
        fay_buffer_printf(out, "%" PRIu64 " retries", stage->retries);
    }
    if (stage->retries > 0) {
        fay_buffer_append_text(out, " after ");
        put_duration(out, stage->backoff_initial);
        fay_buffer_printf(out, " x%g, at most ", stage->backoff_factor);
        put_duration(out, stage->backoff_max);
    }
    if (stage->retries < UINT64_MAX)
        fay_buffer_printf(out, "%s%s", stage->retries > 0 ? ", then " : "", ends[stage->on_error]);
    if (stage->timeout > 0) {
        fay_buffer_append_text(out, "; a try may take ");
        put_duration(out, stage->timeout);
    }
    fay_buffer_append(out, "\n", 1);
}

/* -- Exactly once ---------------------------------------------------------------------------------
 */

/* Why the source cannot be read again; NULL if it can. */
static const char *source_is_gone(const fay_pipeline *p, bool stdin_is_file)
{
    switch (p->source.kind) {
    case FAY_SOURCE_STDIN: return stdin_is_file ? NULL : "stdin is a pipe";
    case FAY_SOURCE_EXEC: return "the output of a command may differ the next time";
    case FAY_SOURCE_LISTEN: return "what came over a socket does not come again";
    case FAY_SOURCE_FILE:
    case FAY_SOURCE_DIR:
    case FAY_SOURCE_GENERATE:
    case FAY_SOURCE_ITEMS:
    case FAY_SOURCE_DEAD: return NULL;
    }
    return NULL;
}

static bool rotates(const fay_sink_def *sink)
{
    return sink->kind == FAY_SINK_FILE && (sink->rotate_bytes > 0 || sink->rotate_age > 0);
}

/* Why the sink cannot be cut back to the last commit; NULL if it can. */
static const char *sink_is_uncut(const fay_sink_def *sink, bool stdout_is_file)
{
    switch (sink->kind) {
    case FAY_SINK_STDOUT: return stdout_is_file ? NULL : "stdout: a pipe";
    case FAY_SINK_EXEC: return "exec: a command";
    case FAY_SINK_LISTEN: return "listen: a socket";
    case FAY_SINK_FILE:
    case FAY_SINK_NULL: return NULL;
    }
    return NULL;
}

static void put_promise(const fay_pipeline *p, const fay_plan_facts *facts, fay_buffer *out)
{
    const char *gone = p->spool ? NULL : source_is_gone(p, facts->stdin_is_file);
    const char *uncut = sink_is_uncut(&p->sink, facts->stdout_is_file);
    bool state = p->state[0] != '\0';
    fay_buffer_append_text(out, "\nexactly once\n"
                                "  yes  each source Item's results reach the sink exactly once, "
                                "whatever worker, Instance or machine dies\n"
                                "  no   a worker may be given an Item more than once\n");
    if (gone != NULL) {
        fay_buffer_printf(out, "  no   source: %s: not resumable with --state unless spool: true\n",
                          gone);
    }
    if (p->spool && p->source.kind == FAY_SOURCE_EXEC) {
        fay_buffer_append_text(out,
                               "  no   source: a resumed run does not run the command again: what "
                               "it had said by then is all\n");
    }
    if (rotates(&p->sink)) {
        fay_buffer_append_text(out, "  no   sink: a file that rotates cannot be cut: not resumable "
                                    "with --state\n");
    }
    if (uncut != NULL) {
        fay_buffer_printf(out,
                          "  no   sink %s may see the Items of the last commit interval again "
                          "after the owner's death\n",
                          uncut);
    }
    if (gone != NULL || rotates(&p->sink))
        return;
    const char *who = uncut != NULL ? "every source Item is done at least once" : "the same";
    if (state) {
        fay_buffer_printf(out, "  yes  %s when the owner dies and is resumed from %s\n", who,
                          p->state);
    } else {
        fay_buffer_printf(out,
                          "  no   when the owner dies: without --state nothing says how far it "
                          "came (with it, %s)\n",
                          who);
    }
}

int fay_pipeline_check_state(const fay_pipeline *pipeline, bool stdin_is_file, fay_error *err)
{
    const char *gone = pipeline->spool ? NULL : source_is_gone(pipeline, stdin_is_file);
    if (gone != NULL) {
        int r = fay_fail_with(err, FAY_E_CONFIG,
                              "--state needs a source that can be read again: %s", gone);
        fay_hint(err, pipeline->source.kind == FAY_SOURCE_STDIN
                          ? "give a file (-a FILE or < FILE), or store what is read: spool: true"
                          : "store what is read in the state directory: spool: true");
        return r;
    }
    if (rotates(&pipeline->sink)) {
        int r = fay_fail_with(err, FAY_E_CONFIG,
                              "--state needs a sink that can be cut: a file that rotates cannot");
        fay_hint(err, "leave out 'rotate'");
        return r;
    }
    return 0;
}

/* -- Warnings -------------------------------------------------------------------------------------
 */

struct warnings {
    fay_buffer *out;
    size_t count;
};

static void warn(struct warnings *w, const char *stage, const char *text)
{
    if (w->count++ == 0)
        fay_buffer_append_text(w->out, "\nwarnings\n");
    if (stage != NULL) {
        fay_buffer_printf(w->out, "  stage %s: %s\n", stage, text);
    } else {
        fay_buffer_printf(w->out, "  %s\n", text);
    }
}

static const char *program_of(const fay_stage_def *stage)
{
    const char *program = stage->argv != NULL ? stage->argv[0] : "";
    const char *slash = strrchr(program, '/');
    return slash != NULL ? slash + 1 : program;
}

static bool is_shell(const char *program)
{
    static const char *const shells[] = {"sh", "bash", "dash", "zsh", "ksh"};
    for (size_t i = 0; i < FAY_COUNT(shells); i++) {
        if (strcmp(program, shells[i]) == 0)
            return true;
    }
    return false;
}

/* sh -c 'echo {}': the Item becomes part of a program */
static bool injects(const fay_stage_def *stage)
{
    size_t length;
    return stage->mode == FAY_MODE_EXEC && stage->shell == NULL && is_shell(program_of(stage)) &&
           stage->argc > 2 && strcmp(stage->argv[1], "-c") == 0 &&
           fay_template_find(stage->argv[2], &length) != NULL;
}

static void warn_stage(struct warnings *w, const fay_stage_def *stage)
{
    const char *program = program_of(stage);
    bool lines = stage->mode == FAY_MODE_LINES;
    if (injects(stage))
        warn(w, stage->name, "the shell runs what is in the Item: use \"$FAYMORA_ITEM\"");
    if (lines && stage->shell != NULL && strstr(stage->shell, "FAYMORA_ITEM") != NULL)
        warn(w, stage->name, "$FAYMORA_ITEM is not set in mode lines");
    if (lines && (strcmp(program, "mawk") == 0 || strcmp(program, "awk") == 0)) {
        warn(w, stage->name,
             "mawk, Debian's awk, reads ahead and stalls as a lines worker: "
             "add -W interactive, or mode: batch");
    }
    if (lines && strcmp(program, "perl") == 0 && stage->buffering == FAY_BUFFERING_LINE)
        warn(w, stage->name, "perl buffers its output: set $| = 1, or buffering: pty");
    if (stage->on_error == FAY_ON_ERROR_DROP)
        warn(w, stage->name, "Items that fail are dropped (on_error: drop)");
    if (stage->retries == UINT64_MAX)
        warn(w, stage->name, "an Item that always fails holds its place for ever");
}

static void put_warnings(const fay_pipeline *p, fay_buffer *out)
{
    struct warnings w = {.out = out};
    for (size_t i = 0; i < p->stages_count; i++) {
        warn_stage(&w, &p->stages[i]);
    }
    if (p->dead_letter == NULL)
        warn(&w, NULL, "Items that fail are not kept (dead_letter: none)");
    bool endless = p->source.kind == FAY_SOURCE_LISTEN || p->source.follow ||
                   (p->source.kind == FAY_SOURCE_GENERATE && p->source.generate_count == 0);
    if (endless && p->run_time == 0)
        warn(&w, NULL, "the source does not end by itself: the run goes on until it is stopped");
}

void fay_plan_print(const fay_pipeline *pipeline, const fay_plan_facts *facts, fay_buffer *out)
{
    fay_buffer_printf(
        out, "pipeline %s%s%s%s\n\n", pipeline->name, pipeline->path != NULL ? " (" : "",
        pipeline->path != NULL ? pipeline->path : "", pipeline->path != NULL ? ")" : "");
    put_source(pipeline, facts, out);
    for (size_t i = 0; i < pipeline->stages_count; i++) {
        const fay_stage_def *stage = &pipeline->stages[i];
        put_inputs(pipeline, stage, out);
        put_command(stage, out);
        put_workers(stage, out);
        put_failure(stage, out);
    }
    put_sink(pipeline, facts, out);
    put_promise(pipeline, facts, out);
    put_warnings(pipeline, out);
}
