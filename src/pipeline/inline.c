/* SPDX-License-Identifier: MIT */
#include "pipeline/inline.h"

#include <string.h>

#include "base/texts.h"
#include "pipeline/settle.h"

static bool is(const char *word, const char *separator)
{
    return strcmp(word, separator) == 0;
}

static int add_stage(fay_pipeline *pipeline, char *const *words, size_t count, fay_error *err)
{
    size_t number = pipeline->stages_count + 1;
    if (count == 0) {
        int r = fay_fail_with(err, FAY_E_CONFIG, "stage %zu has no command", number);
        fay_hint(err, "faymora run -- CMD ARGS :: CMD ARGS");
        return r;
    }
    if (count > FAY_ARGV_MAX) {
        return fay_fail_with(err, FAY_E_CONFIG, "stage %zu has more than %zu words", number,
                             FAY_ARGV_MAX);
    }
    if (number > FAY_STAGES_MAX)
        return fay_fail_with(err, FAY_E_CONFIG, "more than %zu stages", FAY_STAGES_MAX);
    fay_stage_def *stage = fay_pipeline_add_stage(pipeline);
    stage->words = fay_texts_copy(words, count);
    return 0;
}

static int add_stages(fay_pipeline *pipeline, char *const *words, size_t count, fay_error *err)
{
    size_t begin = 0;
    for (size_t i = 0; i <= count; i++) {
        if (i < count && !is(words[i], "::"))
            continue;
        int r = add_stage(pipeline, words + begin, i - begin, err);
        if (r < 0)
            return r;
        begin = i + 1;
    }
    return 0;
}

fay_pipeline *fay_inline_parse(char *const *words, size_t count, const fay_overrides *options,
                               fay_error *err)
{
    static const fay_overrides none = {0};
    size_t commands = 0;
    while (commands < count && !is(words[commands], ":::")) {
        commands++;
    }
    FAY_CLEANUP(fay_pipeline_freep) fay_pipeline *pipeline = fay_pipeline_new();
    if (add_stages(pipeline, words, commands, err) < 0)
        return NULL;
    if (commands < count) {
        size_t items = count - commands - 1;
        pipeline->source.kind = FAY_SOURCE_ITEMS;
        fay_texts_replace(&pipeline->source.files, fay_texts_copy(words + commands + 1, items));
    }
    /* Named after its first stage: that is what a dead letter file is recognised by. */
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer name = {0};
    const char *program = pipeline->stages[0].words[0];
    const char *slash = strrchr(program, '/');
    fay_name_fit(slash != NULL ? slash + 1 : program, &name);
    fay_text_replace(&pipeline->name, fay_strdup(fay_buffer_text(&name)));
    if (fay_pipeline_override(pipeline, options != NULL ? options : &none, err) < 0)
        return NULL;
    return FAY_STEAL(pipeline);
}
