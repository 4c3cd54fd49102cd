/* SPDX-License-Identifier: MIT */
#include "pipeline/plan.h"

#include <inttypes.h>
#include <string.h>

#include "base/units.h"

enum {
    PACE_PIECES_SHOWN = 8 /* of a rate that changes over time */
};

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

/* "1000 generated Items of 64B, 5/s for 10s, 5/s to 50/s within 20s, then 50/s" */
static void put_generated(const fay_source_def *s, fay_buffer *out)
{
    const fay_pace *pace = &s->generate_pace;
    uint64_t count = fay_pipeline_generated(s);
    if (count < UINT64_MAX) {
        fay_buffer_printf(out, "%" PRIu64 " generated Items of ", count);
    } else {
        fay_buffer_append_text(out, "generated Items without end, of ");
    }
    put_size(out, s->generate_size);
    for (size_t i = 0; i < FAY_MIN(pace->count, (size_t)PACE_PIECES_SHOWN); i++) {
        const fay_pace_piece *piece = &pace->pieces[i];
        bool same = piece->from >= piece->to && piece->from <= piece->to;
        char lasts[FAY_UNITS_TEXT_MAX];
        fay_buffer_printf(out, ", %s%.9g/s", i > 0 && piece->lasts == 0 ? "then " : "",
                          piece->from);
        if (!same)
            fay_buffer_printf(out, " to %.9g/s", piece->to);
        if (piece->lasts > 0) {
            fay_buffer_printf(out, " %s %s", same ? "for" : "within",
                              fay_duration_text(piece->lasts, lasts));
        }
    }
    if (pace->count > PACE_PIECES_SHOWN)
        fay_buffer_printf(out, ", and %zu pieces more", pace->count - PACE_PIECES_SHOWN);
}

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
    case FAY_SOURCE_GENERATE: put_generated(s, out); break;
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
    fay_buffer_printf(out, "\n    mode     %s: %s", fay_mode_names[stage->mode],
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

/* -- Promises and warnings ------------------------------------------------------------------------
 */

static void put_promises(const fay_pipeline *p, const fay_plan_facts *facts, fay_buffer *out)
{
    FAY_CLEANUP(fay_sentences_deinit) fay_sentences promises = {0};
    fay_pipeline_promises(p, facts, &promises);
    fay_buffer_append_text(out, "\nexactly once\n");
    for (size_t i = 0; i < promises.count; i++) {
        fay_buffer_printf(out, "  %s  %s\n", promises.items[i].kept ? "yes" : "no ",
                          promises.items[i].text);
    }
}

static void put_warnings(const fay_pipeline *p, fay_buffer *out)
{
    FAY_CLEANUP(fay_sentences_deinit) fay_sentences warnings = {0};
    fay_pipeline_warnings(p, &warnings);
    if (warnings.count > 0)
        fay_buffer_append_text(out, "\nwarnings\n");
    for (size_t i = 0; i < warnings.count; i++) {
        const fay_sentence *w = &warnings.items[i];
        fay_buffer_printf(out, "  %s%s%s%s\n", w->about != NULL ? "stage " : "",
                          w->about != NULL ? w->about : "", w->about != NULL ? ": " : "", w->text);
    }
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
    put_promises(pipeline, facts, out);
    put_warnings(pipeline, out);
}
