/* SPDX-License-Identifier: MIT */
/*
 * A pipeline from its file.
 *
 *     bytes --document.h--> tree --schema.h--> fay_pipeline --settle.h--> checked, complete
 *
 * Each step adds what it finds to one list of errors and goes on, so that a file is put right in
 * one round. The grammar is docs' faymora-pipeline(5).
 */
#ifndef FAY_LOAD_H
#define FAY_LOAD_H

#include "pipeline/errors.h"
#include "pipeline/pipeline.h"

#define FAY_PIPELINE_VERSION 1 /* of the format: `faymora: 1` */

/*
 * Reads a file ("-" = stdin). NULL if there is any error; then `errors` has at least one: status
 * FAY_E_CONFIG for what is wrong in the file, FAY_E_IO when it could not be read.
 */
fay_pipeline *fay_pipeline_load(const char *path, fay_config_errors *errors);

/* As above, from memory. `path` is shown in messages; `name` is the pipeline's if it states none,
 * made to fit. */
fay_pipeline *fay_pipeline_parse(const char *yaml, size_t size, const char *path, const char *name,
                                 fay_config_errors *errors);

#endif /* FAY_LOAD_H */
