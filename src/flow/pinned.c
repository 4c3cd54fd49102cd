/* SPDX-License-Identifier: MIT */
#include "flow/pinned.h"

#include <math.h>

#include "flow/account.h"

static void tell(fay_equalizers *all, size_t stage, double now)
{
    fay_equalizer *e = &all->stages[stage];
    double rate = fay_arrivals_rate(&e->arrivals, now, fay_equalizer_period(e), e->spawn_s);
    fay_board_visit(all);
    double offered = e->config.sourced ? e->last.source_rate * e->visits : 0;
    fay_account_note(e, fmax(rate, offered), e->item_s);
    e->view.from_source = offered > rate;
    e->view.rule = FAY_RULE_STANDING;
    e->view.wanted = FAY_MAX(e->view.wanted, fay_equalizer_workers(e) + 1);
}

void fay_pinned_watch(fay_equalizers *all, size_t stage, double now)
{
    fay_equalizer *e = &all->stages[stage];
    bool late = false, stood = e->view.pressure == FAY_HIGH;
    bool again = now - e->evaluated >= fay_equalizer_period(e);
    if (again) {
        e->evaluated = now;
        e->item_s = fay_service_mean(&e->service, now); /* the others have to know */
    }
    if (e->last.queued > 1) {
        if (!again)
            return;
        late = fay_plan_is_late(e, e->last.live, e->item_s);
    }
    bool standing = fay_plan_stands(e, now, late, 1);
    e->view.pressure = standing ? FAY_HIGH : FAY_EVEN;
    e->view.held_by = standing ? FAY_HELD_PINNED : FAY_HELD_NONE;
    if (standing && !stood)
        tell(all, stage, now);
}
