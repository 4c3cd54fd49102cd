/* SPDX-License-Identifier: MIT */
/* Pipelines that a test states as text. */
#ifndef FAY_TEST_PIPELINES_H
#define FAY_TEST_PIPELINES_H

#include "pipeline/pipeline.h"

/* Of the file "p.yaml", named "p" unless it says otherwise. It must be right: what is wrong with it
 * fails the test. Free with fay_pipeline_free(). */
fay_pipeline *pipeline_of(const char *yaml);

#endif /* FAY_TEST_PIPELINES_H */
