/* SPDX-License-Identifier: MIT */
/*
 * The shape of a pipeline: cycles, stages no Item can reach, the longest way, and which tests go
 * with a `when: else`. FAY_STAGES_MAX is at most 64, so that a set of stages is one word, and "who
 * comes before whom" is Warshall's closure over those words.
 */
#ifndef FAY_GRAPH_H
#define FAY_GRAPH_H

#include "pipeline/pipeline.h"

typedef void fay_graph_report(void *context, size_t stage, const char *message, const char *hint);

/* Both want settled inputs and at most FAY_STAGES_MAX stages, and report what is wrong. A stage
 * without inputs (they were refused) is taken as reached, so that one mistake is one error. */
void fay_graph_check(const fay_pipeline *pipeline, fay_graph_report *report, void *context);
void fay_graph_check_when(const fay_pipeline *pipeline, fay_graph_report *report, void *context);

#endif /* FAY_GRAPH_H */
