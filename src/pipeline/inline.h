/* SPDX-License-Identifier: MIT */
/*
 * A pipeline from the words of a command line, those behind `--`:
 *
 *     CMD ARG.. [:: CMD ARG..].. [::: ITEM..]
 *
 * Each command is a stage, fed by the one before it. One with a placeholder among its words is
 * mode exec, a process for every Item; one without is mode lines, workers that live on. A stage is
 * named after its program, the second of a name gets `-2`. Behind `:::` stand the Items themselves,
 * taken as they are, also if they begin with a dash; without it Items come from stdin.
 */
#ifndef FAY_INLINE_H
#define FAY_INLINE_H

#include "pipeline/override.h"
#include "pipeline/pipeline.h"

/* `options` may be NULL. NULL with FAY_E_CONFIG in `err` when the words are not of that form. */
fay_pipeline *fay_inline_parse(char *const *words, size_t count, const fay_overrides *options,
                               fay_error *err);

#endif /* FAY_INLINE_H */
