/* SPDX-License-Identifier: MIT */
/*
 * The audit after each step: the flow's own numbers against the book's, and rule 4 and rule 8 in
 * numbers. Whoever was leased in this step must have had a place for its children in every queue
 * that they may enter, the sink's included, and in its reorder window; exempt are the least
 * unfinished path before an ordered stage, and suspects, which are leased whole to a stage that
 * does nothing else. What is over its bound for other reasons (a large set of children, Items that
 * came back) is no fault, as long as nothing is leased on top of it.
 */
#ifndef FAY_SIM_AUDIT_H
#define FAY_SIM_AUDIT_H

#include "sim/book.h"

void fay_sim_audit(fay_sim_book *book, const fay_flow *flow, fay_ns now);
/* After a long time without Items: if there is nothing to do, each stage is down to its least. */
void fay_sim_audit_lull(const fay_sim_book *book, const fay_flow *flow, fay_ns now);

#endif /* FAY_SIM_AUDIT_H */
