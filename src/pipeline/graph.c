/* SPDX-License-Identifier: MIT */
#include "pipeline/graph.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buffer.h"

typedef uint64_t stage_set;
_Static_assert(FAY_STAGES_MAX <= 64, "a set of stages is one word");

static stage_set bit(size_t stage)
{
    return (stage_set)1 << stage;
}

static stage_set inputs_of(const fay_stage_def *stage)
{
    stage_set set = 0;
    for (size_t k = 0; k < stage->inputs_count; k++) {
        if (stage->inputs[k] != FAY_INPUT_SOURCE)
            set |= bit((size_t)stage->inputs[k]);
    }
    return set;
}

/* before[i] = all stages an Item may have been through when it comes to stage i */
static void close_over(const fay_pipeline *p, stage_set before[FAY_STAGES_MAX])
{
    for (size_t i = 0; i < p->stages_count; i++) {
        before[i] = inputs_of(&p->stages[i]);
    }
    for (size_t via = 0; via < p->stages_count; via++) {
        for (size_t i = 0; i < p->stages_count; i++) {
            if ((before[i] & bit(via)) != 0)
                before[i] |= before[via];
        }
    }
}

static size_t depths(const fay_pipeline *p, size_t depth[FAY_STAGES_MAX], stage_set *ret_done)
{
    stage_set done = 0;
    size_t most = 0;
    for (bool progress = true; progress;) {
        progress = false;
        for (size_t i = 0; i < p->stages_count; i++) {
            const fay_stage_def *stage = &p->stages[i];
            if ((done & bit(i)) != 0 || (inputs_of(stage) & ~done) != 0)
                continue;
            depth[i] = 1;
            for (size_t k = 0; k < stage->inputs_count; k++) {
                if (stage->inputs[k] != FAY_INPUT_SOURCE)
                    depth[i] = FAY_MAX(depth[i], depth[stage->inputs[k]] + 1);
            }
            most = FAY_MAX(most, depth[i]);
            done |= bit(i);
            progress = true;
        }
    }
    *ret_done = done;
    return most;
}

/* The cycle through stage `first`: all that come both before and after it. */
static stage_set report_cycle(const fay_pipeline *p, const stage_set *before, size_t first,
                              fay_graph_report *report, void *context)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer names = {0};
    stage_set cycle = 0;
    for (size_t i = 0; i < p->stages_count; i++) {
        if ((before[first] & bit(i)) == 0 || (before[i] & bit(first)) == 0)
            continue;
        fay_buffer_printf(&names, "%s'%s'", cycle != 0 ? ", " : "", p->stages[i].name);
        cycle |= bit(i);
    }
    FAY_CLEANUP(fay_freep) char *message = NULL;
    if ((cycle & (cycle - 1)) == 0) {
        message = fay_printed("stage '%s' feeds itself", p->stages[first].name);
    } else {
        message = fay_printed("stages %s feed each other in a cycle", fay_buffer_text(&names));
    }
    report(context, first, message, "Items move from source to sink; retries are `retries:`");
    return cycle;
}

void fay_graph_check(const fay_pipeline *pipeline, fay_graph_report *report, void *context)
{
    assert(pipeline->stages_count <= FAY_STAGES_MAX);
    stage_set before[FAY_STAGES_MAX];
    size_t depth[FAY_STAGES_MAX];
    stage_set done;
    stage_set reported = 0;
    close_over(pipeline, before);
    size_t most = depths(pipeline, depth, &done);

    for (size_t i = 0; i < pipeline->stages_count; i++) {
        if ((done & bit(i)) != 0 || (reported & bit(i)) != 0)
            continue;
        if ((before[i] & bit(i)) != 0)
            reported |= report_cycle(pipeline, before, i, report, context);
    }
    for (size_t i = 0; i < pipeline->stages_count; i++) {
        if ((done & bit(i)) != 0 || (reported & bit(i)) != 0)
            continue;
        FAY_CLEANUP(fay_freep)
        char *message =
            fay_printed("stage '%s' cannot be reached from the source", pipeline->stages[i].name);
        report(context, i, message, "an input of it comes out of a cycle");
    }
    for (size_t i = 0; i < pipeline->stages_count && most > FAY_DEPTH_MAX; i++) {
        if ((done & bit(i)) == 0 || depth[i] != FAY_DEPTH_MAX + 1)
            continue;
        FAY_CLEANUP(fay_freep)
        char *message = fay_printed("stage '%s' is more than %zu stages behind the source",
                                    pipeline->stages[i].name, FAY_DEPTH_MAX);
        report(context, i, message, "");
        break;
    }
}

/* Another stage that shares an input with `stage`, and has a test (or is an else). */
static bool has_sibling(const fay_pipeline *p, size_t stage, bool is_else)
{
    for (size_t i = 0; i < p->stages_count; i++) {
        const fay_stage_def *other = &p->stages[i];
        if (i == stage || (is_else ? !other->when_else : other->when == NULL))
            continue;
        for (size_t k = 0; k < other->inputs_count; k++) {
            if (fay_pipeline_feeds(p, other->inputs[k], stage))
                return true;
        }
    }
    return false;
}

void fay_graph_check_when(const fay_pipeline *pipeline, fay_graph_report *report, void *context)
{
    for (size_t i = 0; i < pipeline->stages_count; i++) {
        const fay_stage_def *stage = &pipeline->stages[i];
        if (!stage->when_else)
            continue;
        FAY_CLEANUP(fay_freep) char *message = NULL;
        if (!has_sibling(pipeline, i, false)) {
            message = fay_printed("stage '%s' is when: else, but no other stage with its input has "
                                  "a test",
                                  stage->name);
            report(context, i, message, "give the others the same `input:` and a `when:`");
        } else if (has_sibling(pipeline, i, true)) {
            message = fay_printed("stage '%s' is a second when: else of its input", stage->name);
            report(context, i, message, "an Item can go one way only then");
        }
    }
}
