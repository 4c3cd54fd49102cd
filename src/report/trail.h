/* SPDX-License-Identifier: MIT */
/*
 * What was done to every Item: --joblog (one line a try) and --results (DIR/STAGE.out, one JSON
 * line an output: {"id":"7","item":".."}, with the id of the Item that it came from). Only for
 * runs that ask for it: it keeps an entry for each Item that is leased.
 */
#ifndef FAY_TRAIL_H
#define FAY_TRAIL_H

#include "base/base.h"
#include "flow/flow.h"
#include "letters/news.h"
#include "pipeline/pipeline.h"
#include "report/logfile.h"

typedef struct fay_trail fay_trail;

/* *ret stays NULL if neither is wanted; all functions take NULL. FAY_E_IO with err set. A file that
 * cannot be written later on is told to `watch`, and the others go on. */
int fay_trail_open(const fay_pipeline *pipeline, const char *joblog, const char *results,
                   const fay_logfile_watch *watch, fay_trail **ret, fay_error *err);
void fay_trail_free(fay_trail *trail);

void fay_trail_flush(fay_trail *trail);
/* Nothing more will come: all is written, as far as it is taken by then, and closed. */
void fay_trail_finish(fay_trail *trail, fay_ns by);

void fay_trail_leased(fay_trail *trail, const fay_flow_action *lease);
/* Before the flow is fed with the same. */
void fay_trail_results(fay_trail *trail, size_t stage, const fay_flow_event *results);
void fay_trail_part(fay_trail *trail, size_t stage, const fay_flow_event *part);
void fay_trail_verdict(fay_trail *trail, size_t stage, const fay_flow_event *verdict,
                       const fay_news *news);
void fay_trail_given_back(fay_trail *trail, const fay_flow_event *event);
/* A worker, or with worker -1 a whole link, is gone, with what it held. */
void fay_trail_gone(fay_trail *trail, size_t stage, uint32_t link, int worker,
                    const fay_news *news);

#endif /* FAY_TRAIL_H */
