/* SPDX-License-Identifier: MIT */
/* A run of one stage or two, whose counters the tests of the Equalizers set. */
#ifndef FAY_TEST_EQUALIZER_RUN_H
#define FAY_TEST_EQUALIZER_RUN_H

#include "flow/equalizer.h"

typedef struct run {
    fay_equalizers *all;
    fay_ns now;
    fay_equalizer_counters stages[2];
    fay_equalizer_view view; /* of the stage that was looked at last */
} run;

/* One stage fed by the source, or two in a row; T is 100 ms. */
static inline run begin(size_t count, unsigned min, unsigned max)
{
    fay_equalizer_stage stages[2] = {
        {.min = min, .max = max, .period = 100 * FAY_MS, .sourced = true},
        {.min = min, .max = max, .period = 100 * FAY_MS}};
    stages[0].feeds = count > 1 ? 2 : 0;
    run r = {.all = fay_equalizers_new(stages, count, 0)};
    for (size_t i = 0; i < 2; i++) {
        r.stages[i] = (fay_equalizer_counters){.room = 1000, .live = 1, .idle_since = FAY_NEVER};
    }
    return r;
}

static inline void end(run *r)
{
    fay_equalizers_free(r->all);
}

static inline fay_equalizer_decision look(run *r, size_t stage)
{
    fay_equalizer_decision decision = {0};
    fay_equalizers_watch(r->all, stage, r->now, &r->stages[stage]);
    if (fay_equalizers_due(r->all, stage) <= r->now)
        decision = fay_equalizers_evaluate(r->all, stage, r->now, &r->stages[stage]);
    fay_equalizers_view(r->all, stage, &r->view);
    return decision;
}

/* `seconds` of `rate` Items per second that take `useful` each; all are finished. */
static inline void work(run *r, size_t stage, unsigned seconds, unsigned rate, fay_ns useful)
{
    for (unsigned i = 0; i < seconds * rate; i++) {
        r->now += FAY_SECOND / rate;
        fay_equalizers_arrived(r->all, stage, r->now, 1);
        fay_equalizers_finished(r->all, stage, useful, 1);
    }
}

#endif /* FAY_TEST_EQUALIZER_RUN_H */
