/* SPDX-License-Identifier: MIT */
/* The flow's events and actions as lines of the trace. */
#ifndef FAY_SIM_TEXT_H
#define FAY_SIM_TEXT_H

#include "flow/flow.h"
#include "sim/trace.h"

const char *fay_sim_event_name(int kind);
const char *fay_sim_action_name(int kind);
void fay_sim_say_event(fay_sim_trace *trace, const fay_flow_event *event);
void fay_sim_say_action(fay_sim_trace *trace, const fay_flow_action *action);

#endif /* FAY_SIM_TEXT_H */
