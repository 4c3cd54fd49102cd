/* SPDX-License-Identifier: MIT */
/*
 * exec and batch: a process for each try, of one Item (exec) or of one lease (batch).
 *
 *     begin --> [ process ] --> ended --> output, when it has succeeded
 *
 *     exec   the Item goes into argv (templates) and $FAYMORA_ITEM; stdin is /dev/null
 *     batch  the Items go to stdin, in the stage's format; all output counts as the first one's
 *
 * Both judge an exit alike: 0 good, 65 never again, 75 again, 126 and 127 stop the run (no such
 * command: the next Item would not fare better), all else again. A failure of several Items in one
 * process names none of them: the owner must halve them.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/limits.h"
#include "base/units.h"
#include "item/attrs.h"
#include "item/format.h"
#include "item/template.h"
#include "wire/verdict.h"
#include "worker/mode_class.h"

enum {
    EXIT_POISON = 65,          /* EX_DATAERR of sysexits.h */
    EXIT_NOT_EXECUTABLE = 126, /* as shells say it */
    EXIT_NOT_FOUND = 127,
    VARIABLES = 4,
    EMIT_WHOLE = 1,
};

typedef struct oneshot {
    fay_mode mode;
    bool running;
    bool parts; /* some of the output has been sent */
    /* exec */
    fay_template **templates; /* one per word of setup.argv, NULL-terminated */
    size_t words;
    fay_buffer arena; /* the strings of the command, NUL-terminated */
    size_t *at;       /* where they begin */
    const char **argv, *env[VARIABLES + 1];
    /* batch */
    fay_buffer input;
    size_t joined; /* Items of the process: the oldest that are held, with consecutive tags */
} oneshot;

static int oneshot_init(fay_mode *mode, fay_error *err)
{
    oneshot *o = (oneshot *)mode;
    char **argv = mode->config.setup->argv;
    while (argv[o->words] != NULL) {
        o->words++;
    }
    o->argv = fay_alloc((o->words + 1) * sizeof *o->argv);
    o->at = fay_alloc((o->words + VARIABLES) * sizeof *o->at);
    o->templates = fay_alloc((o->words + 1) * sizeof(fay_template *));
    for (size_t i = 0; i < o->words; i++) {
        o->argv[i] = argv[i];
        if (mode->config.setup->mode != FAY_MODE_EXEC)
            continue;
        o->templates[i] = fay_template_parse(argv[i], err);
        if (o->templates[i] == NULL)
            return FAY_E_CONFIG; /* the caller frees the mode */
    }
    return 0;
}

static void oneshot_deinit(fay_mode *mode)
{
    oneshot *o = (oneshot *)mode;
    for (size_t i = 0; o->templates != NULL && o->templates[i] != NULL; i++) {
        fay_template_free(o->templates[i]);
    }
    free(o->templates);
    free(o->argv);
    free(o->at);
    fay_buffer_deinit(&o->arena);
    fay_buffer_deinit(&o->input);
}

static int oneshot_lease(fay_mode *mode, const fay_lease_frame *lease, fay_replies *out)
{
    (void)out;
    fay_batch *batch = fay_block_batch(&lease->block);
    int rc = fay_held_push(&mode->held, lease->first_tag, lease->block.count, batch);
    if (rc != 0)
        fay_batch_unref(batch);
    return rc;
}

static size_t begun(const oneshot *o)
{
    const fay_held_run *run;
    uint32_t at;
    if (!o->running || fay_held_peek(&o->mode.held, 1, &run, &at) == 0)
        return 0;
    return o->mode.config.setup->mode == FAY_MODE_EXEC ? 1 : o->joined;
}

size_t fay_mode_begun(const fay_mode *mode)
{
    return begun((const oneshot *)mode);
}

static void oneshot_recall(fay_mode *mode, fay_replies *out)
{
    fay_mode_give_back(mode, mode->held.items - begun((oneshot *)mode), out);
}

/* ---- exec: the command ---------------------------------------------------------------------- */

static void end_string(oneshot *o)
{
    fay_buffer_append(&o->arena, "", 1);
}

static void expand(oneshot *o, const fay_template_values *values)
{
    fay_buffer_clear(&o->arena);
    for (size_t i = 0; i < o->words; i++) {
        o->at[i] = fay_buffer_size(&o->arena);
        (void)fay_template_expand(o->templates[i], values, &o->arena);
        end_string(o);
    }
    size_t *at = o->at + o->words;
    at[0] = fay_buffer_size(&o->arena);
    fay_buffer_append_text(&o->arena, "FAYMORA_ITEM=");
    fay_buffer_append(&o->arena, values->data, values->data_size);
    end_string(o);
    at[1] = fay_buffer_size(&o->arena);
    fay_buffer_append_text(&o->arena, "FAYMORA_ITEM_ATTRS=");
    if (values->attrs_size > 0) {
        fay_attrs_to_json(values->attrs, values->attrs_size, &o->arena);
    } else {
        fay_buffer_append_text(&o->arena, "{}");
    }
    end_string(o);
    at[2] = fay_buffer_size(&o->arena);
    fay_buffer_printf(&o->arena, "FAYMORA_ID=%s", values->id);
    end_string(o);
    at[3] = fay_buffer_size(&o->arena);
    fay_buffer_printf(&o->arena, "FAYMORA_ATTEMPT=%llu", (unsigned long long)values->attempt);
    end_string(o);
}

/* Sets the pointers; an error text if a string cannot be an argument, else NULL. */
static const char *point(oneshot *o)
{
    const char *base = (const char *)fay_buffer_data(&o->arena);
    size_t count = o->words + VARIABLES, size = fay_buffer_size(&o->arena);
    for (size_t i = 0; i < count; i++) {
        size_t end = i + 1 < count ? o->at[i + 1] : size;
        size_t length = end - o->at[i] - 1;
        if (length >= FAY_ARGUMENT_MAX)
            return "the Item is longer than the kernel takes as an argument (128 KiB)";
        if (memchr(base + o->at[i], '\0', length) != NULL)
            return "the Item has a NUL byte inside and cannot be an argument";
        if (i < o->words) {
            o->argv[i] = base + o->at[i];
        } else {
            o->env[i - o->words] = base + o->at[i];
        }
    }
    return NULL;
}

static int exec_begin(fay_mode *mode, fay_command *ret, fay_replies *out)
{
    oneshot *o = (oneshot *)mode;
    const fay_held_run *run;
    uint32_t at;
    assert(!o->running);
    while (fay_held_peek(&mode->held, 1, &run, &at) > 0) {
        const fay_entry *e = &run->batch->entries[at];
        char id[FAY_PATH_TEXT_MAX];
        (void)fay_path_text(e->root, &e->path, false, id);
        const fay_template_values values = {.data = run->batch->bytes + e->at,
                                            .data_size = e->size,
                                            .attrs = run->batch->bytes + e->attrs_at,
                                            .attrs_size = e->attrs_size,
                                            .id = id,
                                            .node = mode->config.setup->node,
                                            .attempt = e->attempt,
                                            .sequence = e->root + 1,
                                            .slot = mode->config.number + 1};
        expand(o, &values);
        const char *error = point(o);
        if (error == NULL) {
            o->running = true;
            o->parts = false;
            mode->mark = mode->since = mode->now;
            *ret = (fay_command){.argv = o->argv, .env = o->env};
            return FAY_MODE_BEGIN;
        }
        fay_reply_refusal(out, run->first + at, FAY_VERDICT_NO_ARGUMENT, error);
        (void)fay_held_take(&mode->held, 1, &run, &at);
        fay_mode_count(mode, 1);
    }
    return FAY_MODE_IDLE;
}

/* ---- batch: the input ----------------------------------------------------------------------- */

/* The Items of the oldest lease up to one that the format cannot say; such ones in front are
 * refused. So what one process gets has consecutive tags and is answered whole, in one frame: a
 * part of it that was lost would be done again, though its results are among the others. */
static void join(oneshot *o, const fay_held_run *run, fay_replies *out)
{
    const fay_batch *batch = run->batch;
    const fay_setup *setup = o->mode.config.setup;
    uint64_t first = run->first;
    size_t count = run->count, from = run->at, size;
    if (batch->gap == 1 && setup->format == FAY_FORMAT_LINES && run->done == NULL &&
        fay_batch_contiguous(batch, from, count - from, &size)) {
        fay_buffer_append(&o->input, batch->bytes + batch->entries[from].at, size);
        o->joined = count - from;
        return;
    }
    fay_batch *kept = fay_batch_ref(run->batch); /* answering may end the run */
    o->joined = 0;
    for (size_t i = from; i < count; i++) {
        const fay_entry *e = &kept->entries[i];
        bool has = fay_held_has(&o->mode.held, first + i);
        if (has &&
            fay_join((fay_format)setup->format, kept->bytes + e->at, e->size, &o->input) == 0) {
            o->joined++;
            continue;
        }
        if (o->joined > 0)
            break; /* the rest is the next process's */
        if (!has)
            continue;
        fay_reply_refusal(out, first + i, FAY_VERDICT_POISON,
                          "the Item cannot be said in the stage's format; use mode json or exec");
        (void)fay_held_answer(&o->mode.held, first + i, 1);
        fay_mode_count(&o->mode, 1);
    }
    fay_batch_unref(kept);
}

static int batch_begin(fay_mode *mode, fay_command *ret, fay_replies *out)
{
    oneshot *o = (oneshot *)mode;
    const fay_held_run *run;
    uint32_t at;
    assert(!o->running);
    while (fay_held_peek(&mode->held, 1, &run, &at) > 0) {
        fay_buffer_clear(&o->input);
        join(o, run, out);
        if (o->joined == 0)
            continue; /* all of it was refused */
        o->running = true;
        o->parts = false;
        mode->mark = mode->since = mode->now;
        *ret = (fay_command){.argv = o->argv, .env = o->env, .input = true};
        return FAY_MODE_BEGIN;
    }
    return FAY_MODE_IDLE;
}

static const uint8_t *batch_input(fay_mode *mode, size_t *ret_size)
{
    oneshot *o = (oneshot *)mode;
    *ret_size = fay_buffer_size(&o->input);
    return *ret_size > 0 ? fay_buffer_data(&o->input) : NULL;
}

static void batch_wrote(fay_mode *mode, size_t size)
{
    oneshot *o = (oneshot *)mode;
    fay_buffer_consume(&o->input, size);
    if (fay_buffer_size(&o->input) == 0 && o->input.capacity > FAY_MIB)
        fay_buffer_deinit(&o->input);
}

/* ---- how it ended --------------------------------------------------------------------------- */

/* The verdict about the one Item of the process. */
static int refuse(oneshot *o, fay_verdict verdict, fay_replies *out)
{
    const fay_held_run *run;
    uint32_t at;
    if (fay_held_take(&o->mode.held, 1, &run, &at) == 0)
        return FAY_MODE_ANSWERED;
    verdict.tag = run->first + at;
    fay_reply_begin(out, FAY_MESSAGE_VERDICT);
    fay_verdict_write(&verdict, &out->heads);
    fay_reply_end(out, NULL, 0);
    fay_mode_count(&o->mode, 1);
    o->running = false;
    return FAY_MODE_ANSWERED;
}

static int stop_run(oneshot *o, int code, fay_replies *out)
{
    const fay_setup *setup = o->mode.config.setup;
    char message[FAY_ERROR_TEXT_MAX];
    (void)snprintf(message, sizeof message, "stage %s: %s: exit %d (%s)", setup->stage,
                   setup->argv[0], code,
                   code == EXIT_NOT_FOUND ? "command not found" : "command cannot be executed");
    const fay_failed failed = {
        .kind = FAY_FAILED_STOP,
        .exit = code,
        .message = fay_text_from(message),
        .hint = fay_text_from("exit 126 and 127 stop the run: the next Item would fare no better")};
    fay_reply_begin(out, FAY_MESSAGE_FAILED);
    fay_failed_write(&failed, &out->heads);
    fay_reply_end(out, NULL, 0);
    o->running = false;
    return FAY_MODE_STOP;
}

/* The verdict that an ending of one Item's process is worth. */
static fay_verdict judge(const oneshot *o, const fay_ending *e, char *text, size_t size)
{
    fay_verdict v = {.kind = FAY_VERDICT_RETRY,
                     .tail = {.bytes = (const char *)e->tail, .size = e->tail_size}};
    char units[FAY_UNITS_TEXT_MAX];
    if (e->start_errno != 0) {
        char why[128];
        (void)snprintf(text, size, "cannot start: %s", strerror_r(e->start_errno, why, sizeof why));
        if (e->start_errno == E2BIG)
            v.kind = FAY_VERDICT_NO_ARGUMENT;
    } else if (e->timed_out) {
        (void)snprintf(text, size, "took longer than timeout (%s)",
                       fay_duration_text(o->mode.config.setup->timeout, units));
        v.kind = FAY_VERDICT_TIMEOUT;
    } else if (e->error != NULL) {
        (void)snprintf(text, size, "%s", e->error);
        if (e->too_large)
            v.kind = FAY_VERDICT_TOO_LARGE;
    } else {
        fay_status_text(e->status, text, size);
        if (WIFEXITED(e->status) && WEXITSTATUS(e->status) == EXIT_POISON)
            v.kind = FAY_VERDICT_POISON;
        v.exit = WIFEXITED(e->status) ? WEXITSTATUS(e->status) : 0;
        v.signal = WIFSIGNALED(e->status) ? WTERMSIG(e->status) : 0;
    }
    v.error = fay_text_from(text);
    return v;
}

static int oneshot_ended(fay_mode *mode, const fay_ending *ending, fay_replies *out)
{
    oneshot *o = (oneshot *)mode;
    bool own = ending->start_errno != 0 || ending->timed_out || ending->error != NULL;
    int code = !own && WIFEXITED(ending->status) ? WEXITSTATUS(ending->status) : -1;
    fay_buffer_clear(&o->input);
    if (code == 0)
        return FAY_MODE_ACCEPTED;
    if (code == EXIT_NOT_EXECUTABLE || code == EXIT_NOT_FOUND)
        return stop_run(o, code, out);
    size_t several = begun(o);
    if (several > 1) {
        oneshot_recall(mode, out);
        o->running = false;
        return FAY_MODE_BROKEN;
    }
    char text[FAY_ERROR_TEXT_MAX];
    return refuse(o, judge(o, ending, text, sizeof text), out);
}

/* ---- what it printed ------------------------------------------------------------------------ */

/* Splits as far as there are whole Items; children get the attributes of the first Item. */
static int split(const oneshot *o, const fay_held_run *run, uint32_t at, fay_output *output,
                 fay_batch *children)
{
    const fay_setup *setup = o->mode.config.setup;
    const fay_entry *parent = &run->batch->entries[at];
    const uint8_t *attrs = run->batch->bytes + parent->attrs_at;
    while (output->used < output->size) {
        fay_slice slice = {0, output->size, output->size};
        size_t left = output->size - output->used;
        int rc = 0;
        if (setup->emit != EMIT_WHOLE) {
            rc = fay_split((fay_format)setup->format, output->bytes + output->used, left,
                           output->final, false, setup->item_max, NULL, &slice);
        } else if (!output->final) {
            rc = FAY_SPLIT_MORE;
        } else if (left > setup->item_max) {
            rc = FAY_E_NORES;
        }
        if (rc != FAY_SPLIT_ITEM)
            return rc < 0 ? rc : 0;
        fay_batch_append(children, output->bytes + output->used + slice.at, slice.length);
        fay_batch_append_attrs(children, attrs, parent->attrs_size);
        output->used += slice.next;
        if (!output->final && children->size > FAY_FRAME_BATCH_MAX)
            return 0;
    }
    return 0;
}

/* The results of all Items of the process, in one answer: the first has the children, the rest
 * none. */
static void finish(oneshot *o, const fay_batch *children, fay_replies *out)
{
    const fay_held_run *run;
    uint32_t at;
    size_t items = begun(o);
    uint32_t answered = fay_held_take(&o->mode.held, items, &run, &at);
    assert(answered == items);
    FAY_CLEANUP(fay_freep) uint32_t *counts = fay_alloc(answered * sizeof *counts);
    counts[0] = (uint32_t)children->count;
    fay_set set = {
        .first = run->first + at, .count = answered, .counts = counts, .children = children};
    fay_reply_set(out, &o->mode, &set);
    fay_mode_count(&o->mode, answered);
    o->running = false;
}

static int oneshot_output(fay_mode *mode, fay_output *output, fay_replies *out)
{
    oneshot *o = (oneshot *)mode;
    const fay_held_run *run;
    uint32_t at;
    if (fay_held_peek(&mode->held, 1, &run, &at) == 0)
        return FAY_MODE_REFUSED;
    FAY_CLEANUP(fay_batch_unrefp) fay_batch *children = fay_batch_new();
    bool lines =
        mode->config.setup->format <= FAY_FORMAT_JSONL && mode->config.setup->emit != EMIT_WHOLE;
    children->gap = lines && run->batch->entries[at].attrs_size == 0 ? 1 : 0;
    int rc = split(o, run, at, output, children);
    if (rc == FAY_E_NORES) {
        (void)fay_mode_check_item(mode, UINT64_MAX);
        const fay_verdict v = {.kind = FAY_VERDICT_TOO_LARGE, .error = fay_text_from(mode->error)};
        (void)refuse(o, v, out);
        return FAY_MODE_REFUSED;
    }
    if (rc != 0) {
        const fay_verdict v = {.kind = FAY_VERDICT_RETRY,
                               .error = fay_text_from("its output is not of the stage's format")};
        (void)refuse(o, v, out);
        return FAY_MODE_REFUSED;
    }
    if (output->final && output->used == output->size) {
        finish(o, children, out);
    } else if (children->count > 0) {
        fay_reply_parts(out, mode, run->first + at, children);
    }
    return 0;
}

const fay_mode_class fay_mode_exec_class = {
    .size = sizeof(oneshot),
    .init = oneshot_init,
    .deinit = oneshot_deinit,
    .lease = oneshot_lease,
    .recall = oneshot_recall,
    .begin = exec_begin,
    .ended = oneshot_ended,
    .output = oneshot_output,
};

const fay_mode_class fay_mode_batch_class = {
    .size = sizeof(oneshot),
    .init = oneshot_init,
    .deinit = oneshot_deinit,
    .lease = oneshot_lease,
    .recall = oneshot_recall,
    .input = batch_input,
    .wrote = batch_wrote,
    .begin = batch_begin,
    .ended = oneshot_ended,
    .output = oneshot_output,
};
