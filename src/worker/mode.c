/* SPDX-License-Identifier: MIT */
#include "worker/mode.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/units.h"
#include "worker/mode_class.h"

/* ---- what the modes share ------------------------------------------------------------------- */

int fay_mode_garbage(fay_mode *mode, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(mode->error, sizeof mode->error, format, args);
    va_end(args);
    return FAY_E_PEER;
}

fay_ns fay_mode_useful(fay_mode *mode)
{
    fay_ns useful = mode->now > mode->mark ? mode->now - mode->mark : 0;
    mode->mark = FAY_MAX(mode->now, mode->mark);
    return useful;
}

void fay_mode_count(fay_mode *mode, uint64_t items)
{
    mode->answered += items;
    mode->since = mode->now;
}

void fay_mode_give_back(fay_mode *mode, size_t items, fay_replies *out)
{
    uint64_t first;
    for (uint32_t got; items > 0 && (got = fay_held_give_back(&mode->held, items, &first)) > 0;) {
        fay_reply_given_back(out, first, got);
        items -= got;
    }
}

int fay_mode_check_item(fay_mode *mode, uint64_t size)
{
    if (size <= mode->config.setup->item_max)
        return 0;
    char text[FAY_UNITS_TEXT_MAX];
    return fay_mode_garbage(mode, "printed an Item of more than max_item (%s)",
                            fay_size_text(mode->config.setup->item_max, text));
}

void fay_status_text(int status, char *text, size_t size)
{
    if (WIFSIGNALED(status)) {
        int number = WTERMSIG(status);
        (void)snprintf(text, size, "killed by signal %d (%s)", number,
                       sigdescr_np(number) != NULL ? sigdescr_np(number) : "real-time");
    } else {
        (void)snprintf(text, size, "exit %d", WEXITSTATUS(status));
    }
}

/* ---- mode.h --------------------------------------------------------------------------------- */

static const fay_mode_class *const classes[] = {
    [FAY_MODE_EXEC] = &fay_mode_exec_class,     [FAY_MODE_LINES] = &fay_mode_lines_class,
    [FAY_MODE_BATCH] = &fay_mode_batch_class,   [FAY_MODE_JSON] = &fay_mode_json_class,
    [FAY_MODE_FRAMES] = &fay_mode_frames_class,
};

fay_mode *fay_mode_new(const fay_mode_config *config, fay_error *err)
{
    assert(config->setup->mode < FAY_COUNT(classes));
    const fay_mode_class *class = classes[config->setup->mode];
    FAY_CLEANUP(fay_mode_freep) fay_mode *mode = fay_alloc(class->size);
    mode->class = class;
    mode->config = *config;
    mode->tests = config->router != NULL && fay_router_tests(config->router, config->setup->index);
    if (class->init != NULL && class->init(mode, err) != 0)
        return NULL;
    return FAY_STEAL(mode);
}

void fay_mode_free(fay_mode *mode)
{
    if (mode == NULL)
        return;
    if (mode->class->deinit != NULL)
        mode->class->deinit(mode);
    fay_held_deinit(&mode->held);
    free(mode);
}

void fay_mode_freep(fay_mode **mode)
{
    fay_mode_free(*mode);
    *mode = NULL;
}

int fay_mode_lease(fay_mode *mode, const fay_lease_frame *lease, fay_ns now, fay_replies *out)
{
    if (mode->held.items == 0)
        mode->mark = mode->since = now;
    mode->now = now;
    return mode->class->lease(mode, lease, out);
}

void fay_mode_settle(fay_mode *mode)
{
    if (mode->class->settle != NULL)
        mode->class->settle(mode);
}

void fay_mode_recall(fay_mode *mode, fay_replies *out)
{
    if (mode->class->recall != NULL)
        mode->class->recall(mode, out);
}

void fay_mode_status(fay_mode *mode, int pressure, unsigned workers)
{
    mode->pressure = pressure;
    mode->workers = workers;
}

const uint8_t *fay_mode_input(fay_mode *mode, size_t *ret_size)
{
    *ret_size = 0;
    return mode->class->input != NULL ? mode->class->input(mode, ret_size) : NULL;
}

void fay_mode_wrote(fay_mode *mode, size_t size, fay_ns now)
{
    mode->now = now;
    mode->class->wrote(mode, size);
}

size_t fay_mode_held(const fay_mode *mode)
{
    return mode->held.items;
}

bool fay_mode_oldest(const fay_mode *mode, uint64_t *ret_tag)
{
    return fay_held_oldest(&mode->held, ret_tag);
}

void fay_mode_input_ended(fay_mode *mode)
{
    mode->input_ended = true;
}

bool fay_mode_holds_back(const fay_mode *mode)
{
    return mode->input_ended;
}

size_t fay_mode_owed(const fay_mode *mode)
{
    return mode->held.items - FAY_MIN(mode->behind, mode->held.items);
}

uint64_t fay_mode_answered(const fay_mode *mode)
{
    return mode->answered;
}

fay_ns fay_mode_since(const fay_mode *mode)
{
    return fay_mode_owed(mode) > 0 ? mode->since : FAY_NEVER;
}

int fay_mode_output(fay_mode *mode, fay_output *output, fay_ns now, fay_replies *out)
{
    output->used = 0;
    mode->now = now;
    return mode->class->output(mode, output, out);
}

const char *fay_mode_error(const fay_mode *mode)
{
    return mode->error;
}

int fay_mode_frame(fay_mode *mode, const fay_frame *frame, fay_ns now, fay_replies *out)
{
    mode->now = now;
    return mode->class->frame(mode, frame, out);
}

int fay_mode_begin(fay_mode *mode, fay_ns now, fay_command *ret, fay_replies *out)
{
    mode->now = now;
    return mode->class->begin(mode, ret, out);
}

int fay_mode_ended(fay_mode *mode, const fay_ending *ending, fay_ns now, fay_replies *out)
{
    mode->now = now;
    return mode->class->ended(mode, ending, out);
}
