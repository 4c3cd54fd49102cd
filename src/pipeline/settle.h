/* SPDX-License-Identifier: MIT */
/*
 * The last step of making a pipeline, whatever it was made from: fills in what follows from other
 * fields (names, modes, argv, inputs, formats, auto-sized starts) and checks what takes several
 * fields or stages to tell (commands, names, inputs, cycles, depth, `when: else`, ends).
 *
 * Settling again after a change is fine: what was filled in before is worked out anew, what was
 * stated stays.
 */
#ifndef FAY_SETTLE_H
#define FAY_SETTLE_H

#include "pipeline/document.h"
#include "pipeline/pipeline.h"

/* `root` is the document the pipeline was read from, for the places of its errors; NULL = none. */
void fay_settle(fay_pipeline *pipeline, const fay_yaml *root, fay_config_errors *errors);

/* fay_settle() for a pipeline made in code: 0, or FAY_E_CONFIG with the first error in `err`. */
int fay_pipeline_settle(fay_pipeline *pipeline, fay_error *err);

/* Appends `text` made to fit a name: [a-z0-9-]{1,32}, "stage" if nothing is left. */
void fay_name_fit(const char *text, fay_buffer *out);

#endif /* FAY_SETTLE_H */
