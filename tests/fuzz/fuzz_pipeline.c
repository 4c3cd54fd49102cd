/* SPDX-License-Identifier: MIT */
/*
 * Bytes are a pipeline file. Either it is refused with at least one error, and all of them print;
 * or it is taken, and then it plans (as text and as JSON
 * that reads back), has a fingerprint, settles again to the same one, and takes
 * a --set. Sanitizers and the code's own assertions are the oracle.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "item/json.h"
#include "pipeline/load.h"
#include "pipeline/override.h"
#include "pipeline/plan.h"
#include "pipeline/settle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
    if (!condition)
        abort();
}

static void use(fay_pipeline *p)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer text = {0};
    const fay_plan_facts facts = {0};
    fay_error err = {0};
    fay_plan_print(p, &facts, &text);
    (void)fay_pipeline_check_state(p, false, &err);
    fay_buffer_clear(&text);
    fay_plan_json(p, &facts, &text);
    json_t *plan = fay_json_load(fay_buffer_text(&text), fay_buffer_size(&text), &err);
    must(plan != NULL);
    json_decref(plan);

    FAY_CLEANUP(fay_freep) char *before = fay_pipeline_fingerprint(p);
    must(fay_pipeline_settle(p, &err) == 0);
    FAY_CLEANUP(fay_freep) char *after = fay_pipeline_fingerprint(p);
    must(strcmp(before, after) == 0);
    for (size_t i = 0; i < p->stages_count; i++) {
        const fay_stage_def *stage = &p->stages[i];
        must(fay_pipeline_find(p, stage->name) == (int)i);
        must((stage->argv == NULL) == (stage->module != NULL));
        must(stage->inputs_count > 0);
    }
    (void)fay_pipeline_set(p, "sink.file=x", &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fay_config_errors errors = {0};
    FAY_CLEANUP(fay_pipeline_freep)
    fay_pipeline *p = fay_pipeline_parse((const char *)data, size, "f.yaml", "f", &errors);
    must((p != NULL) == (errors.count == 0));
    if (p != NULL)
        use(p);
    fay_buffer text = {0};
    fay_config_errors_print(&errors, &text);
    fay_config_errors_json(&errors, &text);
    fay_buffer_deinit(&text);
    fay_config_errors_deinit(&errors);
    return 0;
}
