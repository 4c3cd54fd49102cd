/* SPDX-License-Identifier: MIT */
/*
 * The files that a run writes: sink, dead letters, and the logs that were asked for. Each has to be
 * one of its own, as they would overwrite one another.
 */
#ifndef FAY_OUTPUTS_H
#define FAY_OUTPUTS_H

#include "run/run.h"

/* FAY_E_CONFIG with err set if two are the same file, by whatever names. */
int fay_outputs_check(const fay_run_options *options, fay_error *err);

#endif /* FAY_OUTPUTS_H */
