/* SPDX-License-Identifier: MIT */
/*
 * What a run would do, in words: the text of `faymora plan`. Per stage its command, mode, workers
 * and what happens on failure; for the whole what is exactly once, what is not, and why; warnings
 * (promise.h).
 */
#ifndef FAY_PLAN_H
#define FAY_PLAN_H

#include "base/buffer.h"
#include "pipeline/pipeline.h"
#include "pipeline/promise.h"

void fay_plan_print(const fay_pipeline *pipeline, const fay_plan_facts *facts, fay_buffer *out);

/*
 * The same as one JSON object on one line, for programs: valid whatever bytes the pipeline holds
 * (words that are not UTF-8 are {"$base64": ".."}). faymora(1) has its members. Durations are in
 * seconds; what is not set or has no bound is null.
 */
void fay_plan_json(const fay_pipeline *pipeline, const fay_plan_facts *facts, fay_buffer *out);

#endif /* FAY_PLAN_H */
