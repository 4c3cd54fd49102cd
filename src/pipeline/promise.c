/* SPDX-License-Identifier: MIT */
#include "pipeline/promise.h"

#include <stdlib.h>
#include <string.h>

#include "item/template.h"

void fay_sentences_deinit(fay_sentences *sentences)
{
    for (size_t i = 0; i < sentences->count; i++) {
        free(sentences->items[i].text);
    }
    free(sentences->items);
    *sentences = (fay_sentences){0};
}

/* Takes the text over. */
static void add(fay_sentences *to, bool kept, const char *about, char *text)
{
    FAY_RESERVE(to->items, to->capacity, to->count + 1);
    fay_sentence *sentence = &to->items[to->count++];
    *sentence = (fay_sentence){.kept = kept, .about = about};
    sentence->text = text;
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

static void promise_source(const fay_pipeline *p, const char *gone, fay_sentences *ret)
{
    if (gone != NULL) {
        add(ret, false, "source",
            fay_printed("source: %s: not resumable with --state unless spool: true", gone));
    }
    if (p->spool && p->source.kind == FAY_SOURCE_EXEC) {
        add(ret, false, "source",
            fay_strdup("source: a resumed run does not run the command again: what it had said by "
                       "then is all"));
    }
}

static void promise_sink(const fay_pipeline *p, const char *uncut, fay_sentences *ret)
{
    if (rotates(&p->sink)) {
        add(ret, false, "sink",
            fay_strdup("sink: a file that rotates cannot be cut: not resumable with --state"));
    }
    if (uncut != NULL) {
        add(ret, false, "sink",
            fay_printed("sink %s may see the Items of the last commit interval again after the "
                        "owner's death",
                        uncut));
    }
}

/* Of a pipeline that could be resumed. */
static void promise_owner(const fay_pipeline *p, const char *uncut, fay_sentences *ret)
{
    const char *who = uncut != NULL ? "every source Item is done at least once" : "the same";
    if (p->state[0] != '\0') {
        add(ret, true, "owner",
            fay_printed("%s when the owner dies and is resumed from %s", who, p->state));
    } else {
        add(ret, false, "owner",
            fay_printed("when the owner dies: without --state nothing says how far it came (with "
                        "it, %s)",
                        who));
    }
}

void fay_pipeline_promises(const fay_pipeline *pipeline, const fay_plan_facts *facts,
                           fay_sentences *ret)
{
    const char *gone = pipeline->spool ? NULL : source_is_gone(pipeline, facts->stdin_is_file);
    const char *uncut = sink_is_uncut(&pipeline->sink, facts->stdout_is_file);
    add(ret, true, "results",
        fay_strdup("each source Item's results reach the sink exactly once, whatever worker, "
                   "Instance or machine dies"));
    add(ret, false, "worker", fay_strdup("a worker may be given an Item more than once"));
    promise_source(pipeline, gone, ret);
    promise_sink(pipeline, uncut, ret);
    if (gone == NULL && !rotates(&pipeline->sink))
        promise_owner(pipeline, uncut, ret);
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

static void warn(fay_sentences *ret, const char *stage, const char *text)
{
    add(ret, false, stage, fay_strdup(text));
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

static void warn_stage(fay_sentences *ret, const fay_stage_def *stage)
{
    const char *program = program_of(stage);
    bool lines = stage->mode == FAY_MODE_LINES;
    if (injects(stage))
        warn(ret, stage->name, "the shell runs what is in the Item: use \"$FAYMORA_ITEM\"");
    if (lines && stage->shell != NULL && strstr(stage->shell, "FAYMORA_ITEM") != NULL)
        warn(ret, stage->name, "$FAYMORA_ITEM is not set in mode lines");
    if (lines && (strcmp(program, "mawk") == 0 || strcmp(program, "awk") == 0)) {
        warn(ret, stage->name,
             "mawk, Debian's awk, reads ahead and stalls as a lines worker: "
             "add -W interactive, or mode: batch");
    }
    if (lines && strcmp(program, "perl") == 0 && stage->buffering == FAY_BUFFERING_LINE)
        warn(ret, stage->name, "perl buffers its output: set $| = 1, or buffering: pty");
    if (stage->on_error == FAY_ON_ERROR_DROP)
        warn(ret, stage->name, "Items that fail are dropped (on_error: drop)");
    if (stage->retries == UINT64_MAX)
        warn(ret, stage->name, "an Item that always fails holds its place for ever");
}

void fay_pipeline_warnings(const fay_pipeline *pipeline, fay_sentences *ret)
{
    for (size_t i = 0; i < pipeline->stages_count; i++) {
        warn_stage(ret, &pipeline->stages[i]);
    }
    if (pipeline->dead_letter == NULL)
        warn(ret, NULL, "Items that fail are not kept (dead_letter: none)");
    const fay_source_def *source = &pipeline->source;
    bool endless =
        source->kind == FAY_SOURCE_LISTEN || source->follow ||
        (source->kind == FAY_SOURCE_GENERATE && fay_pipeline_generated(source) == UINT64_MAX);
    if (endless && pipeline->run_time == 0)
        warn(ret, NULL, "the source does not end by itself: the run goes on until it is stopped");
}
